"""The MetaTrader5 module's surface in a process of its own, on a world's terminals over HTTP."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, Self

import pytest

from tests.wire.broker.desk import ALICE, BEN, Desk

ROOT = Path(__file__).parents[3]
CLOSED = [-10004, "No IPC connection"]
BROKEN = [-10002, "IPC recv failed"]
GOLD = {"action": 1, "symbol": "XAUUSD", "volume": 0.1, "type": 0, "type_filling": 1}

SCRIPT = """
import json, sys, threading, time
import core.sim.metatrader5 as mt5

beats = 0
def beat():
    global beats
    while True:
        time.sleep(0.005)
        beats += 1
threading.Thread(target=beat, daemon=True).start()

print(json.dumps(sorted(sys.modules)), flush=True)
for line in sys.stdin:
    function, args, named = json.loads(line)
    before = beats
    began = time.monotonic()
    value = getattr(mt5, function)(*args, **named)
    took_s = time.monotonic() - began
    heard = beats - before
    if hasattr(value, "_asdict"):
        value = value._asdict()
    elif isinstance(value, tuple) and value and hasattr(value[0], "_asdict"):
        value = [one._asdict() for one in value]
    answer = {"value": value, "error": mt5.last_error(), "beats": heard, "took_s": took_s}
    print(json.dumps(answer), flush=True)
"""


class Child:
    """A process that imported the module and does what it is told, one call a line."""

    modules: list[str]

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, cwd=ROOT, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, limit=2**20,
        )  # fmt: skip
        self.modules = await self._line()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()

    async def _line(self) -> Any:  # noqa: ANN401 - JSON
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            return json.loads(await self.process.stdout.readline())

    async def tell(self, function: str, *args: Any, **named: Any) -> None:
        """Let it begin a call."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([function, args, named]).encode() + b"\n")
        await self.process.stdin.drain()

    async def ask(self, function: str, *args: Any, **named: Any) -> dict[str, Any]:
        """One call: `value`, `error`, how often a thread beat meanwhile, and how long it took."""
        await self.tell(function, *args, **named)
        answer: dict[str, Any] = await self._line()
        return answer

    async def failed(self, function: str, *args: Any, **named: Any) -> list[Any]:
        """`last_error()` after a call that must fail."""
        answer = await self.ask(function, *args, **named)
        assert answer["value"] in (None, False), answer
        error: list[Any] = answer["error"]
        return error


async def test_the_module_is_light_to_import() -> None:
    async with Child() as child:
        heavy = {"msgspec", "aiohttp", "asyncio", "core.sim.simulation", "core.sim.peer"}
        assert not heavy & set(child.modules)


async def test_a_terminal_of_the_world_is_read_and_traded_through_its_address(desk: Desk) -> None:
    async with Child() as child:
        path = desk.base_url
        given = {"login": ALICE, "password": "master", "server": "Reckoner-Demo"}
        assert (await child.ask("initialize", path, **given))["value"] is True
        assert (await child.ask("account_info"))["value"]["login"] == ALICE
        sent = (await child.ask("order_send", {**GOLD, "comment": "\u20ac"}))["value"]
        assert sent["retcode"] == 10009
        (held,) = (await child.ask("positions_get"))["value"]
        assert (held["ticket"], held["comment"]) == (sent["order"], "\u20ac")
        (shown,) = (await desk.get(f"/broker/{ALICE}"))["positions"]
        assert shown["ticket"] == held["ticket"]


async def test_a_terminals_own_address_needs_no_login(desk: Desk) -> None:
    async with Child() as child:
        path = f"{desk.base_url}/terminal/{BEN}"
        assert (await child.ask("initialize", path))["value"] is True
        assert (await child.ask("account_info"))["value"]["login"] == BEN


async def test_what_is_not_there(desk: Desk) -> None:
    async with Child() as child:
        absent = [-10003, "IPC initialize failed, MetaTrader 5 x64 not found"]
        unauthorised = [-6, "Terminal: Authorization failed"]
        base = desk.base_url
        assert await child.failed("initialize", base, login=5, password="master") == unauthorised
        assert await child.failed("initialize", base, login=ALICE, password="x") == unauthorised
        assert await child.failed("initialize", base) == unauthorised
        assert await child.failed("initialize", f"{base}/terminal/5") == absent
        assert await child.failed("initialize", "http://127.0.0.1:1", login=ALICE) == absent
        assert await child.failed("account_info") == CLOSED


async def test_a_call_holds_the_interpreters_lock_until_it_is_answered(desk: Desk) -> None:
    """Facts, row 3: no other thread of the process runs meanwhile."""
    async with Child() as child:
        await child.ask("initialize", desk.base_url, login=ALICE)
        fault = {"kind": "slow", "ms": 500, "verb": "account_info", "when": "before", "times": 1}
        await desk.post(f"/broker/{ALICE}/fault", **fault)
        answer = await child.ask("account_info")
        assert answer["value"]["login"] == ALICE
        assert answer["took_s"] >= 0.5
        # A free thread beats 100 times in half a second; this one around the wait at most.
        assert answer["beats"] <= 5


