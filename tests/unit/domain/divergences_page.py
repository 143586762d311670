"""docs/divergences.md, written from the taxonomy in the code.

    python -m tests.unit.domain.divergences_page

prints the page; a test holds the file to it.
"""

from datetime import timedelta

from core.domain.conditions import ESCALATE_AFTER
from core.domain.conditions import KINDS as CONDITIONS
from core.domain.divergences import DIVERGENCES, STORED_BEFORE, Divergence, Role, Severity
from core.domain.episodes import AT_RISK, TOLD_AGAIN_AT
from core.domain.findings import Kind

HEAD = """# Divergences

What Reckoner can name, and the rule that decides it.
The table is `core/domain/divergences.py`; `python -m tests.unit.domain.divergences_page` prints it.

*Reason* is the word in `reconciliation_logs.divergence_reason`.
*Code* is the word elsewhere: an episode's `kind`, a trade's `close_reason`, or a note.
Slippage is adverse positive, in pips and in points.
"""
ALONE = frozenset({Kind.WRONG_ACCOUNT, Kind.BALANCE_OPERATION})
"""Told by messages of their own, and no episode of `core.domain.episodes`."""
TITLES = {
    Role.DIVERGENCE: (
        "## Differences",
        (
            "They last: an episode opens, changes and is over.\n*Again*: ages at which one that "
            "has not changed is told again; after the last of them it is not."
        ),
    ),
    Role.END: ("## Ends", "Why a position, or a part of it, is no longer there."),
    Role.NOTE: ("## Notes", "Written beside a fill or an end; no episode."),
}


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for role, (title, meaning) in TITLES.items():
        rows = [_line(row) for row in DIVERGENCES if row.role is role]
        again, line = ("again | ", "---|") if role is Role.DIVERGENCE else ("", "")
        parts.append(
            f"{title}\n\n{meaning}\n\n"
            f"| reason | code | severity | {again}rule |\n|---|---|---|{line}---|\n"
            + "\n".join(rows)
            + "\n"
        )
    old = "\n".join(f"* `{word}`: `{now}`" for word, now in STORED_BEFORE.items())
    parts.append(
        f"## Older words\n\nRows written by earlier versions, and what they mean now.\n\n{old}\n"
    )
    return "\n".join(parts)


def _line(row: Divergence) -> str:
    again = f"{_again(row)} | " if row.role is Role.DIVERGENCE else ""
    return f"| `{row.reason}` | `{row.code.value}` | {row.severity.value} | {again}{row.rule} |"


def _again(row: Divergence) -> str:
    """The ages at which it is told again while it lasts."""
    if row.code in CONDITIONS:
        return _age(ESCALATE_AFTER) if row.code == Kind.PNL_MISMATCH else ""
    if row.code in ALONE or (row.severity is not Severity.CRITICAL and row.code not in AT_RISK):
        return ""
    return ", ".join(map(_age, TOLD_AGAIN_AT[row.severity]))


def _age(age: timedelta) -> str:
    minutes = age // timedelta(minutes=1)
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


if __name__ == "__main__":
    print(page(), end="")
