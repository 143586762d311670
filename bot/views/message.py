"""What a view makes: words and buttons as values. Sending them is somebody else's work."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from bot.i18n import ENGLISH, chosen, t
from bot.markup import TEXT_UNITS_MAX, fit_rows, utf16_length
from core.domain.board import EquityPoint
from core.domain.exposure import SymbolExposure
from core.domain.people import Person

PAGES_MAX = 4
"""The most messages one answer may take."""
MORE_UNITS = 40
"""Room kept for the line that says how many rows are left out."""


class Audience(StrEnum):
    """Who reads: the client whose account it is, or the admins."""

    CLIENT = "client"
    ADMIN = "admin"


class Voice(Struct, frozen=True, kw_only=True):
    """How Reckoner speaks.

    `mark` stands before every message about money (such as `[DEMO]`), `time_zone` is the zone of
    the plain text times, which older Telegram apps show; `language` is one of
    `bot.i18n.languages`.
    """

    mark: str = ""
    time_zone: str = "UTC"
    language: str = ENGLISH

    def to(self, time_zone: str | None, language: str | None = None) -> "Voice":
        """The voice as one reader hears it: every time in their zone, in their language.

        A group's zone (None) is UTC; without a language it is the one the voice has.
        """
        spoken = self.language if language is None else chosen(language)
        return replace(self, time_zone=time_zone or "UTC", language=spoken)

    def to_person(self, person: Person) -> "Voice":
        """The voice as this person hears it in private."""
        return self.to(person.time_zone, person.language)


class Button(Struct, frozen=True):
    """One button. `style`: danger, success, primary or none; never the only cue.

    One with a `url` opens that, and carries no data.
    """

    label: str
    data: str
    style: str | None = None
    url: str | None = None


Keyboard = tuple[tuple[Button, ...], ...]


class ChartRequest(Struct, frozen=True, kw_only=True):
    """An equity chart to draw. Money in `currency`, percent of the peak, words in `language`."""

    account_id: int
    login: int
    currency: str
    currency_digits: int
    limit_percent: Decimal
    warn_percent: Decimal
    minimum_equity: Decimal | None
    headroom: Decimal | None
    mark: str
    language: str
    points: tuple[EquityPoint, ...]
    drawn_at: datetime

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it the same picture."""
        last = self.points[-1]
        same = (self.account_id, self.limit_percent, self.mark, self.language)
        return (*same, last.at, last.equity)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.points


class ReportChart(Struct, frozen=True, kw_only=True):
    """A report's chart to draw: equity from `start` to `end` above, bars of results below.

    `blind` are times without readings, `flows` money in and out with its instant, `bars` results by
    name (`bars_title` says of what), in `currency`. Times are shown in `time_zone`, words in
    `language`.
    """

    account_id: int
    title: str
    currency: str
    currency_digits: int
    time_zone: str
    mark: str
    language: str
    start: datetime
    end: datetime
    points: tuple[EquityPoint, ...]
    blind: tuple[tuple[datetime, datetime], ...]
    flows: tuple[tuple[datetime, Decimal], ...]
    bars: tuple[tuple[str, Decimal], ...]
    bars_title: str

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it the same picture."""
        last = self.points[-1]
        whole = (self.account_id, self.title, self.start, self.end, self.time_zone, self.mark)
        return (*whole, self.language, last.at, last.equity, self.bars, self.flows)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.points


class ExposureChart(Struct, frozen=True, kw_only=True):
    """What an account holds of each symbol, to draw: the largest first, money in `currency`.

    `read` says when its figures were read, in the reader's zone.
    """

    account_id: int
    login: int
    currency: str
    currency_digits: int
    mark: str
    language: str
    rows: tuple[SymbolExposure, ...]
    equity: Decimal | None
    read: str

    @property
    def key(self) -> tuple[object, ...]:
        """What makes it the same picture."""
        whole = (self.account_id, self.read, self.rows, self.equity, self.mark, self.language)
        return ("exposure", *whole)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.rows


class Document(Struct, frozen=True):
    """A file to be sent after a message, under a name, with a line of its own."""

    name: str
    content: bytes
    caption: str = ""


class Message(Struct, frozen=True, kw_only=True):
    """One message: Telegram HTML, buttons, whether it makes a sound, what goes with it."""

    html: str
    keyboard: Keyboard = ()
    silent: bool = False
    chart: ChartRequest | ReportChart | ExposureChart | None = None
    document: Document | None = None

    @property
    def headline(self) -> str:
        """The first line, which is what a push preview shows."""
        return self.html.split("\n", 1)[0]


def compose(
    head: Sequence[str],
    rows: Sequence[str] = (),
    tail: Sequence[str] = (),
    *,
    units_max: int = TEXT_UNITS_MAX,
) -> str:
    """Head, as many rows as fit, tail. What is left out is counted: "and 37 more"."""
    fixed = [*head, *tail]
    room = units_max - sum(utf16_length(line) + 1 for line in fixed) - MORE_UNITS
    fitted = fit_rows(rows, max(room, 0))
    more = [t("and {left} more", left=fitted.left_out)] if fitted.left_out else []
    return "\n".join([*head, *fitted.rows, *more, *tail])


def marked(voice: Voice, headline: str) -> str:
    """The headline of a message about money."""
    return f"{voice.mark} {headline}" if voice.mark else headline


def pages(
    title: str,
    rows: Sequence[str],
    tail: Sequence[str] = (),
    keyboard: Keyboard = (),
    *,
    pages_max: int = PAGES_MAX,
) -> tuple[Message, ...]:
    """Rows over as many messages as they need, `pages_max` at most, each under the title.

    A row is never cut. Buttons are under the last page.
    """
    texts: list[str] = []
    left = list(rows)
    while left and len(texts) < pages_max - 1:
        head = title if not texts else f"{title} ({len(texts) + 1})"
        room = TEXT_UNITS_MAX - utf16_length(head) - MORE_UNITS
        fixed_units = sum(utf16_length(line) + 1 for line in tail)
        fitted = fit_rows(left, room)
        if not fitted.left_out and sum(utf16_length(row) + 1 for row in left) + fixed_units <= room:
            break
        taken = max(1, min(len(fitted.rows), len(left) - 1))
        texts.append("\n".join([head, *left[:taken]]))
        left = left[taken:]
    head = title if not texts else f"{title} ({len(texts) + 1})"
    texts.append(compose([head], left, tail))
    last = len(texts) - 1
    return tuple(
        Message(html=text, keyboard=keyboard if at == last else ()) for at, text in enumerate(texts)
    )
