"""Presses nobody was offered: data is never authority, and no data at all ends in a fault."""

import string
from enum import EnumMeta

import pytest
from aiogram.filters.callback_data import CallbackData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from bot import callbacks
from bot.callbacks import ID_MAX, PAGE_MAX
from tests.fakes.shell import ANN, BLOCKED, OLGA, PENDING, STRANGER, Conversation
from tests.fakes.telegram import ADMIN_CHAT, press_json

KINDS: list[type[CallbackData]] = [
    kind
    for kind in vars(callbacks).values()
    if isinstance(kind, type) and issubclass(kind, CallbackData) and kind is not CallbackData
]
BYTES_MAX = 64
"""Telegram's bound on what a button carries; a forged client is held to it, too."""
AROUND = st.sampled_from([-1, 0, 1, 7, 2**31, 2**32, ID_MAX, ID_MAX + 1, 2**64, 10**20, -(2**63)])
LETTERS = string.ascii_letters + string.digits + ":|-_ .,\u00e9\U0001f600\x00"


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


def bounds(field: FieldInfo) -> tuple[int | None, int | None]:
    """The least and the greatest value that a field takes."""
    least = next((each.ge for each in field.metadata if hasattr(each, "ge")), None)
    most = next((each.le for each in field.metadata if hasattr(each, "le")), None)
    return least, most


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_number_a_button_carries_has_a_bound_that_the_database_can_hold(
    kind: type[CallbackData],
) -> None:
    for name, field in kind.model_fields.items():
        if field.annotation is int:
            least, most = bounds(field)
            assert least is not None, name
            assert most is not None, name
            assert 0 <= least < most <= 2**63 - 1, name


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_number_is_read_at_its_bound_and_not_past_it(kind: type[CallbackData]) -> None:
    fields = kind.model_fields.items()
    first = {name: _first(field.annotation) for name, field in fields}
    for name, field in fields:
        if field.annotation is not int:
            continue
        _, most = bounds(field)
        assert most is not None
        words = [kind.__prefix__, *({**first, name: str(most)}.values())]
        assert getattr(kind.unpack(kind.__separator__.join(words)), name) == most
        for forged in (str(most + 1), "-1"):
            words = [kind.__prefix__, *({**first, name: forged}.values())]
            with pytest.raises(ValidationError):
                kind.unpack(kind.__separator__.join(words))


def _first(kind: object) -> str:
    """The first value of an enumeration, else 1."""
    return str(next(iter(kind))) if isinstance(kind, EnumMeta) else "1"


def test_a_page_is_bounded_so_that_its_first_row_is_a_number_the_database_knows() -> None:
    assert PAGE_MAX * 1_000 < ID_MAX


@st.composite
def forged(draw: st.DrawFn) -> str:
    """Data with a known prefix and made-up fields, or anything at all, within Telegram's bound."""
    if draw(st.booleans()):
        kind = draw(st.sampled_from(KINDS))
        separator = kind.__separator__
        fields = kind.model_fields.values()
        words = [kind.__prefix__, *(draw(_value(field.annotation)) for field in fields)]
        if draw(st.integers(0, 9)) == 0:
            words.append("more")
        data = separator.join(words)
    else:
        data = draw(st.text(LETTERS, min_size=1, max_size=BYTES_MAX))
    return data.encode()[:BYTES_MAX].decode(errors="ignore") or "x"


def _value(kind: object) -> st.SearchStrategy[str]:
    words = st.text(LETTERS, max_size=12)
    if kind is int:
        return st.one_of(AROUND.map(str), st.sampled_from([str(ANN), str(OLGA)]), words)
    if isinstance(kind, EnumMeta):
        return st.one_of(st.sampled_from(sorted(map(str, kind))), words)
    return st.one_of(words, st.sampled_from(["XAUUSD", "buy", "0.10", "NaN", "1e999999", "-0"]))


QUICK = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(
    data=forged(),
    who=st.sampled_from([ANN, OLGA]),
    chat_id=st.sampled_from([None, ADMIN_CHAT, -1005]),
)
async def test_whatever_is_pressed_is_answered_once_and_nothing_raises(
    chat: Conversation, data: str, who: int, chat_id: int | None
) -> None:
    await chat.feed(press_json(who, data, chat_id))
    assert len(chat.telegram.popups()) == 1
    assert "went wrong" not in str(chat.telegram.popups()), data
    assert "went wrong" not in chat.said, data


@QUICK
@given(data=forged(), who=st.sampled_from([STRANGER, PENDING, BLOCKED]))
async def test_a_stranger_reaches_no_service_and_is_shown_nothing_whatever_they_press(
    chat: Conversation, data: str, who: int
) -> None:
    await chat.feed(press_json(who, data, ADMIN_CHAT))
    assert chat.services.calls == []
    assert [call.__api_method__ for call in chat.telegram.calls] == ["answerCallbackQuery"]
