"""The door: a stranger may ask once, in their own chat, for themselves; admins answer."""

import pytest

from bot.callbacks import AccessAnswerPress, AccessAskPress, AccessVerb
from core.domain.access import Requester
from core.services.errors import Refused
from tests.fakes.shell import ANN, BLOCKED, OLGA, PENDING, STRANGER, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json, press_json

ASK = AccessAskPress(asker=STRANGER).pack()
APPROVE = AccessAnswerPress(request_id=3, verb=AccessVerb.APPROVE).pack()
BLOCK = AccessAnswerPress(request_id=3, verb=AccessVerb.BLOCK).pack()


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


def buttons(chat: Conversation) -> list[str]:
    """The labels under what was said."""
    markups = [call.reply_markup for call in chat.telegram.calls if hasattr(call, "reply_markup")]
    return [
        button.text for made in markups if made for row in made.inline_keyboard for button in row
    ]


async def test_a_strangers_answer_has_their_number_and_one_button(chat: Conversation) -> None:
    await chat.feed(message_json(STRANGER, "/start"))
    assert str(STRANGER) in chat.said
    assert buttons(chat) == ["Request access"]


async def test_in_a_group_a_stranger_is_offered_no_button(chat: Conversation) -> None:
    await chat.feed(message_json(STRANGER, "/start", ADMIN_CHAT))
    assert str(STRANGER) in chat.said
    assert buttons(chat) == []


async def test_the_button_asks_in_the_strangers_own_name(chat: Conversation) -> None:
    await chat.feed(press_json(STRANGER, ASK))
    ((_, asker),) = chat.services.calls
    assert isinstance(asker, Requester)
    assert asker.telegram_id == STRANGER
    assert chat.popup == "Your request was sent. An admin will answer here."


@pytest.mark.parametrize(
    "data",
    [AccessAskPress(asker=ANN).pack(), "ak1:", "ak1:x", f"ak1:{STRANGER}:1", f"ak1:0{STRANGER}"],
)
async def test_a_button_made_for_somebody_else_or_forged_asks_for_nobody(
    chat: Conversation, data: str
) -> None:
    await chat.feed(press_json(STRANGER, data))
    assert chat.services.calls == []
    assert "I do not know you" in chat.popup


async def test_the_button_works_in_the_strangers_own_chat_only(chat: Conversation) -> None:
    for place in (ADMIN_CHAT, ANN):
        await chat.feed(press_json(STRANGER, ASK, place))
        assert chat.services.calls == []
        assert "I do not know you" in chat.popup


async def test_a_second_press_at_the_same_time_reads_the_same(chat: Conversation) -> None:
    chat.services.refusal = Refused("already_known")
    await chat.feed(press_json(STRANGER, ASK))
    assert chat.popup == "Your request was sent. An admin will answer here."


async def test_where_too_many_wait_the_stranger_is_told_what_to_do(chat: Conversation) -> None:
    chat.services.refusal = Refused("requests_full")
    await chat.feed(press_json(STRANGER, ASK))
    assert "Too many people wait" in chat.popup


@pytest.mark.parametrize(
    ("who", "words"), [(PENDING, "not confirmed"), (BLOCKED, "cannot use this bot")]
)
@pytest.mark.parametrize("data", [ASK, APPROVE])
async def test_whoever_waits_or_is_blocked_presses_in_vain(
    chat: Conversation, who: int, words: str, data: str
) -> None:
    await chat.feed(press_json(who, data.replace(str(STRANGER), str(who))))
    assert words in chat.popup
    assert chat.services.calls == []


@pytest.mark.parametrize("place", [ADMIN_CHAT, OLGA])
@pytest.mark.parametrize(("data", "approve"), [(APPROVE, True), (BLOCK, False)])
async def test_an_admin_answers(
    chat: Conversation,
    place: int,
    data: str,
    approve: bool,  # noqa: FBT001 - a case
) -> None:
    await chat.feed(press_json(OLGA, data, place))
    assert chat.services.calls == [("answer_access", OLGA, 3, approve)]
    assert chat.popup == ("Sam is a client now." if approve else "Sam is blocked.")


@pytest.mark.parametrize("who", [ANN, STRANGER])
async def test_nobody_else_answers(chat: Conversation, who: int) -> None:
    await chat.feed(press_json(who, APPROVE, ADMIN_CHAT))
    assert chat.services.calls == []
    assert len(chat.services.refused) + len(chat.services.turned_away) == 1


async def test_a_second_admin_reads_who_did(chat: Conversation) -> None:
    chat.services.refusal = Refused("request_answered", state="approved", by="Ada", at=None)
    await chat.feed(press_json(OLGA, APPROVE, ADMIN_CHAT))
    assert chat.popup == "Already approved by Ada."


