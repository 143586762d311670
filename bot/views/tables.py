"""Tables a phone can show: fixed width, at most 36 columns; what is wider becomes cards."""

from collections.abc import Sequence

from bot.markup import esc

COLUMNS_MAX = 36
"""Characters of fixed width that a small phone shows without breaking a line."""
GAP = 1


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """The rows as one block of fixed width, the first `left` columns to the left, others right.

    Cells are plain text. Where the block would be too wide each row becomes a card: its first
    cells as a line, then each other one under its heading.
    """
    if not rows:
        return []
    every = [header, *rows]
    widths = [max(len(row[at]) for row in every) for at in range(len(header))]
    if sum(widths) + GAP * (len(widths) - 1) > COLUMNS_MAX:
        return [_card(header, row, left) for row in rows]
    lines = [
        (" " * GAP)
        .join(
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        .rstrip()
        for row in every
    ]
    return ["<pre>" + "\n".join(_kept(line) for line in lines) + "</pre>"]


def _kept(line: str) -> str:
    """Markup made harmless, spaces as they are: they are the columns."""
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _card(header: Sequence[str], row: Sequence[str], left: int) -> str:
    head = " ".join(cell for cell in row[:left] if cell)
    rest = ", ".join(
        f"{name}: {cell}" if name else cell
        for name, cell in zip(header[left:], row[left:], strict=True)
        if cell
    )
    return f"• {esc(head)}\n   {esc(rest, 200)}"
