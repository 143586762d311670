"""Which of a broker's symbols is meant: `XAUUSD` is `XAUUSD.r` here and `GOLD` there.

Brokers add suffixes, prefixes and names of their own. A symbol is found by what it is, which its
base and profit currencies, its calculation mode and its folder tell, never by how its name begins:

1. A name without a known meaning (a share, say) is found under exactly that name, or not at all.
2. A name with a meaning finds only listings of that meaning, its own namesake included: at many
   brokers `GOLD` is the share of a mining company.
3. Options, futures, shares, baskets, custom and disabled symbols stand for nothing but themselves.
4. Of several, what can be traded both ways goes before what can be traded one way, that before
   what can only be closed; then the exact name; then what the terminal already watches.
5. Where several remain, nothing is guessed (law 14).
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from msgspec import Struct

from core.domain.symbol_names import (
    CODES,
    COIN_FOLDER,
    COINS,
    CURRENCIES,
    DERIVED,
    EXPIRY,
    FUTURE_WORDS,
    INDEX_FOLDER,
    INDICES,
    METAL_FOLDER,
    METALS,
    OTHER_FOLDER,
)

POUND = "GBP"
BRIDGES = ("USD", "EUR")
"""Currencies through which another is turned into pounds where no symbol does it directly."""


class TradeMode:
    """SYMBOL_TRADE_MODE codes (facts: mt5, 1.5)."""

    DISABLED = 0
    LONG_ONLY = 1
    SHORT_ONLY = 2
    CLOSE_ONLY = 3
    FULL = 4


class CalcMode:
    """SYMBOL_CALC_MODE codes of what is traded at the spot (MetaQuotes, `ENUM_SYMBOL_CALC_MODE`).

    All others are futures (1, 33, 34), shares, options and bonds (32 to 39) or collateral (64).
    """

    FOREX = 0
    CFD = 2
    CFD_INDEX = 3
    CFD_LEVERAGE = 4
    FOREX_NO_LEVERAGE = 5

    OF_FOREX = frozenset({FOREX, FOREX_NO_LEVERAGE})
    OF_PAIRS = OF_FOREX | {CFD, CFD_LEVERAGE}
    SPOT = OF_PAIRS | {CFD_INDEX}


PREFERENCE = {
    TradeMode.FULL: 0,
    TradeMode.LONG_ONLY: 1,
    TradeMode.SHORT_ONLY: 1,
    TradeMode.CLOSE_ONLY: 2,
}

PREFIX_MAX = 2

_DECORATED = re.compile(
    r"^[^A-Za-z0-9]*(?P<stem>[A-Za-z0-9]+?)(?P<tail>[a-z]{0,5}|[^A-Za-z0-9].*)$"
)
_WORD = re.compile(r"[A-Z]+|\d+")


class Listing(Struct, frozen=True, kw_only=True, gc=False):
    r"""One line of the broker's catalogue. `path` is its folder and name: `Forex\Majors\EURUSDm`.

    `selected`: the terminal watches it. `custom`: made in this terminal, unknown to the broker.
    """

    name: str
    path: str
    currency_base: str
    currency_profit: str
    currency_margin: str
    calc_mode: int
    trade_mode: int
    digits: int
    selected: bool = False
    custom: bool = False

    @property
    def folder(self) -> str:
        """The path without the name, "" at the root."""
        return self.path.rpartition("\\")[0]


class Pair(Struct, frozen=True):
    """A currency, a metal or a coin, priced in a currency."""

    base: str
    profit: str


class Index(Struct, frozen=True):
    """An index, by Reckoner's name for it."""

    name: str


Meaning = Pair | Index


class AmbiguousSymbol(LookupError):
    """Several of the broker's symbols are meant equally well by one name."""

    def __init__(self, asked: str, names: Sequence[str]) -> None:
        super().__init__(f"{asked} may be any of {', '.join(names)}")
        self.asked = asked
        self.names = tuple(names)


def resolve(asked: str, catalogue: Iterable[Listing]) -> str | None:
    """The broker's name of the symbol that is asked for; None where it has none.

    Raises AmbiguousSymbol where it has several and none is to be preferred.
    """
    best = _best(asked, catalogue)
    if len(best) > 1:
        raise AmbiguousSymbol(asked, best)
    return best[0] if best else None


def canonical(listing: Listing) -> str:
    """Reckoner's name of a broker's symbol: `XAUUSD.r` and `GOLD` are XAUUSD, `DJ30.c` is US30.

    The broker's own name where it is known as nothing else.
    """
    return _name_of(_listed(listing)) or listing.name


def crosses(currencies: Iterable[str], catalogue: Sequence[Listing]) -> tuple[str, ...]:
    """The broker's symbols that turn each of the currencies into pounds, sorted by name.

    A direct one, in either direction; else two, through dollars or else euros. Nothing for pounds,
    nor for a currency that no symbols turn into pounds. Of several that mean the same pair the
    first by name is taken: each is this broker's own quote of it.
    """
    found: set[str] = set()
    for currency in set(currencies) - {POUND}:
        direct = _between(currency, POUND, catalogue)
        if direct is not None:
            found.add(direct)
            continue
        for bridge in BRIDGES:
            first = _between(currency, bridge, catalogue)
            second = _between(bridge, POUND, catalogue)
            if first is not None and second is not None:
                found |= {first, second}
                break
    return tuple(sorted(found))


def known_as(asked: str) -> str:
    """Reckoner's name for what is asked for: XAUUSD for `GOLD`; the same where it knows none."""
    return _name_of(meaning(asked)) or asked


