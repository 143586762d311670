"""docs/divergences.md, written from the taxonomy in the code.

    python -m tests.unit.domain.divergences_page

prints the page; a test holds the file to it.
"""

from core.domain.divergences import DIVERGENCES, STORED_BEFORE, Divergence, Role

HEAD = """# Divergences

What Reckoner can name, and the rule that decides it.
The table is `core/domain/divergences.py`; `python -m tests.unit.domain.divergences_page` prints it.

*Reason* is the word in `reconciliation_logs.divergence_reason`.
*Code* is the word elsewhere: an episode's `kind`, a trade's `close_reason`, or a note.
Slippage is adverse positive, in pips and in points.
"""
TITLES = {
    Role.DIVERGENCE: (
        "## Differences",
        "They last: an episode opens, changes and is over.",
    ),
    Role.END: ("## Ends", "Why a position, or a part of it, is no longer there."),
    Role.NOTE: ("## Notes", "Written beside a fill or an end; no episode."),
}


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for role, (title, meaning) in TITLES.items():
        rows = [_line(row) for row in DIVERGENCES if row.role is role]
        parts.append(
            f"{title}\n\n{meaning}\n\n| reason | code | severity | rule |\n|---|---|---|---|\n"
            + "\n".join(rows)
            + "\n"
        )
    old = "\n".join(f"* `{word}`: `{now}`" for word, now in STORED_BEFORE.items())
    parts.append(
        f"## Older words\n\nRows written by earlier versions, and what they mean now.\n\n{old}\n"
    )
    return "\n".join(parts)


def _line(row: Divergence) -> str:
    return f"| `{row.reason}` | `{row.code.value}` | {row.severity.value} | {row.rule} |"


if __name__ == "__main__":
    print(page(), end="")
