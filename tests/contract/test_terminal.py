"""What every way to a terminal promises, whichever it is: reads, sends, failures, ownership.

The broker is the same simulated one; expected figures are worked out in the tests.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from core.domain.broker import Side
from core.ports import (
    BrokerUnavailable,
    CancelRequest,
    CloseRequest,
    NotSent,
    OutcomeUnknown,
    SendResult,
    SnapshotRequest,
    StaleEpoch,
    TerminalGateway,
    WrongAccount,
)
from tests.contract.terminals import KINDS, gateway_of
from tests.wire.broker.desk import ALICE, Desk

SERVER = "Reckoner-Demo"
READ = SnapshotRequest(
    account_id=1, login=ALICE, server=SERVER, deals_since=datetime(2020, 1, 1, tzinfo=UTC)
)
D = Decimal


class Way:
    """One way to one broker."""

    def __init__(self, kind: str, desk: Desk, gateway: TerminalGateway, folder: Path) -> None:
        self.kind = kind
        self.desk = desk
        self.gateway = gateway
        self.folder = folder

    async def fault(self, kind: str, **more: Any) -> None:
        """Make the next calls fail."""
        await self.desk.post(f"/broker/{ALICE}/fault", kind=kind, **more)

    def held(self) -> dict[int, Decimal]:
        """What the broker truly holds: volume by ticket."""
        positions = self.desk.part.simulation.ledger.positions(ALICE)
        return {ticket: one.volume for ticket, one in positions.items()}

    def exits(self) -> list[Decimal]:
        """The volumes of all closing deals."""
        deals = self.desk.part.simulation.ledger.deals(ALICE)
        return [deal.volume for deal in deals if deal.entry in {1, 2, 3}]

    async def mended(self) -> None:
        """The broker behaves again; return when the way has recovered."""
        status, _ = await self.desk.ask("DELETE", f"/broker/{ALICE}/fault")
        assert status == 200
        await _answered(self.gateway)


async def _answered(gateway: TerminalGateway) -> None:
    """Read until it succeeds: a terminal has to start, and to show fresh prices."""
    async with asyncio.timeout(20):
        while True:
            try:
                await gateway.snapshot(READ)
            except BrokerUnavailable:
                await asyncio.sleep(0.05)
            else:
                return


@pytest_asyncio.fixture(params=KINDS, scope="module", loop_scope="module")
async def shared(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Way]:
    """A broker and a way to it that the tests of this module share; each leaves it as it was."""
    folder = tmp_path_factory.mktemp(request.param)
    async with Desk(folder) as desk, gateway_of(request.param, desk, folder) as gateway:
        made = Way(request.param, desk, gateway, folder)
        await made.mended()
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def way(shared: Way) -> AsyncIterator[Way]:
    """The way, to a flat account."""
    yield shared
    await shared.mended()
    for ticket in tuple(shared.held()):
        await shared.desk.post(f"/broker/{ALICE}/close", ticket=ticket)
    for order in tuple(shared.desk.part.simulation.ledger.orders(ALICE).values()):
        shared.desk.part.simulation.ledger.drop_order(order)


pytestmark = pytest.mark.asyncio(loop_scope="module")


def close_of(ticket: int, volume: str = "0.1", **more: Any) -> CloseRequest:
    """Close bought gold, immediate or cancel."""
    fields: dict[str, Any] = {
        "login": ALICE,
        "server": SERVER,
        "ticket": ticket,
        "symbol": "XAUUSD",
        "position_side": Side.BUY,
        "volume": D(volume),
        "price": D("1970.00"),
        "deviation_points": 20,
        "filling": 1,
        "comment": "rc:1",
    }
    return CloseRequest(**(fields | more))


async def test_a_reading_is_exact_whole_and_in_true_utc(way: Way) -> None:
    ticket = await way.desk.buy(ALICE, sl=1950, by="web")

    read = await way.gateway.snapshot(READ)

    (position,) = read.positions
    assert (position.ticket, position.identifier, position.symbol) == (ticket, ticket, "XAUUSD")
    assert (position.volume, position.price_open) == (D("0.1"), D("1970.30"))
    assert (position.stop_loss, position.take_profit) == (D(1950), None)
    # 0.1 lots of 100 oz, bought at 1970.30, worth 1970.00: -3 USD, at 1.27 USD a pound -2.36 GBP.
    assert position.profit == D("-2.36")
    assert read.state.equity - read.state.balance == D("-2.36")
    assert read.state.currency == "GBP"
    assert read.server_offset_s == 10_800
    assert abs((read.observed_at - position.opened_at).total_seconds()) < 5
    opening = read.deals[-1]
    assert (opening.deal_type, opening.entry, opening.position_id) == (0, 0, ticket)
    assert {"XAUUSD", "GBPUSD"} <= read.ticks.keys()
    assert read.symbols["XAUUSD"].contract_size == D(100)
    assert read.began_at <= read.observed_at


async def test_an_account_that_holds_nothing_is_read_flat(way: Way) -> None:
    read = await way.gateway.snapshot(READ)

    assert (read.positions, read.orders) == ((), ())
    assert read.state.margin == read.state.profit == 0
    assert read.state.margin_level_percent is None


async def test_deals_executed_since_the_instant_asked_for_are_all_there(way: Way) -> None:
    """Older ones may come too: an agent asks for an hour more, for a clock may have been put back.

    Its hour is that of the broker's clock, so that a day from now is past it.
    """
    ticket = await way.desk.buy(ALICE)
    read = await way.gateway.snapshot(READ)
    opened_at = read.deals[-1].executed_at

    from_it = await way.gateway.snapshot(_since(opened_at))
    after_it = await way.gateway.snapshot(_since(opened_at + timedelta(days=1)))

    assert from_it.deals[-1].position_id == ticket
    assert after_it.deals == ()


def _since(instant: datetime) -> SnapshotRequest:
    return SnapshotRequest(account_id=1, login=ALICE, server=SERVER, deals_since=instant)


async def test_symbols_that_are_asked_for_are_quoted_and_unknown_ones_left_out(way: Way) -> None:
    request = SnapshotRequest(
        account_id=1,
        login=ALICE,
        server=SERVER,
        deals_since=READ.deals_since,
        symbols=("US500", "NOSUCH"),
    )

    read = await way.gateway.snapshot(request)

    assert read.ticks["US500"].bid == D("5000.0")
    assert "NOSUCH" not in read.ticks


async def test_a_close_is_executed_once_and_answered_with_its_deal(way: Way) -> None:
    ticket = await way.desk.buy(ALICE)
    before = len(way.exits())

    answer = await way.gateway.send(close_of(ticket))

    assert isinstance(answer, SendResult)
    assert (answer.retcode, answer.volume, answer.price) == (10009, D("0.1"), D("1970.00"))
    assert answer.deal > 0
    assert way.held() == {}
    assert way.exits()[before:] == [D("0.1")]


async def test_a_part_is_closed_and_the_rest_keeps_its_ticket(way: Way) -> None:
    ticket = await way.desk.buy(ALICE, 0.3)

    await way.gateway.send(close_of(ticket, "0.1"))

    assert way.held() == {ticket: D("0.2")}
    (position,) = (await way.gateway.snapshot(READ)).positions
    assert (position.ticket, position.volume) == (ticket, D("0.2"))


async def test_a_wrong_filling_mode_is_refused_with_its_number(way: Way) -> None:
    ticket = await way.desk.buy(ALICE)

    answer = await way.gateway.send(close_of(ticket, filling=0))

    assert (answer.retcode, answer.deal, answer.order) == (10030, 0, 0)
    assert way.held() == {ticket: D("0.1")}


async def test_a_pending_order_is_seen_and_removed(way: Way) -> None:
    placed = await way.desk.post(
        f"/broker/{ALICE}/pending", symbol="XAUUSD", type="buy_limit", volume=0.1, price=1960
    )
    assert [o.ticket for o in (await way.gateway.snapshot(READ)).orders] == [placed["ticket"]]

    request = CancelRequest(login=ALICE, server=SERVER, ticket=placed["ticket"], symbol="XAUUSD")
    answer = await way.gateway.send(request)

    assert answer.retcode == 10009
    assert (await way.gateway.snapshot(READ)).orders == ()


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ({"kind": "read_fails"}, BrokerUnavailable),
        ({"kind": "empty_read"}, BrokerUnavailable),
        ({"kind": "disconnected"}, BrokerUnavailable),
        ({"kind": "wrong_login"}, WrongAccount),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else value.__name__,
)
async def test_a_failed_read_is_an_exception_and_never_a_flat_account(
    way: Way, fault: dict[str, Any], failure: type[Exception]
) -> None:
    await way.desk.buy(ALICE)
    await way.fault(**fault)

    with pytest.raises(failure):
        await way.gateway.snapshot(READ)


async def test_an_executed_close_whose_answer_is_lost_is_unknown(way: Way) -> None:
    ticket = await way.desk.buy(ALICE)
    await way.fault("timeout_after_execution", times=1)

    with pytest.raises(OutcomeUnknown):
        await way.gateway.send(close_of(ticket))

    assert way.held() == {}


async def test_a_close_of_what_is_not_there_opens_nothing(way: Way) -> None:
    ticket = await way.desk.buy(ALICE)
    await way.desk.post(f"/broker/{ALICE}/close", ticket=ticket)
    before = len(way.desk.part.simulation.ledger.deals(ALICE))

    try:
        answer = await way.gateway.send(close_of(ticket))
    except NotSent:
        pass
    else:
        assert answer.retcode == 10036

    assert way.held() == {}
    assert len(way.desk.part.simulation.ledger.deals(ALICE)) == before


@pytest.mark.parametrize("retcode", [10004, 10006, 10013, 10018, 10019, 10021, 10027, 10044])
async def test_a_refusal_is_its_number_and_executes_nothing(way: Way, retcode: int) -> None:
    ticket = await way.desk.buy(ALICE)
    await way.fault("retcode", code=retcode, times=1)

    answer = await way.gateway.send(close_of(ticket))

    assert answer.retcode == retcode
    assert way.held() == {ticket: D("0.1")}


async def test_a_comment_of_29_units_passes_and_one_of_30_is_not_sent(way: Way) -> None:
    ticket = await way.desk.buy(ALICE, 0.2)

    assert (await way.gateway.send(close_of(ticket, comment="x" * 29))).retcode == 10009
    with pytest.raises((NotSent, ValueError)):
        await way.gateway.send(close_of(ticket, comment="x" * 30))

    assert way.held() == {ticket: D("0.1")}


async def test_another_accounts_name_is_never_answered_for(way: Way) -> None:
    ticket = await way.desk.buy(ALICE)
    await way.fault("wrong_login")

    with pytest.raises((WrongAccount, OutcomeUnknown, NotSent)):
        await way.gateway.send(close_of(ticket))

    assert way.held() == {ticket: D("0.1")}


@pytest.mark.asyncio(loop_scope="function")
@pytest.mark.parametrize("kind", ["http", "agent"])  # one process cannot take over from itself
async def test_a_newer_owner_ends_reads_and_sends_of_the_older(kind: str, tmp_path: Path) -> None:
    async with Desk(tmp_path) as desk, gateway_of(kind, desk, tmp_path, epoch=1) as older:
        ticket = await desk.buy(ALICE)
        await _answered(older)
        async with gateway_of(kind, desk, tmp_path, epoch=2) as newer:
            await _answered(newer)

            with pytest.raises(StaleEpoch):
                await _asked_again(older)
            with pytest.raises(StaleEpoch):
                await older.send(close_of(ticket))
            assert list(desk.part.simulation.ledger.positions(ALICE)) == [ticket]

            assert (await newer.send(close_of(ticket))).retcode == 10009


async def _asked_again(gateway: TerminalGateway) -> None:
    """Read until the gateway has noticed what happened to its agent; never successfully."""
    async with asyncio.timeout(20):
        while True:
            try:
                await gateway.snapshot(READ)
            except StaleEpoch:
                raise
            except BrokerUnavailable:
                await asyncio.sleep(0.05)
            else:
                raise AssertionError("an older owner was answered")
