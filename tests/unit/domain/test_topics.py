"""Where each kind of alert goes in an admin group with topics."""

from typing import Any, get_args

import pytest

from core.domain.alerts import Alert
from core.domain.hearing import GROUPS
from core.domain.topics import NAMES, OF_ADMINS, topic_of

TOPICS = {name: number for number, name in enumerate(NAMES, start=10)}
IN_GENERAL = {
    # about Reckoner itself, or the chats it writes to
    "AppStanding",
    "AppStarted",
    "AppStopping",
    "ChatMoved",
    "ChatReachable",
    "ChatUnreachable",
    "HeadsRecorded",
    "PauseChanged",
    # of several groups
    "AlertsFolded",
    "AlertsOver",
    # no admin chat is sent them
    "AccessDecided",
    "LinkNews",
    "WordsLeft",
    "DailyDigest",
}


def _kinds(union: Any) -> set[str]:  # noqa: ANN401 - a union of classes
    parts = get_args(union)
    return set().union(*map(_kinds, parts)) if parts else {union.__name__}


def test_of_every_kind_it_is_decided_whether_it_has_a_topic() -> None:
    """A new kind is put into a group, or named here."""
    without = {kind for kind in _kinds(Alert) if topic_of(kind, TOPICS) is None}
    assert without == IN_GENERAL


def test_no_name_is_of_a_kind_that_is_not_there() -> None:
    assert set(OF_ADMINS) <= _kinds(Alert)
    assert set(GROUPS) <= _kinds(Alert)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("GuardBreached", "guard"),
        ("ReleaseAsked", "guard"),
        ("CloseTrouble", "closes"),
        ("DivergenceOpened", "differences"),
        ("MarketWarning", "market"),
        ("MarketCloseAhead", "market"),
        ("BalanceUnexplained", "money"),
        ("AccountUnavailable", "terminal"),
        ("AccessAsked", "people"),
        ("AccountGiven", "people"),
    ],
)
def test_an_alert_goes_to_the_topic_of_its_group(kind: str, name: str) -> None:
    assert topic_of(kind, TOPICS) == TOPICS[name]


def test_a_group_without_a_topic_goes_to_general() -> None:
    assert topic_of("GuardBreached", {"market": 15}) is None
    assert topic_of("GuardBreached", {}) is None