CODE = "abcdefghijklmnopqrstuvwxyz_0123-"
GROUP = -2002


async def test_a_code_in_private_is_taken_from_strangers_and_from_people_who_are_known(
    chat: Conversation,
) -> None:
    for who in (STRANGER, PENDING, BLOCKED, ANN, OLGA):
        await chat.feed(message_json(who, f"/start {CODE}"))
        assert chat.services.calls == [("use_invitation", who, CODE)]
        assert "Welcome" in chat.said


@pytest.mark.parametrize("text", ["/start", "/start hello", "/start  "])
async def test_a_start_without_a_code_is_a_greeting(chat: Conversation, text: str) -> None:
    await chat.feed(message_json(ANN, text))
    assert chat.services.calls == []
    assert "Hello" in chat.said


@pytest.mark.parametrize(
    "text",
    [
        f"/start {CODE}",
        f"/start@reckoner_bot {CODE}",
        f"look: https://t.me/reckoner_bot?start={CODE} is for you",
    ],
)
@pytest.mark.parametrize("who", [STRANGER, ANN, OLGA])
async def test_a_code_shown_to_a_group_is_void(chat: Conversation, text: str, who: int) -> None:
    chat.invitations.good = {CODE}
    await chat.feed(message_json(who, text, GROUP))
    assert chat.services.calls == [("void", CODE, who)]
    assert "it is void now" in chat.said


async def test_a_wrong_code_gets_one_line_and_is_counted(chat: Conversation) -> None:
    chat.services.refusal = Refused("code_wrong")
    await chat.feed(message_json(STRANGER, f"/start {CODE}"))
    assert chat.said == "I do not know this code. Please open the link again as it was sent."
    assert chat.services.turned_away == [(STRANGER, "code: code_wrong")]


@pytest.mark.parametrize("who", [STRANGER, PENDING])
async def test_whoever_is_not_let_in_is_told_to_send_no_password(
    chat: Conversation, who: int
) -> None:
    """What they write besides is not answered, and stays in the chat."""
    await chat.feed(message_json(who, "/link"))
    assert "Send me no password".lower() in chat.said.lower()


async def test_past_too_many_codes_a_stranger_is_a_stranger(chat: Conversation) -> None:
    chat.services.refusal = Refused("too_many_codes")
    await chat.feed(message_json(STRANGER, f"/start {CODE}"))
    assert "I do not know you yet" in chat.said
    await chat.feed(message_json(STRANGER, f"/start {CODE}"))
    assert chat.said == ""


async def test_anybody_may_ask_for_their_number(chat: Conversation) -> None:
    for who in (ANN, OLGA, STRANGER):
        await chat.feed(message_json(who, "/id"))
        assert str(who) in chat.said


async def test_every_code_of_a_message_shown_to_a_group_is_void(chat: Conversation) -> None:
    """Ann's and Ben's links in one message, and one behind a word."""
    codes = [CODE, CODE[::-1], CODE[1:] + "x"]
    chat.invitations.good = set(codes)
    text = " ".join(f"https://t.me/reckoner_bot?start={code}" for code in codes[:2]) + " here"
    said = message_json(OLGA, text, GROUP)
    url = f"https://t.me/reckoner_bot?start={codes[2]}"
    link = {"type": "text_link", "offset": len(text) - 4, "length": 4, "url": url}
    said["message"]["entities"] = [link]
    await chat.feed(said)
    assert len(chat.services.calls) == 3


@pytest.mark.parametrize("who", [STRANGER, ANN, OLGA, BLOCKED])
@pytest.mark.parametrize("removed", [True, False])
async def test_words_behind_link_in_a_group_warn_their_writer_whoever_it_is(
    chat: Conversation, who: int, *, removed: bool
) -> None:
    """Not as a reply, which would show them once more."""
    body = message_json(who, "/link remove", ADMIN_CHAT)
    await chat.feed(body, removed=removed)
    (call,) = chat.telegram.named("sendMessage")
    assert (call.chat_id, call.reply_parameters) == (ADMIN_CHAT, None)
    assert f'href="tg://user?id={who}"' in call.text
    done = "I have removed your message." if removed else "do it yourself now"
    assert done in call.text
    assert "hange the password at your broker" in call.text
    await chat.feed(body, removed=removed)
    assert chat.said == "", "once a minute"


async def test_words_behind_another_bots_link_are_not_ours(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/link@other_bot remove", ADMIN_CHAT))
    assert chat.said == ""
