"""The app's own gateway against this world: each meets the other's reading of the protocol."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.sandbox.people import DEMO_PEOPLE
from core.adapters.terminal.http_gateway import HttpTerminalGateway
from core.domain.broker import MarginMode, Side
from core.domain.linking import Failure, LoginFailed
from core.ports import (
    BrokerUnavailable,
    CancelRequest,
    CloseRequest,
    OutcomeUnknown,
    Secret,
    SnapshotRequest,
    StaleEpoch,
    TerminalLink,
    WrongAccount,
)
from tests.wire.broker.desk import ALICE, Desk

SERVER = "Reckoner-Demo"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
READ = SnapshotRequest(account_id=1, login=ALICE, server=SERVER, deals_since=EPOCH)


class _Now:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def steady_s(self) -> float:
        return self.now().timestamp()

    async def rest_until(self, due: datetime) -> bool:
        del due
        return False


@pytest.fixture
async def gateway(desk: Desk) -> AsyncIterator[HttpTerminalGateway]:
    """The app's gateway, epoch 1."""
    made = HttpTerminalGateway(
        desk.base_url, epoch=1, clock=_Now(), read_timeout_s=10.0, send_timeout_s=1.5
    )
    yield made
    await made.close()


def close_of(ticket: int, filling: int = 1) -> CloseRequest:
    """Close 0.1 lots of bought gold."""
    return CloseRequest(
        login=ALICE,
        server=SERVER,
        ticket=ticket,
        symbol="XAUUSD",
        position_side=Side.BUY,
        volume=Decimal("0.1"),
        price=Decimal("1970.00"),
        deviation_points=20,
        filling=filling,
        comment="rc:1",
    )


async def test_a_reading_is_exact_and_in_true_utc(desk: Desk, gateway: HttpTerminalGateway) -> None:
    ticket = await desk.buy(ALICE, sl=1950, by="web")
    read = await gateway.snapshot(READ)
    (position,) = read.positions
    assert (position.ticket, position.volume) == (ticket, Decimal("0.1"))
    assert (position.price_open, position.stop_loss) == (Decimal("1970.30"), Decimal(1950))
    # -3 USD bought at 1.27: -2.36 GBP.
    assert (read.state.equity, read.state.currency) == (Decimal("9997.64"), "GBP")
    assert abs((read.observed_at - position.opened_at).total_seconds()) < 5
    assert [deal.deal_type for deal in read.deals] == [2, 0]


async def test_gold_is_refused_fill_or_kill_and_closed_immediate_or_cancel(
    desk: Desk, gateway: HttpTerminalGateway
) -> None:
    ticket = await desk.buy(ALICE)
    assert (await gateway.send(close_of(ticket, 0))).retcode == 10030
    assert (await gateway.send(close_of(ticket, 1))).retcode == 10009
    assert (await gateway.snapshot(READ)).positions == ()


async def test_a_close_is_checked_and_nothing_is_done(
    desk: Desk, gateway: HttpTerminalGateway
) -> None:
    ticket = await desk.buy(ALICE)
    assert (await gateway.check(close_of(ticket, 0))).retcode == 10030
    assert (await gateway.check(close_of(ticket, 1))).retcode == 0
    assert (await gateway.check(close_of(ticket + 1, 1))).retcode == 10036
    (position,) = (await gateway.snapshot(READ)).positions
    assert position.ticket == ticket
    await desk.post(f"/broker/{ALICE}/fault", kind="call_fails", verb="order_check", code=-10002)
    with pytest.raises(BrokerUnavailable, match="order_check failed"):
        await gateway.check(close_of(ticket, 1))


