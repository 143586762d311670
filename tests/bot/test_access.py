"""Who is refused: nobody gets further than their role, their accounts and the place allow."""

from typing import Any

import pytest
from aiogram import Router
from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardMarkup

from bot.callbacks import (
    ApprovalPress,
    ApprovalVerb,
    BoardKind,
    ChartPress,
    ExposurePress,
    RefreshPress,
    ReleaseAnswerPress,
    ReleaseAskPress,
    ReleaseVerb,
    WarningPress,
    WarningVerb,
)
from bot.middlewares import door
from bot.routers import build_router
from tests.fakes.shell import ANN, BLOCKED, BO, OLGA, PENDING, STRANGER, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json, press_json

OTHER_GROUP = -2002
APPROVE = ApprovalPress(approval_id=11, verb=ApprovalVerb.APPROVE).pack()
DISMISS = WarningPress(warning_id=21, version=1, verb=WarningVerb.DISMISS).pack()
GRANT = ReleaseAnswerPress(account_id=7, verb=ReleaseVerb.GRANT).pack()
ADMIN_COMMANDS = ("/accounts", "/warnings", "/signal XAUUSD buy 0.10", "/signal", "/sync")
CLIENT_COMMANDS = ("/positions", "/drawdown", "/release")


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


def handlers(router: Router) -> list[Any]:
    """Every handler of messages and presses, of all routers inside."""
    own = [*router.message.handlers, *router.callback_query.handlers]
    return own + [handler for inner in router.sub_routers for handler in handlers(inner)]


def test_every_handler_says_who_may_use_it() -> None:
    every = handlers(build_router())
    assert len(every) > 20
    assert [h.callback for h in every if h.flags.get("role") not in {"client", "admin"}] == []


async def test_a_handler_without_a_role_is_refused(chat: Conversation) -> None:
    async def forgotten() -> None:
        raise AssertionError("ran")

    router = chat.dispatcher.sub_routers[0].sub_routers[-1]
    router.message.handlers.clear()
    router.message.register(forgotten)
    await chat.feed(message_json(OLGA, "hello"))
    assert chat.said == "This is not available to you."
    assert chat.services.refused == [(OLGA, "not allowed: message")]


@pytest.mark.parametrize("text", [*ADMIN_COMMANDS, *CLIENT_COMMANDS, "/start", "hello"])
async def test_a_stranger_gets_one_answer_with_their_id_then_silence(
    chat: Conversation, text: str
) -> None:
    await chat.feed(message_json(STRANGER, text))
    assert str(STRANGER) in chat.said
    assert chat.services.calls == []
    assert len(chat.services.turned_away) == 1
    await chat.feed(message_json(STRANGER, text))
    assert chat.said == ""
    assert len(chat.services.turned_away) == 1, "what is not answered is counted"


async def test_strangers_are_forgotten_from_the_oldest_on(
    chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "STRANGERS_MAX", 2)
    small = Conversation()
    for stranger in (5001, 5002, 5003):
        await small.feed(message_json(stranger, "hello"))
    await small.feed(message_json(5003, "hello"))
    assert small.said == "", "one of the two newest is remembered"
    await small.feed(message_json(5001, "hello"))
    assert "5001" in small.said, "past the bound the oldest is a stranger anew"


async def test_a_strangers_press_is_always_answered(chat: Conversation) -> None:
    for _ in range(2):
        await chat.feed(press_json(STRANGER, DISMISS, ADMIN_CHAT))
        assert chat.telegram.popups()[0][1] is True
        assert chat.services.calls == []


@pytest.mark.parametrize(
    ("who", "words"), [(PENDING, "not confirmed"), (BLOCKED, "cannot use this bot")]
)
async def test_pending_and_blocked_people_may_do_nothing(
    chat: Conversation, who: int, words: str
) -> None:
    await chat.feed(message_json(who, "/positions"))
    assert words in chat.said
    assert chat.services.calls == []


@pytest.mark.parametrize("text", ADMIN_COMMANDS)
async def test_a_client_may_not_use_admin_commands(chat: Conversation, text: str) -> None:
    await chat.feed(message_json(ANN, text))
    assert chat.said == "Only an admin can do that. Nothing was changed."
    assert chat.services.calls == []
    assert chat.services.refused == [(ANN, f"not allowed: command {text.split(maxsplit=1)[0]}")]


@pytest.mark.parametrize("data", [DISMISS, GRANT])
async def test_a_client_in_the_admin_chat_may_not_press_its_buttons(
    chat: Conversation, data: str
) -> None:
    await chat.feed(press_json(ANN, data, ADMIN_CHAT))
    assert chat.telegram.popups() == [("Only an admin can do that. Nothing was changed.", True)]
    assert chat.services.calls == []
    assert chat.services.refused == [(ANN, f"not allowed: button {data}")]


@pytest.mark.parametrize("data", [APPROVE, ReleaseAskPress(account_id=7).pack()])
async def test_a_press_in_somebody_elses_chat_is_refused(chat: Conversation, data: str) -> None:
    await chat.feed(press_json(BO, data, chat_id=ANN))
    assert chat.telegram.popups() == [("This button belongs to somebody else.", True)]
    assert chat.services.calls == []
    assert chat.services.refused == [(BO, f"foreign: button {data}")]


