"""The words of the conversation that links an account, in each of its states."""

import pytest

from bot.views import alerts_links, links
from bot.views.message import Audience, Voice
from core.domain.linking import WRONG_MAX, Failure, LinkAsk, LinkState, Problem
from tests.fakes.alerts_links import link_asked

VOICE = Voice(mark="[DEMO]")


def ask(state: LinkState, **more: object) -> LinkAsk:
    """Where a conversation about one account stands."""
    about = {"servers": ("Broker-Live",), "server": "Broker-<b>", "login": 50005}
    return LinkAsk(request_id=4, state=state, **{**about, **more})  # type: ignore[arg-type] # facts by name


@pytest.mark.parametrize(
    ("state", "first"),
    [
        (LinkState.SERVER, "🔑 Have an account guarded: 1 of 3"),
        (LinkState.LOGIN, "🔑 Have an account guarded: 2 of 3"),
        (LinkState.PASSWORD, "🔑 Have an account guarded: 3 of 3"),
        (LinkState.WAITING, "⏳ Sent: an admin reads it"),
        (LinkState.APPROVED, "⏳ Approved: I ask the broker"),
        (LinkState.LINKED, "🟢 It is guarded"),
        (LinkState.REFUSED, "🔒 Your request was refused"),
        (LinkState.FAILED, "🔴 The account is not linked"),
        (LinkState.CANCELLED, "Cancelled"),
        (LinkState.EXPIRED, "⌛ The time for this is over"),
    ],
)
def test_the_first_line_says_where_it_stands(state: LinkState, first: str) -> None:
    message = links.asked(ask(state), VOICE)
    assert message.headline == f"<b>[DEMO] {first}</b>"
    assert "Broker-<b>" not in message.html


@pytest.mark.parametrize("problem", Problem)
@pytest.mark.parametrize("state", [LinkState.SERVER, LinkState.LOGIN, LinkState.PASSWORD])
def test_a_problem_is_one_sentence_before_the_question(problem: Problem, state: LinkState) -> None:
    said = links.asked(ask(state, problem=problem, tries_left=1), VOICE).headline
    assert said.endswith("1 try is left in all.")
    fresh = links.asked(ask(state, problem=problem, tries_left=WRONG_MAX), VOICE).headline
    assert "left" not in fresh.removesuffix(" here.")


def test_the_password_is_asked_for_with_what_becomes_of_it() -> None:
    assert links.asked(ask(LinkState.PASSWORD), VOICE).html == (
        "<b>[DEMO] 🔑 Have an account guarded: 3 of 3</b>\n"
        "Account: <code>50005</code> at Broker-&lt;b&gt;\n"
        "What is its trading password? Write it here, alone in one message, within 5 minutes. "
        "I remove your message at once and keep the password encrypted; nobody reads it."
    )


@pytest.mark.parametrize("problem", [Problem.LATE, Problem.LEFT])
def test_of_late_words_no_removal_is_claimed(problem: Problem) -> None:
    """Whether Telegram removed them is not known yet, or they were left."""
    said = links.asked(ask(LinkState.CANCELLED, problem=problem), VOICE).headline
    assert said.startswith("I was not waiting for a password, so I did not keep what you sent.")
    assert "removed" not in said
    assert ("remove them yourself" in said) is (problem is Problem.LEFT)


@pytest.mark.parametrize("failure", Failure)
def test_each_end_says_why_and_how_to_begin_anew(failure: Failure) -> None:
    html = links.asked(ask(LinkState.FAILED, failure=failure), VOICE).html
    assert str(failure) not in html.split("\n")
    assert html.endswith("Nothing was kept.\n/link begins anew.")


def test_only_what_can_be_ended_has_a_button_for_it() -> None:
    labels = {
        state: [button.label for row in links.asked(ask(state), VOICE).keyboard for button in row]
        for state in LinkState
    }
    assert labels.pop(LinkState.SERVER) == ["Broker-Live", "Cancel"]
    assert labels.pop(LinkState.LOGIN) == labels.pop(LinkState.PASSWORD) == ["Cancel"]
    assert labels.pop(LinkState.WAITING) == ["Withdraw"]
    assert set(map(tuple, labels.values())) == {()}


def test_the_admins_read_who_else_asks_for_the_account() -> None:
    said = alerts_links.render(link_asked(rivals=("Ben <i>", "Carla")), VOICE, Audience.ADMIN).html
    line = (
        "⚠️ The same account is asked for in another request, too: by Ben &lt;i&gt;, Carla. "
        "Approve one at most."
    )
    assert line in said.split("\n")
    alone = alerts_links.render(link_asked(), VOICE, Audience.ADMIN).html
    assert "another request" not in alone
