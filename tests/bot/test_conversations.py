"""Commands and presses through the real dispatcher: one service, one answer."""

import asyncio
from decimal import Decimal

import pytest
from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardMarkup
from msgspec.structs import replace

from bot.callbacks import (
    ApprovalPress,
    ApprovalVerb,
    BoardKind,
    RefreshPress,
    ReleaseAnswerPress,
    ReleaseAskPress,
    ReleaseVerb,
    WarningPress,
    WarningVerb,
)
from bot.middlewares.context import Answerer, Toast
from bot.middlewares.errors import Failed
from core.ports import StoreUnavailable
from core.services.errors import Refused
from tests.fakes.clock import START
from tests.fakes.shell import ANN, OLGA, Conversation, account
from tests.fakes.telegram import ADMIN_CHAT, Answer, message_json, press_json, update

APPROVE = ApprovalPress(approval_id=11, verb=ApprovalVerb.APPROVE).pack()


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


def labels(call: SendMessage) -> list[list[str]]:
    """The buttons under a sent message."""
    assert isinstance(call.reply_markup, InlineKeyboardMarkup)
    return [[button.text for button in row] for row in call.reply_markup.inline_keyboard]


def data_of(call: SendMessage, label: str) -> str:
    """What the button with this label carries."""
    assert isinstance(call.reply_markup, InlineKeyboardMarkup)
    return next(
        str(button.callback_data)
        for row in call.reply_markup.inline_keyboard
        for button in row
        if button.text == label
    )


