"""One cause is told once: a forced close that automated trading, switched off, holds up."""

import pytest

from core.domain import alerts as a
from core.domain import alerts_terminal as t
from tests.engine.house import ADMIN_CHAT, USD, House
from tests.engine.test_drawdown_guard import fall, hold_gold


@pytest.mark.parametrize("when", ["before the breach", "with it", "in the close"])
async def test_automated_trading_off_in_a_forced_close_is_told_once(
    house: House, when: str
) -> None:
    """One cause, one message about it, whoever finds it out first; the close goes on."""
    await hold_gold(house)
    if when == "before the breach":
        house.fault(USD, "autotrading_off")
        await house.run(10)
    before = len(await house.said(ADMIN_CHAT))
    if when == "with it":
        house.fault(USD, "autotrading_off")
    await fall(house, "1958.20")
    if when == "in the close":
        await house.run(4)
        house.fault(USD, "autotrading_off")
    await house.run(60)
    told = [
        type(x).__name__
        for x in (await house.said(ADMIN_CHAT))[before:]
        if isinstance(x, a.GuardBreached | a.CloseTrouble | t.CannotClose)
    ]
    assert told == ["GuardBreached", *(["CannotClose"] if when == "in the close" else [])]
    assert house.sim.ledger.positions(USD) != {}
    house.sim.clear_faults(USD)
    await house.run(30)
    assert house.sim.ledger.positions(USD) == {}
