"""What is open again before the line about its end went out is not told as over."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain import alerts_app as own
from core.domain import alerts_money as m
from core.domain import alerts_rules as r
from core.domain.alert_parts import GroupItem
from core.domain.alerts_market import MarketCloseAhead
from core.domain.endings import GATHER
from core.records import OutboxRow
from core.services.endings import WITHDRAWN
from tests.engine.gateway import START
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, GBP, House
from tests.engine.test_alarms import BLIND, SEES
from tests.engine.test_endings import Ears, back, unread
from tests.fakes.alerts import every_alert, finding
from tests.fakes.alerts_market import market

MINUTE = timedelta(minutes=1)
SHARED = ("account_id", "login", "client", "currency", "finding", "subject", "symbol", "side")


@pytest.fixture
async def ears(house: House) -> Ears:
    return Ears(house)


def of(kind: type[a.Alert], **changes: Any) -> Any:  # noqa: ANN401 - of that kind
    """The sample of a kind, changed."""
    return replace(next(each for each in every_alert() if type(each) is kind), **changes)


def resolved(opened: a.DivergenceOpened) -> a.DivergenceResolved:
    """The end of this difference."""
    facts = {name: getattr(opened, name) for name in (*SHARED, "volume", "expected", "observed")}
    return a.DivergenceResolved(
        **facts,
        episode_id=opened.episode_id,
        slippage_pips=None,
        how="as_expected",
        opened_at=opened.at,
        resolved_at=opened.at + MINUTE,
    )


def item(of_one: a.DivergenceOpened, **changes: Any) -> GroupItem:
    """The same difference as a line of a message about many."""
    facts = {name: getattr(of_one, name) for name in ("subject", "symbol", "side", "volume")}
    return GroupItem(**(facts | changes))


def many(
    of_one: a.DivergenceOpened, items: Sequence[GroupItem], **changes: Any
) -> a.DivergencesOpened:
    """A message about many differences of the same account."""
    facts = {name: getattr(of_one, name) for name in SHARED[:5]}
    facts |= {"items": tuple(items), "count": len(items), "at": of_one.at}
    return a.DivergencesOpened(**(facts | changes))


MOVED = finding("sl_moved")
DRAWDOWN = of(a.DrawdownWarning)
RULE = of(r.RuleBroken)
STILL = of(m.PricesStill)
WIDE: Any = market(state="open", warning="spread", action="warn", ended="passed")
AHEAD = of(MarketCloseAhead, state="open")
BEN = of(a.ChatUnreachable)
TURNS = {
    "difference": (MOVED, resolved(MOVED), replace(MOVED, episode_id=32)),
    "difference, among many": (
        MOVED,
        resolved(MOVED),
        many(MOVED, [item(MOVED, subject="900002"), item(MOVED)]),
    ),
    "difference, among many of several kinds": (
        MOVED,
        resolved(MOVED),
        many(MOVED, [item(MOVED, finding="sl_moved")], finding="mixed"),
    ),
    "difference, perhaps among those that many do not name": (
        MOVED,
        resolved(MOVED),
        many(MOVED, [item(MOVED, subject="900002")], count=11),
    ),
    "drawdown": (
        DRAWDOWN,
        of(a.DrawdownEased, warned_at=DRAWDOWN.at),
        replace(DRAWDOWN, at=DRAWDOWN.at + MINUTE),
    ),
    "rule": (
        RULE,
        of(r.RuleEased, rule=RULE.rule, title=RULE.title, opened_at=RULE.at),
        replace(RULE, at=RULE.at + MINUTE),
    ),
    "prices": (
        STILL,
        of(m.PricesMove, episode_id=STILL.episode_id),
        replace(STILL, episode_id=STILL.episode_id + 1),
    ),
    "account": (unread(), back(), replace(unread(), since=START + MINUTE)),
    "spread": (
        WIDE,
        replace(WIDE, state="resolved", version=2),
        replace(WIDE, warning_id=WIDE.warning_id + 1),
    ),
    "close": (
        replace(AHEAD, again=True),
        replace(AHEAD, state="dismissed", again=False),
        replace(AHEAD, warning_id=AHEAD.warning_id + 1, again=True),
    ),
    "chat": (
        BEN,
        of(own.ChatReachable, chat_id=BEN.chat_id, person=BEN.person, since=BEN.at, here=False),
        replace(BEN, at=BEN.at + MINUTE),
    ),
}


async def ended(ears: Ears, opened: a.Alert, over: a.Alert) -> OutboxRow:
    """Told aloud in one chat, and over: the line that waits."""
    client = ALICE if isinstance(opened, MarketCloseAhead) else None  # that is for its client alone
    await ears.say(opened, client=client)
    await ears.deliver()
    ears.later(30)
    await ears.say(over, client=client)
    ears.later(GATHER.total_seconds() - 1)
    ((row, _),) = await ears.lines()
    assert (row.chat_id, row.state) == (client or ADMIN_CHAT, "due")
    return row


@pytest.mark.parametrize("turn", TURNS)
async def test_what_is_open_again_before_its_line_went_is_not_told_as_over(
    ears: Ears, turn: str
) -> None:
    opened, over, again = TURNS[turn]
    await ended(ears, opened, over)
    await ears.say(again, client=None)
    ((row, _),) = await ears.lines()
    assert (row.state, row.error) == ("failed", WITHDRAWN)


OTHERS = {
    "another position": (MOVED, resolved(MOVED), replace(MOVED, episode_id=32, subject="900002")),
    "another difference of it": (MOVED, resolved(MOVED), finding("tp_moved", episode_id=32)),
    "others of the account": (
        MOVED,
        resolved(MOVED),
        many(MOVED, [item(MOVED, subject="900002"), item(MOVED, subject="900003")]),
    ),
    "more of another account than are named": (
        MOVED,
        resolved(MOVED),
        many(replace(MOVED, login=50_009), [item(MOVED)], count=11),
    ),
    "a rule of the same title": (
        *TURNS["rule"][:2],
        replace(RULE, rule="another", at=RULE.at + MINUTE),
    ),
    "the same symbol elsewhere": (
        *TURNS["spread"][:2],
        replace(WIDE, warning_id=WIDE.warning_id + 1, server="Other-Live"),
    ),
    "a person of the same name": (*TURNS["chat"][:2], replace(BEN, chat_id=BEN.chat_id + 1)),
}


@pytest.mark.parametrize("other", OTHERS)
async def test_what_is_like_it_and_open_leaves_its_line_as_it_is(ears: Ears, other: str) -> None:
    opened, over, again = OTHERS[other]
    before = await ended(ears, opened, over)
    await ears.say(again, client=None)
    ((row, _),) = await ears.lines()
    assert row == before


async def test_of_a_line_about_many_only_what_is_open_again_is_taken_out(ears: Ears) -> None:
    await ears.say(unread(60_001, 1), unread(60_002, 1), client=None)
    await ears.deliver()
    ears.later(120)
    await ears.say(back(60_001), back(60_002), client=None)
    await ears.say(unread(60_001, 1), unread(60_003, 1), client=None)
    ((row, line),) = await ears.lines(ADMIN_CHAT)
    assert (row.state, [each.login for each in line.endings]) == ("due", [60_002])


@pytest.mark.parametrize(
    ("error", "says"),
    [(None, WITHDRAWN), ("outcome unknown", f"{WITHDRAWN} (outcome unknown)")],
)
async def test_a_line_that_is_to_be_tried_again_is_withdrawn_too_with_what_is_known_of_it(
    ears: Ears, error: str | None, says: str
) -> None:
    """Telegram's 429 leaves no error: it has not arrived. Of the other attempt nobody knows."""
    await ended(ears, unread(), back())
    async with ears.house.store.writing() as tx:
        await tx.update(OutboxRow, {"kind": "AlertsOver"}, attempts=1, error=error)
    await ears.say(unread(), client=None)
    ((row, _),) = await ears.lines()
    assert (row.state, row.error) == ("failed", says)


