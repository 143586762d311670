"""The symbols a broker has, as one account sees them, with what was already looked up in them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any, ClassVar, Final
from weakref import WeakValueDictionary

from core.adapters.terminal import translate
from core.domain.symbols import AmbiguousSymbol, Listing, crosses, resolve

AGE_MAX: Final = timedelta(hours=1)
"""A catalogue older than this is read again: brokers add and rename."""
AGE_MAX_MISSING: Final = timedelta(minutes=1)
"""The same while a symbol that is asked for is not in it."""
FOUND_MAX: Final = 4096
"""Names asked for, and sets of currencies, whose answers are kept: the last ones."""
CLOCK_SYMBOLS: Final = ("EURUSD", "BTCUSD")
"""Read beside what is asked for, so that a price moves whenever any market is open."""
TICK_MS_MAX: Final = 4_102_444_800_000
"""The year 2100: a later time is no price's."""


class Catalogue:
    """A broker's symbols. Equal ones are kept once: accounts of one server mostly see the same.

    What was looked up is kept too, and a catalogue may live as long as the process.
    """

    _kept: ClassVar[WeakValueDictionary[tuple[Listing, ...], "Catalogue"]] = WeakValueDictionary()

    def __init__(self, listings: tuple[Listing, ...]) -> None:
        self.listings = listings
        self._names = lru_cache(FOUND_MAX)(partial(_names, listings))
        self._crosses = lru_cache(FOUND_MAX)(partial(_crosses, listings))

    @classmethod
    def of(cls, raw: object) -> "Catalogue":
        """What an agent answered. Raises ValueError, TypeError or KeyError where it is none."""
        if not isinstance(raw, list):
            raise TypeError(f"expected a list of symbols, not {raw!r:.40}")
        if not raw:
            # Every broker has symbols: an empty list is a terminal that has not read them yet.
            raise ValueError("the terminal knows no symbols yet")
        listings = tuple(translate.listing(line) for line in raw)
        return cls._kept.setdefault(listings, cls(listings))

    def resolve(self, asked: str) -> str | None:
        """The broker's name; None where it has none, or several of equal right."""
        names = self._names(asked)
        return names[0] if len(names) == 1 else None

    def several(self, asked: str) -> tuple[str, ...]:
        """The names that may be meant, where they are several of equal right; else none."""
        names = self._names(asked)
        return names if len(names) > 1 else ()

    def lacks(self, asked: str) -> bool:
        """Whether the broker has no such symbol."""
        return not self._names(asked)

    def for_clock(self) -> set[str]:
        """The symbols whose prices tell the broker's clock."""
        return {name for each in CLOCK_SYMBOLS if (name := self.resolve(each))}

    def crosses(self, currencies: Iterable[str]) -> tuple[str, ...]:
        """The symbols that turn these currencies into pounds."""
        return self._crosses(frozenset(currencies))


def _names(listings: tuple[Listing, ...], asked: str) -> tuple[str, ...]:
    try:
        name = resolve(asked, listings)
    except AmbiguousSymbol as error:
        return error.names
    return () if name is None else (name,)


def _crosses(listings: tuple[Listing, ...], currencies: frozenset[str]) -> tuple[str, ...]:
    return crosses(currencies, listings)


def names_held(body: Mapping[str, Any]) -> set[str]:
    """The symbols of a reading's positions and orders, so far as it is well formed."""
    rows = [row for part in ("positions", "orders") for row in _rows(body.get(part))]
    return {row["symbol"] for row in rows if isinstance(row.get("symbol"), str)}


def currencies_of(body: Mapping[str, Any], names: Iterable[str]) -> set[str]:
    """The account's currency and the profit currencies of symbols, as a reading states them."""
    account, symbols = body.get("account"), body.get("symbols")
    found = [account.get("currency")] if isinstance(account, Mapping) else []
    if isinstance(symbols, Mapping):
        specs = _rows([symbols.get(name) for name in names])
        found.extend(spec.get("currency_profit") for spec in specs)
    return {each for each in found if isinstance(each, str)}


def newest_tick_ms(body: Mapping[str, Any]) -> int | None:
    """The newest price's server time in a reading, None where it has none.

    A terminal without its broker shows prices from its cache: they tell nothing.
    """
    terminal = body.get("terminal")
    if not isinstance(terminal, Mapping) or terminal.get("connected") is not True:
        return None
    ticks = body.get("ticks")
    times = [tick.get("time_msc") for tick in _rows(_values(ticks))]
    known = [each for each in times if type(each) is int and 0 < each < TICK_MS_MAX]
    return max(known, default=None)


def _values(raw: object) -> Sequence[object]:
    return list(raw.values()) if isinstance(raw, Mapping) else []


def _rows(raw: object) -> list[Mapping[str, Any]]:
    return [row for row in raw if isinstance(row, Mapping)] if isinstance(raw, list) else []
