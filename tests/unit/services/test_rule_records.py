"""What the message of a breach has told already is not told again, whichever rule was broken."""

import pytest

from core.records import AccountStateRow
from core.services.record_obstacles import is_told
from tests.unit.domain.make import job


@pytest.mark.parametrize(
    ("scope", "reason", "told"),
    [
        ("account", "drawdown", True),
        ("account", "minimum_equity", True),
        ("account", "daily_loss", True),
        ("account", "latched", False),
        ("XAUUSD", "market_gap", False),
    ],
)
def test_a_breach_tells_of_the_obstacles_it_meets(scope: str, reason: str, told: bool) -> None:  # noqa: FBT001 - a column of the table
    state = AccountStateRow(id=1, obstacles=["autotrading_off"])
    held_up = job(scope, reason=reason, trouble="autotrading_off")
    assert is_told(state, held_up) is told