async def test_an_order_is_cancelled(desk: Desk, gateway: HttpTerminalGateway) -> None:
    placed = await desk.post(
        f"/broker/{ALICE}/pending", symbol="XAUUSD", type="buy_limit", volume=0.1, price=1960
    )
    request = CancelRequest(login=ALICE, server=SERVER, ticket=placed["ticket"], symbol="XAUUSD")
    assert (await gateway.send(request)).retcode == 10009
    assert (await gateway.snapshot(READ)).orders == ()


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        ({"kind": "read_fails"}, BrokerUnavailable),
        ({"kind": "empty_read"}, BrokerUnavailable),
        ({"kind": "disconnected"}, BrokerUnavailable),
        ({"kind": "wrong_login"}, WrongAccount),
        ({"kind": "drop_connection", "when": "after", "verb": "snapshot"}, BrokerUnavailable),
    ],
)
async def test_read_faults_are_failures_and_never_a_flat_account(
    desk: Desk, gateway: HttpTerminalGateway, fault: dict[str, Any], failure: type[Exception]
) -> None:
    await desk.buy(ALICE)
    await desk.post(f"/broker/{ALICE}/fault", **fault)
    with pytest.raises(failure):
        await gateway.snapshot(READ)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "timeout_after_execution"},
        {"kind": "slow", "ms": 2_000, "when": "after", "verb": "send"},
        {"kind": "drop_connection", "when": "after", "verb": "send"},
        {"kind": "drop_connection", "when": "before", "verb": "send"},
        {"kind": "wrong_login"},
    ],
)
async def test_a_send_without_a_sure_answer_is_unknown(
    desk: Desk, gateway: HttpTerminalGateway, fault: dict[str, Any]
) -> None:
    ticket = await desk.buy(ALICE)
    await desk.post(f"/broker/{ALICE}/fault", **fault)
    with pytest.raises(OutcomeUnknown):
        await gateway.send(close_of(ticket))


async def test_a_newer_owner_fences_this_one_off(desk: Desk, gateway: HttpTerminalGateway) -> None:
    ticket = await desk.buy(ALICE)
    await desk.read(ALICE, epoch=2)
    with pytest.raises(StaleEpoch):
        await gateway.snapshot(READ)
    with pytest.raises(StaleEpoch):
        await gateway.send(close_of(ticket))


async def test_a_filled_price_with_the_noise_of_a_float_is_exact_to_8_decimals(
    desk: Desk, gateway: HttpTerminalGateway
) -> None:
    """A price that could not be stored would leave the answer of a close unrecorded."""
    ticket = await desk.buy(ALICE)
    await desk.post("/broker/market", symbol="XAUUSD", bid=1959.9999999999998, ask=1960.3)
    result = await gateway.send(close_of(ticket))
    assert result.price == Decimal(1960)


(SPARE,) = DEMO_PEOPLE.spares


def link(password: str, login: int = SPARE.login, server: str = SERVER) -> TerminalLink:
    """An account that is to be logged in."""
    return TerminalLink(login=login, server=server, path="p", password=Secret(password))


async def test_an_account_is_logged_in_by_its_password(
    desk: Desk, gateway: HttpTerminalGateway
) -> None:
    account = await gateway.log_in(link(SPARE.password))
    assert (account.currency, account.margin_mode) == ("GBP", MarginMode.HEDGING)
    assert account.may_trade
    assert not (await gateway.log_in(link("investor"))).may_trade


@pytest.mark.parametrize(
    "wrong",
    [
        link("master"),
        link(SPARE.password, login=99999),
        link(SPARE.password, server="Other"),
        link(""),
    ],
    ids=["password", "login", "server", "none"],
)
async def test_a_login_that_is_not_known_is_answered_as_a_wrong_password_is(
    desk: Desk, gateway: HttpTerminalGateway, wrong: TerminalLink
) -> None:
    with pytest.raises(LoginFailed) as caught:
        await gateway.log_in(wrong)
    assert caught.value.failure is Failure.LOGIN


async def test_a_login_that_nobody_answers_is_tried_again(
    desk: Desk, gateway: HttpTerminalGateway
) -> None:
    await desk.post(f"/broker/{SPARE.login}/fault", kind="disconnected")
    with pytest.raises(BrokerUnavailable):
        await gateway.log_in(link(SPARE.password))
    nobody = HttpTerminalGateway(
        "http://127.0.0.1:1", epoch=1, clock=_Now(), read_timeout_s=1.0, send_timeout_s=1.0
    )
    with pytest.raises(BrokerUnavailable) as caught:
        await nobody.log_in(link(SPARE.password))
    assert SPARE.password not in f"{caught.value!r} {caught.value.__cause__!r}"
    await nobody.close()
