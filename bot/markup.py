"""Telegram HTML, built so that nothing from outside can become markup, and cut so that it fits.

Lengths are UTF-16 units of the source text, tags and all: Telegram counts the text after parsing,
so what fits here fits there.
"""

import html
import re
import unicodedata
from collections.abc import Iterable

from msgspec import Struct

TEXT_UNITS_MAX = 4096
CAPTION_UNITS_MAX = 1024
ALERT_UNITS_MAX = 200
"""Telegram shows at most this much in the pop-up of a button press."""
OUTSIDE_CHARS_MAX = 64
"""The most of one name, comment or server text that is shown."""
ELLIPSIS = "…"
_TAG = re.compile(r"<[^>]*>")
_TOKEN = re.compile(r"<[^>]*>|&#?\w+;|.")
_DIRECTION_MARKS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def utf16_length(text: str) -> int:
    """Length as Telegram counts it: characters beyond U+FFFF count two."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def clean(text: str, chars_max: int = OUTSIDE_CHARS_MAX) -> str:
    """One line of visible characters: text from outside may not break lines or turn direction."""
    visible = "".join(
        " " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char
        for char in text
        if char not in _DIRECTION_MARKS and unicodedata.category(char) != "Cs"
    )
    line = " ".join(visible.split())
    return line if len(line) <= chars_max else line[: chars_max - 1].rstrip() + ELLIPSIS


def esc(text: str, chars_max: int = OUTSIDE_CHARS_MAX) -> str:
    """Text from outside, made harmless."""
    return html.escape(clean(text, chars_max), quote=False)


def bold(text: str) -> str:
    """Bold; `text` is markup already."""
    return f"<b>{text}</b>"


def code(text: str, chars_max: int = OUTSIDE_CHARS_MAX) -> str:
    """Outside text in a fixed-width face, which a tap copies."""
    return f"<code>{esc(text, chars_max)}</code>"


def plain(markup: str) -> str:
    """The words of a message without its tags, for pop-ups and chats that refuse markup."""
    return html.unescape(_TAG.sub("", markup))


def shortened(text: str, units_max: int) -> str:
    """Plain text cut to `units_max` UTF-16 units, an ellipsis where something is left out."""
    if utf16_length(text) <= units_max:
        return text
    kept: list[str] = []
    units = 1
    for char in text:
        units += 2 if char > "\uffff" else 1
        if units > units_max:
            break
        kept.append(char)
    return "".join(kept).rstrip() + ELLIPSIS


def pages(markup: str, units_max: int = TEXT_UNITS_MAX) -> list[str]:
    """The message in as many as it takes, each of at most `units_max` units after parsing.

    Cut between rows, and between characters where a row does not fit by itself. Tags open at a cut
    are closed before it and opened again after it.
    """
    made: list[str] = []
    rows: list[str] = []
    open_tags: list[str] = []
    for row in markup.split("\n"):
        for piece in _pieces(row, units_max):
            if rows and utf16_length(plain("\n".join([*rows, piece]))) > units_max:
                made.append("\n".join(rows) + _closing(open_tags))
                rows = ["".join(open_tags) + piece]
            else:
                rows.append(piece)
            open_tags = _open_after(open_tags, piece)
    made.append("\n".join(rows) + _closing(open_tags))
    return made


def _pieces(row: str, units_max: int) -> Iterable[str]:
    """The row, in pieces that fit; a tag belongs to the piece it stands in."""
    kept: list[str] = []
    units = 0
    for token in _TOKEN.findall(row):
        size = utf16_length(plain(token))
        if kept and units + size > units_max:
            yield "".join(kept)
            kept, units = [], 0
        kept.append(token)
        units += size
    yield "".join(kept)


def _open_after(open_tags: list[str], markup: str) -> list[str]:
    """The tags that stand open after this, outermost first."""
    tags = list(open_tags)
    for tag in _TAG.findall(markup):
        if not tag.startswith("</"):
            tags.append(tag)
        elif tags:
            tags.pop()
    return tags


def _closing(open_tags: list[str]) -> str:
    names = [re.split(r"[\s>]", tag[1:], maxsplit=1)[0] for tag in reversed(open_tags)]
    return "".join(f"</{name}>" for name in names)


class Fitted(Struct, frozen=True):
    """Rows that fit, and how many do not."""

    rows: tuple[str, ...]
    left_out: int


def fit_rows(rows: Iterable[str], units_max: int, *, separator: str = "\n") -> Fitted:
    """The first rows that fit in `units_max` together; a row is never cut."""
    kept: list[str] = []
    units = 0
    everything = list(rows)
    for row in everything:
        units += utf16_length(row) + (utf16_length(separator) if kept else 0)
        if units > units_max:
            break
        kept.append(row)
    return Fitted(tuple(kept), len(everything) - len(kept))
