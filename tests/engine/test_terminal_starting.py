"""A terminal on its way up is no outage yet; one that does not get up is told for what it is."""

from datetime import timedelta

import pytest

from core.domain import alerts_terminal as t
from core.ports import BrokerUnavailable, TerminalHealth, TerminalStarting, TerminalState
from core.services.outage import STARTING_TOLD_AFTER
from tests.engine.house import BEN, GBP, USD, House


def starting(house: House, login: int = USD) -> None:
    """The account's terminal is being started from now on."""
    house.gateway.healths[login] = TerminalHealth(
        state=TerminalState.STARTING, since=house.clock.now()
    )

    def call(_verb: str) -> None:
        raise TerminalStarting("the terminal is being started")

    house.gateway.before_call = call


async def outages(house: House) -> list[t.AccountUnavailable]:
    """What Ben was told."""
    return [x for x in await house.said(BEN) if isinstance(x, t.AccountUnavailable)]


@pytest.mark.parametrize(("waited_s", "told"), [(-6, 0), (6, 1)])
async def test_a_start_is_told_only_when_it_lasts_too_long(
    house: House, waited_s: float, told: int
) -> None:
    """Read each 5 s at this stage, the bound is met within one reading of it."""
    starting(house)
    began = house.clock.now()
    await house.run(STARTING_TOLD_AFTER.total_seconds() + waited_s)
    said = await outages(house)
    assert len(said) == told
    for alert in said:
        assert (alert.terminal, alert.since) == ("starting", began)


def resting(house: House, failures: int) -> TerminalHealth:
    """The terminal has failed so often in a row."""
    health = TerminalHealth(
        state=TerminalState.RESTING,
        since=house.clock.now(),
        failures=failures,
        next_try_at=house.clock.now() + timedelta(seconds=40),
        reason="Process create failed",
    )
    house.gateway.healths[USD] = health
    return health


async def test_a_start_that_failed_is_told_at_once(house: House) -> None:
    """Of a terminal that was up, the fall is the first failure and no failed start yet."""
    starting(house)
    resting(house, 1)
    await house.run(20)
    assert await outages(house) == []
    health = resting(house, 2)
    await house.run(10)
    (alert,) = await outages(house)
    assert (alert.terminal, alert.attempts, alert.reason) == ("failing", 2, "Process create failed")
    assert alert.next_try_at == health.next_try_at


async def test_the_very_first_start_that_fails_is_told(house: House) -> None:
    """Nothing was ever read since Reckoner started: one failure is one failed start."""
    await house.restart()
    starting(house)
    resting(house, 1)
    await house.run(0)
    (alert,) = await outages(house)
    assert (alert.terminal, alert.attempts) == ("failing", 1)


async def test_an_account_without_a_terminal_is_told_as_that(house: House) -> None:
    def call(_verb: str) -> None:
        raise BrokerUnavailable("50002 at Sim: no terminal is linked: python -m bot link")

    house.gateway.before_call = call
    house.gateway.healths[USD] = TerminalHealth(
        state=TerminalState.UNLINKED, since=house.clock.now()
    )
    await house.run(30)
    (alert,) = await outages(house)
    assert alert.terminal == "unlinked"


async def test_while_it_starts_the_account_is_not_taken_for_read(house: House) -> None:
    """Figures are old and approvals are refused, told or not."""
    starting(house)
    await house.run(12)
    (board,) = await house.engine.boards.accounts_of(await house.person(BEN))
    assert board.unavailable_since is not None
    assert board.terminal is not None
    assert board.terminal.state == "starting"


async def test_a_start_that_ends_in_time_leaves_no_trace(house: House) -> None:
    starting(house)
    await house.run(30)
    house.gateway.before_call = lambda _verb: None
    house.gateway.healths[USD] = TerminalHealth(state=TerminalState.UP, since=house.clock.now())
    await house.run(30)
    assert await house.kinds(BEN) == []


async def test_reads_that_fail_after_a_start_are_counted_from_their_first(house: House) -> None:
    """What was only a start does not bring the telling of an outage forward."""
    starting(house)
    await house.run(30)
    calls: list[int] = []

    def fails(_verb: str) -> None:
        calls.append(1)
        raise BrokerUnavailable("IPC recv failed")

    house.gateway.before_call = fails
    house.due = {house.ids[USD]: house.clock.now()}
    told_after: list[int] = []
    while not told_after and len(calls) < 10:
        await house.run(1)
        told_after = [len(calls)] if await outages(house) else []
    assert told_after == [3]


async def test_the_admins_count_of_terminals(house: House) -> None:
    house.gateway.healths = {
        login: TerminalHealth(state=state, since=house.clock.now())
        for login, state in ((USD, TerminalState.STARTING), (GBP, TerminalState.UP))
    }
    assert (await house.engine.boards.system()).terminals == (("starting", 1), ("up", 1))
