"""What an admin reads of a rehearsal."""

from decimal import Decimal

from bot.markup import plain
from bot.views import drill
from bot.views.message import Voice
from core.domain.alert_parts import Blocked
from tests.fakes.alerts_closing import drill_blocked
from tests.fakes.clock import START
from tests.fakes.drill import drilled, shut

VOICE = Voice()


def test_what_could_be_closed_says_how_and_how_long() -> None:
    text = plain(drill.rehearsed([drilled()], VOICE, START).html)
    assert text == (
        "✅ 1 account could be closed now\n"
        "✅ 50001 Ann Smith: 3 positions and 1 pending order in 5 requests, about 2.2 s and 1.4 s "
        "of proof (by its own closes); 1 position in pieces, margin level 820.5 %, "
        "stop-out at 50 %\n"
        "Each close was checked with the terminal; nothing was sent.\n"
        "At 14:02:11 UTC"
    )


def test_what_blocks_goes_first_with_its_reason() -> None:
    refused = Blocked(
        word="rejected",
        ticket=5,
        symbol="EURUSD",
        side="sell",
        volume=Decimal("0.1"),
        code=10019,
        detail="No money",
    )
    made = [
        drilled(login=50002, positions=0, orders=0, requests=0, margin_level_percent=None),
        shut(),
        drilled(refused, Blocked(word="autotrading_off"), login=50003),
    ]
    lines = plain(drill.rehearsed(made, VOICE, START).html).split("\n")
    assert lines[0] == "⚠️ 2 of 3 accounts could not be closed now"
    assert lines[1].startswith("⚠️ 50001 Ann Smith: 3 positions")
    assert lines[2] == "  #900001 XAUUSD buy 2.00: its market is closed"
    assert lines[3] == "  It usually opens at 14:02:11 UTC."
    assert lines[5] == (
        "  #5 EURUSD sell 0.10: the broker would refuse it (10019: The broker says that funds are "
        "missing.)"
    )
    assert lines[6] == "  automated trading is switched off in its terminal"
    assert lines[7] == "✅ 50002 Ann Smith: nothing open, nothing in the way"


def test_many_blocks_of_one_account_among_many_are_counted() -> None:
    many = [Blocked(word="market_closed", symbol=f"S{n}") for n in range(5)]
    both = plain(drill.rehearsed([drilled(*many), drilled(login=2)], VOICE, START).html)
    assert "S2: its market is closed\n  and 2 more: /drill 50001\n" in both
    alone = plain(drill.rehearsed([drilled(*many)], VOICE, START).html)
    assert "S4: its market is closed" in alone


def test_the_weekly_rehearsal_says_what_it_is() -> None:
    text = plain(drill.by_schedule(drill_blocked(shut(), more=2), VOICE).html)
    assert text.startswith(
        "⚠️ 3 of 12 accounts could not be closed now\nThe weekly rehearsal says:\n⚠️ 50001"
    )
    assert "and 2 accounts more: /drill" in text
