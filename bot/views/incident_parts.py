"""What an incident's page is put together from: styles, tables, instants, figures. All escaped.

On a wide screen and on paper tables are tables; on a phone each row is a card, its cells under one
another with their headings before them.
"""

import html
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Struct

from bot.i18n import t
from bot.views.message import Voice
from bot.views.numbers import local, money, percent

VIEWPORT = '<meta name=viewport content="width=device-width,initial-scale=1">'
STYLE = (
    "body{font:16px/1.45 sans-serif;max-width:70em;margin:1em auto;padding:0 1em;color:#111;"
    "background:#fff;overflow-wrap:anywhere}"
    "h1{font-size:1.35em}h2{font-size:1.1em;margin:1.6em 0 .4em}"
    "table{border-collapse:collapse;margin:.5em 0}"
    "td,th{border:1px solid #bbb;padding:.25em .6em;text-align:left;vertical-align:top}"
    "code{font-size:12px;overflow-wrap:anywhere}.bad{color:#b00020;font-weight:bold}"
    ".sum{background:#f1f3f6;border-radius:.5em;padding:.6em 1em;list-style:none}"
    ".sum li:first-child{font-weight:bold}"
    "@media screen and (max-width:48em){.wide,.wide tbody,.wide tr,.wide td{display:block}"
    ".wide .head{display:none}"
    ".wide{width:100%}.wide tr{border:1px solid #bbb;border-radius:.4em;margin:.5em 0;"
    "padding:.2em .6em}.wide td{border:0;padding:.1em 0}.wide td:empty{display:none}"
    "td[data-l]:not([data-l=''])::before{content:attr(data-l) ': ';color:#555}"
    ".wide td:first-child{font-weight:bold}}"
)
WIDE = " class=wide"
"""Tables that become cards; names and what they are fit a phone as they are."""
SHOWN_DIGITS = 4
"""Decimals of a figure that is no money and no percentage, at most."""


class Times(Struct, frozen=True, kw_only=True):
    """Instants as the page writes them: in one zone, which stands at the top.

    `offset` is what that zone was from UTC when the incident began; an instant under another one,
    after the clocks changed, says which.
    """

    voice: Voice
    offset: timedelta

    @property
    def zone(self) -> str:
        """`UTC`, or `Europe/Prague (UTC+01:00)`."""
        name = self.voice.time_zone
        return name if name == "UTC" else f"{name} ({_offset(self.offset)})"

    def when(self, at: datetime | None, *, fine: bool = False) -> str:
        """`2026-11-28 14:41:41`; with milliseconds where it is `fine`. Nothing for no instant."""
        if at is None:
            return ""
        there = local(at, self.voice)
        offset = there.utcoffset() or timedelta()
        parts = f".{at.microsecond // 1000:03d}" if fine else ""
        other = "" if offset == self.offset else f" ({_offset(offset)})"
        return f"{there:%Y-%m-%d %H:%M:%S}{parts}{other}"

    def later(self, at: datetime, began: datetime) -> str:
        """The same, without the date where it is that of another instant named before."""
        told = self.when(at)
        same = local(at, self.voice).date() == local(began, self.voice).date()
        return told.split(" ", 1)[1] if same else told

    def kept(self, text: object) -> str:
        """An instant of a link, as JSON keeps it."""
        try:
            at = datetime.fromisoformat(str(text))
        except ValueError:
            return str(text)
        return self.when(at if at.tzinfo else at.replace(tzinfo=UTC))


def times(voice: Voice, began: datetime) -> Times:
    """How instants are written for this reader."""
    return Times(voice=voice, offset=local(began, voice).utcoffset() or timedelta())


def figure(name: str, value: Any, currency: str, written: Times) -> str:  # noqa: ANN401, PLR0911 - a figure of a link, as JSON has it
    """A figure by its name: money, a percentage, an instant, yes or no, or a number."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return t("yes") if value else t("no")
    if name.endswith("_at"):
        return written.kept(value)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    if not number.is_finite():
        return str(value)
    if name.endswith("_percent"):
        return percent(number)
    if name.endswith("_gbp"):
        return html.unescape(money(number, "GBP"))
    if name in MONEY:
        return html.unescape(money(number, currency))
    if name.endswith("_s"):
        return t("{n} s", n=f"{number.normalize():f}")
    return plain(number)


MONEY = frozenset(
    {"equity", "balance", "credit", "profit", "margin", "peak", "minimum_equity"},
)


def plain(number: Decimal) -> str:
    """`5.58`, `5`: a number without needless zeros, rounded."""
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > SHOWN_DIGITS:
        number = round(number, SHOWN_DIGITS)
    return f"{number.normalize() + 0:f}"


def heading(text: str) -> str:
    """A part's title."""
    return f"<h2>{e(text)}</h2>"


def paragraph(text: str) -> str:
    """A line of text."""
    return f"<p>{e(text)}</p>"


def bad(text: str) -> str:
    """A line that must be seen."""
    return f"<p class=bad>{e(text)}</p>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; each cell knows its heading, for screens on which rows are cards."""
    body = "".join(
        "<tr>" + "".join(cell(text, header[at] if header else "") for at, text in enumerate(row))
        for row in rows
    )
    return f"<table{WIDE if header else ''}>{head(header)}{body}</table>"


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Names and what they are."""
    return table((), rows)


def head(header: Sequence[str]) -> str:
    """The row of headings, nothing where there are none."""
    if not header:
        return ""
    return "<tr class=head>" + "".join(f"<th>{e(name)}" for name in header)


def cell(text: str, name: str = "") -> str:
    """One cell of text."""
    return f"<td{label(name)}>{e(text)}</td>"


def label(name: str) -> str:
    """A cell's heading, as an attribute."""
    return f' data-l="{e(name)}"' if name else ""


def e(text: str) -> str:
    """Text without any markup of its own."""
    return html.escape(text)


def _offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
