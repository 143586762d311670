"""What is said about the way to the broker, written out by hand."""

import pytest

from bot.views import obstacles
from bot.views.alerts import render
from bot.views.message import Audience, Voice
from core.domain import alerts as a
from core.domain import alerts_terminal as t
from core.domain.linking import LOGIN_REFUSED
from core.domain.permissions import Obstacle
from tests.fakes.alerts import breach
from tests.fakes.alerts_terminal import ACCOUNT, EARLIER, SOON, blocked, cannot_close, unreadable
from tests.fakes.clock import START
from tests.unit.bot.html import words

CLIENT, ADMIN = Audience.CLIENT, Audience.ADMIN


def said(alert: a.Alert, audience: Audience = CLIENT) -> str:
    """The words of an alert."""
    return words(render(alert, Voice(), audience).html)


def labels(alert: a.Alert, audience: Audience) -> list[str]:
    """Its buttons."""
    rows = render(alert, Voice(), audience).keyboard
    return [button.label for row in rows for button in row]


def test_a_refused_password_asks_its_owner_for_the_new_one_where_they_may_give_it() -> None:
    alert = unreadable(terminal="refused", reason=LOGIN_REFUSED, renewable=True)
    assert said(alert).startswith(
        "🔑 50001: the broker refuses its password\n"
        "Your broker does not accept the password I have; it was probably changed. Press the "
        "button and give me the new trading password, and I try it at once.\n"
        "3 positions open when last read.\n"
    )
    assert labels(alert, CLIENT) == ["Send its new password"]
    assert labels(alert, ADMIN) == []
    assert "Its owner is asked for the new one in private" in said(alert, ADMIN)


def test_a_refused_password_is_the_operators_elsewhere() -> None:
    alert = unreadable(terminal="refused", reason=LOGIN_REFUSED)
    assert "Ask your admin to enter the new one, and do not write it here." in said(alert)
    assert labels(alert, CLIENT) == []
    assert "python -m bot link" in said(alert, ADMIN)


def test_every_obstacle_has_its_words() -> None:
    assert set(obstacles.WORDS) == set(Obstacle)


def test_a_read_only_password_is_told_to_the_client() -> None:
    assert said(cannot_close("investor_password")) == (
        "🔴 Cannot close on 50001 - read-only password\n"
        "Reckoner can watch this account but cannot close on it, because it is linked with an "
        "investor "
        "(read-only) password or closed to trading by the broker.\n"
        "3 positions open. Reckoner watches the drawdown limit, but cannot close at it until "
        "this is "
        "mended.\n"
        "Ask your admin to link the master password. Never send it in a chat.\n"
        "You can still close in MetaTrader yourself.\n"
        "Since 13:27:11 UTC."
    )


def test_and_to_the_admins_with_their_own_next_step() -> None:
    assert said(cannot_close("investor_password"), ADMIN) == (
        "🔴 Cannot close on 50001 - read-only password\n"
        "Client: Ann Smith, account 50001\n"
        "Reckoner can watch this account but cannot close on it, because it is linked with an "
        "investor "
        "(read-only) password or closed to trading by the broker.\n"
        "3 positions open. Reckoner watches the drawdown limit, but cannot close at it until "
        "this is "
        "mended.\n"
        "Link it again with the master password, on Reckoner's machine: python -m bot link. If it "
        "is the master password, ask the broker to open the account to trading.\n"
        "Since 13:27:11 UTC."
    )


@pytest.mark.parametrize(
    ("word", "because", "admin"),
    [
        ("experts_forbidden", "the broker lets people trade on it but no programs", "client has"),
        ("autotrading_off", "automated trading is switched off in its terminal", "Algo Trading"),
        ("api_disabled", "its terminal refuses trades from programs outside it", "Options"),
        ("wrong_account", "its terminal answered for another account", "/unblock 50001"),
        ("disconnected", "its terminal has no connection to the broker", "online"),
        ("symbol_disabled:US30.cash", "the broker has stopped all trading in US30.cash", "US30"),
    ],
)
def test_each_obstacle_says_why_and_what_next(word: str, because: str, admin: str) -> None:
    alert = cannot_close(word)
    what = "close all of it" if "symbol" in word else "close on it"
    sentence = f"Reckoner can watch this account but cannot {what}, because {because}.\n"
    assert sentence in said(alert)
    assert sentence in said(alert, ADMIN)
    assert admin in said(alert, ADMIN)


