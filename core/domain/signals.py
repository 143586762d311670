"""A signal as an admin writes it, and the rules it must meet before anyone is asked.

The text form is `/signal XAUUSD buy 0.10 sl 1950 tp 1990`; `sl` and `tp` may be left out and come
in either order.
"""

from decimal import Decimal, InvalidOperation
from enum import StrEnum

from msgspec import Struct

from core.domain.broker import Side, SymbolSpec

SYMBOL_LENGTH_MAX = 29
"""MetaTrader's wheel refuses a symbol of 30 UTF-16 units (facts: mt5, row 5)."""
WORDS_MAX = 7
DIGITS_MAX = 12
DECIMALS_MAX = 8
WORD_CHARS_MAX = 20
"""Of a word that is shown again."""


class SignalProblem(StrEnum):
    """What is wrong with a text that should be a signal."""

    TOO_FEW = "too_few"
    TOO_MANY = "too_many"
    SYMBOL = "symbol"
    SIDE = "side"
    COMMA = "comma"
    NO_NUMBER = "no_number"
    NOT_POSITIVE = "not_positive"
    TOO_LONG = "too_long"
    NO_LEVEL = "no_level"
    TWICE = "twice"
    NO_PRICE = "no_price"


class BadSignal(ValueError):
    """The text is not a signal: what is wrong, with which word, which is the `part` of a signal.

    `part` is volume, stop_loss, take_profit or empty.
    """

    def __init__(self, problem: SignalProblem, word: str = "", part: str = "") -> None:
        super().__init__(f"{problem.value}: {part} '{word}'")
        self.problem = problem
        self.word = word
        self.part = part


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
        raise BadSignal(SignalProblem.TOO_FEW)
    if len(words) > WORDS_MAX:
        raise BadSignal(SignalProblem.TOO_MANY, words[WORDS_MAX][:WORD_CHARS_MAX])
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
        raise BadSignal(SignalProblem.SYMBOL, word[: SYMBOL_LENGTH_MAX + 1])
    return word


def _side(word: str) -> Side:
    try:
        return Side(word.lower())
    except ValueError:
        raise BadSignal(SignalProblem.SIDE, word[:WORD_CHARS_MAX]) from None


def _positive(word: str, part: str) -> Decimal:
    shown = word[:WORD_CHARS_MAX]
    if "," in word:  # 1,950 is 1.95 to some and 1950 to others: nothing is guessed about money
        raise BadSignal(SignalProblem.COMMA, shown, part)
    try:
        number = Decimal(word)
    except InvalidOperation:
        raise BadSignal(SignalProblem.NO_NUMBER, shown, part) from None
    if not number.is_finite() or number <= 0:
        raise BadSignal(SignalProblem.NOT_POSITIVE, shown, part)
    exponent = number.as_tuple().exponent
    if number.adjusted() >= DIGITS_MAX or (isinstance(exponent, int) and exponent < -DECIMALS_MAX):
        raise BadSignal(SignalProblem.TOO_LONG, shown, part)
    return number


def _levels(words: list[str]) -> dict[str, Decimal]:
    levels: dict[str, Decimal] = {}
    parts = {"sl": "stop_loss", "tp": "take_profit"}
    for name, value in zip(words[::2], [*words[1::2], ""], strict=False):
        key, shown = name.lower(), name[:WORD_CHARS_MAX]
        if key not in parts:
            raise BadSignal(SignalProblem.NO_LEVEL, shown)
        if key in levels:
            raise BadSignal(SignalProblem.TWICE, shown)
        if not value:
            raise BadSignal(SignalProblem.NO_PRICE, shown)
        levels[key] = _positive(value, parts[key])
    return levels
