"""Whose deal closed a position, where the answer was lost and the comment overwritten."""

import pytest
from msgspec.structs import replace

from core.domain.results import ticket_results
from tests.unit.domain.make import at, deal, sent


@pytest.mark.parametrize(
    ("retcode", "reason", "outcome"),
    [
        (None, 3, "closed"),  # no answer at all; an expert's deal (Python counts as one)
        (10012, 3, "closed"),  # the server's own timeout may have been executed
        (-10002, 3, "closed"),  # the line broke after execution
        (-10004, 3, "gone"),  # certainly not sent: another expert's
        (10027, 3, "gone"),
        (10012, 1, "gone"),  # a phone's
    ],
)
def test_an_experts_deal_is_ours_where_ours_may_have_been_executed(
    retcode: int | None, reason: int, outcome: str
) -> None:
    order = replace(sent("unknown", 0), retcode=retcode)
    exits = {900001: [deal(1, reason=reason, comment="overwritten", executed_at=at(1))]}
    (result,) = ticket_results([order], exits, at(-100))
    assert result.outcome == outcome
