"""What a hostile tester saw, each by the name of what went wrong."""

from decimal import Decimal

from core.domain import alerts as a
from core.records import CloseJobRow, DrawdownAlertRow, EpisodeRow
from tests.engine.house import ADMIN_CHAT, BEN, USD, House

D = Decimal


async def test_a_report_without_its_deals_says_so_and_is_completed_later(house: House) -> None:
    """Flat is proved at once; what it cost is said when the broker shows the deals."""
    ticket = house.open(USD, "buy", "2.00")
    await house.run(11)
    house.fault(USD, "deal_delayed", ms=20_000)
    house.price("1957.00", "1957.30")
    await house.run(12)
    (first,) = [x for x in await house.said(BEN) if isinstance(x, a.CloseConfirmed)]
    assert (first.results_missing, first.completed) == (True, False)
    assert [(r.ticket, r.outcome, r.profit) for r in first.results] == [(ticket, "closed", None)]
    await house.restart()
    await house.run(30)

    reports = [x for x in await house.said(BEN) if isinstance(x, a.CloseConfirmed)]
    assert [r.completed for r in reports] == [False, True]
    assert reports[1].total_pnl == D(-2660)  # 200 oz x (1970.30 - 1957.00)
    (row,) = await house.rows(DrawdownAlertRow, alert_type="execution")
    assert (row.total_loss, row.positions_closed_count) == (D(-2660), 1)
    assert "BalanceUnexplained" not in await house.kinds(BEN)
    (job,) = await house.rows(CloseJobRow)
    assert (job.state, job.trouble) == ("flat", None)


async def test_an_unanswered_send_is_looked_at_before_the_next_ticket(house: House) -> None:
    """No second request leaves on a reading that is older than an unknown outcome."""
    for _ in range(3):
        house.open(USD, "buy", "0.70")
    await house.run(11)
    house.fault(USD, "timeout_not_executed", times=1)
    reads: list[int] = []
    house.gateway.after_call = lambda verb: (
        reads.append(house.gateway.reads) if verb == "send" else None
    )
    house.price("1957.00", "1957.30")
    await house.run(10)
    assert house.sim.ledger.positions(USD) == {}
    assert reads[1] > reads[0], "a reading lies between the unknown outcome and the next request"


async def test_many_differences_at_once_are_one_message(house: House) -> None:
    """Fifty messages about one event are none."""
    for _ in range(12):
        house.open(USD, "buy", "0.01", "EURUSD")
    await house.run(11)
    assert await house.kinds(BEN) == ["DivergencesOpened"]
    (told,) = await house.said(BEN)
    assert isinstance(told, a.DivergencesOpened)
    assert (told.finding, told.count, len(told.items)) == ("unknown_position", 12, 10)
    assert len(await house.rows(EpisodeRow, resolved_at=None)) == 12

    for ticket in list(house.sim.ledger.positions(USD)):
        house.close_position(USD, ticket)
    await house.run(11)
    assert await house.kinds(BEN) == ["DivergencesOpened", "PositionsClosed"]
    closed = (await house.said(BEN))[-1]
    assert isinstance(closed, a.PositionsClosed)
    assert (closed.close_reason, closed.count) == ("client_mobile", 12)
    assert await house.rows(EpisodeRow, resolved_at=None) == []
    assert (await house.kinds(ADMIN_CHAT)) == ["DivergencesOpened"]


async def test_three_differences_are_three_messages(house: House) -> None:
    """At the bound each is told for itself."""
    for _ in range(3):
        house.open(USD, "buy", "0.01", "EURUSD")
    await house.run(11)
    assert await house.kinds(BEN) == ["DivergenceOpened"] * 3


async def test_trouble_quotes_what_held_it_up(house: House) -> None:
    """Not the last answer, which may have been a success."""
    for _ in range(2):
        house.open(USD, "buy", "1.00")
    await house.run(11)
    house.fault(USD, "market_closed", times=1)
    house.price("1957.00", "1957.30")
    await house.run(3)
    (trouble,) = [x for x in await house.said(BEN) if isinstance(x, a.CloseTrouble)]
    assert trouble.trouble == "market_closed"
    assert "closed" in trouble.detail.lower()
