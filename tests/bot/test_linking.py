"""/link: a handler says where the conversation stands; buttons are their owner's, and expire."""

import pytest
from msgspec.structs import replace

from bot.callbacks import LinkAnswerPress, LinkPress, LinkVerb, RenewPress
from core.domain.linking import LinkAsk, LinkState, Problem
from core.domain.people import Person
from core.services.errors import Refused
from core.services.link_desk import LinkDecision
from tests.fakes.shell import ANN, BO, OLGA, STRANGER, Conversation
from tests.fakes.telegram import ADMIN_CHAT, message_json, press_json

ASK = LinkAsk(request_id=4, state=LinkState.SERVER, servers=("Broker-Live", "Broker-Demo"))
CHOOSE = LinkPress(request_id=4, verb=LinkVerb.SERVER, number=1).pack()
CANCEL = LinkPress(request_id=4, verb=LinkVerb.CANCEL).pack()
APPROVE = LinkAnswerPress(request_id=4, approve=True).pack()
REFUSE = LinkAnswerPress(request_id=4, approve=False).pack()


class Talks:
    """Answers as told; `asked` is what it was asked."""

    def __init__(self) -> None:
        self.ask = ASK
        self.asked: list[tuple[object, ...]] = []
        self.refusal: str | None = None

    async def current(self, person: Person) -> LinkAsk:
        return self._answered("current", person.telegram_id)

    async def choose(self, person: Person, request_id: int, number: int) -> LinkAsk:
        return self._answered("choose", person.telegram_id, request_id, number)

    async def renew(self, person: Person, account_id: int) -> LinkAsk:
        return self._answered("renew", person.telegram_id, account_id)

    async def cancel(self, person: Person, request_id: int) -> LinkAsk:
        return self._answered("cancel", person.telegram_id, request_id)

    async def answer(self, actor: Person, request_id: int, *, approve: bool) -> LinkDecision:
        self._answered("answer", actor.telegram_id, request_id, approve)
        return LinkDecision(login=50005, name="Ann", approved=approve)

    def _answered(self, *what: object) -> LinkAsk:
        self.asked.append(what)
        if self.refusal is not None:
            raise Refused(self.refusal)
        return self.ask


@pytest.fixture
def talks() -> Talks:
    return Talks()


@pytest.fixture
def chat(talks: Talks) -> Conversation:
    made = Conversation()
    made.dispatcher["link_talks"] = made.dispatcher["link_desk"] = talks
    made.dispatcher["links"] = True
    return made


async def test_the_next_question_is_said(chat: Conversation, talks: Talks) -> None:
    await chat.feed(message_json(ANN, "/link"))
    assert talks.asked == [("current", ANN)]
    assert chat.said.startswith("<b>[DEMO] 🔑 Have an account guarded: 1 of 3</b>\n")
    talks.ask = replace(ASK, problem=Problem.SERVER, tries_left=4)
    await chat.feed(message_json(ANN, "/link remove"))
    assert chat.said.startswith("I do not know this server. Please press one of the buttons. What ")
    assert "it could have been a password. 4 tries are left in all." in chat.said


@pytest.mark.parametrize("journalled", ["refused links_full", "remove refused links_full"])
async def test_why_it_was_not_begun_is_said(
    chat: Conversation, talks: Talks, journalled: str
) -> None:
    await chat.feed(message_json(ANN, f"/link {journalled}"))
    assert chat.said.startswith("Too many accounts wait for an admin now.")
    assert talks.asked == []


@pytest.mark.parametrize(
    ("data", "asked"), [(CHOOSE, ("choose", ANN, 4, 1)), (CANCEL, ("cancel", ANN, 4))]
)
async def test_a_button_takes_the_questions_place(
    chat: Conversation, talks: Talks, data: str, asked: tuple[object, ...]
) -> None:
    await chat.feed(press_json(ANN, data))
    assert talks.asked == [asked]
    assert len(chat.telegram.named("editMessageText")) == 1


