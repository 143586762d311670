"""What the gateway's terminals remember, wait for and forget; and how they end."""

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from core.adapters.mt5.channel import Answer, Lost, LostHow
from core.ports import BrokerUnavailable, TerminalStarting, TerminalState
from tests.fakes.agents import LOGIN, SERVER, Act, FakeAgent, Gate, losing, refusing
from tests.unit.mt5.bench import Bench, starting

OTHER = 5
AT_ONCE_S = 2.0
"""Far less than anybody waits for a start here."""


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0)


def gated(gate: Gate, after: Act) -> Act:
    """Wait at the gate, then do something else than answer."""

    async def act(agent: FakeAgent, message: dict[str, object]) -> Answer:
        await gate.act(agent, message)
        return await after(agent, message)

    return act


# --- waiting for a start -------------------------------------------------------------------------


async def test_nobody_waits_for_a_start_that_has_to_wait_for_its_turn() -> None:
    """A thousand terminals start a few at once: whoever reads must not stand in that queue."""
    bench = Bench(starts_at_once_max=1)
    link = bench.directory.links[LOGIN, SERVER]
    bench.directory.links[OTHER, SERVER] = replace(link, login=OTHER)
    gate = Gate()
    bench.agents.will("connect", gate.act)
    first = asyncio.create_task(bench.read())
    await until(lambda: gate.waiting == 1)

    async with asyncio.timeout(AT_ONCE_S):
        for _ in range(2):
            with pytest.raises(TerminalStarting, match="waiting for its turn to start"):
                await bench.read(login=OTHER)

    gate.open()
    assert (await first).state.login == LOGIN
    await bench.settle()
    assert (await bench.read(login=OTHER)).state.login == OTHER
    await bench.close()


async def test_whoever_asks_while_it_starts_waits_too(bench: Bench) -> None:
    gate = Gate()
    bench.agents.will("connect", gate.act)
    first = asyncio.create_task(bench.read())
    await until(lambda: gate.waiting == 1)
    second = asyncio.create_task(bench.read())
    await asyncio.sleep(0)

    gate.open()
    assert {(await each).state.login for each in (first, second)} == {LOGIN}


async def test_an_account_that_was_just_linked_is_starting(impatient: Bench) -> None:
    link = impatient.directory.links.pop((LOGIN, SERVER))
    with pytest.raises(BrokerUnavailable):
        await impatient.read()
    await impatient.settle()
    assert impatient.health().state is TerminalState.UNLINKED

    impatient.directory.links[LOGIN, SERVER] = link
    gate = Gate()
    impatient.agents.will("connect", gate.act)
    impatient.clock.move(5)
    with pytest.raises(TerminalStarting, match="the terminal is starting"):
        await impatient.read()
    assert impatient.health().state is TerminalState.STARTING
    gate.open()
    await impatient.settle()


# --- falling -------------------------------------------------------------------------------------


async def test_who_waited_for_a_turn_asks_nothing_of_a_terminal_that_fell_meanwhile(
    bench: Bench,
) -> None:
    await bench.read()
    gate = Gate()
    bench.agents.will("snapshot", gated(gate, refusing("timeout", "the deadline passed")))
    asked = bench.agents.verbs().count("snapshot")
    first = asyncio.create_task(bench.read())
    await until(lambda: gate.waiting == 1)
    second = asyncio.create_task(bench.read())
    await asyncio.sleep(0)
    gate.open()

    with pytest.raises(BrokerUnavailable, match="the deadline passed"):
        await first
    with pytest.raises(TerminalStarting, match="the terminal is resting"):
        await second
    assert bench.agents.verbs().count("snapshot") == asked + 1
    assert bench.health().failures == 1


async def test_failed_readings_from_before_a_new_start_are_not_counted(bench: Bench) -> None:
    failed = refusing("mt5", "Terminal: Call failed", code=-1, call="positions_get")
    await bench.read()
    bench.agents.will("snapshot", failed, failed, refusing("not_connected"), failed)
    for _ in range(3):
        with pytest.raises(BrokerUnavailable):
            await bench.read()
    assert bench.health().state is TerminalState.RESTING

    with pytest.raises(BrokerUnavailable, match="positions_get failed"):
        await bench.read_after_rest()
    assert bench.health().state is TerminalState.UP


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("the agent ended: Segmentation fault", "resting: the agent ended: Segmentation fault;"),
        ("no answer to hello", "resting: no answer to hello: Segmentation fault;"),
    ],
)
async def test_an_agents_last_words_are_told_once(bench: Bench, text: str, told: str) -> None:
    async def act(agent: FakeAgent, message: dict[str, object]) -> Answer:
        agent.words = "Segmentation fault"
        raise Lost(LostHow.DIED, text)

    bench.agents.will("hello", act)

    with pytest.raises(TerminalStarting, match=told):
        await bench.read()


async def test_closing_says_good_bye_to_every_agent(bench: Bench) -> None:
    await bench.read()
    await bench.gateway.close()

    assert bench.agents.verbs()[-1] == "shutdown"
    assert not bench.agents.opened[0].usable


async def test_closing_ends_an_agent_that_is_being_started(impatient: Bench) -> None:
    gate = Gate()
    impatient.agents.will("connect", gate.act)
    await starting(impatient)
    async with asyncio.timeout(10):
        while not gate.waiting:
            await asyncio.sleep(0)

    await impatient.gateway.close()

    assert not impatient.agents.opened[0].usable


async def test_a_closed_gateway_starts_nothing(impatient: Bench) -> None:
    impatient.directory.failures.append(OSError("slow"))
    await starting(impatient)
    await impatient.settle()
    await impatient.gateway.close()
    impatient.clock.move(60)

    with pytest.raises(TerminalStarting):
        await impatient.read()

    assert impatient.tasks == set(), "nothing is even looked up"
    assert impatient.agents.opened == []


async def test_a_start_that_waited_for_its_turn_opens_nothing_once_all_is_closed() -> None:
    bench = Bench(starts_at_once_max=1)
    link = bench.directory.links[LOGIN, SERVER]
    bench.directory.links[OTHER, SERVER] = replace(link, login=OTHER)
    gate = Gate()
    bench.agents.will("connect", gated(gate, losing(LostHow.DIED)))
    first = asyncio.create_task(bench.read())
    await until(lambda: gate.waiting == 1)
    with pytest.raises(TerminalStarting):
        await bench.read(login=OTHER)

    await bench.gateway.close()
    gate.open()
    with pytest.raises(BrokerUnavailable):
        await first
    await bench.settle()

    assert len(bench.agents.opened) == 1
    await bench.close()


async def test_an_agent_that_comes_while_all_is_being_closed_is_ended_unasked(
    impatient: Bench,
) -> None:
    impatient.agents.door.clear()
    await starting(impatient)
    await until(lambda: impatient.agents.at_the_door == 1)

    await impatient.gateway.close()
    impatient.agents.door.set()
    await impatient.settle()

    assert impatient.agents.verbs() == []
    assert [agent.usable for agent in impatient.agents.opened] == [False]


async def test_closing_does_not_wait_for_a_request_that_is_under_way(bench: Bench) -> None:
    """A good-bye would have to wait for its answer."""
    await bench.read()
    gate = Gate()
    bench.agents.will("snapshot", gate.act)
    reading = asyncio.create_task(bench.read())
    await until(lambda: gate.waiting == 1)

    await bench.gateway.close()

    assert "shutdown" not in bench.agents.verbs()
    assert not bench.agents.opened[0].usable
    gate.open()
    await reading