@pytest.mark.parametrize(
    "data",
    [
        ChartPress(account_id=7).pack(),
        ExposurePress(account_id=7).pack(),
        ReleaseAskPress(account_id=7).pack(),
    ],
)
async def test_forged_data_for_another_account_is_refused_and_audited(
    chat: Conversation, data: str
) -> None:
    await chat.feed(press_json(BO, data))
    assert chat.telegram.popups()[0][1] is True
    assert "belongs to somebody else" in chat.popup
    assert chat.services.refused == [(BO, f"not_yours: button {data}")]


@pytest.mark.parametrize("text", ADMIN_COMMANDS)
async def test_an_admin_in_another_group_is_refused(chat: Conversation, text: str) -> None:
    await chat.feed(message_json(OLGA, text, OTHER_GROUP))
    assert "Admin commands work in the admin chat" in chat.said
    assert chat.services.calls == []
    assert len(chat.services.refused) == 1


@pytest.mark.parametrize("place", [ADMIN_CHAT, OLGA])
async def test_an_admin_may_use_them_in_the_admin_chat_and_in_private(
    chat: Conversation, place: int
) -> None:
    await chat.feed(message_json(OLGA, "/accounts", place))
    assert chat.services.calls == [("all_accounts",)]


@pytest.mark.parametrize("text", CLIENT_COMMANDS)
@pytest.mark.parametrize("group", [OTHER_GROUP, ADMIN_CHAT])
@pytest.mark.parametrize("who", [ANN, OLGA])
async def test_nobodys_figures_are_shown_in_a_group(
    chat: Conversation, text: str, group: int, who: int
) -> None:
    await chat.feed(message_json(who, text, group))
    assert ("in private" if who == OLGA else "private chat") in chat.said
    assert chat.services.calls == []


async def test_in_a_group_a_button_leads_to_the_private_chat(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/positions", OTHER_GROUP))
    (sent,) = [call for call in chat.telegram.calls if isinstance(call, SendMessage)]
    assert isinstance(sent.reply_markup, InlineKeyboardMarkup)
    ((way,),) = sent.reply_markup.inline_keyboard
    assert (way.text, way.url) == (
        "Open our private chat",
        "https://t.me/reckoner_bot?start=hello",
    )
    assert way.callback_data is None


async def test_a_refresh_button_in_a_group_shows_nobodys_figures(chat: Conversation) -> None:
    data = RefreshPress(board=BoardKind.POSITIONS).pack()
    await chat.feed(press_json(OLGA, data, ADMIN_CHAT))
    assert chat.services.calls == []


async def test_status_in_the_admin_chat_shows_the_system_only(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/status", ADMIN_CHAT))
    assert chat.services.calls == [("system",)]


@pytest.mark.parametrize("text", ["good morning", "/status@another_bot"])
async def test_talk_in_a_group_is_not_answered(chat: Conversation, text: str) -> None:
    for who in (STRANGER, ANN, OLGA):
        await chat.feed(message_json(who, text, ADMIN_CHAT))
        assert chat.telegram.texts() == []


async def test_a_command_that_names_this_bot_is_answered(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/accounts@reckoner_bot", ADMIN_CHAT))
    assert chat.services.calls == [("all_accounts",)]


async def test_another_bot_is_not_answered(chat: Conversation) -> None:
    body = message_json(ANN, "/start")
    body["message"]["from"]["is_bot"] = True
    await chat.feed(body)
    assert chat.telegram.calls == []


@pytest.mark.parametrize(
    "text",
    [
        "/positions",
        "/drawdown",
        "/drawdown 50001",
        "/status",
        "/history",
        "/history 50001",
        "/report day",
        "/report day 50001",
        "/incident",
        "/incident 1",
        "/rules",
        "/settings",
        "/token",
        "/release",
    ],
)
async def test_a_client_reads_nothing_of_their_own_in_a_group(
    chat: Conversation, text: str
) -> None:
    for group in (OTHER_GROUP, ADMIN_CHAT):
        await chat.feed(message_json(ANN, text, group))
        assert chat.said == "I show accounts only in private. Please look in our private chat."
        assert chat.services.calls == []


async def test_an_admin_in_a_group_that_is_not_the_desk_reads_nothing_either(
    chat: Conversation,
) -> None:
    """Told once a minute: answers to what may not be asked would go before the group's alerts."""
    said = []
    for text in ("/history 50001", "/report day 50001", "/incident 1", "/status"):
        await chat.feed(message_json(OLGA, text, OTHER_GROUP))
        said.append("only in private" in chat.said)
        assert chat.services.calls == []
    assert said == [True, False, False, False]
    assert len(chat.telegram.named("sendMessage")) == 0


async def test_who_is_refused_again_and_again_in_the_admin_chat_does_not_crowd_it(
    chat: Conversation,
) -> None:
    said = []
    for _ in range(25):
        await chat.feed(message_json(ANN, "/accounts", ADMIN_CHAT))
        said.append(len(chat.telegram.named("sendMessage")))
    assert said == [1] + 24 * [0]
    assert len(chat.services.refused) > 0, "each is audited all the same"
