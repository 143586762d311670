"""Messages about money and absences: what the reader sees, written out by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from bot.views.alerts import render
from bot.views.message import Audience, Voice
from core.domain import alerts as a
from core.domain import alerts_money as m
from tests.fakes.alerts_money import NIGHT, away, booked
from tests.fakes.alerts_terminal import ACCOUNT, EARLIER
from tests.fakes.clock import START
from tests.unit.bot.html import words

CLIENT, ADMIN = Audience.CLIENT, Audience.ADMIN
D = Decimal


def said(alert: a.Alert, audience: Audience = CLIENT, zone: str = "UTC") -> str:
    """The words of an alert."""
    return words(render(alert, Voice(time_zone=zone), audience).html)


def test_what_happened_while_reckoner_was_away() -> None:
    assert said(away()) == (
        "🕓 While I was away on 50001\n"
        "From 09:32:11 UTC to 14:02:11 UTC: 2 closes, 1 deposit; lowest equity unknown.\n"
        "• 09:42:11 UTC XAUUSD buy 0.10 closed by you, on your phone: +12.40 GBP\n"
        "• 09:52:11 UTC EURUSD sell 0.50 closed (Stop loss reached): -30.00 GBP\n"
        "• 11:32:11 UTC Deposit: +1,000.00 GBP\n"
        "Trading and charges came to -17.60 GBP.\n"
        "2 positions open before, 0 now. Equity in between was not seen: the peak may be higher "
        "than Reckoner knows."
    )


def test_the_admins_read_whose_account_it_was() -> None:
    assert said(away(), ADMIN).startswith(
        "🕓 While I was away on 50001\nClient: Ann Smith, account 50001\nFrom "
    )
    assert "closed by the client, on their phone: +12.40 GBP" in said(away(), ADMIN)


def test_each_reader_gets_the_absence_in_their_own_time_and_older_apps_the_set_zone() -> None:
    html = render(away(), Voice(time_zone="Europe/Athens"), CLIENT).html
    assert f'<tg-time unix="{int(NIGHT.timestamp())}" format="T">11:32:11 EET</tg-time>' in html
    long = away(since=START - timedelta(days=2))
    assert "From 20 Nov 14:02:11 UTC to 14:02:11 UTC" in said(long)


def test_an_absence_in_which_something_only_stayed_open_makes_no_sound() -> None:
    quiet = away(counts={}, items=(), count=0, result=D(0), positions_count=2)
    assert said(quiet) == (
        "🕓 While I was away on 50001\n"
        "From 09:32:11 UTC to 14:02:11 UTC: nothing was booked; lowest equity unknown.\n"
        "2 positions open before, 2 now. Equity in between was not seen: the peak may be higher "
        "than Reckoner knows."
    )
    assert render(quiet, Voice(), CLIENT).silent
    assert not render(away(), Voice(), CLIENT).silent


def test_orders_and_what_has_no_deal_yet_are_told_with_the_absence() -> None:
    text = said(away(orders_placed=1, orders_gone=2, vanished=1, unexplained=D(-80)))
    assert "2 closes, 1 deposit, 1 order placed, 2 orders gone; lowest equity unknown." in text
    assert "1 position gone, and no deal says why yet. Reckoner goes on looking." in text
    assert "A change of the balance by -80.00 GBP has no deal yet." in text


def test_a_flat_accounts_absence_leaves_no_figure_unknown() -> None:
    deposit = away().items[2]
    flat = away(counts={"deposit": 1}, items=(deposit,), count=1, result=D(0), uncertain=False)
    assert said(flat) == (
        "🕓 While I was away on 50001\n"
        "From 09:32:11 UTC to 14:02:11 UTC: 1 deposit.\n"
        "• 11:32:11 UTC Deposit: +1,000.00 GBP\n"
        "Trading and charges came to 0.00 GBP."
    )


def test_a_busy_night_says_how_much_is_left_out() -> None:
    assert "\nand 37 more\n" in said(away(count=40))


@pytest.mark.parametrize(
    ("operation", "amount", "first", "counts_as"),
    [
        ("tax", "-6.00", "🧾 Tax -6.00 GBP on 50001", "loss"),
        ("dividend", "40.00", "🧾 Dividend +40.00 GBP on 50001", "profit"),
        ("correction", "-12.00", "🧾 Correction -12.00 GBP on 50001", "loss"),
        ("other", "-1.00", "🧾 Operation of the broker -1.00 GBP on 50001", "loss"),
    ],
)
def test_a_result_without_a_trade_is_named(
    operation: str, amount: str, first: str, counts_as: str
) -> None:
    text = said(booked(m.MoneyItem(operation=operation, amount=D(amount))))
    assert text == (
        f"{first}\nIt counts as a {counts_as}, not as money paid in or out.\nTime: 14:02:11 UTC"
    )


def test_the_brokers_own_words_are_quoted() -> None:
    text = said(booked(m.MoneyItem(operation="charge", amount=D(-12), comment="Data feed")))
    assert "\nThe broker's words: Data feed\n" in text


def test_several_results_are_one_message() -> None:
    items = [
        m.MoneyItem(operation="dividend", amount=D(40)),
        m.MoneyItem(operation="tax", amount=D(-6)),
    ]
    assert said(booked(*items)).startswith(
        "🧾 2 operations, +34.00 GBP on 50001\n• Dividend +40.00 GBP\n• Tax -6.00 GBP\n"
    )
    assert "\nand 3 more\n" in said(replace(booked(*items), count=5))


@pytest.mark.parametrize(
    ("operation", "amount", "first"),
    [
        ("deposit", "500", "💷 Deposit +500.00 GBP on 50001"),
        ("withdrawal", "-500", "💷 Withdrawal -500.00 GBP on 50001"),
        ("credit", "-500", "💷 Credit -500.00 GBP on 50001"),
        ("bonus", "500", "💷 Bonus +500.00 GBP on 50001"),
        ("", "500", "💷 Deposit +500.00 GBP on 50001"),  # several kinds, or of an older version
    ],
)
def test_a_flow_is_called_by_its_kind(operation: str, amount: str, first: str) -> None:
    flow = m.CashFlowSeen(
        **ACCOUNT,
        amount=D(amount),
        equity=D(10000),
        peak_before=D(9500),
        peak_after=D(10000),
        below_minimum=False,
        at=START,
        operation=operation,
    )
    assert said(flow).split("\n", 1)[0] == first


def test_a_loss_without_a_deal_counts_and_a_gain_does_not() -> None:
    loss = m.BalanceUnexplained(**ACCOUNT, amount=D(-50), since=EARLIER, at=START, episode_id=3)
    assert said(loss) == (
        "🟠 Unexplained -50.00 GBP on 50001\n"
        "The balance changed and no deal of the broker says why.\n"
        "From now on it counts as a trading result, so the guard sees it.\n"
        "Seen since 13:27:11 UTC.\n"
        "Time: 14:02:11 UTC"
    )
    gain = said(replace(loss, amount=D(50)))
    assert "Until a deal explains it the guard does not count it as yours." in gain
    assert said(replace(loss, again=True)).startswith("🟠 Still unexplained: -50.00 GBP on 50001")


def test_a_balance_is_explained_in_the_end() -> None:
    over = m.BalanceExplained(**ACCOUNT, episode_id=3, amount=D(-50), since=EARLIER, at=START)
    assert said(over) == (
        "🟢 Explained: -50.00 GBP on 50001\n"
        "The broker has shown the deals that explain the balance.\n"
        "Unexplained since 13:27:11 UTC.\n"
        "Time: 14:02:11 UTC"
    )


def test_prices_stand_still_and_move_again() -> None:
    still = m.PricesStill(**ACCOUNT, episode_id=4, positions_count=2, since=EARLIER, at=START)
    assert said(still, ADMIN) == (
        "🟠 Prices stand still on 50001\n"
        "Client: Ann Smith, account 50001\n"
        "No price has moved since 13:27:11 UTC (35 min), with 2 positions open.\n"
        "The terminal answers, but its figures may be old: a loss may not show yet.\n"
        "Until prices move the guard takes no reading for better than the one before.\n"
        "Time: 14:02:11 UTC"
    )
    move = m.PricesMove(**ACCOUNT, episode_id=4, since=EARLIER, at=START)
    assert said(move) == (
        "🟢 Prices no longer stand still on 50001\n"
        "They stood since 13:27:11 UTC.\n"
        "Time: 14:02:11 UTC"
    )