async def test_an_admin_woken_in_private_is_not_told_that_an_alarm_is_over_that_is_back(
    ears: Ears,
) -> None:
    """The alarm itself is told in the admin chat: the line waits where nothing is said of it."""
    await ears.say(BLIND)
    await ears.deliver()
    ears.later(601)
    await ears.house.engine.alarms.pass_time()
    await ears.deliver()
    await ears.say(replace(SEES, at=ears.house.clock.now()))
    ((row, _),) = await ears.lines()
    assert (row.chat_id, row.state) == (ADMIN, "due")
    ears.later(4)
    await ears.say(replace(BLIND, since=ears.house.clock.now()))
    ((row, _),) = await ears.lines()
    assert (row.state, row.error) == ("failed", WITHDRAWN)


async def test_an_alarm_for_an_account_that_holds_nothing_by_now_is_not_told_as_over_either(
    ears: Ears,
) -> None:
    """It cannot be read again: that nothing is at stake makes it no alarm, and not over."""
    await ears.say(unread(positions=1), client=None)
    await ears.deliver()
    ears.later(601)
    await ears.house.engine.alarms.pass_time()
    await ears.deliver()
    await ears.say(back(), client=None)
    assert {row.chat_id for row, _ in await ears.lines()} == {ADMIN, ADMIN_CHAT}
    await ears.say(replace(unread(positions=0), since=START + 15 * MINUTE), client=None)
    assert {row.error for row, _ in await ears.lines()} == {WITHDRAWN}


async def test_a_stop_that_is_away_back_and_away_again_is_not_told_as_put_right(
    ears: Ears,
) -> None:
    """Through the engine, which gives what it finds the second time a number of its own."""
    house = ears.house
    await house.follow(ALICE, GBP)
    (ticket,) = house.sim.ledger.positions(GBP)
    for stop in (0.0, 1950.0, 0.0):
        await ears.deliver()
        levels = {"action": 6, "position": ticket, "symbol": "XAUUSD", "sl": stop, "tp": 1990.0}
        house.sim.submit(GBP, "executor", levels)
        house.world.commit()
        await house.run(3)
    lines = await ears.lines()
    assert {row.chat_id for row, _ in lines} == {ALICE, ADMIN_CHAT}
    assert {(row.state, row.error) for row, _ in lines} == {("failed", WITHDRAWN)}
    assert len({d.episode_id for d in await house.said() if isinstance(d, a.DivergenceOpened)}) == 2
