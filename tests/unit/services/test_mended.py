"""Services at the edges where they once failed, each test bearing the failure's name."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.domain.broker import Side
from core.domain.close_request import Attempt
from core.records import AccountStateRow
from core.services.close_requests import _to_request
from core.services.desk import load_memory
from core.services.startup import may_loosen
from tests.engine.house import GBP, House
from tests.unit.domain.make import NOW, D, job, position, sent, snapshot, tick


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Everything running, three flat accounts."""
    made = House(tmp_path)
    await made.start()
    await made.run(1)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("side", "quote", "price"),
    [
        (Side.BUY, ("1970.00", "1970.30"), "1970.00"),
        (Side.SELL, ("1970.00", "1970.30"), "1970.30"),
        (Side.BUY, None, "1968.50"),
        (Side.BUY, ("0", "1970.30"), "1968.50"),
    ],
)
def test_a_close_does_not_depend_on_a_tick(
    side: Side, quote: tuple[str, str] | None, price: str
) -> None:
    """Without a quote: the price at which the terminal values the position."""
    attempt = Attempt(
        action="close",
        ticket=900001,
        position_id=900001,
        symbol="XAUUSD",
        side=side.value,
        held=D("0.10"),
        volume=D("0.10"),
        filling=1,
        deviation_points=50,
        attempt=1,
    )
    reading = snapshot(
        position(side=side, price_current=D("1968.50")),
        ticks={} if quote is None else {"XAUUSD": tick("XAUUSD", *quote)},
    )
    request = _to_request(attempt, sent("intended", 0), reading)
    assert getattr(request, "price", None) == D(price)


@pytest.mark.parametrize(
    ("age_s", "changes", "may"),
    [
        (0, {}, True),
        (120, {}, True),
        (121, {}, False),  # what an old reading showed proves nothing
        (0, {"positions_count": 1}, False),
        (0, {"margin": D(1)}, False),
        (0, {"latched_at": NOW}, False),
        (0, {"unavailable_since": NOW}, False),
        (0, {"observed_at": None}, False),
    ],
)
def test_limits_loosen_only_on_a_fresh_reading_of_a_flat_unlatched_account(
    *, age_s: int, changes: dict[str, object], may: bool
) -> None:
    state = replace(AccountStateRow(id=1, observed_at=NOW), **changes)
    assert may_loosen(state, NOW + timedelta(seconds=age_s)) is may
    assert not may_loosen(None, NOW)


async def test_a_symbol_whose_market_is_closed_holds_up_no_other_symbol(house: House) -> None:
    """Two jobs, the first one's requests refused for ever."""
    gold = house.open(GBP, "buy", "0.10", "XAUUSD")
    euro = house.open(GBP, "buy", "0.10", "EURUSD")
    await house.run(2)
    now = house.clock.now()
    facts = {"account_id": house.ids[GBP], "epoch": house.epoch, "created_at": now}
    async with house.engine.desk.holding(house.ids[GBP]) as memory, house.store.writing() as tx:
        for symbol in ("XAUUSD", "EURUSD"):
            row = job(symbol, id=0, trigger_key=symbol, deadline_at=now, **facts)
            memory.jobs.append(replace(row, id=await tx.insert(row)))
        refused = sent("refused", 0, id=0, job_id=memory.jobs[0].id, ticket=gold, retcode=10018)
        refused = replace(refused, **facts, answered_at=now)
        memory.orders.append(replace(refused, id=await tx.insert(refused)))
    house.due[house.ids[GBP]] = now
    await house.run(2)
    assert [send["request"]["position"] for send in house.sends(GBP)] == [euro]


async def test_a_superseded_jobs_open_request_is_loaded_again_after_a_restart(
    house: House,
) -> None:
    account = house.ids[GBP]
    now = house.clock.now()
    facts = {"account_id": account, "epoch": house.epoch, "created_at": now}
    async with house.store.writing() as tx:
        row = job("XAUUSD", id=0, deadline_at=now, **facts)
        job_id = await tx.insert(replace(row, state="superseded"))
        for n, state in enumerate(("unknown", "intended", "done", "refused", "settled"), 1):
            order = sent(state, 0, id=0, job_id=job_id, ticket=n)
            await tx.insert(replace(order, **facts))
    async with house.store.reading() as tx:
        memory = await load_memory(tx, account, now)
    assert {o.state for o in memory.orders} == {"unknown", "intended", "done"}