async def test_help_shows_a_client_only_what_a_client_may_use(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/help"))
    assert "/positions" in chat.said
    assert "/sync" not in chat.said
    await chat.feed(message_json(OLGA, "/help"))
    assert "/sync" in chat.said


async def test_positions_in_one_message_with_a_refresh_button(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/positions"))
    (call,) = chat.telegram.named("sendMessage")
    assert "[DEMO]" in call.text
    assert "XAUUSD buy 0.10: -20.00 GBP" in call.text
    assert labels(call) == [["Refresh"]]


async def test_refresh_edits_in_place_and_not_twice_in_a_moment(chat: Conversation) -> None:
    data = RefreshPress(board=BoardKind.POSITIONS).pack()
    await chat.feed(press_json(ANN, data))
    assert [call.message_id for call in chat.telegram.named("editMessageText")] == [7]
    assert chat.popup == "Updated"
    await chat.feed(press_json(ANN, data))
    assert chat.telegram.named("editMessageText") == []
    assert chat.popup == "Updated a moment ago"


async def test_a_refresh_that_changes_nothing_is_still_answered(chat: Conversation) -> None:
    chat.telegram.script.append(
        Answer(400, "Bad Request: message is not modified: x", method="editMessageText")
    )
    await chat.feed(press_json(ANN, RefreshPress(board=BoardKind.POSITIONS).pack()))
    assert len(chat.telegram.popups()) == 1


async def test_drawdown_without_matplotlib_is_a_line_of_text(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/drawdown"))
    assert "Headroom: 1,580.00 GBP" in chat.said
    assert "█▄▁" in chat.said, "three samples: highest, middle, lowest"


async def test_a_typed_signal_is_posted_under_the_messages_own_key(chat: Conversation) -> None:
    body = message_json(OLGA, "/signal XAUUSD buy 0.10 sl 1950 tp 1990", ADMIN_CHAT)
    await chat.feed(body)
    ((name, who, draft, key),) = chat.services.calls
    assert (name, who) == ("post_signal", OLGA)
    assert (draft.symbol, draft.volume, draft.stop_loss) == (
        "XAUUSD",
        Decimal("0.10"),
        Decimal(1950),
    )
    assert key == f"message:{ADMIN_CHAT}:{body['message']['message_id']}"
    assert "Signal 5 posted: XAUUSD buy 0.10" in chat.said
    assert "Please note:\n• 50004 is locked: an approval would be refused" in chat.said


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("/signal XAUUSD hold 0.10", "'hold'"),
        ("/signal XAUUSD buy lots", "'lots'"),
        ("/signal XAUUSD buy 0,10", "write it with a point, such as 0.10"),
        ("/signal XAUUSD buy 0.10 sl 1,950", "'1,950'"),
        ("/signal XAUUSD buy 0.10 stop 5", "'stop'"),
        ("/signal <b> buy 0.10", "'&lt;b&gt;'"),
    ],
)
async def test_a_bad_signal_names_the_word_and_the_usage(
    chat: Conversation, text: str, word: str
) -> None:
    await chat.feed(message_json(OLGA, text))
    assert word in chat.said
    assert "/signal SYMBOL buy|sell VOLUME" in chat.said
    assert chat.services.calls == []


async def test_a_signal_put_together_with_buttons(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/signal", ADMIN_CHAT))
    (call,) = chat.telegram.named("sendMessage")
    assert labels(call) == [["XAUUSD", "EURUSD"], ["Cancel"]]
    for label in ("XAUUSD", "Buy", "0.10"):
        await chat.feed(press_json(OLGA, data_of(call, label), ADMIN_CHAT))
        (call,) = chat.telegram.named("editMessageText")
        assert chat.services.calls == [], "nothing is posted before Post"
    assert labels(call) == [["Post", "Cancel"]]
    await chat.feed(press_json(OLGA, data_of(call, "Post"), ADMIN_CHAT))
    ((_, _, draft, key),) = chat.services.calls
    assert (draft.symbol, draft.side, draft.volume) == ("XAUUSD", "buy", Decimal("0.10"))
    assert key == f"form:{ADMIN_CHAT}:7", "a second press on this form is the same signal"


async def test_the_form_is_bound_to_who_asked(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/signal", ADMIN_CHAT))
    (call,) = chat.telegram.named("sendMessage")
    foreign = data_of(call, "XAUUSD").replace(str(OLGA), "999")
    await chat.feed(press_json(OLGA, foreign, ADMIN_CHAT))
    assert "belongs to somebody else" in chat.popup
    assert chat.telegram.named("editMessageText") == []


async def test_cancel_posts_nothing(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/signal", ADMIN_CHAT))
    (call,) = chat.telegram.named("sendMessage")
    await chat.feed(press_json(OLGA, data_of(call, "Cancel"), ADMIN_CHAT))
    assert chat.services.calls == []
    assert "Nothing was posted" in chat.said


@pytest.mark.parametrize(
    ("verb", "approve", "words"),
    [
        (ApprovalVerb.APPROVE, True, "Approved: XAUUSD buy 0.10, expected at 1,950.12"),
        (ApprovalVerb.REJECT, False, "Rejected: XAUUSD buy 0.10. Nothing is traded."),
    ],
)
async def test_an_offer_is_answered_once(
    chat: Conversation, verb: ApprovalVerb, *, approve: bool, words: str
) -> None:
    await chat.feed(press_json(ANN, ApprovalPress(approval_id=11, verb=verb).pack()))
    assert chat.services.calls == [("decide_approval", ANN, 11, approve)]
    assert chat.telegram.popups() == [(words, None)]


async def test_a_refusal_is_a_popup_with_the_reason(chat: Conversation) -> None:
    chat.services.refusal = Refused("account_latched", reason="drawdown", since=START)
    await chat.feed(press_json(ANN, APPROVE))
    ((text, alert),) = chat.telegram.popups()
    assert alert is True
    assert text == (
        "The account is locked since 14:02:11 UTC (drawdown limit). "
        "Ask for its release with /release."
    )


async def test_a_fault_gives_the_person_and_the_admins_the_same_reference(
    chat: Conversation,
) -> None:
    chat.services.refusal = RuntimeError("secret detail")
    result = await chat.feed(press_json(ANN, APPROVE))
    assert isinstance(result, Failed)
    assert f"ref {result.ref}" in chat.popup
    assert f"ref {result.ref}" in chat.telegram.texts(ADMIN_CHAT)[0]
    assert "secret detail" not in chat.popup + chat.said


async def test_the_same_fault_is_reported_to_the_admins_once_a_minute(chat: Conversation) -> None:
    chat.services.refusal = RuntimeError("again")
    reports = []
    for _ in range(3):
        await chat.feed(message_json(ANN, "/positions"))
        reports += chat.telegram.texts(ADMIN_CHAT)
        assert "Something went wrong on our side" in chat.telegram.texts(ANN)[0]
    assert len(reports) == 1


async def test_without_the_database_the_person_is_told_to_try_again(chat: Conversation) -> None:
    chat.services.refusal = StoreUnavailable("gone")
    assert isinstance(await chat.feed(message_json(ANN, "/positions")), Failed)
    assert "try again in a minute" in chat.said


async def test_a_press_is_answered_once_whatever_answers_it_first(chat: Conversation) -> None:
    query = update(press_json(ANN, APPROVE), chat.bot).callback_query
    assert query is not None
    answerer = Answerer(query)
    await answerer.once(Toast("first"))
    await answerer.once(Toast("second", alert=True))
    assert chat.telegram.popups() == [("first", None)]


async def test_a_press_too_old_for_a_popup_is_answered_in_private_words(chat: Conversation) -> None:
    chat.telegram.script.append(
        Answer(400, "Bad Request: query is too old", method="answerCallbackQuery")
    )
    await chat.feed(press_json(ANN, APPROVE))
    assert chat.telegram.texts(ANN) == ["Approved: XAUUSD buy 0.10, expected at 1,950.12"]


async def test_a_warning_is_answered_with_its_version(chat: Conversation) -> None:
    press = WarningPress(warning_id=21, version=3, verb=WarningVerb.DISMISS)
    await chat.feed(press_json(OLGA, press.pack(), ADMIN_CHAT))
    assert chat.services.calls == [], "nothing is done before the reason is given"
    (asked,) = chat.telegram.named("editMessageReplyMarkup")
    assert labels(asked) == [
        ["Dismiss: news", "Dismiss: bad quote"],
        ["Dismiss: rollover", "Dismiss: hedged"],
        ["Dismiss: agreed with client", "Back"],
    ]
    await chat.feed(press_json(OLGA, data_of(asked, "Dismiss: bad quote"), ADMIN_CHAT))
    assert chat.services.calls == [("answer_warning", OLGA, 21, 3, "dismiss", "bad_quote")]
    assert chat.popup == "XAUUSD: dismissed"
    assert chat.telegram.named("editMessageText") == [], "the outbox edits the warning itself"


async def test_a_copy_of_a_warning_is_redrawn_by_its_press(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/warnings", ADMIN_CHAT))
    (copy,) = chat.telegram.named("sendMessage")
    await chat.feed(press_json(OLGA, data_of(copy, "Dismiss"), ADMIN_CHAT))
    data = data_of(chat.telegram.named("editMessageReplyMarkup")[-1], "Dismiss: news")
    chat.services.lines = [replace(chat.services.lines[0], state="dismissed", answered_by="Olga")]
    await chat.feed(press_json(OLGA, data, ADMIN_CHAT))
    assert chat.services.calls[0] == ("answer_warning", OLGA, 21, 1, "dismiss", "news")
    (edit,) = chat.telegram.named("editMessageText")
    assert "✅ Dismissed: Gap" in edit.text
    assert "Answered by Olga." in edit.text
    assert edit.reply_markup is None


async def test_a_stale_press_redraws_what_was_pressed(chat: Conversation) -> None:
    chat.services.refusal = Refused("stale_button", state="held", by="Ada", at=START)
    chat.services.lines = [replace(chat.services.lines[0], state="held", hold_until=START)]
    press = WarningPress(warning_id=21, version=1, verb=WarningVerb.HOLD)
    await chat.feed(press_json(OLGA, press.pack(), ADMIN_CHAT))
    assert chat.popup == "Already handled: on hold by Ada at 14:02:11 UTC. See /warnings."
    (edit,) = chat.telegram.named("editMessageText")
    assert "⏸ On hold until 14:02:11" in edit.text


async def test_warnings_show_their_buttons_again(chat: Conversation) -> None:
    line = chat.services.lines[0]
    chat.services.lines = [line, replace(line, warning_id=22, warning="spread", action="warn")]
    await chat.feed(message_json(OLGA, "/warnings", ADMIN_CHAT))
    gap, spread = chat.telegram.named("sendMessage")
    second = ["Hold until day's end", "Dismiss"]
    assert labels(gap) == [["Close now", "Hold 15 min", "Hold 1 h"], second]
    assert labels(spread) == [["Hold 15 min", "Hold 1 h"], second]


async def test_release_by_command_and_by_button(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/release"))
    assert "nothing to release" in chat.said
    chat.services.boards = {7: account(guard="latched")}
    await chat.feed(message_json(ANN, "/release"))
    assert ("ask_release", ANN, 7) in chat.services.calls
    await chat.feed(press_json(ANN, ReleaseAskPress(account_id=7).pack()))
    assert chat.services.calls == [("ask_release", ANN, 7)]
    grant = ReleaseAnswerPress(account_id=7, verb=ReleaseVerb.GRANT)
    await chat.feed(press_json(OLGA, grant.pack(), ADMIN_CHAT))
    assert chat.services.calls == [("answer_release", OLGA, 7, True)]
    (edit,) = chat.telegram.named("editMessageReplyMarkup")
    assert (edit.message_id, edit.reply_markup) == (7, None)


async def test_only_the_pressed_button_goes_once_release_is_asked(chat: Conversation) -> None:
    body = press_json(ANN, ReleaseAskPress(account_id=7).pack())
    asked = {"text": "Ask for release", "callback_data": body["callback_query"]["data"]}
    refresh = {"text": "Refresh", "callback_data": RefreshPress(board=BoardKind.STATUS).pack()}
    body["callback_query"]["message"]["reply_markup"] = {"inline_keyboard": [[asked], [refresh]]}
    await chat.feed(body)
    (edit,) = chat.telegram.named("editMessageReplyMarkup")
    assert [[b.text for b in row] for row in edit.reply_markup.inline_keyboard] == [["Refresh"]]


@pytest.mark.parametrize(
    ("code", "edits"),
    [("release_already_asked", 1), ("nothing_to_release", 1), ("below_minimum", 0)],
)
async def test_a_refused_release_keeps_its_button_where_it_may_still_help(
    chat: Conversation, code: str, edits: int
) -> None:
    chat.services.refusal = Refused(code)
    await chat.feed(press_json(ANN, ReleaseAskPress(account_id=7).pack()))
    assert len(chat.telegram.named("editMessageReplyMarkup")) == edits


async def test_one_account_by_its_login_and_nobody_elses(chat: Conversation) -> None:
    for command in ("/positions", "/drawdown"):
        await chat.feed(message_json(ANN, f"{command} 50001"))
        assert "50001" in chat.said
        await chat.feed(message_json(ANN, f"{command} 50002"))
        assert chat.said == "50002 is not your account."
        assert chat.services.refused == [(ANN, f"not_yours: command {command}")]
        await chat.feed(message_json(ANN, f"{command} gold"))
        assert "'gold' is not a login" in chat.said


async def test_an_admin_without_accounts_is_sent_to_all_of_them(chat: Conversation) -> None:
    for command in ("/positions", "/drawdown", "/positions 50001"):
        await chat.feed(message_json(OLGA, command))
        assert chat.said == "You have no account of your own; /accounts shows all."
    await chat.feed(message_json(OLGA, "/help"))
    assert "/positions" not in chat.said
    assert "/status" in chat.said


@pytest.mark.parametrize("name", ["close", "closeall", "stop", "cancel"])
async def test_what_people_type_when_money_is_at_stake_is_answered(
    chat: Conversation, name: str
) -> None:
    await chat.feed(message_json(ANN, f"/{name}"))
    assert chat.said == (
        f"There is no /{name}: Reckoner closes by rule, and no command starts or stops that. "
        "To close a position, use MetaTrader."
    )
    await chat.feed(message_json(ANN, "/chart"))
    assert "Did you mean /drawdown?" in chat.said


async def test_a_command_whose_name_was_not_kept_is_answered_without_it(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/"))
    assert chat.said == "I do not know this command. See /help."


async def test_a_picture_is_announced_while_it_is_drawn(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/drawdown"))
    (action,) = chat.telegram.named("sendChatAction")
    assert (action.chat_id, action.action) == (ANN, "upload_photo")
    assert chat.telegram.calls[0] is action


@pytest.mark.parametrize(("text", "login"), [("/drill", None), ("/drill 50001", 50001)])
async def test_drill_rehearses_closing(chat: Conversation, text: str, login: int | None) -> None:
    await chat.feed(message_json(OLGA, text))
    assert chat.services.calls == [("drill", OLGA, login)]
    assert "1 account could be closed now" in chat.said


async def test_drill_takes_logins_only_and_is_for_admins(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/drill gold"))
    assert "is not a login" in chat.said
    await chat.feed(message_json(ANN, "/drill"))
    assert chat.services.calls == []


@pytest.mark.parametrize(("text", "login"), [("/sync", None), ("/sync 50001", 50001)])
async def test_sync_tells_what_was_read_and_what_was_not(
    chat: Conversation, text: str, login: int | None
) -> None:
    await chat.feed(message_json(OLGA, text))
    assert chat.services.calls == [("sync_now", OLGA, login)]
    assert "50002: no connection" in chat.said
    assert "50003: read a moment ago, try again in 7 s" in chat.said


async def test_sync_with_something_else_than_a_login(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/sync <gold>"))
    assert "'&lt;gold&gt;' is not a login" in chat.said
    assert chat.services.calls == []


async def test_a_mistyped_command_names_the_nearest_this_person_may_use(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/postions"))
    assert "Did you mean /positions" in chat.said
    await chat.feed(message_json(ANN, "/acounts"))
    assert "/accounts" not in chat.said


@pytest.mark.parametrize("data", ["ap0:11:yes", "ap1:11", "ap1:11:maybe", "x", "ap1:eleven:yes"])
async def test_a_button_of_another_version_says_so(chat: Conversation, data: str) -> None:
    await chat.feed(press_json(ANN, data))
    assert chat.popup.startswith("This button is from an older version")
    assert chat.services.calls == []


async def test_plain_words_get_a_short_help(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "what now"))
    assert chat.said == "I understand commands and buttons only. See /help."


async def test_a_chat_told_to_wait_shortly_gets_its_answer_after_the_wait(
    chat: Conversation,
) -> None:
    chat.telegram.script.append(
        Answer(429, "Too Many Requests", method="sendMessage", parameters={"retry_after": 1})
    )
    await chat.feed(message_json(ANN, "/help"))
    assert len(chat.telegram.named("sendMessage")) == 2


async def test_five_commands_at_once_wait_for_the_chats_allowance(chat: Conversation) -> None:
    """Two at once, as a third is left to what is urgent, then one a second: three seconds."""
    loop = asyncio.get_running_loop()
    sent_s: list[float] = []

    async def sent(_: object) -> None:
        sent_s.append(loop.time())

    chat.telegram.on_call = sent
    await asyncio.gather(*(chat.feed(message_json(ANN, "/help")) for _ in range(5)))
    assert len(sent_s) == 5
    assert 2.9 < sent_s[-1] - sent_s[0] < 4


async def test_an_answer_waits_for_its_chat_but_not_for_ever(
    chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the bound it fails: the person hears of it once Telegram lets them."""
    monkeypatch.setattr("bot.speaker.ANSWER_WAIT_S_MAX", 0.5)
    for _ in range(2):
        chat.telegram.script.append(
            Answer(429, "Too Many Requests", method="sendMessage", parameters={"retry_after": 1})
        )
    await chat.feed(message_json(ANN, "/help"))
    assert "Something went wrong" in chat.telegram.texts(ADMIN_CHAT)[0]
