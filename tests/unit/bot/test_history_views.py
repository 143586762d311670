"""Histories as their readers see them, written out by hand."""

from datetime import timedelta
from decimal import Decimal

from bot.callbacks import HistoryPress, ReportPress
from bot.i18n import speaking
from bot.views import history, report
from bot.views.message import Voice
from core.domain.history import HistoryFilter, HistoryKind
from tests.fakes.clock import START
from tests.fakes.reports import DAY, account_report, line, page
from tests.unit.bot.html import units, words

D = Decimal
DEMO = Voice(mark="[DEMO]")
ANN = 900


def test_a_page_of_history_in_cards_under_their_days() -> None:
    kinds = (
        line(at=START - timedelta(minutes=5), kind=HistoryKind.OPENED, word="", amount=D("-1.50")),
        line(),
        line(kind=HistoryKind.MONEY, word="withdrawal", symbol="", amount=D(-1200), position_id=0),
        line(
            kind=HistoryKind.DIFFERENCE,
            word="entry_slippage",
            slippage_pips=D("6.2"),
            amount=None,
        ),
        line(kind=HistoryKind.RESOLVED, word="sl_moved", ended="as_expected"),
        line(kind=HistoryKind.GUARD, word="drawdown", symbol="account", ended="flat"),
        line(at=START - timedelta(days=1), kind=HistoryKind.OUTAGE, word="no <connection>"),
        line(
            at=START - timedelta(days=1),
            kind=HistoryKind.WARNING,
            percent=D("15.5"),
            limit_percent=D(15),
        ),
    )
    message = history.page(page(lines=kinds), DEMO, START, ANN)
    assert words(message.html) == (
        "[DEMO] 📜 50001: history\n"
        "19 entries, page 1 of 3\n"
        "Sun 22 Nov 2026\n"
        "13:57 ▫️ Opened XAUUSD buy 0.10\n"
        "   at 1,951.36, signal 5, #900001\n"
        "   costs -1.50 GBP\n"
        "13:52 🟢 Closed: +12.40 GBP\n"
        "   XAUUSD buy 0.10 at 1,951.36\n"
        "   on your phone, signal 5, #900001\n"
        "13:52 💰 Withdrawal: -1,200.00 GBP\n"
        "13:52 ⚠️ Slipped entry\n"
        "   XAUUSD buy 0.10, signal 5, #900001\n"
        "   6.2 pips worse than expected\n"
        "13:52 ✅ Over: stop loss moved\n"
        "   XAUUSD buy 0.10, signal 5, #900001\n"
        "   it is as expected again\n"
        "13:52 🔒 Reckoner closes everything: drawdown limit\n"
        "   closed and proved flat\n"
        "Sat 21 Nov 2026\n"
        "14:02 ⚠️ Could not be read: no <connection>\n"
        "14:02 🟠 Drawdown warning: 15.5 %\n"
        "   warns at 15 %\n"
        "List as of 14:02:11 UTC, 0 s ago\n"
        "Times: UTC"
    )


def test_times_of_a_history_are_the_readers_own() -> None:
    """New York is five hours behind in winter: 13:52 UTC is 08:52, and the day is its own."""
    voice = Voice(time_zone="America/New_York")
    text = words(history.page(page(), voice, START, ANN).html)
    assert "\n08:52 🟢" in text
    assert text.endswith("Times: America/New_York (EST)")
    late = line(at=DAY.start + timedelta(hours=3))
    assert "Sat 21 Nov 2026\n22:00" in words(
        history.page(page(lines=(late,)), voice, START, ANN).html
    )


def labels(shown: object) -> list[list[str]]:
    message = history.page(shown, DEMO, START, ANN)  # type: ignore[arg-type] # a HistoryPage
    return [[button.label for button in row] for row in message.keyboard]


