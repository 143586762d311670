"""The topics of the admin chat: read as they are written, or refused in one line."""

import pytest

from core.config import SettingsError, load

GROUPS = "guard, closes, positions, differences, signals, market, money, rules, terminal, people"


def test_nothing_is_named_unless_it_is_asked_for() -> None:
    assert load({"ADMIN_TOPICS": ""}, dotenv=None).admin_topics is None


def test_each_group_has_its_topic_and_two_may_share_one() -> None:
    settings = load({"ADMIN_TOPICS": "guard=12, closes = 12,people=2147483647,"}, dotenv=None)
    assert settings.admin_topics == {"guard": 12, "closes": 12, "people": 2**31 - 1}
    every = ",".join(f"{name}=2" for name in GROUPS.split(", "))
    assert len(load({"ADMIN_TOPICS": every}, dotenv=None).admin_topics) == 10


@pytest.mark.parametrize(
    "given",
    [
        "guards=12",  # no such group
        "Guard=12",
        "card=12",  # nothing of it goes to the admin chat
        "digests=12",
        "guard=12,guard=15",  # which of them?
        "guard=12,guard=12",
        "guard",
        "guard=",
        "=12",
        "guard:12",
        "guard=twelve",
        "guard=1.5",
        "guard=-12",
        "guard=+12",
        "guard=1_2",
        "guard=\N{ARABIC-INDIC DIGIT TWO}",
        "guard=0",
        "guard=1",  # General, which Telegram does not take by its number
        "guard=2147483648",
        "guard=12 market=15",
    ],
)
def test_what_is_no_list_of_topics_is_refused_in_one_line(given: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"ADMIN_TOPICS": given}, dotenv=None)
    (line,) = caught.value.lines
    assert line == (
        "ADMIN_TOPICS: expected GROUP=TOPIC pairs separated by commas, each group once "
        f"({GROUPS}), a topic being a whole number from 2 to 2147483647, got '{given}'"
    )
