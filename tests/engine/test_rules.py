"""Guard rules as data, end to end: judged, acted upon, remembered, tightened, loosened, shown."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import alerts_rules as r
from core.domain.rules import Mode
from core.people_file import PeopleFile
from core.records import AuditRow, CloseJobRow, RuleEventRow
from core.services.errors import Refused
from tests.engine.house import ADMIN, BEN, PEOPLE, USD, House

D = Decimal
Build = Callable[..., Awaitable[House]]
MIDNIGHT = datetime(2026, 3, 4, 23, 0, tzinfo=UTC)
"""Midnight in Prague after the houses' first day, in winter."""

# Ben holds gold with 12,000.00 USD: of 2.00 lots (200 oz) bought at 1970.30 each dollar costs 200.


def people(**entry: Any) -> PeopleFile:
    """Everybody, Ben's account with a profile."""
    accounts = tuple(
        replace(account, **entry) if account.login == USD else account
        for account in PEOPLE.accounts
    )
    return PeopleFile(users=PEOPLE.users, accounts=accounts)


@pytest.fixture
async def house_with(tmp_path: Path) -> AsyncIterator[Build]:
    """What makes a house in which Ben's account has a profile."""
    made = House(tmp_path)

    async def build(**entry: Any) -> House:
        made.people = people(**entry)
        await made.start()
        await made.run(1)
        return made

    yield build
    await made.close()


async def restart_with(house: House, **entry: Any) -> None:
    """The people file was changed, and the app is started again."""
    house.people = people(**entry)
    await house.restart()
    await house.run(1)


async def fall(house: House, bid: str) -> None:
    """Gold falls to a bid, spread unchanged."""
    house.price(bid, str(D(bid) + D("0.30")))
    await house.run(6)


async def told(house: House, kind: type[Any]) -> list[Any]:
    """What Ben was told, of one kind."""
    return [alert for alert in await house.said(BEN) if isinstance(alert, kind)]


async def test_a_daily_loss_closes_everything_and_says_so(house_with: Build) -> None:
    """Floor 12,000 - 5 % of 12,000 = 11,400: 600 down is a fall of 3.00; at it is not below it."""
    house = await house_with(profile="two-step")
    house.open(USD, "buy", "2.00")
    await house.run(11)
    await fall(house, "1967.30")
    assert await told(house, a.GuardBreached) == []
    await fall(house, "1967.29")

    (breached,) = await told(house, a.GuardBreached)
    assert (breached.rule, breached.title) == ("daily_loss", "Daily loss")
    assert (breached.figure, breached.floor) == (D(11398), D(11400))
    assert breached.deadline_at == breached.at + timedelta(seconds=10)
    await house.run(20)
    assert house.sim.ledger.positions(USD) == {}
    assert (await house.state(USD)).latch_reason == "daily_loss"
    (job,) = await house.rows(CloseJobRow)
    assert (job.reason, job.state) == ("daily_loss", "flat")
    (event,) = await house.rows(RuleEventRow)
    assert (event.mode, event.severity, event.equity) == ("enforce", "close_all", D(11398))
    (link,) = await house.rows(AuditRow, action="guard_breached")
    assert D(link.detail["arithmetic"]["base"]) == D(12000)


async def test_a_release_lets_the_rules_begin_anew(house_with: Build) -> None:
    """Else the account would be locked again by the same floor the moment it is released."""
    house = await house_with(profile="two-step")
    house.open(USD, "buy", "2.00")
    await house.run(11)
    await fall(house, "1967.00")
    await house.run(20)
    ben, ada = await house.person(BEN), await house.person(ADMIN)
    await house.engine.ask_release(ben, house.ids[USD])
    await house.engine.answer_release(ada, house.ids[USD], grant=True)
    await house.run(30)
    assert (await house.state(USD)).latched_at is None
    (board,) = await house.engine.rule_boards.of(ben, None)
    daily = next(line for line in board.rules if line.held.spec.name == "daily_loss")
    balance = (await house.state(USD)).balance
    assert balance == D(12000) - 660
    assert daily.floor.limit == balance * D("0.95")  # of the balance at the release, as initial
    (event,) = await house.rows(RuleEventRow)
    assert event.resolved_at is not None


@pytest.mark.parametrize("restarted", [False, True])
async def test_the_base_is_the_balance_before_midnight(house_with: Build, restarted: bool) -> None:  # noqa: FBT001 - the one thing that differs
    """A won day lifts the floor at midnight in Prague: 13,000 - 600; a restart changes nothing."""
    house = await house_with(profile="two-step")
    ticket = house.open(USD, "buy", "1.00")
    await house.run(11)
    house.price("1980.30", "1980.60")
    house.close_position(USD, ticket)
    await house.run(11)
    house.clock.instant = MIDNIGHT - timedelta(seconds=5)
    await house.run(4)
    ben = await house.person(BEN)
    (board,) = await house.engine.rule_boards.of(ben, None)
    (daily,) = [line for line in board.rules if line.held.spec.name == "daily_loss"]
    assert daily.floor.limit == D(12000) - 600
    if restarted:
        await house.restart()
    house.clock.instant = MIDNIGHT + timedelta(hours=2)  # nobody looked at midnight
    await house.run(12)

    (board,) = await house.engine.rule_boards.of(await house.person(BEN), None)
    (daily,) = [line for line in board.rules if line.held.spec.name == "daily_loss"]
    assert daily.floor.limit == D(13000) - 600
    (day,) = await house.rows(AuditRow, action="rule_day")
    assert D(day.detail["base"]) == D(13000)
    assert 0 <= day.detail["base_age_s"] <= 16  # read every 10 s while flat