def test_several_symbols_are_one_reason_and_nobody_is_sent_to_close_what_cannot_be() -> None:
    text = said(cannot_close("symbol_disabled:GOLD", "symbol_disabled:US30", news="changed"))
    assert "because the broker has stopped all trading in GOLD and US30.\n" in text
    assert text.startswith("🔴 Cannot close all on 50001 - GOLD cannot be traded\n")
    assert "in MetaTrader yourself" not in text


def test_a_breach_with_one_symbol_in_the_way_still_closes_the_rest() -> None:
    text = said(breach(obstacles=("symbol_disabled:GOLD",)))
    assert text.startswith("🔴 Closing 50001 in 10 s (14:02:21) - drawdown 20.4 %\n")
    assert "Reckoner can watch this account but cannot close all of it, because" in text


def test_a_flat_account_is_told_calmly_and_a_reminder_says_that_it_lasts() -> None:
    calm = said(cannot_close("api_disabled", positions_count=0))
    assert calm.startswith("🟠 Cannot close on 50001 - Python API is off\n")
    assert "Nothing is open on it. Signals cannot be approved until this is mended." in calm
    again = said(cannot_close("api_disabled", news="reminder"))
    assert again.startswith("🔴 Still cannot close on 50001 - Python API is off\n")


def test_a_word_from_a_newer_version_is_shown_as_it_is() -> None:
    assert "because moon in the way." in said(cannot_close("moon_in_the_way"))
    assert "because its terminal is not ready." in said(cannot_close())


def test_when_nothing_is_in_the_way_any_more_the_promise_holds_again() -> None:
    alert = t.CanCloseAgain(**ACCOUNT, since=EARLIER, at=START)
    assert said(alert) == (
        "🟢 Closing works again on 50001\n"
        "What was in the way since 13:27:11 UTC is gone. The guard closes at the limit again.\n"
        "Time: 14:02:11 UTC"
    )
    assert render(alert, Voice(), CLIENT).silent


def test_a_wrong_account_frightens_no_client_and_names_nobody_else() -> None:
    text = said(blocked(closing="account"))
    assert text == (
        "🔴 Trading is stopped on 50001, to be safe\n"
        "Its terminal answered for a different account. So that nothing of yours is closed by "
        "mistake, Reckoner sends nothing to it until your admin has looked at it.\n"
        "Scheduled: closing everything. It goes on the moment it is unblocked.\n"
        "You can still close in MetaTrader yourself. Your admin has been told.\n"
        "Time: 14:02:11 UTC"
    )
    assert labels(blocked(), CLIENT) == []


def test_an_admin_reads_which_account_answered_and_how_to_unblock() -> None:
    assert said(blocked(), ADMIN) == (
        "🔴 Wrong account behind 50001 - trading blocked\n"
        "Client: Ann Smith, account 50001\n"
        "The terminal says: asked for 50001 at Sim, the terminal answered for 50002, Sim\n"
        "3 positions open when last read.\n"
        "Nothing is sent to the terminal until an admin unblocks it.\n"
        "Log the terminal in to 50001. Once it is read as 50001 again: /unblock 50001\n"
        "Time: 14:02:11 UTC"
    )
    assert labels(blocked(), ADMIN) == ["Unblock 50001"]


def test_the_right_account_is_back_and_still_needs_its_admin() -> None:
    back = blocked(right_again=True, closing="XAUUSD")
    assert said(back, ADMIN).startswith("🟠 50001 is itself again - still blocked\n")
    assert "Scheduled: closing XAUUSD. It goes on the moment it is unblocked." in said(back, ADMIN)
    assert labels(back, ADMIN) == ["Unblock 50001"]
    assert (
        "Reckoner watches it again, but closes nothing before your admin has looked at the "
        "terminal."
    ) in said(back)


