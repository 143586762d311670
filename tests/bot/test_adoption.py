"""/adopt, /disown and the buttons under a question, through the real dispatcher: admins only."""

import pytest

from bot.callbacks import AdoptPress, AdoptVerb
from core.services.answering import Answer
from core.services.errors import Refused
from tests.fakes.clock import START
from tests.fakes.questions import card
from tests.fakes.shell import ANN, BO, OLGA, STRANGER, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json, press_json

ANOTHER_GROUP = -4242


def data(verb: AdoptVerb, trade_id: int = 0, version: int = 1) -> str:
    """What a button under the question carries."""
    return AdoptPress(question_id=41, version=version, verb=verb, trade_id=trade_id).pack()


@pytest.fixture
def chat() -> Conversation:
    return Conversation()


def said(chat: Conversation) -> Answer:
    ((_, who, question_id, answer),) = chat.services.calls
    assert (who, question_id) == (OLGA, 41)
    assert isinstance(answer, Answer)
    return answer


def test_the_largest_data_fits_a_button() -> None:
    largest = AdoptPress(
        question_id=2**63 - 1, version=2**20, verb=AdoptVerb.TRADE, trade_id=2**63 - 1
    )
    assert len(largest.pack().encode()) <= 64


async def test_a_press_says_which_trade_of_which_version_and_redraws(chat: Conversation) -> None:
    chat.questions.cards = [card(version=2, state="adopted", signal_id=5, by="P902", at=START)]
    await chat.feed(press_json(OLGA, data(AdoptVerb.TRADE, 31), ADMIN_CHAT))
    answer = said(chat)
    assert (answer.version, answer.trade_id, answer.own) == (1, 31, False)
    assert answer.source.startswith(f"chat {ADMIN_CHAT} message ")
    assert chat.popup == "XAUUSD buy 0.10 on 50001 is signal 5 now."
    (edit,) = chat.telegram.named("editMessageText")
    assert "✅ Signal 5: XAUUSD buy 0.10 on 50001" in str(edit)


@pytest.mark.parametrize(
    ("verb", "own", "service", "popup"),
    [
        (AdoptVerb.OWN, True, "adopt", "XAUUSD buy 0.10 on 50001 is a trade of its own now."),
        (
            AdoptVerb.NONE,
            False,
            "adopt",
            (
                "XAUUSD buy 0.10 on 50001 stays unknown. I ask again when its side, its lots or "
                "the signals it may be change."
            ),
        ),
        (
            AdoptVerb.BACK,
            False,
            "disown",
            "Taken back: XAUUSD buy 0.10 on 50001 is no trade any more.",
        ),
    ],
)
async def test_the_other_buttons_name_no_trade(
    chat: Conversation,
    verb: AdoptVerb,
    own: bool,  # noqa: FBT001 - a case
    service: str,
    popup: str,
) -> None:
    await chat.feed(press_json(OLGA, data(verb, version=3), ADMIN_CHAT))
    assert chat.services.calls[0][0] == service
    answer = said(chat)
    assert (answer.version, answer.trade_id, answer.own) == (3, None, own)
    assert chat.popup == popup


@pytest.mark.parametrize("verb", list(AdoptVerb))
@pytest.mark.parametrize(
    ("who", "where"),
    [
        (ANN, None),  # the client whose account it is
        (ANN, ADMIN_CHAT),
        (BO, ADMIN_CHAT),  # another client
        (STRANGER, ADMIN_CHAT),
        (OLGA, ANOTHER_GROUP),  # an admin, where others read along
    ],
)
async def test_nobody_else_and_nowhere_else_is_a_button_pressed(
    chat: Conversation, verb: AdoptVerb, who: int, where: int | None
) -> None:
    await chat.feed(press_json(who, data(verb, 31), *([] if where is None else [where])))
    assert chat.services.calls == []
    assert chat.telegram.named("editMessageText") == []
    assert len(chat.telegram.popups()) == 1


@pytest.mark.parametrize("text", ["/adopt", "/adopt 900001", "/adopt 900001 5", "/disown 900001"])
async def test_nobody_else_gives_the_commands(chat: Conversation, text: str) -> None:
    for body in (
        message_json(ANN, text),
        message_json(ANN, text, ADMIN_CHAT),
        message_json(STRANGER, text),
        message_json(OLGA, text, ANOTHER_GROUP),
    ):
        await chat.feed(body)
        assert chat.services.calls == []


