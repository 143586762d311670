"""Boards: what cannot be read first, every figure with its age, long ones cut between rows."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from bot.i18n import speaking
from bot.views import boards, sparks
from bot.views.message import PAGES_MAX, Voice
from core.domain.board import DrawdownBoard, TerminalLine
from tests.fakes.clock import START
from tests.fakes.shell import account, expected_line, history, position, system, warning_line
from tests.unit.bot.html import units, words

VOICE = Voice(mark="[DEMO]")


def test_positions() -> None:
    (message,) = boards.positions([account(pending=(expected_line(),))], VOICE, START)
    assert words(message.html) == (
        "[DEMO] 📊 1 open position\n"
        "50001 Main\n"
        "Figures as of 14:02:08 UTC, 3 s ago\n"
        "Equity: 9,580.00 GBP, balance 9,600.00 GBP\n"
        "Open result: -20.00 GBP\n"
        "Margin level: 900.0 %\n"
        "• XAUUSD buy 0.10: -20.00 GBP\n"
        "   1,950.12 → 1,948.12, SL 1,945.00, TP none\n"
        "   #900001, signal 5\n"
        "• Approved, not placed yet: EURUSD sell 0.20, until 14:03:11 UTC"
    )


def test_an_account_that_cannot_be_read_comes_first_and_its_figures_are_called_old() -> None:
    blind = account(
        unavailable_since=START - timedelta(minutes=3),
        unavailable_reason="IPC <timeout>",
        observed_at=START - timedelta(minutes=4),
    )
    for pages in (
        boards.positions([blind], VOICE, START),
        boards.accounts([blind], VOICE, START),
        boards.status([blind], system(), VOICE, admin=False),
        boards.drawdown([DrawdownBoard(account=blind, history=())], VOICE, START),
    ):
        lines = words(pages[0].html).split("\n")
        assert lines[0] == "[DEMO] ⚠️ 1 account cannot be read"
        assert any(
            line.startswith("⚠️ Cannot be read since 13:59:11 UTC: IPC <timeout>") for line in lines
        )
        assert "Last read at 13:58:11 UTC, 4 min ago; figures are from then." in lines
        assert "🟢" not in lines[0] + "".join(lines[2:]), "nothing is watched"


def test_an_account_never_read_has_no_figures() -> None:
    unread = account(
        observed_at=None,
        equity=None,
        balance=None,
        profit=None,
        headroom=None,
        floor=None,
        drawdown_percent=None,
        peak_equity=None,
        equity_gbp=None,
        positions=(),
        positions_count=None,
    )
    (message,) = boards.positions([unread], VOICE, START)
    text = words(message.html)
    assert "⚠️ Never read: what is open is not known." in text
    assert "0 open positions" not in text
    assert "Nothing open" not in text, "nobody knows"


def test_a_made_up_flat_after_a_restart() -> None:
    """Nothing was read since the start; two positions were open before it."""
    kept = account(positions=(), positions_count=2, unavailable_since=START)
    (message,) = boards.positions([kept], VOICE, START)
    text = words(message.html)
    assert "2 positions open when last read." in text
    assert "📊 2 open positions" in text
    assert "Nothing open" not in text


def test_watching_since_is_not_since_when_it_cannot_close() -> None:
    stuck = account(
        obstacles=("autotrading_off",),
        guard_since=START - timedelta(seconds=80),
        obstacles_since=START,
    )
    (message,) = boards.accounts([stuck], VOICE, START)
    text = words(message.html)
    assert (
        "🔴 Guard watching since 14:00:51 UTC, but it cannot close as it should since 14:02:11 UTC"
    ) in text
    assert "but Reckoner cannot close anything." in text


def test_drawdown_with_its_chart() -> None:
    board = DrawdownBoard(account=account(), history=history())
    (message,) = boards.drawdown([board], VOICE, START)
    assert words(message.html) == (
        "[DEMO] 📉 Drawdown 4.2 % on 50001\n"
        "Figures as of 14:02:08 UTC, 3 s ago\n"
        "Headroom: 1,580.00 GBP. Reckoner closes everything at equity 8,000.00 GBP.\n"
        "Drawdown: 4.2 % (warning 15 %, limit 20 %)\n"
        "Equity: 9,580.00 GBP, peak 10,000.00 GBP\n"
        "Minimum equity: 100.00 GBP\n"
        "🟢 Guard watching"
    )
    assert message.chart is not None
    assert message.chart.mark == "[DEMO]"
    assert units(message.html) <= 1024
    with speaking("es"):
        (other,) = boards.drawdown([board], VOICE, START)
    assert other.chart is not None
    assert (message.chart.language, other.chart.language) == ("en", "es")
    assert other.chart.key != message.chart.key


def test_several_accounts_get_a_chart_button_each() -> None:
    both = [
        DrawdownBoard(account=account(), history=history()),
        DrawdownBoard(account=account(account_id=8, login=50002), history=history()),
    ]
    (message,) = boards.drawdown(both, VOICE, START)
    labels = [[button.label for button in row] for row in message.keyboard]
    assert labels == [["Chart 50001", "Chart 50002"], ["Refresh"]]
    assert message.chart is None


def test_other_currencies_show_pounds_with_the_age_of_their_rate() -> None:
    dollars = account(currency="USD", equity_gbp=Decimal("7542.10"), gbp_rate_at=START)
    board = DrawdownBoard(account=dollars, history=())
    (message,) = boards.drawdown([board], VOICE, START + timedelta(seconds=9))
    assert "Equity in pounds: 7,542.10 GBP, rate 9 s old" in words(message.html)
    assert "Minimum equity: 100.00 USD (100 GBP)" in words(message.html)


def test_a_locked_account_offers_its_release_once() -> None:
    locked = account(guard="latched", guard_since=START, guard_reason="drawdown")
    (message,) = boards.status([locked], system(), VOICE, admin=False)
    labels = [button.label for row in message.keyboard for button in row]
    assert labels == ["Ask for release", "Refresh"]
    assert "🔒 Locked since 14:02:11 UTC: drawdown limit" in words(message.html)
    asked = replace(locked, release_requested_at=START)
    (message,) = boards.status([asked], system(), VOICE, admin=False)
    assert [button.label for row in message.keyboard for button in row] == ["Refresh"]


def test_status_shows_the_fleet_to_admins_only() -> None:
    (client,) = boards.status([account()], system(), VOICE, admin=False)
    (admin,) = boards.status([], system(), VOICE, admin=True)
    assert "4 accounts" not in words(client.html)
    assert "4 accounts, all readable, 0 locked" in words(admin.html)


def test_an_account_reckoner_could_not_close_says_so() -> None:
    off = account(obstacles=("autotrading_off",))
    (message,) = boards.accounts([off], VOICE, START)
    text = words(message.html)
    assert text.startswith("[DEMO] 🔴 Cannot close on 1 account\n")
    assert (
        "🔴 Reckoner can watch this account but cannot close on it, because automated trading is "
        "switched "
        "off in its terminal.\nPress “Algo Trading” in the terminal, so that it turns green."
    ) in text
    assert "The limit is at equity 8,000.00 GBP, but Reckoner cannot close anything." in text
    assert "🔴 Guard watching, but it cannot close as it should" in text
    assert "closes everything" not in text, "a promise it could not keep"


def test_a_client_reads_the_same_with_a_step_of_their_own() -> None:
    board = DrawdownBoard(account=account(obstacles=("investor_password",)), history=())
    (message,) = boards.drawdown([board], VOICE, START)
    text = words(message.html)
    assert "because it is linked with an investor (read-only) password" in text
    assert "Ask your admin to link the master password. Never send it in a chat." in text
    assert "python -m bot link" not in text
    (own,) = boards.status([account(obstacles=("wrong_account",))], system(), VOICE, admin=True)
    assert "then send /unblock 50001." in words(own.html)


@pytest.mark.parametrize(
    ("terminal", "client", "admin"),
    [
        ({"state": "up"}, None, None),
        (
            {"state": "starting"},
            "⏳ Its terminal is being started since 14:02:11 UTC.",
            "⏳ Its terminal is being started since 14:02:11 UTC.",
        ),
        (
            {"state": "resting", "attempts": 3, "reason": "IPC timeout"},
            "⏳ Its terminal rests until 14:04:11 UTC after 3 failures.",
            "⏳ Its terminal rests until 14:04:11 UTC after 3 failures: IPC timeout.",
        ),
        (
            {"state": "unlinked"},
            "⚠️ No terminal is linked to it; your admin has to link one.",
            "⚠️ No terminal is linked to it. On Reckoner's machine: python -m bot link",
        ),
    ],
)
def test_a_terminal_that_is_not_up_says_what_it_does_and_what_comes_next(
    terminal: dict[str, Any], client: str | None, admin: str | None
) -> None:
    line = TerminalLine(
        **{
            "since": START,
            "attempts": 0,
            "next_try_at": START + timedelta(seconds=120),
            "reason": "",
            **terminal,
        }
    )
    (own,) = boards.status([account(terminal=line)], system(), VOICE, admin=False)
    (every,) = boards.accounts([account(terminal=line)], VOICE, START)
    for text, expected in ((words(own.html), client), (words(every.html), admin)):
        assert ("terminal" in text) is (expected is not None)
        assert expected is None or expected in text.split("\n")


def test_an_admins_status_counts_terminals_that_are_not_up_and_accounts_nobody_can_close() -> None:
    fleet = replace(system(), terminals=(("starting", 1), ("up", 3)), cannot_close=2)
    (message,) = boards.status([], fleet, VOICE, admin=True)
    text = words(message.html)
    assert "🔴 2 cannot be closed as they are: see /accounts" in text
    assert "Terminals: 1 starting, 3 up" in text
    (calm,) = boards.status([], replace(fleet, terminals=(("up", 4),)), VOICE, admin=True)
    assert "Terminals" not in words(calm.html)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"guard": "latched", "headroom": Decimal("-558.44"), "positions": ()},
            "The limit was passed by 558.44 GBP. Everything is closed.",
        ),
        (
            {"guard": "countdown", "headroom": Decimal("-52.54"), "deadline_at": START},
            "52.54 GBP past the limit; closing begins at 14:02:11 UTC.",
        ),
        (
            {"guard": "closing", "headroom": Decimal("-52.54")},
            "52.54 GBP past the limit; Reckoner is closing everything.",
        ),
        (
            {"guard": "latched", "headroom": Decimal(12), "positions": ()},
            "Equity is 12.00 GBP above the limit again; the account stays locked.",
        ),
    ],
)
def test_headroom_past_the_limit_is_told_in_words(changes: dict[str, object], line: str) -> None:
    board = DrawdownBoard(account=account(**changes), history=())
    (message,) = boards.drawdown([board], VOICE, START)
    assert line in words(message.html)
    assert "Headroom" not in words(message.html)


def test_accounts_show_the_share_they_are_sorted_by() -> None:
    (message,) = boards.accounts([account()], VOICE, START)
    # 1,580 of 9,580 is 16.49 %
    assert "Headroom: 1,580.00 GBP, 16.5 % of equity." in words(message.html)
    assert "least room in percent of equity first" in words(message.html)


def test_nobody_is_shown_an_empty_board() -> None:
    assert "/accounts shows all" in boards.no_account(admin=True).html
    assert "ask your admin" in boards.no_account(admin=False).html


@pytest.mark.parametrize("count", [1, 40, 400, 4000])
def test_many_positions_are_split_between_rows_and_counted(count: int) -> None:
    many = account(positions=tuple(position(ticket=n) for n in range(count)))
    pages = boards.positions([many], VOICE, START)
    assert len(pages) <= PAGES_MAX == 4
    assert all(units(page.html) <= 4096 for page in pages)
    texts = [words(page.html) for page in pages]
    assert all("[DEMO]" in text.split("\n")[0] for text in texts)
    shown = sum(text.count("signal 5") for text in texts)
    assert shown == count or texts[-1].endswith(f"and {count - shown} more")


def test_warnings_keep_their_own_buttons_and_are_bounded() -> None:
    most = boards.WARNINGS_MAX
    full = boards.warnings([warning_line()] * most, VOICE, START)
    over = boards.warnings([warning_line()] * (most + 2), VOICE, START)
    assert [sum(1 for page in pages if page.keyboard) for pages in (full, over)] == [most, most]
    assert len(full) == most
    assert over[-1].html == "and 2 more. Answer these first."
    (none,) = boards.warnings([], VOICE, START)
    assert words(none.html).startswith("✅ No open market warning, as of 14:02:11 UTC")


def test_a_sparkline_spans_lowest_to_highest_and_is_bounded() -> None:
    assert sparks.sparkline([Decimal(1), Decimal(2), Decimal(8)]) == "▁▂█"
    assert sparks.sparkline([Decimal(5), Decimal(5)]) == "▁▁"
    assert sparks.sparkline([]) == ""
    assert len(sparks.sparkline([Decimal(n) for n in range(1000)])) <= sparks.SPARKS_MAX
