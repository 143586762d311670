"""A market warning's life: what time, quotes and people do to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from core.domain.market import (
    CALM_FOR,
    HOLD_LONG,
    Verb,
    advance,
    answer,
    blocks,
    open_warning,
    session_end,
)
from core.domain.quotes import Action, Alarm, MarketPolicy, Seen, WarningKind, WarningRule
from core.records import MarketWarningRow
from tests.unit.domain.make import D, at

POLICY = MarketPolicy(
    gap_percent=D(5),
    spread_pips=D("2.5"),
    spread_pips_by_symbol={"XAUUSD": D(10)},
    pip_by_symbol={"XAUUSD": D("0.10")},
    grace_s=120,
    hold_s=900,
    close_spread_wait_s=600,
)
STATES = ("open", "held", "dismissed", "closing", "resolved")
HOLDS = {"hold", "hold1h", "session"}


def warning(state: str = "open", kind: str = "gap", **changes: Any) -> MarketWarningRow:
    """A warning of the tests' present, held by account 1. Gaps close, the others only warn."""
    facts: dict[str, Any] = {
        "id": 1,
        "server": "Sim",
        "symbol": "XAUUSD",
        "kind": kind,
        "action": "close" if kind == "gap" else "warn",
        "state": state,
        "version": 3,
        "figure": D(6),
        "limit": D(5),
        "worst": D(7),
        "account_ids": [1],
        "opened_at": at(0),
        "deadline_at": at(120),
        "hold_until": at(900) if state == "held" else None,
        **changes,
    }
    return MarketWarningRow(**facts)


def wide(pips: str = "6", **changes: Any) -> Seen:
    """A reading with a spread past the limit of five."""
    alarm = Alarm(kind=WarningKind.SPREAD, figure=D(pips), limit=D(5), **changes)
    return Seen(wide=alarm, too_wide=alarm, pips=D(pips))


def narrow(pips: str = "4") -> Seen:
    """A reading with a spread within the limit; four pips are 80 % of five."""
    return Seen(pips=D(pips))


def jump(figure: str = "6", **changes: Any) -> Seen:
    """A reading whose price jumped."""
    facts: dict[str, Any] = {"limit": D(5), "action": Action.CLOSE, **changes}
    return Seen(jump=Alarm(kind=WarningKind.GAP, figure=D(figure), **facts), pips=D(1))


@pytest.mark.parametrize(
    ("kind", "state", "s", "becomes", "close", "again"),
    [
        ("gap", "open", 119.999, None, False, False),
        ("gap", "open", 120, "closing", True, False),  # unanswered
        ("gap", "held", 899.999, None, False, False),
        ("gap", "held", 900, "open", False, True),  # the hold is over: asked anew
        ("gap", "closing", 5000, None, False, False),
        ("spread", "open", 119.999, None, False, False),
        ("spread", "open", 120, "open", False, True),  # told again, not closed
        ("spread", "held", 899.999, None, False, False),
        ("spread", "held", 900, "open", False, True),
        ("spread", "dismissed", 5000, None, False, False),
    ],
)
def test_what_time_does_to_a_warning(
    *, kind: str, state: str, s: float, becomes: str | None, close: bool, again: bool
) -> None:
    seen = wide() if kind == "spread" else narrow()
    change = advance(warning(state, kind), seen, [1], at(s), POLICY)
    if becomes is None:
        assert change is None
        return
    assert change is not None
    assert (change.warning.state, change.close, change.again) == (becomes, close, again)
    assert change.warning.version == 4
    if again:
        assert change.warning.deadline_at == at(s + 120)
        assert change.warning.hold_until is None


@pytest.mark.parametrize("state", ["open", "held", "dismissed", "closing"])
@pytest.mark.parametrize(
    ("kind", "seen", "holders", "over"),
    [
        ("gap", narrow(), [1], False),  # a jump is not undone by the next quote
        ("gap", narrow(), [], True),
        ("spread", wide(), [], True),
        ("spread", wide(), [1], False),
        ("still", Seen(age=timedelta(seconds=60)), [1], True),
        ("still", Seen(age=timedelta(seconds=61)), [1], False),
        ("still", Seen(age=timedelta(hours=2), resting=True), [1], True),
    ],
)
def test_when_a_warning_is_over(
    *, state: str, kind: str, seen: Seen, holders: list[int], over: bool
) -> None:
    change = advance(warning(state, kind), seen, holders, at(1), POLICY)
    if state == "closing" and holders:
        over = False  # what began to close goes on until nobody holds it
    assert (change is not None and change.warning.resolved_at == at(1)) is over
    if over and change is not None:
        assert change.warning.state == ("dismissed" if state == "dismissed" else "resolved")
        assert (change.close, change.warning.version) == (False, 4)


