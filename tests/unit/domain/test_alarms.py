"""Which alerts somebody has to have, what ends them, and how often they are repeated."""

import pytest
from msgspec.structs import replace

from core.domain import alarms
from core.domain import alerts as a
from core.domain import alerts_closing as c
from core.domain import alerts_rules as r
from core.domain import alerts_terminal as t
from core.domain.speech import deliver
from tests.fakes.alerts import every_alert
from tests.fakes.alerts_rules import rules
from tests.fakes.alerts_terminal import terminals


def test_the_list_is_short_and_only_where_money_is_at_stake() -> None:
    raised = {
        type(x).__name__ for x in [*every_alert(), *rules(), *terminals()] if alarms.raises(x)
    }
    assert raised == {
        "GuardBreached",
        "CloseStalled",
        "GuardBlind",
        "LatchedReappeared",
        "AccountUnavailable",
        "TerminalBlocked",
    }


@pytest.mark.parametrize(("positions", "raised"), [(None, False), (0, False), (1, True)])
@pytest.mark.parametrize("kind", [t.AccountUnavailable, t.TerminalBlocked])
def test_what_cannot_be_read_is_an_alarm_while_something_is_open(
    kind: type[t.AccountUnavailable],
    positions: int | None,
    raised: bool,  # noqa: FBT001 - a column of the table
) -> None:
    alert = next(x for x in terminals() if isinstance(x, kind))
    assert alarms.raises(replace(alert, positions_count=positions)) is raised


def test_only_a_release_ends_every_alarm_of_an_account() -> None:
    answered = [x for x in every_alert() if isinstance(x, a.ReleaseAnswered)]
    assert {x.state for x in answered if alarms.ends_account(x)} == {"released"}


def test_nothing_raises_and_ends_an_alarm_at_once() -> None:
    for alert in every_alert():
        ends = alarms.ends_thread(alert) or alarms.ends_account(alert)
        assert not (ends and alarms.raises(alert))


def test_what_ends_an_alarm_is_of_its_thread() -> None:
    """A close's end is told in the thread of the breach, and sight in that of blindness."""
    threads = {type(x): deliver(x).thread.partition(":")[0] for x in [*every_alert(), *rules()]}
    assert threads[a.GuardBreached] == threads[c.CloseStalled] == threads[a.CloseConfirmed]
    assert threads[r.GuardBlind] == threads[r.GuardSees]
    assert threads[t.AccountUnavailable] == threads[t.AccountRecovered]
    assert threads[t.TerminalBlocked] == threads[t.TerminalCleared]


@pytest.mark.parametrize(
    ("admins", "most"), [(0, 2), (1, 2), (2, 4), (3, 6), (10, 20), (11, 20), (500, 20)]
)
def test_each_admin_is_told_twice_and_nobody_for_ever(admins: int, most: int) -> None:
    assert alarms.repeats_max(admins) == most


def test_the_admins_take_turns() -> None:
    assert [alarms.next_admin(done, 3) for done in range(6)] == [0, 1, 2, 0, 1, 2]
    assert alarms.next_admin(0, 0) is None