async def test_a_call_that_hangs_ends_with_its_process_alone(desk: Desk) -> None:
    async with Child() as child:
        await child.ask("initialize", desk.base_url, login=ALICE)
        await desk.post(f"/broker/{ALICE}/fault", kind="hang", verb="send", when="after", times=1)
        await child.tell("order_send", GOLD)
        async with asyncio.timeout(20):
            while not (await desk.get(f"/broker/{ALICE}"))["positions"]:
                await asyncio.sleep(0.01)
        assert child.process.returncode is None
        child.process.kill()
        async with asyncio.timeout(1):
            await child.process.wait()
    async with Child() as child:
        await child.ask("initialize", desk.base_url, login=ALICE)
        assert len((await child.ask("positions_get"))["value"]) == 1


async def test_a_trade_is_executed_though_its_sender_was_killed_before(desk: Desk) -> None:
    async with Child() as child:
        await child.ask("initialize", desk.base_url, login=ALICE)
        fault = {"kind": "slow", "ms": 300, "verb": "send", "when": "before", "times": 1}
        await desk.post(f"/broker/{ALICE}/fault", **fault)
        await child.tell("order_send", GOLD)
        async with asyncio.timeout(20):
            while (await desk.get(f"/broker/{ALICE}"))["faults"]:
                await asyncio.sleep(0.01)
        child.process.kill()
        await child.process.wait()
        assert (await desk.get(f"/broker/{ALICE}"))["positions"] == []
        async with asyncio.timeout(20):
            while not (await desk.get(f"/broker/{ALICE}"))["positions"]:
                await asyncio.sleep(0.01)


async def test_a_world_that_goes_breaks_the_pipe(tmp_path: Path) -> None:
    async with Child() as child:
        async with Desk(tmp_path) as desk:
            await child.ask("initialize", desk.base_url, login=ALICE)
            assert (await child.ask("positions_get"))["value"] == []
        assert await child.failed("account_info") == [-10001, "IPC send failed"]
        assert await child.failed("account_info") == CLOSED


async def test_a_terminal_that_was_started_again_knows_no_old_pipe(desk: Desk) -> None:
    async with Child() as child:
        await child.ask("initialize", desk.base_url, login=ALICE)
        desk.part.terminals.peers.clear()
        assert await child.failed("order_send", GOLD) == BROKEN
        assert (await desk.get(f"/broker/{ALICE}"))["positions"] == []
        assert await child.failed("order_send", GOLD) == CLOSED
        assert (await child.ask("initialize", desk.base_url, login=ALICE))["value"] is True


@pytest.mark.parametrize(
    "body",
    [[], {}, {"call": "account_info"}, {"call": "x" * 41, "asked": {}}, {"call": 1, "asked": {}}],
)
async def test_a_malformed_call_is_400(desk: Desk, body: object) -> None:
    status, answer = await desk.ask("POST", f"/terminal/{ALICE}/mt5", body)
    assert (status, list(answer)) == (400, ["error"])


async def test_an_unknown_function_is_unsupported_and_an_unknown_login_404(desk: Desk) -> None:
    asked = {"call": "initialize", "asked": {}}
    _, opened = await desk.ask("POST", f"/terminal/{ALICE}/mt5", asked)
    pipe = opened["value"]["pipe"]
    body = {"call": "x" * 40, "asked": {}, "pipe": pipe}
    _, answer = await desk.ask("POST", f"/terminal/{ALICE}/mt5", body)
    assert answer["error"] == [-7, "Terminal: Unsupported function"]
    assert (await desk.ask("POST", "/terminal/5/mt5", asked))[0] == 404


@pytest.mark.parametrize(
    "asked",
    [
        ("order_send", {}),
        ("order_send", {"request": 5}),
        ("positions_get", {"ticket": "x"}),
        ("history_deals_get", {}),
        ("symbol_info", {}),
        ("symbol_info", {"symbol": 5}),
        ("order_calc_margin", {"symbol": "XAUUSD"}),
    ],
)
async def test_arguments_that_no_module_sends_are_refused(
    desk: Desk, asked: tuple[str, dict[str, Any]]
) -> None:
    opening = {"call": "initialize", "asked": {}}
    _, opened = await desk.ask("POST", f"/terminal/{ALICE}/mt5", opening)
    call, given = asked
    body = {"call": call, "asked": given, "pipe": opened["value"]["pipe"]}
    status, answer = await desk.ask("POST", f"/terminal/{ALICE}/mt5", body)
    assert status == 200
    assert answer.get("value") in ([], None)
