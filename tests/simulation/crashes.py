"""What goes wrong in a world: crashes, freezes; faults of disk, chat, broker, wire and clocks."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from core.sim.faults import parse_fault
from core.sim.storm import FaultStorm
from tests.simulation import chat, inline_sqlite
from tests.simulation.line import Line

if TYPE_CHECKING:
    from tests.simulation.world import World

WIRE: Final = ("read_lost", "send_late", "send_lost", "send_dropped")
"""On the way to a terminal: a reading times out; a request arrives late, its answer is lost, or it
never arrives and nobody can tell."""
AMBUSHES: Final = (
    "requote", "reject", "partial_fill", "invalid_fill", "timeout_not_executed",
    "timeout_after_execution", "link_drops", "read_fails", "disconnected", "done_early",
)  # fmt: skip
"""What meets a close at the broker's end of it."""
STORM_KINDS: Final = (
    "read_fails", "requote", "reject", "partial_fill", "invalid_fill", "market_closed",
    "autotrading_off", "timeout_not_executed", "timeout_after_execution", "link_drops",
    "expert_disabled", "tradeapi_disabled", "disconnected", "call_fails", "slippage",
    "done_early", "trade_disabled", "rollover_renumber",
)  # fmt: skip
FREEZES_S: Final = (0.5, 12.0)
"""Shorter and longer than a lease."""


def _alive(world: "World") -> Line | None:
    lines = [worker.line for worker in world.workers if worker.line.alive]
    return world.one_of(lines) if lines else None


def _kill(world: "World") -> str:
    line = _alive(world)
    if line is None:
        return "nobody to kill"
    line.dies_at = line.steps + world.whole(1, 40)
    return f"{line.name} will be killed"


def _freeze(world: "World") -> str:
    line = _alive(world)
    if line is None:
        return "nobody to freeze"
    what = world.one_of(("send", "send", "send", "sent", "ask", "answer", "commit", "read"))
    line.freezes_at = (what, world.draws.uniform(*FREEZES_S))
    return f"{line.name} will freeze at {what}"


def _until_s(world: "World") -> float:
    return world.now_s() + world.whole(1, 20)


def _disk(world: "World") -> str:
    kind = world.one_of(inline_sqlite.FAULTS)
    world.disk.fault(kind, _until_s(world), world.one_of((0.1, 0.5, 1.0)))
    return f"disk {kind}"


def _chat(world: "World") -> str:
    kind = world.one_of(chat.FAULTS)
    if kind == chat.BLOCKED:
        world.chats.blocked.add(world.owner(world.one_of(world.logins)))
    else:
        world.chats.fault(kind, _until_s(world), world.one_of((0.1, 0.5, 1.0)))
    return f"chat {kind}"


def _wire(world: "World") -> str:
    kind = world.one_of(WIRE)
    world.wire[kind] = (_until_s(world), world.one_of((0.3, 1.0)))
    return f"wire {kind}"


def _storm(world: "World") -> str:
    world.storm = FaultStorm(
        world.whole(0, 2**31),
        world.logins,
        from_ms=world.now_ms(),
        span_ms=world.whole(5_000, 30_000),
        gusts=world.whole(2, 14),
        kinds=STORM_KINDS,
    )
    return "a storm"


def _jump(world: "World") -> str:
    """Set our clock. Ahead by more than DEAL_CLOCK_SLACK it takes its own deals for older ones."""
    world.wall_moved = timedelta(seconds=world.one_of((-2.0, -0.3, 0.3, 0.9)))
    return f"the wall clock by {world.wall_moved / timedelta(seconds=1)} s"


def _renumber(world: "World") -> str:
    login = world.one_of(world.logins)
    world.sim.set_fault(login, parse_fault({"kind": "rollover_renumber"}, world.now_ms()))
    return f"{login} renumbered"


MISHAPS: Final[tuple[tuple[int, Callable[["World"], str]], ...]] = (
    (3, _kill), (2, _freeze), (2, _disk), (2, _chat), (2, _storm), (2, _wire), (1, _jump),
    (1, _renumber),
)  # fmt: skip
"""How often each beside the others."""


def mishap(world: "World") -> str:
    """Something goes wrong; answers what."""
    weights = [weight for weight, _ in MISHAPS]
    return world.draws.choices(MISHAPS, weights)[0][1](world)


def ambush(world: "World", login: int) -> str:
    """Something meets a close that has begun or got on; answers what."""
    freezes = 6 if world.is_shared else 1
    what = world.draws.choices((_kill, _freeze, _wire, _disk, None), (2, freezes, 3, 1, 2))[0]
    if what is not None:
        return what(world)
    kind = world.one_of(AMBUSHES)
    facts = {"kind": kind, "times": world.whole(1, 4)}
    facts |= {"ms": world.whole(100, 2_000)} if kind == "done_early" else {}
    world.sim.set_fault(login, parse_fault(facts, world.now_ms()))
    return kind


def heal(world: "World") -> None:
    """Every fault ends."""
    world.healed = True
    world.storm = None
    world.wire.clear()
    world.disk.heal()
    world.chats.heal()
    for login in world.logins:
        world.sim.clear_faults(login)
    for worker in world.workers:
        worker.line.dies_at = worker.line.freezes_at = None
        worker.line.frozen_until_s = 0.0
    world.tell("all faults end")