async def test_a_rule_that_observes_closes_nothing_and_keeps_a_log(house_with: Build) -> None:
    """Broken at 11,300, lowest 11,000, over at 11,500: it would have missed 200."""
    house = await house_with(profile="two-step", mode=Mode.OBSERVE)
    house.open(USD, "buy", "2.00")
    await house.run(11)
    await fall(house, "1966.80")
    await fall(house, "1965.30")
    await fall(house, "1967.80")
    assert len(house.sim.ledger.positions(USD)) == 1
    assert not {"GuardBreached", "RuleBroken", "RuleEased"} & set(await house.kinds(BEN))
    (event,) = await house.rows(RuleEventRow)
    assert (event.mode, event.equity) == ("observe", D(11300))
    assert (event.worst_equity, event.result) == (D(11000), D(200))
    assert event.resolved_at is not None


async def test_a_rule_that_advises_tells_once_and_when_it_is_over(house_with: Build) -> None:
    """One alert per episode, and its end in the same thread."""
    house = await house_with(profile="two-step", mode=Mode.ADVISE)
    house.open(USD, "buy", "2.00")
    await house.run(11)
    await fall(house, "1966.80")
    await fall(house, "1966.50")
    (broken,) = await told(house, r.RuleBroken)
    assert (broken.mode, broken.figure, broken.floor) == ("advise", D(11300), D(11400))
    await fall(house, "1968.30")
    (eased,) = await told(house, r.RuleEased)
    assert (eased.opened_at, eased.result) == (broken.at, D(300))
    assert len(house.sim.ledger.positions(USD)) == 1


async def test_a_pause_refuses_approvals_until_the_reset(house_with: Build) -> None:
    """17:00 in New York is 22:00 UTC; a restart in between forgets nothing."""
    house = await house_with(profile="soft-daily")
    house.open(USD, "buy", "2.00")
    await house.run(11)
    await fall(house, "1967.00")
    (broken,) = [x for x in await told(house, r.RuleBroken) if x.rule == "daily_loss"]
    reset = datetime(2026, 3, 4, 22, 0, tzinfo=UTC)
    assert broken.paused_until == reset
    await fall(house, "1971.00")
    await house.restart()
    await house.run(6)
    signal = await house.signal()
    with pytest.raises(Refused) as refused:
        await house.approve(BEN, signal)
    assert (refused.value.code, refused.value.facts["until"]) == ("rule_paused", reset)
    assert len(house.sim.ledger.positions(USD)) == 1

    house.clock.instant = reset
    house.price("1971.00", "1971.30")
    await house.run(12)
    assert [x.rule for x in await told(house, r.RuleEased)] == ["daily_loss"]
    await house.approve(BEN, await house.signal())


async def test_looser_rules_wait_24_hours_for_a_flat_account(house_with: Build) -> None:
    """Neither a looser file nor a restart changes anything before; tighter ones hold at once."""
    house = await house_with(profile="two-step", mode=Mode.OBSERVE)

    async def modes() -> set[str]:
        (board,) = await house.engine.rule_boards.of(await house.person(BEN), None)
        return {line.held.mode for line in board.rules if not line.held.spec.always}

    await restart_with(house, profile="two-step", mode=Mode.ENFORCE)
    assert await modes() == {Mode.ENFORCE}
    await restart_with(house, profile=None)
    assert await modes() == {Mode.ENFORCE}
    (waits,) = [x for x in await told(house, r.RulesChanged) if x.pending]
    assert waits.rules == ()
    assert waits.effective_at is not None
    house.clock.instant = waits.effective_at - timedelta(seconds=5)
    await house.restart()
    await house.run(1)
    await house.engine.align()
    assert await modes() == {Mode.ENFORCE}
    house.clock.instant = waits.effective_at
    await house.run(11)
    await house.engine.align()
    await house.run(11)
    assert await modes() == set()


async def test_looser_rules_do_not_wait_while_something_is_open(house_with: Build) -> None:
    """The 24 h begin when the account is flat."""
    house = await house_with(profile="two-step")
    house.open(USD, "buy", "0.10")
    await house.run(11)
    house.people = people(profile=None)
    house.engine.align_rules.remember(house.people)
    await house.engine.align()
    assert not [x for x in await told(house, r.RulesChanged) if x.pending]


