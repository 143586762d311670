"""A terminal that fails rests longer each time, never too long, and never in step with others."""

from datetime import UTC, datetime, timedelta

import pytest

from core.adapters.mt5 import circuit
from core.ports import TerminalHealth, TerminalState

NOW = datetime(2026, 11, 23, 9, 0, 0, tzinfo=UTC)
UP = TerminalHealth(state=TerminalState.UP, since=NOW)


def rest(health: TerminalHealth, now: datetime = NOW, fraction: float = 0.5) -> TerminalHealth:
    return circuit.resting(health, now, "it died", fraction=fraction)


@pytest.mark.parametrize(
    ("failures", "bound_s"),
    [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (100_000, 60)],
)
def test_the_longest_rest_doubles_up_to_a_minute(failures: int, bound_s: float) -> None:
    assert circuit.rest_s_bound(failures) == bound_s


def test_a_rest_is_a_random_part_of_the_longest() -> None:
    third = TerminalHealth(state=TerminalState.STARTING, since=NOW, failures=2)

    for fraction, rest_s in ((0.0, 0), (0.25, 1), (0.5, 2)):
        assert rest(third, fraction=fraction).next_try_at == NOW + timedelta(seconds=rest_s)


def test_failures_count_until_the_terminal_has_lasted() -> None:
    health = rest(rest(rest(UP)))
    assert health.failures == 3

    brief = circuit.up(circuit.starting(health, NOW, ""), NOW)
    assert rest(brief, NOW + timedelta(seconds=59.999)).failures == 4

    lasting = circuit.up(circuit.starting(health, NOW, ""), NOW)
    assert rest(lasting, NOW + timedelta(seconds=60)).failures == 1


def test_while_it_starts_there_is_no_next_try() -> None:
    unlinked = TerminalHealth(state=TerminalState.UNLINKED, since=NOW, next_try_at=NOW)

    assert circuit.starting(unlinked, NOW, "").next_try_at is None


def test_it_is_due_at_the_next_try_and_not_before() -> None:
    health = rest(UP)
    assert health.next_try_at is not None

    assert not circuit.is_due(health, health.next_try_at - timedelta(microseconds=1))
    assert circuit.is_due(health, health.next_try_at)
    assert not circuit.is_due(UP, NOW + timedelta(days=1))


def test_a_long_reason_is_cut() -> None:
    for length, kept in ((300, 300), (301, 300)):
        assert len(circuit.resting(UP, NOW, "x" * length, fraction=0).reason) == kept