def test_a_lock_and_the_way_out_of_it_in_words() -> None:
    """9,580 of 12,000 are 20.17 % lost."""
    figures = {"percent": D("20.1667"), "limit_percent": D(20), "amount": D(9580)}
    steps = (
        line(kind=HistoryKind.RELEASE, word="latch_released", amount=D("9575.5"), by="engine"),
        line(kind=HistoryKind.RELEASE, word="release_granted", by="Ada <boss>"),
        line(kind=HistoryKind.RELEASE, word="release_refused", by="Ada"),
        line(kind=HistoryKind.RELEASE, word="release_asked", by="Ben"),
        line(kind=HistoryKind.REAPPEARED, word="latch_reappeared", signal_id=None),
        line(kind=HistoryKind.LOCKED, word="drawdown", **figures),
        line(kind=HistoryKind.LOCKED, word="minimum_equity", **figures),
    )
    text = words(history.page(page(lines=steps), DEMO, START, ANN).html)
    assert text.split("\n")[3:-2] == [
        "13:52 🔓 Unlocked",
        "   new peak 9,575.50 GBP",
        "13:52 🔑 Ada <boss> granted the release",
        "13:52 🔑 Ada refused the release",
        "13:52 🔑 Ben asked for release",
        "13:52 ⚠️ Appeared on the locked account",
        "   XAUUSD buy 0.10, #900001",
        "13:52 🔒 Locked: drawdown limit",
        "   20.2 % (limit 20 %)",
        "   equity 9,580.00 GBP",
        "13:52 🔒 Locked: minimum equity",
        "   equity 9,580.00 GBP",
    ]


def test_filters_keep_their_words_whole_on_a_phone() -> None:
    """Half of 320 points are 16 letters of 9 points and what is around them."""
    with speaking("es"):
        every = [
            button.label
            for row in history.page(page(), DEMO, START, ANN).keyboard
            for button in row
            if len(row) <= 2
        ]
    assert "Apertura" in every
    assert max(len(label) for label in every) <= 16


def test_buttons_turn_the_page_only_where_there_is_one() -> None:
    filters = [
        ["• All", "Opened"],
        ["Closed", "Differences"],
        ["Money"],
        ["Symbol: all", "Refresh"],
    ]
    assert labels(page()) == [["Older »"], *filters]
    assert labels(page(page=1)) == [["« Newer", "Older »"], *filters]
    assert labels(page(page=2)) == [["« Newer"], *filters]
    assert labels(page(pages=1)) == filters


def test_who_has_several_accounts_may_switch() -> None:
    both = ((7, 50001), (8, 50002))
    assert labels(page(accounts=both))[-1] == ["Symbol: all", "Account: 50001", "Refresh"]
    assert labels(page(accounts=both, own=False))[-1] == ["Symbol: all", "Refresh"]


def test_what_buttons_carry_fits_however_large_the_numbers_are() -> None:
    big = page(
        account_id=10**7,
        symbol="XAUUSD",
        symbol_id=10**12,
        page=1,
        filter=HistoryFilter.DIFFERENCES,
        accounts=((10**7, 50001), (8, 50002)),
    )
    message = history.page(big, DEMO, START, 10**12)
    data = [button.data for row in message.keyboard for button in row]
    assert max(len(text.encode()) for text in data) <= 64
    for text in data:
        assert HistoryPress.unpack(text).asker == 10**12
    buttons = report.report(account_report(account_id=10**7), DEMO, 10**12).keyboard
    for row in buttons:
        for button in row:
            assert len(button.data.encode()) <= 64
            assert ReportPress.unpack(button.data).account_id == 10**7


def test_an_old_page_says_how_far_back_it_goes() -> None:
    last = page(page=24, pages=25, total=500, is_cut=True)
    text = words(history.page(last, DEMO, START, ANN).html)
    assert "500 entries, page 25 of 25" in text
    assert "older ones in its file" in text


def test_outside_text_is_harmless_in_a_history() -> None:
    evil = line(symbol="<b>&" * 50, word="<i>", kind=HistoryKind.DIFFERENCE)
    message = history.page(page(lines=(evil,) * 8, symbol="<b>"), DEMO, START, ANN)
    assert units(message.html) <= 4096
    assert "<b>&" in words(message.html)
