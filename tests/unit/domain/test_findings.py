"""What gives way to another difference of the same position, and what is simply over."""

import pytest

from core.domain.findings import Kind, differs_otherwise
from tests.unit.domain.test_episodes import finding

ALIKE = [
    (Kind.PARTIAL_FILL, Kind.VOLUME_REDUCED),
    (Kind.OVER_VOLUME, Kind.PARTIAL_FILL),
    (Kind.SCALED_IN, Kind.OVER_VOLUME),
    (Kind.SL_REMOVED, Kind.SL_MOVED),
    (Kind.SL_MISSING, Kind.SL_MOVED),
    (Kind.TP_MOVED, Kind.TP_REMOVED),
    (Kind.TP_MISSING, Kind.TP_MOVED),
    (Kind.UNKNOWN_POSITION, Kind.DUPLICATE_EXECUTION),
    (Kind.SYMBOL_MISMATCH, Kind.UNKNOWN_POSITION),
    (Kind.DIRECTION_MISMATCH, Kind.NETTING_REVERSED),
]
APART = [
    (Kind.SL_REMOVED, Kind.TP_MOVED),
    (Kind.PARTIAL_FILL, Kind.SL_MISSING),
    (Kind.LATE_EXECUTION, Kind.OVER_VOLUME),
    (Kind.DIRECTION_MISMATCH, Kind.VOLUME_REDUCED),
]


@pytest.mark.parametrize(("was", "now"), [*ALIKE, *((b, a) for a, b in ALIKE)])
def test_what_is_of_the_same_kind_takes_its_place(was: Kind, now: Kind) -> None:
    assert differs_otherwise(was, "900001", [finding(now)])
    assert not differs_otherwise(was, "900002", [finding(now)]), "of another position"
    assert not differs_otherwise(was, "900001", [finding(was)]), "it is the same still"


@pytest.mark.parametrize(("was", "now"), APART)
def test_what_is_of_another_kind_does_not(was: Kind, now: Kind) -> None:
    assert not differs_otherwise(was, "900001", [finding(now)])


@pytest.mark.parametrize("was", [Kind.LATE_EXECUTION, Kind.PARTIAL_FILL, Kind.SL_MOVED])
@pytest.mark.parametrize("turned", [Kind.DIRECTION_MISMATCH, Kind.NETTING_REVERSED])
def test_nothing_of_a_turned_position_is_as_expected(was: Kind, turned: Kind) -> None:
    assert differs_otherwise(was, "900001", [finding(turned)])
