"""Figures as people read them: units, rounding, signs, thousands separators, times.

Rounding never flatters: a percentage below a limit never reads as the limit.
"""

from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date

from bot.i18n import spoken, t
from bot.markup import esc
from bot.views.message import Voice

NO_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND"}
)
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
PRICE_DECIMALS_MIN = 2
PRICE_DECIMALS_QUOTED_MAX = 6
"""A price with more decimals comes from storage, whose zeros at the end say nothing."""
NEAR_PERCENT = Decimal("0.1")
"""A percentage this near to a level is shown with two decimals."""
VOLUME_DECIMALS_MIN = 2
MINUTE_S = 60
HOUR_S = 3600
DAY_S = 86_400
HOUR_MINUTES = 60
DAY_HOURS = 24
SECONDS_TOLD_MIN = 10
"""A length from so many minutes on is told without its seconds."""


def currency_digits(currency: str) -> int:
    """Decimals of a currency: 0 for the yen and its like, 3 for the dinars, else 2."""
    if currency in NO_DECIMALS:
        return 0
    return 3 if currency in THREE_DECIMALS else 2


def money(amount: Decimal, currency: str, digits: int | None = None) -> str:
    """`1,234.50 GBP`, `-12.00 GBP`, `98,765 JPY`."""
    places = currency_digits(currency) if digits is None else digits
    rounded = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return f"{rounded + 0:,.{places}f} {esc(currency)}"


def gain(amount: Decimal, currency: str, digits: int | None = None) -> str:
    """A profit or loss, its sign always shown: `+12.40 GBP`, `-5.00 GBP`, `0.00 GBP`."""
    text = money(amount, currency, digits)
    nothing = not any(char in "123456789" for char in text.split(" ", 1)[0])
    return text if nothing or text.startswith("-") else f"+{text}"


def percent(value: Decimal, *levels: Decimal) -> str:
    """`20.4 %`: one decimal, half rounded up; near one of `levels` two, cut: `19.96 %`."""
    if any(0 < abs(value - level) < NEAR_PERCENT for level in levels):
        return f"{value.quantize(Decimal('0.01'), ROUND_DOWN) + 0:.2f} %"
    return f"{value.quantize(Decimal('0.1'), ROUND_HALF_UP) + 0:.1f} %"


def limit(value: Decimal) -> str:
    """A limit as it was set: `20 %`, `12.5 %`."""
    return f"{_trimmed(value, 0)} %"


def price(value: Decimal, digits: int | None = None) -> str:
    """A price with the digits it is quoted with: `1,950.00`, `1.08000`, `190.560`."""
    given = value.as_tuple().exponent
    quoted = -given if isinstance(given, int) and -given <= PRICE_DECIMALS_QUOTED_MAX else 0
    return _trimmed(value, max(PRICE_DECIMALS_MIN, quoted, digits or 0))


def price_or_none(value: Decimal | None, digits: int | None = None) -> str:
    """A level that may not be set."""
    return t("none") if value is None else price(value, digits)


def lots(volume: Decimal) -> str:
    """A volume in lots: `0.10`, `0.005`."""
    return _trimmed(volume, VOLUME_DECIMALS_MIN)


def pips(value: Decimal) -> str:
    """`3.0 pips`: one decimal."""
    return t("{pips} pips", pips=f"{value.quantize(Decimal('0.1'), ROUND_HALF_EVEN) + 0:,.1f}")


def slippage(value: Decimal) -> str:
    """Slippage in words, adverse positive: `2.3 pips worse`, `0.4 pips better`, `at the price`."""
    rounded = value.quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    if rounded == 0:
        return t("exactly as expected")
    told = pips(abs(rounded))
    if rounded > 0:
        return t("{pips} worse than expected", pips=told)
    return t("{pips} better than expected", pips=told)


def slippage_short(value: Decimal) -> str:
    """The same for a button: `2.3 pips worse`."""
    rounded = value.quantize(Decimal("0.1"), ROUND_HALF_EVEN)
    if rounded == 0:
        return t("exactly as expected")
    told = pips(abs(rounded))
    return t("{pips} worse", pips=told) if rounded > 0 else t("{pips} better", pips=told)


def local(at: datetime, voice: Voice) -> datetime:
    """The instant in the voice's zone."""
    return at.astimezone(ZoneInfo(voice.time_zone))


def clock(at: datetime, voice: Voice) -> str:
    """`14:05:10`, for headlines, where the zone stands in the line below."""
    return f"{local(at, voice):%H:%M:%S}"


def dated(day: date, pattern: str) -> str:
    """A date as the language being spoken writes it: `dated(day, "EEE d MMM y")`.

    `Wed 4 Mar 2026`. The letters of a pattern are those of Unicode's technical standard 35.
    """
    return format_date(day, pattern, locale=spoken())


def moment(at: datetime, voice: Voice, *, today: datetime | None = None) -> str:
    """An instant each reader sees in their own zone; the plain text names its zone.

    The date is added where `today` is another day.
    """
    there = local(at, voice)
    other_day = today is not None and local(today, voice).date() != there.date()
    zone = "UTC" if voice.time_zone == "UTC" else there.tzname() or voice.time_zone
    day = f"{dated(there, 'dd MMM')} " if other_day else ""
    text = f"{day}{there:%H:%M:%S} {zone}"
    shape = "dT" if other_day else "T"
    return f'<tg-time unix="{int(at.timestamp())}" format="{shape}">{esc(text)}</tg-time>'


def span(length: timedelta) -> str:
    """A length of time: `3 s`, `35 min`, `2 h 5 min`, `3 d 4 h`. Below zero counts as none."""
    seconds = max(0, int(length.total_seconds()))
    minutes, hours, days = seconds // MINUTE_S, seconds // HOUR_S, seconds // DAY_S
    if not minutes:
        return t("{n} s", n=seconds)
    if minutes < SECONDS_TOLD_MIN:
        return _two(t("{n} min", n=minutes), t("{n} s", n=seconds % MINUTE_S), seconds % MINUTE_S)
    if not hours:
        return t("{n} min", n=minutes)
    if not days:
        left = minutes % HOUR_MINUTES
        return _two(t("{n} h", n=hours), t("{n} min", n=left), left)
    left = hours % DAY_HOURS
    return _two(t("{n} d", n=days), t("{n} h", n=left), left)


def between(since: datetime, until: datetime) -> str:
    """The length between two instants, as their clock times have it.

    From 14:51:58 to 14:52:14 are 16 s, also where it was a little less.
    """
    return span(until.replace(microsecond=0) - since.replace(microsecond=0))


def age(at: datetime, now: datetime, voice: Voice) -> str:
    """`as of 14:32:05 UTC, 3 s ago`."""
    return t("as of {at}, {ago} ago", at=moment(at, voice, today=now), ago=span(now - at))


def _two(whole: str, rest: str, left: int) -> str:
    return f"{whole} {rest}" if left else whole


def _trimmed(value: Decimal, decimals_min: int) -> str:
    exponent = value.normalize().as_tuple().exponent
    decimals = max(decimals_min, -exponent if isinstance(exponent, int) else 0)
    return f"{value:,.{decimals}f}"
