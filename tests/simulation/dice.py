"""Where a simulation's choices come from: a seed, or a history that is played again.

Every choice is one whole number, so that a history is a list of numbers and can be made shorter.
"""

import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

T = TypeVar("T")


class Dice(Protocol):
    """Draws whole numbers."""

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        ...


class SeededDice:
    """Draws by seed and keeps what it drew."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a test's dice, not a secret
        self.drawn: list[int] = []

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        raw = self._random.getrandbits(32)
        self.drawn.append(raw)
        return low + raw % (high - low + 1)


class ReplayedDice:
    """Draws what was drawn before; when that is used up, always the lowest."""

    def __init__(self, drawn: Sequence[int]) -> None:
        self._left = list(drawn)

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        raw = self._left.pop(0) if self._left else 0
        return low + raw % (high - low + 1)


def one_of(dice: Dice, options: Sequence[T]) -> T:
    """One of several, which are at least one."""
    return options[dice.whole(0, len(options) - 1)]


def lots(dice: Dice, most: Decimal = Decimal(1)) -> Decimal:
    """A volume on the grid of 0.01 lots, from that up to `most`."""
    usual = [v for v in map(Decimal, ("0.01", "0.10", "0.30", "1.00")) if v <= most]
    if usual and dice.whole(0, 2):
        return one_of(dice, usual)
    return Decimal(dice.whole(1, int(most * 100))) / 100
