"""A signal as an admin writes it, and the rules it must meet before anyone is asked.

The text form is `/signal XAUUSD buy 0.10 sl 1950 tp 1990`; `sl` and `tp` may be left out and come
in either order.
"""

from decimal import Decimal, InvalidOperation

from msgspec import Struct

from core.domain.broker import Side, SymbolSpec

SYMBOL_LENGTH_MAX = 29
"""MetaTrader's wheel refuses a symbol of 30 UTF-16 units (facts: mt5, row 5)."""
WORDS_MAX = 7
DIGITS_MAX = 12
DECIMALS_MAX = 8
USAGE = "SYMBOL buy|sell VOLUME [sl PRICE] [tp PRICE], for example XAUUSD buy 0.10 sl 1950 tp 1990"


class BadSignal(ValueError):
    """The text is not a signal; the message says which word, and what was expected."""


class SignalDraft(Struct, frozen=True, kw_only=True):
    """A signal before it is posted. Volume in lots, prices in quote currency."""

    symbol: str
    side: Side
    volume: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None


def parse_signal(text: str) -> SignalDraft:
    """Read the words after `/signal`. Raises BadSignal naming the word at fault."""
    words = text.split()
    if len(words) < 3:  # noqa: PLR2004 - symbol, side and volume are the least there is
        raise BadSignal(f"expected {USAGE}")
    if len(words) > WORDS_MAX:
        raise BadSignal(f"'{words[WORDS_MAX][:20]}' is one word too many: expected {USAGE}")
    symbol, side_word, volume_word, *rest = words
    levels = _levels(rest)
    return SignalDraft(
        symbol=_symbol(symbol),
        side=_side(side_word),
        volume=_positive(volume_word, "volume"),
        stop_loss=levels.get("sl"),
        take_profit=levels.get("tp"),
    )


def check_levels(draft: SignalDraft, price: Decimal) -> str | None:
    """Which level stands on the wrong side of the market: `sl`, `tp`, or None where all is well."""
    sign = draft.side.sign
    if draft.stop_loss is not None and (price - draft.stop_loss) * sign <= 0:
        return "sl"
    if draft.take_profit is not None and (draft.take_profit - price) * sign <= 0:
        return "tp"
    return None


def volume_fits(volume: Decimal, spec: SymbolSpec) -> bool:
    """Whether the symbol takes orders of this many lots."""
    steps = volume / spec.volume_step if spec.volume_step > 0 else volume
    return spec.volume_min <= volume <= spec.volume_max and steps == int(steps)


def _symbol(word: str) -> str:
    if len(word) > SYMBOL_LENGTH_MAX or not all(
        c.isascii() and (c.isalnum() or c in "._#-") for c in word
    ):
        raise BadSignal(f"symbol '{word[:30]}': expected the broker's name, such as XAUUSD")
    return word


def _side(word: str) -> Side:
    try:
        return Side(word.lower())
    except ValueError:
        raise BadSignal(f"side '{word[:20]}': expected buy or sell") from None


def _positive(word: str, what: str) -> Decimal:
    if "," in word:  # 1,950 is 1.95 to some and 1950 to others: nothing is guessed about money
        raise BadSignal(f"{what} '{word[:20]}': write it with a point, such as 0.10, and no commas")
    try:
        number = Decimal(word)
    except InvalidOperation:
        raise BadSignal(f"{what} '{word[:20]}': expected a number") from None
    if not number.is_finite() or number <= 0:
        raise BadSignal(f"{what} '{word[:20]}': expected a number above zero")
    exponent = number.as_tuple().exponent
    if number.adjusted() >= DIGITS_MAX or (isinstance(exponent, int) and exponent < -DECIMALS_MAX):
        raise BadSignal(f"{what} '{word[:20]}': expected at most 8 decimals and 12 digits before")
    return number


def _levels(words: list[str]) -> dict[str, Decimal]:
    levels: dict[str, Decimal] = {}
    names = {"sl": "stop loss", "tp": "take profit"}
    for name, value in zip(words[::2], [*words[1::2], ""], strict=False):
        key = name.lower()
        if key not in names:
            raise BadSignal(f"'{name[:20]}': expected sl or tp")
        if key in levels:
            raise BadSignal(f"'{name[:20]}' is given twice")
        if not value:
            raise BadSignal(f"'{name[:20]}': expected a price after it")
        levels[key] = _positive(value, names[key])
    return levels
