"""Pairs that every best assignment has, against all assignments written out."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.assignment import COST_MAX, SIDE_MAX, Costs, forced


@pytest.mark.parametrize(
    ("costs", "pairs", "why"),
    [
        ({}, {}, "nothing to pair"),
        ({(1, 7): 3}, {1: 7}, "the only one"),
        ({(1, 7): 0, (1, 8): 1}, {1: 7}, "the better of two"),
        ({(1, 7): 0, (1, 8): 0}, {}, "two as good as each other"),
        ({(1, 7): 0, (2, 7): 0}, {}, "wanted by two"),
        ({(1, 7): 0, (1, 8): 0, (2, 7): 0}, {1: 8, 2: 7}, "the second can only have 7"),
        # Greedily 1 takes 7 for nothing, and 2 is left with 9; together 1 + 1 is less.
        ({(1, 7): 0, (1, 8): 1, (2, 7): 1, (2, 8): 9}, {1: 8, 2: 7}, "not greedily"),
        ({(1, 7): 0, (1, 8): 0, (2, 7): 0, (2, 8): 0, (3, 9): 5}, {3: 9}, "apart from a question"),
        ({(1, 7): 0, (2, 7): 5, (2, 8): COST_MAX}, {1: 7, 2: 8}, "a partner for each goes first"),
    ],
)
def test_a_pair_is_answered_only_where_every_best_way_has_it(
    costs: Costs, pairs: dict[int, int], why: str
) -> None:
    assert forced(costs) == pairs, why


@pytest.mark.parametrize(("count", "answered"), [(SIDE_MAX, SIDE_MAX), (SIDE_MAX + 1, 0)])
def test_more_than_the_bound_is_a_question(count: int, answered: int) -> None:
    assert len(forced({(n, n): 0 for n in range(count)})) == answered


def by_trying_all(costs: Costs) -> dict[int, int]:
    """The same by going through every way there is."""
    rows = sorted({r for r, _ in costs})
    columns: list[int | None] = [*sorted({c for _, c in costs})]
    ways: dict[tuple[int, int], list[dict[int, int]]] = {}
    for chosen in set(permutations([*columns, *[None] * len(rows)], len(rows))):
        way = {r: c for r, c in zip(rows, chosen, strict=True) if c is not None}
        if all(pair in costs for pair in way.items()):
            worth = (-len(way), sum(costs[pair] for pair in way.items()))
            ways.setdefault(worth, []).append(way)
    best = [set(way.items()) for way in ways[min(ways)]]
    return dict(set.intersection(*best))


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.integers(0, 3), st.integers(10, 13)),
        st.sampled_from((0, 0, 1, 2, COST_MAX)),
        min_size=1,
    )
)
def test_it_agrees_with_going_through_every_way(costs: Costs) -> None:
    assert forced(costs) == by_trying_all(costs)