async def test_the_floor_after_the_reset_is_told_before_it(house_with: Build) -> None:
    """Won 1,000 and floating 700 below: at midnight the floor is 13,000 - 600 = 12,400 > 12,300."""
    house = await house_with(profile="two-step")
    ticket = house.open(USD, "buy", "1.00")
    await house.run(11)
    house.price("1980.30", "1980.60")
    house.close_position(USD, ticket)
    house.open(USD, "buy", "1.00")
    await house.run(11)
    house.clock.instant = MIDNIGHT - timedelta(minutes=61)
    house.price("1973.60", "1973.90")
    await house.run(6)
    assert await told(house, r.RuleResetAhead) == []
    house.clock.instant = MIDNIGHT - timedelta(minutes=59)
    house.price("1973.60", "1973.90")
    await house.run(6)
    house.price("1973.60", "1973.90")
    await house.run(6)

    (ahead,) = await told(house, r.RuleResetAhead)
    assert (ahead.figure, ahead.floor, ahead.floor_after) == (D(12300), D(11400), D(12400))
    assert ahead.resets_at == MIDNIGHT
    assert await told(house, a.GuardBreached) == []
    house.clock.instant = MIDNIGHT
    house.price("1973.60", "1973.90")
    await house.run(20)
    assert (await house.state(USD)).latch_reason == "daily_loss"


async def test_a_blind_guard_is_told_once_and_over_after_a_restart(house_with: Build) -> None:
    """90 s without a trustworthy reading, with a position open: critical, and its duration."""
    house = await house_with()
    house.open(USD, "buy", "0.10")
    await house.run(11)
    last = (await house.state(USD)).trusted_at
    assert last is not None
    house.fault(USD, "disconnected")
    await house.run((last + timedelta(seconds=89) - house.clock.instant).total_seconds())
    assert await told(house, r.GuardBlind) == []
    await house.run(8)
    (blind,) = await told(house, r.GuardBlind)
    assert (blind.since, blind.positions_count) == (last, 1)
    await house.restart()
    await house.run(60)
    assert len(await told(house, r.GuardBlind)) == 1
    house.sim.clear_faults(USD)
    await house.run(12)
    (sees,) = await told(house, r.GuardSees)
    assert sees.since == last
    assert (await house.state(USD)).blind_since is None


async def test_a_flat_account_leaves_nobody_blind(house_with: Build) -> None:
    """Nothing can be lost where nothing is open."""
    house = await house_with()
    house.fault(USD, "disconnected")
    await house.run(200)
    assert await told(house, r.GuardBlind) == []


async def test_an_admin_sees_any_account_and_a_client_only_theirs(house_with: Build) -> None:
    """Law 10."""
    house = await house_with(profile="two-step")
    ada, ben = await house.person(ADMIN), await house.person(BEN)
    assert [board.login for board in await house.engine.rule_boards.of(ada, USD)] == [USD]
    with pytest.raises(Refused, match="not_found"):
        await house.engine.rule_boards.of(ben, 50001)


async def test_a_mistyped_initial_balance_closes_nothing(house_with: Build) -> None:
    """Ten times too much: the floor of 108,000 is far above an equity of 12,000."""
    house = await house_with(profile="two-step", initial_balance=D(120_000))
    house.open(USD, "buy", "0.10")
    await house.run(30)
    assert len(house.sim.ledger.positions(USD)) == 1
    assert await told(house, a.GuardBreached) == []
    (broken,) = await told(house, r.RuleBroken)
    assert (broken.rule, broken.mode, broken.floor) == ("maximum_loss", "enforce", D(108_000))


async def test_money_moved_changes_no_verdict(house_with: Build) -> None:
    """Doubled by a deposit: so are base and floor, and 5 % down is still the limit (law 9)."""
    house = await house_with(profile="two-step")
    house.open(USD, "buy", "2.00")
    await house.run(11)
    house.cash(USD, "11940")  # equity is 11,940 after the spread of 0.30 on 200 oz
    await house.run(12)
    (board,) = await house.engine.rule_boards.of(await house.person(BEN), None)
    (daily,) = [line for line in board.rules if line.held.spec.name == "daily_loss"]
    assert daily.floor.limit == D(11400) * 2
    assert await told(house, a.GuardBreached) == []
    house.cash(USD, "-11940")
    await house.run(12)
    (board,) = await house.engine.rule_boards.of(await house.person(BEN), None)
    (daily,) = [line for line in board.rules if line.held.spec.name == "daily_loss"]
    assert daily.floor.limit == D(11400)
    assert await told(house, a.GuardBreached) == []


async def test_drawdown_shows_each_rule_with_the_positions_in_it(house_with: Build) -> None:
    """Half the daily loss of 600 is gone: 300 left; of the exposure gold is all."""
    house = await house_with(profile="two-step")
    ticket = house.open(USD, "buy", "2.00")
    await house.run(11)
    await fall(house, "1968.80")
    (board,) = await house.engine.boards.drawdown(await house.person(BEN))
    daily = next(line for line in board.rules if line.held.spec.name == "daily_loss")
    assert (daily.figure, daily.room) == (D(11700), D(300))
    (share,) = daily.shares
    assert (share.ticket, share.percent, share.ends_at) == (ticket, D(100), D("1967.30"))
    assert [line.held.spec.name for line in board.rules][:3] == [
        "peak_drawdown",
        "drawdown_warning",
        "minimum_equity",
    ]