async def test_a_stale_button_says_who_did_what_and_shows_how_it_is(chat: Conversation) -> None:
    chat.questions.cards = [card(version=2, state="adopted", signal_id=7, by="Ada", at=START)]
    chat.services.refusal = Refused(
        "question_answered", state="adopted", signal=7, by="Ada", at=START
    )
    await chat.feed(press_json(OLGA, data(AdoptVerb.TRADE, 31), ADMIN_CHAT))
    assert chat.popup == "Already answered by Ada at 14:02:11 UTC: signal 7."
    (edit,) = chat.telegram.named("editMessageText")
    assert "✅ Signal 7: XAUUSD buy 0.10 on 50001" in str(edit)


async def test_while_the_account_is_locked_one_line_says_so(chat: Conversation) -> None:
    chat.services.refusal = Refused("not_adopted", why="locked")
    await chat.feed(press_json(OLGA, data(AdoptVerb.TRADE, 31), ADMIN_CHAT))
    assert chat.popup == (
        "Not adopted: the account is locked, and what is on it is closed; its client asks for its "
        "release. Nothing was changed."
    )


async def test_the_list_has_a_line_and_a_button_for_each(chat: Conversation) -> None:
    chat.questions.cards = [card(), card(question_id=42, choices=())]
    await chat.feed(message_json(OLGA, "/adopt", ADMIN_CHAT))
    assert "2 positions to be named" in chat.said
    line = "• 50001 Ann Smith: XAUUSD buy 0.10 at 1,950.20, position 900001: "
    assert f"{line}signal 5 or 7" in chat.said
    assert f"{line}no signal fits" in chat.said
    chat.questions.cards = []
    await chat.feed(message_json(OLGA, "/adopt", ADMIN_CHAT))
    assert chat.said.startswith("No position waits to be named")


@pytest.mark.parametrize(("count", "more"), [(10, ""), (11, "and 1 more")])
async def test_the_list_ends_at_ten_and_counts_the_rest(
    chat: Conversation, count: int, more: str
) -> None:
    chat.questions.cards = [card(question_id=n) for n in range(1, count + 1)]
    await chat.feed(message_json(OLGA, "/adopt", ADMIN_CHAT))
    assert chat.said.count("• 50001") == 10
    assert ("and 1 more" in chat.said) is bool(more)


async def test_commands_do_what_the_buttons_do(chat: Conversation) -> None:
    await chat.feed(message_json(OLGA, "/adopt 900001", ADMIN_CHAT))
    assert "❓ Which signal? XAUUSD buy 0.10 on 50001" in chat.said
    for word, trade_id, own in (("7", 32, False), ("own", None, True), ("none", None, False)):
        await chat.feed(message_json(OLGA, f"/adopt 900001 {word}", ADMIN_CHAT))
        find, (_, _, _, answer) = chat.services.calls
        assert find == ("find", OLGA, 900001)
        assert (answer.trade_id, answer.own, answer.version) == (trade_id, own, None)
    await chat.feed(message_json(OLGA, "/disown 900001", ADMIN_CHAT))
    assert chat.said == "Taken back: XAUUSD buy 0.10 on 50001 is no trade any more."


@pytest.mark.parametrize(
    "text", ["/adopt gold", "/adopt 1 2 3", "/adopt 1 yes", "/disown", "/disown x"]
)
async def test_what_is_not_understood_says_how(chat: Conversation, text: str) -> None:
    await chat.feed(message_json(OLGA, text, ADMIN_CHAT))
    assert "/adopt 900001 5 for signal 5" in chat.said
    assert chat.services.calls == []


async def test_a_declined_question_can_be_shown_again(chat: Conversation) -> None:
    chat.questions.cards = [card(version=2, state="declined", by="Ada", at=START)]
    await chat.feed(press_json(OLGA, data(AdoptVerb.SHOW, version=2), ADMIN_CHAT))
    (edit,) = chat.telegram.named("editMessageText")
    assert "❓ Which signal? XAUUSD buy 0.10 on 50001" in str(edit)
    assert chat.services.calls == []