async def test_a_button_of_a_question_that_is_over_loses_its_buttons(
    chat: Conversation, talks: Talks
) -> None:
    talks.refusal = "stale_link"
    await chat.feed(press_json(ANN, CHOOSE))
    assert chat.popup == "This question is over."
    assert len(chat.telegram.named("editMessageReplyMarkup")) == 1


@pytest.mark.parametrize("data", [APPROVE, REFUSE])
async def test_only_admins_answer(chat: Conversation, talks: Talks, data: str) -> None:
    for who in (ANN, BO):
        await chat.feed(press_json(who, data, ADMIN_CHAT))
        assert chat.popup == "Only an admin can do that. Nothing was changed."
    await chat.feed(press_json(STRANGER, data, ADMIN_CHAT))
    assert "I do not know you" in chat.popup
    assert talks.asked == []
    await chat.feed(press_json(OLGA, data, ADMIN_CHAT))
    assert talks.asked == [("answer", OLGA, 4, data == APPROVE)]


async def test_an_answer_that_was_given_takes_the_buttons_away(
    chat: Conversation, talks: Talks
) -> None:
    talks.refusal = "link_answered"
    await chat.feed(press_json(OLGA, APPROVE, ADMIN_CHAT))
    assert chat.popup.startswith("This request was answered already")
    assert len(chat.telegram.named("editMessageReplyMarkup")) == 1
    talks.refusal = "no_terminal_left"
    await chat.feed(press_json(OLGA, APPROVE, ADMIN_CHAT))
    assert chat.popup.startswith("No spare terminal is left.")
    assert chat.telegram.named("editMessageReplyMarkup") == []


@pytest.mark.parametrize("place", [ANN, ADMIN_CHAT])
async def test_where_it_is_off_nothing_is_offered(place: int) -> None:
    chat = Conversation()
    await chat.feed(message_json(ANN, "/help"))
    assert "/link" not in chat.said
    for data in (CHOOSE, CANCEL):
        await chat.feed(press_json(ANN, data))
        assert chat.popup.startswith("Accounts are not linked in the chat here.")
    await chat.feed(press_json(OLGA, APPROVE, ADMIN_CHAT))
    assert chat.popup.startswith("Accounts are not linked in the chat here.")


async def test_help_offers_it_to_clients_where_it_is_on(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/help"))
    assert "/link" in chat.said
    await chat.feed(message_json(OLGA, "/help"))
    assert "/link" not in chat.said


async def test_cancel_without_a_question_says_what_people_look_for(chat: Conversation) -> None:
    await chat.feed(message_json(ANN, "/cancel"))
    assert "There is nothing to cancel" in chat.said
    assert "Reckoner closes by rule" in chat.said


async def test_in_a_group_it_leads_to_the_private_chat(chat: Conversation, talks: Talks) -> None:
    await chat.feed(message_json(ANN, "/link", ADMIN_CHAT))
    assert "only in private" in chat.said
    assert talks.asked == []


async def test_the_button_under_a_refused_password_asks_for_the_new_one(
    chat: Conversation, talks: Talks
) -> None:
    talks.ask = LinkAsk(
        request_id=5, state=LinkState.PASSWORD, server="Broker-Live", login=50001, renewal=True
    )
    await chat.feed(press_json(ANN, RenewPress(account_id=7).pack()))
    assert talks.asked == [("renew", ANN, 7)]
    assert chat.said.startswith("<b>[DEMO] 🔑 You have this account: its new password</b>\n")
    assert "50001" in chat.said
    talks.refusal = "not_yours"
    await chat.feed(press_json(BO, RenewPress(account_id=7).pack()))
    assert chat.popup == "This button belongs to somebody else. Nothing was changed."


async def test_no_new_password_is_asked_for_where_nobody_links(chat: Conversation) -> None:
    chat.dispatcher["link_talks"] = None
    await chat.feed(press_json(ANN, RenewPress(account_id=7).pack()))
    assert "Accounts are not linked in the chat here." in chat.popup
