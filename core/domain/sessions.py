"""When a closed market usually opens again: the terminal tells no sessions (facts: mt5, 8).

Only what is the same everywhere is said: the week of currencies runs from Sunday to Friday 17:00 in
New York, that of metals and index contracts from Sunday 18:00 to Friday 17:00 with an hour's rest
from 17:00 each day (CME Globex, gold and equity index futures). Of shares, coins and whatever else
nothing is said (law 14). It is when a close is tried again, never a reason not to try: a new price
is tried at once.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.domain.broker import SymbolSpec
from core.domain.symbol_names import CURRENCIES, METALS
from core.domain.symbols import Index, meaning

NEW_YORK = ZoneInfo("America/New_York")
DAY_ENDS = time(17)
METALS_OPEN = time(18)
EARLY = timedelta(minutes=15)
"""Many brokers end a symbol's day some minutes before the market does."""
BREAK_OF_CURRENCIES = timedelta(minutes=10)
"""Brokers rest currencies for some minutes around the end of the day."""
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6


def usual_open(symbol: str, spec: SymbolSpec | None, refused_at: datetime) -> datetime | None:
    """When a market that is closed at an instant usually opens; None where nobody can say.

    Within a session (a holiday, a halt) nobody can.
    """
    opens = _opens(symbol, spec)
    if opens is None:
        return None
    there = refused_at.astimezone(NEW_YORK)
    friday_ends = there.weekday() == FRIDAY and _from(there, DAY_ENDS, -EARLY)
    if friday_ends or there.weekday() == SATURDAY:
        return _at(there + timedelta(days=SUNDAY - there.weekday()), opens)
    if there.weekday() == SUNDAY:
        return _at(there, opens) if there.time() < opens else None
    rest = BREAK_OF_CURRENCIES if opens == DAY_ENDS else timedelta(hours=1)
    ends = datetime.combine(there.date(), DAY_ENDS, NEW_YORK) + rest
    return ends.astimezone(UTC) if _from(there, DAY_ENDS, -EARLY) and there < ends else None


def _opens(symbol: str, spec: SymbolSpec | None) -> time | None:
    base = "" if spec is None else spec.currency_base
    profit = "" if spec is None else spec.currency_profit
    name = symbol if spec is None else spec.canonical
    if base in METALS or isinstance(meaning(name), Index):
        return METALS_OPEN
    return DAY_ENDS if {base, profit} <= CURRENCIES and base != profit else None


def _from(there: datetime, clock: time, shift: timedelta) -> bool:
    return there >= datetime.combine(there.date(), clock, NEW_YORK) + shift


def _at(there: datetime, clock: time) -> datetime:
    return datetime.combine(there.date(), clock, NEW_YORK).astimezone(UTC)
