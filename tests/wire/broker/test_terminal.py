"""docs/terminal-protocol.md over the wire: shapes, fencing, slow and lost answers."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.wire.broker.desk import ALICE, BEN, Desk, eventually


async def test_a_snapshot_has_the_protocols_parts(desk: Desk) -> None:
    ticket = await desk.buy(ALICE, sl=1950, by="web")
    status, body = await desk.read(ALICE, symbols=["EURUSD", "NOPE"])
    assert status == 200
    assert list(body) == [
        "login", "server", "agent_pid", "agent_clock_ms", "server_offset_s", "terminal", "account",
        "positions", "orders", "deals", "ticks", "symbols",
    ]  # fmt: skip
    assert (body["login"], body["server"], body["server_offset_s"]) == (
        ALICE,
        "Reckoner-Demo",
        10_800,
    )
    (position,) = body["positions"]
    assert (position["ticket"], position["reason"], position["sl"]) == (ticket, 2, 1950.0)
    assert set(body["ticks"]) == set(body["symbols"]) == {"XAUUSD", "EURUSD", "GBPUSD"}
    assert [deal["type"] for deal in body["deals"]] == [2, 0]


async def test_a_send_answers_the_result(desk: Desk) -> None:
    ticket = await desk.buy(ALICE)
    status, body = await desk.close(ALICE, ticket)
    assert status == 200
    assert (body["login"], body["server"]) == (ALICE, "Reckoner-Demo")
    assert body["result"]["retcode"] == 10009
    assert (await desk.get(f"/broker/{ALICE}"))["positions"] == []


async def test_no_result_comes_with_the_wheels_error(desk: Desk) -> None:
    ticket = await desk.buy(ALICE)
    await desk.post(f"/broker/{ALICE}/fault", kind="timeout_after_execution", times=1)
    _, body = await desk.close(ALICE, ticket)
    assert (body["result"], body["error"]) == (None, [-10002, "IPC recv failed"])
    sends = (await desk.get(f"/broker/{ALICE}"))["order_sends"]
    assert (sends[-1]["retcode"], sends[-1]["epoch"]) == (None, 1)
    assert sends[-1]["deal"] > 0


@pytest.mark.parametrize("verb", ["snapshot", "send"])
@pytest.mark.parametrize("login", ["1", "abc", "-50001", "5000100"])
async def test_an_unknown_login_is_404(desk: Desk, verb: str, login: str) -> None:
    status, body = await desk.ask("POST", f"/terminal/{login}/{verb}", {"epoch": 1})
    assert (status, list(body)) == (404, ["error"])


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("snapshot", []),
        ("snapshot", {}),
        ("snapshot", {"epoch": -1}),
        ("snapshot", {"epoch": "1"}),
        ("snapshot", {"epoch": 1.5}),
        ("snapshot", {"epoch": 2**63}),
        ("snapshot", {"epoch": 1, "owner": "x" * 301}),
        ("snapshot", {"epoch": 1, "symbols": "XAUUSD"}),
        ("snapshot", {"epoch": 1, "symbols": ["X"] * 101}),
        ("snapshot", {"epoch": 1, "deals_since_ms": "now"}),
        ("send", {"epoch": 1}),
        ("send", {"epoch": 1, "request": []}),
    ],
)
async def test_a_malformed_body_is_400_and_moves_no_fence(
    desk: Desk, verb: str, body: object
) -> None:
    status, answer = await desk.ask("POST", f"/terminal/{ALICE}/{verb}", body)
    assert (status, list(answer)) == (400, ["error"])
    assert (await desk.read(ALICE, epoch=0))[0] == 200


async def test_a_lower_epoch_is_refused_reads_included(desk: Desk) -> None:
    ticket = await desk.buy(ALICE)
    assert (await desk.read(ALICE, epoch=7))[0] == 200
    refused = 409, {"error": "stale_epoch", "epoch_max": 7}
    assert await desk.read(ALICE, epoch=6) == refused
    assert await desk.close(ALICE, ticket, epoch=6) == refused
    assert (await desk.read(BEN, epoch=1))[0] == 200
    body = await desk.get(f"/broker/{ALICE}")
    assert len(body["positions"]) == 1
    assert [one["source"] for one in body["order_sends"]] == ["person"]


async def test_the_same_epoch_of_another_owner_is_refused_reads_included(desk: Desk) -> None:
    ticket = await desk.buy(ALICE)
    assert (await desk.read(ALICE, epoch=1, owner="a:1"))[0] == 200
    refused = 409, {"error": "stale_epoch", "epoch_max": 1}
    assert await desk.read(ALICE, epoch=1, owner="b:2") == refused
    assert await desk.close(ALICE, ticket, epoch=1) == refused
    assert len((await desk.get(f"/broker/{ALICE}"))["positions"]) == 1
    assert (await desk.read(ALICE, epoch=1, owner="a:1"))[0] == 200
    assert (await desk.read(ALICE, epoch=2, owner="b:2"))[0] == 200


async def test_the_fence_survives_the_world(tmp_path: Path) -> None:
    async with Desk(tmp_path) as desk:
        await desk.read(ALICE, epoch=7)
    async with Desk(tmp_path) as desk:
        assert (await desk.read(ALICE, epoch=6))[0] == 409


async def test_a_request_that_waited_does_not_act_for_a_replaced_owner(desk: Desk) -> None:
    ticket = await desk.buy(ALICE)
    await desk.post(f"/broker/{ALICE}/fault", kind="slow", ms=900, when="before", verb="send")
    old = asyncio.create_task(desk.close(ALICE, ticket, epoch=1))
    await asyncio.sleep(0.1)
    assert (await desk.read(ALICE, epoch=2))[0] == 200
    assert await old == (409, {"error": "stale_epoch", "epoch_max": 2})
    assert len((await desk.get(f"/broker/{ALICE}"))["positions"]) == 1


@pytest.mark.parametrize(("when", "left"), [("before", 1), ("after", 0)])
async def test_slow_before_waits_to_execute_and_slow_after_to_answer(
    desk: Desk, when: str, left: int
) -> None:
    ticket = await desk.buy(ALICE)
    await desk.post(f"/broker/{ALICE}/fault", kind="slow", ms=900, when=when, verb="send", times=1)
    waiting = asyncio.create_task(desk.close(ALICE, ticket))
    await asyncio.sleep(0.15)
    assert not waiting.done()
    assert len((await desk.get(f"/broker/{ALICE}"))["positions"]) == left
    assert (await waiting)[1]["result"]["retcode"] == 10009
    assert (await desk.get(f"/broker/{ALICE}"))["faults"] == []


async def test_a_caller_who_gave_up_does_not_stop_the_execution(desk: Desk) -> None:
    ticket = await desk.buy(ALICE)
    await desk.post(f"/broker/{ALICE}/fault", kind="slow", ms=700, when="before", verb="send")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(desk.close(ALICE, ticket), 0.4)

    async def is_flat() -> bool:
        return not (await desk.get(f"/broker/{ALICE}"))["positions"]

    await eventually(is_flat)


async def test_a_slow_read_shows_the_moment_it_was_made(desk: Desk) -> None:
    """Slow before reads late, slow after answers late with what it read early."""
    seen = {}
    for when in ("before", "after"):
        await desk.post(
            f"/broker/{ALICE}/fault", kind="slow", ms=700, when=when, verb="snapshot", times=1
        )
        waiting = asyncio.create_task(desk.read(ALICE))
        await asyncio.sleep(0.2)
        await desk.buy(ALICE, 0.01)
        seen[when] = len((await waiting)[1]["positions"])
    assert seen == {"before": 1, "after": 1}


@pytest.mark.parametrize(("when", "left"), [("before", 1), ("after", 0)])
async def test_a_dropped_send_gives_no_answer_executed_or_not(
    desk: Desk, when: str, left: int
) -> None:
    ticket = await desk.buy(ALICE)
    await desk.post(
        f"/broker/{ALICE}/fault", kind="drop_connection", when=when, verb="send", times=1
    )
    with pytest.raises(aiohttp.ClientConnectionError):
        await desk.close(ALICE, ticket)
    body = await desk.get(f"/broker/{ALICE}")
    assert (len(body["positions"]), body["faults"]) == (left, [])


async def test_read_faults_over_the_wire(desk: Desk) -> None:
    await desk.post(f"/broker/{ALICE}/fault", kind="read_fails", times=1)
    assert (await desk.read(ALICE))[1]["failed"] == "positions_get"
    await desk.post(f"/broker/{ALICE}/fault", kind="wrong_login", times=1)
    assert (await desk.read(ALICE))[1]["login"] == BEN
    await desk.post(f"/broker/{ALICE}/fault", kind="disconnected")
    assert (await desk.read(ALICE))[1]["terminal"]["connected"] is False
    assert (await desk.get("/broker"))["accounts"][0]["connected"] is False
    assert await desk.ask("DELETE", f"/broker/{ALICE}/fault") == (200, {"faults": []})
    assert (await desk.read(ALICE))[1]["terminal"]["connected"] is True


async def test_a_hundred_symbols_may_be_asked_for(desk: Desk) -> None:
    assert (await desk.read(ALICE, symbols=["EURUSD"] * 100))[0] == 200
