"""A thousand agents come back without a stampede, and the sick take no turn from the sound."""

import asyncio
import contextlib
from collections import Counter

import pytest
from msgspec.structs import replace

from core.adapters.mt5.channel import Answer, LostHow
from core.ports import BrokerUnavailable, TerminalState
from tests.fakes.agents import LOGIN, SERVER, FakeAgent, Gate, losing
from tests.unit.mt5.bench import LIMITS, Bench

TERMINALS = 1000
AT_ONCE_MAX = 8
LOGINS = range(1, TERMINALS + 1)


class Door:
    """Counts who is being started; a start takes many turns of the loop."""

    def __init__(self) -> None:
        self.inside = 0
        self.inside_max = 0

    async def act(self, agent: FakeAgent, message: dict[str, object]) -> Answer:
        self.inside += 1
        self.inside_max = max(self.inside, self.inside_max)
        for _ in range(50):
            await asyncio.sleep(0)
        self.inside -= 1
        return agent.answer(message)


def crowd(terminals: int = TERMINALS) -> Bench:
    bench = Bench(replace(LIMITS, patience_s=0), starts_at_once_max=AT_ONCE_MAX)
    link = bench.directory.links[LOGIN, SERVER]
    bench.directory.links = {
        (login, SERVER): replace(link, login=login) for login in range(1, terminals + 1)
    }
    return bench


async def round_of_readings(bench: Bench, logins: range = LOGINS) -> int:
    """Everybody reads once, as a scheduler would; answers how many could."""
    read = 0
    for login in logins:
        try:
            await bench.read(login=login)
            read += 1
        except BrokerUnavailable:
            continue
    await bench.settle()
    return read


def state(bench: Bench, login: int) -> TerminalState:
    health = bench.gateway.health(login, SERVER)
    assert health is not None
    return health.state


async def test_a_thousand_agents_start_a_few_at_once() -> None:
    bench, door = crowd(), Door()
    bench.agents.will("hello", *[door.act] * TERMINALS)

    assert await round_of_readings(bench) == 0
    assert door.inside_max == AT_ONCE_MAX
    assert await round_of_readings(bench) == TERMINALS
    await bench.close()


async def test_a_thousand_agents_that_die_together_come_back_spread_and_a_few_at_once() -> None:
    bench, door = crowd(), Door()
    await round_of_readings(bench)
    bench.clock.move(60)
    for agent in bench.agents.opened:
        agent.usable = False
    bench.agents.will("hello", *[door.act] * TERMINALS)

    assert await round_of_readings(bench) == 0
    rests_ms = [
        (health.next_try_at - bench.clock.now()).total_seconds() * 1000
        for login in LOGINS
        if (health := bench.gateway.health(login, SERVER)) and health.next_try_at
    ]
    # Evenly over the second: a tenth of it holds 100 of 1000, give or take four deviations of 9.5.
    assert len(rests_ms) == TERMINALS
    tenths = Counter(int(rest_ms // 100) for rest_ms in rests_ms)
    assert tenths.keys() == set(range(10))
    assert all(60 <= count <= 140 for count in tenths.values())

    begun = []
    for _ in range(10):
        bench.clock.move(0.1)
        before = bench.agents.verbs().count("hello")
        await round_of_readings(bench)
        begun.append(bench.agents.verbs().count("hello") - before)
    assert all(60 <= count <= 140 for count in begun)
    assert sum(begun) == TERMINALS
    assert door.inside_max <= AT_ONCE_MAX
    assert await round_of_readings(bench) == TERMINALS
    assert bench.metrics.counts == {("restarted", "died"): TERMINALS}
    await bench.close()


async def test_terminals_that_always_hang_take_no_turn_from_those_that_start() -> None:
    """Twenty that hang at each start keep two turns of eight; the others start meanwhile."""
    bench = crowd(40)
    sick, sound = range(1, 21), range(21, 41)
    bench.agents.will("hello", *[losing(LostHow.FROZEN)] * len(sick))
    await round_of_readings(bench, sick)
    bench.clock.move(60)
    held = asyncio.Event()
    hanging = 0

    async def hang(agent: FakeAgent, message: dict[str, object]) -> Answer:
        nonlocal hanging
        hanging += 1
        await held.wait()
        return agent.answer(message)

    bench.agents.will("hello", *[hang] * 2)
    for login in sick:
        try:
            await bench.read(login=login)
        except BrokerUnavailable:
            continue
    async with asyncio.timeout(10):
        while hanging < AT_ONCE_MAX // 4:
            await asyncio.sleep(0)

    for _ in range(2):
        for login in sound:
            try:
                await bench.read(login=login)
            except BrokerUnavailable:
                continue
        for _ in range(200):
            await asyncio.sleep(0)

    assert {state(bench, login) for login in sound} == {TerminalState.UP}
    assert {state(bench, login) for login in sick} == {TerminalState.STARTING}
    held.set()
    await bench.settle()
    await bench.close()


async def test_a_host_that_does_not_answer_keeps_no_other_host_waiting() -> None:
    bench = crowd(40)
    dead, alive = range(1, 21), range(21, 41)
    for login in dead:
        link = bench.directory.links[login, SERVER]
        bench.directory.links[login, SERVER] = replace(link, host="dead")
    gate = Gate()
    bench.agents.will("hello", *[gate.act] * AT_ONCE_MAX)
    for login in dead:
        with pytest.raises(BrokerUnavailable):
            await bench.read(login=login)
    async with asyncio.timeout(10):
        while gate.waiting < AT_ONCE_MAX:
            await asyncio.sleep(0)

    for login in alive:
        with contextlib.suppress(BrokerUnavailable):
            await bench.read(login=login)
    async with asyncio.timeout(10):
        while any(state(bench, login) is not TerminalState.UP for login in alive):
            await asyncio.sleep(0)

    assert gate.waiting == gate.waiting_max == AT_ONCE_MAX
    gate.open()
    await bench.settle()
    await bench.close()