def _name_of(meant: Meaning | None) -> str | None:
    match meant:
        case Pair():
            return meant.base + meant.profit
        case Index():
            return meant.name
        case None:
            return None


@lru_cache(maxsize=1024)
def meaning(asked: str) -> Meaning | None:
    """What a name means, whoever's name it is: `XAUUSD`, `GOLD`, `EURUSDm`, `US30.cash`, `YM`."""
    known = _meaning(asked.upper().replace("/", ""))
    if known is not None:
        return known
    parts = _DECORATED.match(asked)
    if parts is None or not _harmless(parts["tail"].upper(), forex=True):
        return None
    return _meaning(parts["stem"].upper())


def _meaning(name: str) -> Meaning | None:
    for index, known in INDICES.items():
        if name in known.names or name in known.short:
            return Index(index)
    for code, metal in METALS.items():
        if name in {code, metal}:
            return Pair(code, "USD")
        if name.startswith(metal) and name[len(metal) :] in CURRENCIES:
            return Pair(code, name[len(metal) :])
    for cut in range(3, len(name) - 2):
        base, profit = name[:cut], name[cut:]
        if base != profit and base in CODES and profit in CODES:
            return Pair(base, profit)
    return None


def _best(asked: str, catalogue: Iterable[Listing]) -> list[str]:
    """The preferred names, sorted: none, one, or several of equal right."""
    meant = meaning(asked)
    ranked: dict[tuple[int, bool, bool], list[str]] = {}
    for each in catalogue:
        if each.custom or each.trade_mode not in PREFERENCE:
            continue
        fits = each.name == asked if meant is None else _listed(each) == meant
        if fits:
            rank = (PREFERENCE[each.trade_mode], each.name != asked, not each.selected)
            ranked.setdefault(rank, []).append(each.name)
    return sorted(ranked[min(ranked)]) if ranked else []


def _between(one: str, other: str, catalogue: Sequence[Listing]) -> str | None:
    for name in (one + other, other + one):
        if best := _best(name, catalogue):
            return best[0]
    return None


@lru_cache(maxsize=16384)
def _listed(listing: Listing) -> Meaning | None:
    """What a broker's listing is, by its currencies, mode and folder; None for nothing we know."""
    if listing.custom or listing.calc_mode not in CalcMode.SPOT:
        return None
    if OTHER_FOLDER.search(listing.folder):
        return None
    return _listed_pair(listing) or _listed_index(listing)


def _listed_pair(listing: Listing) -> Pair | None:
    base, profit = listing.currency_base, listing.currency_profit
    if listing.calc_mode not in CalcMode.OF_PAIRS or profit not in CODES:
        return None
    if base == profit or base not in CODES:
        return _named_pair(listing)
    forex = listing.calc_mode in CalcMode.OF_FOREX and base in CURRENCIES
    tails = [
        tail
        for head in (*_spelled(base, profit), METALS.get(base, base), base)
        if (tail := _tail(listing.name, head)) is not None
    ]
    if not tails:
        # A name that does not spell the pair: only the mode of currency trading vouches for it.
        return Pair(base, profit) if forex else None
    return Pair(base, profit) if _harmless(tails[0], forex=forex) else None


def _named_pair(listing: Listing) -> Pair | None:
    """A metal or coin whose broker states the profit currency as the base: name and folder tell."""
    profit = listing.currency_profit
    for code in (*METALS, *COINS):
        folder = METAL_FOLDER if code in METALS else COIN_FOLDER
        if code == profit or not folder.search(listing.folder):
            continue
        for head in (*_spelled(code, profit), METALS.get(code, "")):
            tail = _tail(listing.name, head) if head else None
            if tail is not None:
                return Pair(code, profit) if _harmless(tail, forex=False) else None
    return None


def _listed_index(listing: Listing) -> Index | None:
    base, profit = listing.currency_base, listing.currency_profit
    if base in CODES and base != profit:
        return None
    called_index = listing.calc_mode == CalcMode.CFD_INDEX or INDEX_FOLDER.search(listing.folder)
    for name, known in INDICES.items():
        if profit not in known.settled_in:
            continue
        for head in (*known.names, *(known.short if called_index else ())):
            tail = _tail(listing.name, head)
            if tail is not None and _harmless(tail.removeprefix(profit), forex=False):
                return Index(name)
    return None


def _spelled(base: str, profit: str) -> tuple[str, ...]:
    """How brokers spell a pair: XAUUSD, XAU/USD, XAU-USD, GOLDUSD."""
    first = dict.fromkeys((base, METALS.get(base, base)))
    return tuple(each + sign + profit for sign in ("", "/", "-", "_", ".") for each in first)


def _tail(name: str, head: str) -> str | None:
    """What follows `head` in a name, in capitals; None where the name does not begin with it.

    Up to PREFIX_MAX signs and small letters may stand before it: `#US30`, `mEURUSD`.
    """
    at = name.upper().find(head)
    before = name[:at]
    if at < 0 or len(before) > PREFIX_MAX or any(c.isupper() or c.isdigit() for c in before):
        return None
    return name[at + len(head) :].upper()


def _harmless(tail: str, *, forex: bool) -> bool:
    """Whether what follows a name is a mere suffix, which leaves its meaning as it is."""
    words = _WORD.findall(tail)
    if EXPIRY.search(tail) or any(word in DERIVED or word in CODES for word in words):
        return False
    return forex or not any(word.isdigit() or word in FUTURE_WORDS for word in words)
