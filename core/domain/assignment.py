"""Which pairs are the same in every best assignment: small, exact, and never a guess.

Rows and columns are paired so that as many as possible have a partner, and among those ways at the
least cost. A pair that some equally good way does without is no answer but a question.
"""

from collections.abc import Mapping, Sequence

SIDE_MAX = 16
"""Rows, or columns, that are solved together; with more of them every pair is a question."""
_ALONE = 1 << 20
"""What it costs to leave one without a partner: more than any assignment of allowed costs."""
COST_MAX = _ALONE // (4 * SIDE_MAX)
_NEVER = 4 * _ALONE * SIDE_MAX
"""What a pair costs that is not possible: more than leaving everybody alone."""
_FAR = _NEVER * SIDE_MAX

Costs = Mapping[tuple[int, int], int]


def forced(costs: Costs) -> dict[int, int]:
    """Answer the pairs, row to column, that every best assignment has.

    `costs` are those of the pairs that are possible, 0 to `COST_MAX`; all others are not.
    """
    rows = sorted({row for row, _ in costs})
    columns = sorted({column for _, column in costs})
    if not rows or len(rows) > SIDE_MAX or len(columns) > SIDE_MAX:
        return {}
    best, total = _solve(costs, rows, columns)
    return {
        row: column
        for row, column in best.items()
        if _solve(_without(costs, row, column), rows, columns)[1] > total
    }


def _without(costs: Costs, row: int, column: int) -> Costs:
    return {pair: cost for pair, cost in costs.items() if pair != (row, column)}


def _solve(costs: Costs, rows: Sequence[int], columns: Sequence[int]) -> tuple[dict[int, int], int]:
    """One best assignment and its cost, whoever is left alone included.

    The Hungarian method with potentials, O(n^3): each row in turn is brought in along the cheapest
    alternating path. Each row has a column of its own for staying alone.
    """
    matrix = [
        [costs.get((row, column), _NEVER) for column in columns]
        + [_ALONE if other == row else _NEVER for other in rows]
        for row in rows
    ]
    row_of = [0] * (len(matrix[0]) + 1)  # 1-based, 0 is none
    u, v = [0] * (len(rows) + 1), [0] * len(row_of)
    for row in range(1, len(rows) + 1):
        _bring_in(row, matrix, row_of, u, v)
    pairs = {rows[row_of[j] - 1]: column for j, column in enumerate(columns, 1) if row_of[j]}
    return pairs, sum(costs[pair] for pair in pairs.items()) + _ALONE * (len(rows) - len(pairs))


def _bring_in(
    row: int, matrix: Sequence[Sequence[int]], row_of: list[int], u: list[int], v: list[int]
) -> None:
    """Give a further row a column, moving others along the cheapest path that frees one."""
    row_of[0], at = row, 0
    size = len(row_of)
    least, came, open_columns = [_FAR] * size, [0] * size, set(range(1, size))
    done = [0]
    while row_of[at]:
        from_row = row_of[at]
        for j in open_columns:
            reduced = matrix[from_row - 1][j - 1] - u[from_row] - v[j]
            if reduced < least[j]:
                least[j], came[j] = reduced, at
        nearest = min(open_columns, key=least.__getitem__)
        delta = least[nearest]
        for j in done:
            u[row_of[j]] += delta
            v[j] -= delta
        for j in open_columns:
            least[j] -= delta
        open_columns.remove(nearest)
        done.append(nearest)
        at = nearest
    while at:
        row_of[at], at = row_of[came[at]], came[at]
