"""Whatever is written is answered or left alone; nothing raises, and a stranger reaches nothing."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.views.commands import COMMANDS
from tests.fakes.shell import ANN, BLOCKED, OLGA, PENDING, STRANGER, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json

NAMES = [command.name for command in COMMANDS]
WORD = st.one_of(
    st.sampled_from(
        ["50001", "99999999999999999999", "-1", "0", "week", "2026-02-30", "9999-12-31", "XAUUSD"]
    ),
    st.sampled_from(
        ["buy", "0.10", "NaN", "Infinity", "1e999", "sl", "tp", "hold1h", "own", "none"]
    ),
    st.text(max_size=12),
)
ARGUMENTS = st.lists(WORD, max_size=6).map(" ".join)
COMMAND = st.builds(
    "/{}{} {}".format,
    st.sampled_from([*NAMES, "start@reckoner_bot", "nothing", "", "\u00e9"]),
    st.sampled_from(["", "@reckoner_bot", "@another_bot", "@"]),
    ARGUMENTS,
)
TEXT = st.one_of(COMMAND, st.text(min_size=1, max_size=60)).filter(lambda text: text.strip())
QUICK = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def chat() -> Conversation:
    return unhurried()


def unhurried() -> Conversation:
    """A conversation in which no chat's allowance is ever used up."""
    made = Conversation()
    made.rates.take = lambda *_: None  # type: ignore[method-assign]
    return made


@QUICK
@given(text=TEXT, who=st.sampled_from([ANN, OLGA]), chat_id=st.sampled_from([None, ADMIN_CHAT]))
async def test_whatever_a_person_writes_nothing_raises(
    chat: Conversation, text: str, who: int, chat_id: int | None
) -> None:
    await chat.feed(message_json(who, text, chat_id))
    assert "went wrong" not in chat.said, text


@QUICK
@given(text=TEXT, who=st.sampled_from([STRANGER, PENDING, BLOCKED]))
async def test_a_stranger_reaches_no_service_whatever_they_write(
    chat: Conversation, text: str, who: int
) -> None:
    await chat.feed(message_json(who, text, ADMIN_CHAT))
    assert chat.services.calls == []
