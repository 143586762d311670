"""What may go wrong on the stage: at a terminal, at the broker's server, and with the app."""

from typing import Final

from core.sim.server_time import OFFSET_S
from core.sim.storm import FaultStorm
from tests.simulation.dice import Dice, one_of
from tests.simulation.stage import Stage

STORM_KINDS: Final = (
    "read_fails", "requote", "reject", "partial_fill", "invalid_fill", "market_closed",
    "autotrading_off", "timeout_not_executed", "timeout_after_execution", "link_drops",
    "expert_disabled", "tradeapi_disabled", "disconnected", "rollover_renumber",
    "call_fails", "slippage", "deal_delayed",
)  # fmt: skip


def holders(stage: Stage) -> list[int]:
    """Accounts with positions."""
    return [login for login in stage.logins if stage.model.truth.held(login)]


async def renumber(stage: Stage, dice: Dice) -> str:
    """A rollover gives every position of an account a new ticket."""
    login = one_of(dice, holders(stage))
    stage.house.fault(login, "rollover_renumber")
    stage.house.world.commit()
    return f"{login}: renumbered"


async def disturb(stage: Stage, dice: Dice) -> str:
    """Something goes wrong at a terminal, or at the history of its deals."""
    login = one_of(dice, stage.logins)
    kind = one_of(
        dice, ("read_fails", "disconnected", "link_drops", "deal_delayed", "deal_delayed", "reject")
    )
    more: dict[str, int] = {}
    if kind == "deal_delayed":
        more["ms"] = dice.whole(1, 20_000)
    if kind != "disconnected":
        more["times"] = dice.whole(1, 4)
    stage.house.fault(login, kind, **more)
    return f"{login}: {kind} {more}"


async def storm(stage: Stage, dice: Dice) -> str:
    """Faults of every kind, on every account, for most of a minute."""
    seed, gusts = dice.whole(0, 2**31), dice.whole(2, 12)
    stage.storm = FaultStorm(
        seed,
        stage.logins,
        from_ms=stage.house.now_ms(),
        span_ms=40_000,
        gusts=gusts,
        kinds=STORM_KINDS,
    )
    return f"storm {seed} of {gusts}"


async def heal(stage: Stage, _dice: Dice) -> str:
    """All faults end."""
    stage.heal()
    return "healed"


async def clock_jump(stage: Stage, dice: Dice) -> str:
    """The broker's clock is put forward or back by an hour, as in spring, or to where it was."""
    sim, login = stage.house.sim, stage.logins[0]
    moved_s = sim.broker.clock(login).offset_s(sim.now_ms()) - OFFSET_S
    by_s = -moved_s or one_of(dice, (-3600, 3600))
    stage.house.fault(login, "clock_jump", of="server", s=by_s)
    return f"the broker's clock by {by_s} s"


async def restart(stage: Stage, _dice: Dice) -> str:
    """The app is killed between two cycles and started again."""
    await stage.restart()
    return "restarted"


async def kill_soon(stage: Stage, dice: Dice) -> str:
    """The app is killed at one of its next calls to a terminal, before or after it."""
    stage.calls_to_live = dice.whole(0, 9)
    return f"killed after {stage.calls_to_live} calls"