def test_a_spread_is_over_only_when_it_stayed_well_within_its_limit() -> None:
    """80 % of five pips, for half a minute; a pip more, or a moment of it, begins anew."""
    assert timedelta(seconds=30) == CALM_FOR
    row = warning("open", "spread", deadline_at=at(999))
    assert advance(row, narrow("4.01"), [1], at(1), POLICY) is None, "within, but not calm"
    calm = advance(row, narrow("4.00"), [1], at(2), POLICY)
    assert calm is not None
    assert (calm.told, calm.warning.calm_since, calm.warning.version) == (False, at(2), 3)
    row = calm.warning
    assert advance(row, narrow(), [1], at(31.999), POLICY) is None
    over = advance(row, narrow(), [1], at(32), POLICY)
    assert over is not None
    assert over.warning.state == "resolved"
    again = advance(row, wide(), [1], at(31), POLICY)
    assert again is not None
    assert again.warning.calm_since is None


def test_a_reading_that_says_nothing_of_the_spread_ends_no_warning() -> None:
    """At the broker's midnight, or right after the open."""
    row = warning("open", "spread", deadline_at=at(999), calm_since=at(0))
    change = advance(row, Seen(pips=None), [1], at(5), POLICY)
    assert change is None


@pytest.mark.parametrize("kind", ["gap", "spread", "still"])
@pytest.mark.parametrize("action", ["warn", "close"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", [*Verb, "anything"])
def test_what_a_press_does(verb: str, state: str, action: str, kind: str) -> None:
    """`Close now` is for what closes; a warning that closes or is over takes no answer."""
    change = answer(warning(state, kind, action=action), verb, 11, at(50), POLICY)
    offered = {*HOLDS, "dismiss"} | ({"close"} if action == "close" else set())
    if kind == "gap" and state == "dismissed":
        return  # a dismissed gap is over and no longer asked about
    if state in {"closing", "resolved", "dismissed"} or verb not in offered:
        assert change is None
        return
    assert change is not None
    after = change.warning
    becomes = {"dismiss": "dismissed", "close": "closing"}.get(verb, "held")
    assert after.state == becomes
    assert (after.answered_by, after.answered_at) == (11, at(50))
    assert after.version > 3
    assert change.close is (verb == "close")
    if verb in HOLDS - {"session"}:
        assert after.hold_until == at(950 if verb == "hold" else 3650)
    assert (after.resolved_at is not None) is (verb == "dismiss" and kind == "gap")


@pytest.mark.parametrize(
    ("now", "offset_h", "end"),
    [
        (datetime(2026, 3, 4, 10, tzinfo=UTC), 0, datetime(2026, 3, 5, tzinfo=UTC)),
        # A broker two hours ahead: its day ends at 22:00 UTC.
        (datetime(2026, 3, 4, 21, 59, tzinfo=UTC), 2, datetime(2026, 3, 4, 22, tzinfo=UTC)),
        (datetime(2026, 3, 4, 22, 0, tzinfo=UTC), 2, datetime(2026, 3, 5, 22, tzinfo=UTC)),
        # Friday night; then a Saturday and a Sunday, which end with Monday.
        (datetime(2026, 3, 6, 20, tzinfo=UTC), 2, datetime(2026, 3, 6, 22, tzinfo=UTC)),
        (datetime(2026, 3, 7, 10, tzinfo=UTC), 2, datetime(2026, 3, 9, 22, tzinfo=UTC)),
        (datetime(2026, 3, 8, 10, tzinfo=UTC), 2, datetime(2026, 3, 9, 22, tzinfo=UTC)),
    ],
)
def test_a_hold_for_the_day_ends_with_the_brokers_day(
    now: datetime, offset_h: int, end: datetime
) -> None:
    assert session_end(now, offset_h * 3600) == end
    change = answer(warning(), Verb.HOLD_SESSION, 11, now, POLICY, offset_h * 3600)
    assert change is not None
    assert change.warning.hold_until == end
    assert timedelta(hours=1) == HOLD_LONG


def test_a_close_that_is_due_waits_for_a_wide_spread_and_no_longer_than_said() -> None:
    """Ten minutes from the deadline; it closes as soon as the spread is narrow, or then."""
    row = warning()
    due = advance(row, wide(), [1], at(120), POLICY)
    assert due is not None
    assert (due.close, due.warning.state, due.told) == (False, "open", True)
    assert due.warning.wait_until == at(720)
    waiting = due.warning
    assert advance(waiting, wide(), [1], at(719.999), POLICY) is None
    for seen, s in ((narrow(), 121), (wide(), 720)):
        closing = advance(waiting, seen, [1], at(s), POLICY)
        assert closing is not None
        assert (closing.close, closing.warning.state) == (True, "closing")


def test_a_policy_without_a_wait_closes_into_whatever_spread_there_is() -> None:
    policy = MarketPolicy(
        gap_percent=D(5),
        spread_pips=D(2),
        spread_pips_by_symbol={},
        pip_by_symbol={},
        grace_s=120,
        hold_s=900,
    )
    change = advance(warning(), wide(), [1], at(120), policy)
    assert change is not None
    assert change.close


def test_a_spread_closes_only_where_the_policy_says_so() -> None:
    """And does not wait for itself."""
    change = advance(warning("open", "spread", action="close"), wide(), [1], at(120), POLICY)
    assert change is not None
    assert (change.close, change.warning.state) == (True, "closing")


def test_a_gap_that_closes_nothing_is_over_at_its_deadline_unless_another_follows() -> None:
    row = warning(action="block", rule="typical")
    over = advance(row, narrow(), [1], at(120), POLICY)
    assert over is not None
    assert (over.warning.state, over.close) == ("resolved", False)
    longer = advance(row, jump("8", action=Action.BLOCK), [1], at(100), POLICY)
    assert longer is not None
    assert (longer.told, longer.warning.version) == (False, 3), "the buttons stay good"
    assert (longer.warning.deadline_at, longer.warning.worst) == (at(220), D(8))


@pytest.mark.parametrize(("state", "again"), [("open", True), ("held", False)])
def test_a_graver_alarm_raises_what_a_warning_does(state: str, *, again: bool) -> None:
    """An unusual move that blocks is followed by one past the limit, which closes."""
    row = warning(state, action="block", rule="typical", limit=D("0.5"), figure=D("0.6"))
    change = advance(row, jump("6", rule=WarningRule.LIMIT), [1], at(100), POLICY)
    assert change is not None
    after = change.warning
    assert (after.state, after.action, after.rule) == (state, "close", "limit")
    assert (after.limit, after.figure, after.deadline_at) == (D(5), D(6), at(220))
    assert (change.again, after.version) == (again, 4)


def test_a_second_jump_is_told_and_does_not_put_off_the_close_of_the_first() -> None:
    row = warning()
    change = advance(row, jump("9"), [1], at(100), POLICY)
    assert change is not None
    assert (change.told, change.again, change.close) == (True, False, False)
    assert (change.warning.figure, change.warning.deadline_at) == (D(9), row.deadline_at)


@pytest.mark.parametrize("action", ["warn", "block", "close"])
@pytest.mark.parametrize("state", STATES)
def test_what_refuses_new_trades(state: str, action: str) -> None:
    """A hold puts off the close and nothing else; a dismissal ends it all."""
    blocking = action != "warn" and state in {"open", "held", "closing"}
    assert blocks(warning(state, action=action)) is blocking


def test_the_worst_figure_is_kept_and_the_latest_shown() -> None:
    for figure, worst in (("6.5", "7"), ("9", "9")):
        change = advance(warning(kind="spread"), wide(figure), [1], at(120), POLICY)
        assert change is not None
        assert (change.warning.figure, change.warning.worst) == (D(figure), D(worst))


def test_who_joins_and_who_leaves_is_remembered_and_the_admins_hear_of_those_who_join() -> None:
    left = advance(warning(account_ids=[1, 2]), narrow(), [1], at(1), POLICY)
    assert left is not None
    assert (left.warning.account_ids, left.told, left.warning.version) == ([1], False, 3)
    change = advance(warning(), narrow(), [1, 2], at(1), POLICY)
    assert change is not None
    assert (change.warning.account_ids, change.warning.version) == ([1, 2], 4)
    assert (change.told, change.joined, change.again) == (True, True, False)


def test_a_new_warning_has_the_figures_of_its_alarm_and_the_time_to_answer() -> None:
    alarm = Alarm(
        kind=WarningKind.GAP,
        figure=D("6.1"),
        limit=D(5),
        action=Action.CLOSE,
        typical=D("0.02"),
        before=D(2000),
        before_at=at(-3),
        after=D("1878"),
    )
    row = open_warning(alarm, "XAUUSD", "Sim", [1, 2], at(0), POLICY)
    assert (row.kind, row.rule, row.action, row.state) == ("gap", "limit", "close", "open")
    assert (row.price_before, row.before_at, row.price_after) == (D(2000), at(-3), D("1878"))
    assert (row.typical, row.deadline_at, row.account_ids) == (D("0.02"), at(120), [1, 2])


@pytest.mark.parametrize(
    ("said", "is_told"),
    [
        ({"resting": False, "age": timedelta(minutes=29)}, True),
        ({"resting": False, "age": timedelta(minutes=30)}, False),
        ({"resting": True, "age": timedelta()}, False),
    ],
)
def test_the_last_wide_quote_of_a_market_that_rests_is_not_told_again_and_again(
    *, said: dict[str, Any], is_told: bool
) -> None:
    """From Friday's last tick on it would be a message each two minutes, for two days."""
    seen = replace(wide("20"), **said)
    change = advance(warning(kind="spread"), seen, [1], at(120), POLICY)
    assert (change is not None and change.again) is is_told