def test_once_cleared_it_says_by_whom_and_what_goes_on() -> None:
    alert = t.TerminalCleared(**ACCOUNT, by="Olga", closing="account", blocked_at=EARLIER, at=START)
    assert said(alert) == (
        "🟢 50001 is unblocked\n"
        "Closing everything goes on now.\n"
        "It was blocked since 13:27:11 UTC. Unblocked by Olga.\n"
        "Time: 14:02:11 UTC"
    )


def test_a_breach_that_cannot_be_carried_out_promises_nothing() -> None:
    text = said(breach(obstacles=("autotrading_off",)))
    assert text.startswith(
        "🔴 Must close 50001 and cannot - drawdown 20.4 %\n"
        "3 positions and 1 pending order to close at 14:02:21 UTC. Reckoner goes on trying.\n"
        "Reckoner can watch this account but cannot close on it, because automated trading is "
        "switched "
        "off in its terminal.\n"
    )
    assert "You can still close in MetaTrader yourself." in text
    blocked_text = said(breach(obstacles=("wrong_account",), deadline_at=None), ADMIN)
    assert "to close now. It is closed the moment it is unblocked.\n" in blocked_text
    assert "then send /unblock 50001." in blocked_text


def test_a_close_that_a_block_holds_up_names_who_can_clear_it() -> None:
    alert = a.CloseTrouble(
        **ACCOUNT,
        job_id=3,
        scope="account",
        trouble="terminal_blocked",
        detail="asked for 50001 at Sim, the terminal answered for 50002, Sim",
        open_positions=2,
        open_orders=0,
        next_try_at=SOON,
        at=START,
    )
    assert said(alert, ADMIN) == (
        "🔴 Cannot close 50001 yet - blocked\n"
        "Client: Ann Smith, account 50001\n"
        "Its terminal answered for another account, so nothing is sent to it.\n"
        "Still open: 2 positions.\n"
        "An admin can unblock it: /unblock 50001\n"
        "Closing stays scheduled and goes on the moment it is unblocked.\n"
        "Time: 14:02:11 UTC"
    )
    assert "50002" not in said(alert)
    for audience in (ADMIN, CLIENT):
        assert labels(alert, audience) == [], "the button is on the block's own message"


def test_a_terminal_on_its_way_is_not_called_a_failure() -> None:
    text = said(unreadable(terminal="starting"))
    assert text.startswith(
        "⏳ 50001: its terminal is starting since 14:02:11\n"
        "The terminal is being started since 14:02:11; the account is not read meanwhile.\n"
    )


def test_a_terminal_that_does_not_start_says_how_often_and_when_next() -> None:
    alert = unreadable(
        terminal="failing", attempts=3, next_try_at=SOON, reason="Process create failed"
    )
    assert said(alert).startswith(
        "⚠️ 50001: its terminal does not start\n"
        "It failed 3 times in a row. The next try is at 14:04:11 UTC.\n"
    )
    assert "It failed 3 times in a row: Process create failed. The" in said(alert, ADMIN)
    once = said(unreadable(terminal="failing", attempts=1, reason="x"), ADMIN)
    assert "It failed 1 time in a row: x.\n" in once


def test_what_the_terminal_says_of_itself_is_for_admins_only() -> None:
    alert = unreadable(reason="(-10002, 'IPC recv failed')")
    assert "IPC" in said(alert, ADMIN)
    assert "IPC" not in said(alert)
    assert "Its terminal or its broker does not answer." in said(alert)


def test_an_account_without_a_terminal_sends_each_reader_their_own_way() -> None:
    assert "your admin has to link one." in said(unreadable(terminal="unlinked"))
    admin = said(unreadable(terminal="unlinked"), ADMIN)
    assert admin.startswith("⚠️ 50001: no terminal is linked\n")
    assert "On Reckoner's machine: python -m bot link" in admin


def test_an_account_that_is_read_again_while_blocked_is_not_called_guarded() -> None:
    alert = t.AccountRecovered(**ACCOUNT, since=EARLIER, at=START, blocked=True)
    assert "guards it again" not in said(alert)
    assert "before your admin has unblocked it." in said(alert)
    assert said(alert, ADMIN).endswith("before it is unblocked: /unblock 50001")
