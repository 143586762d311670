"""What the rows of the last reading were translated to, so that an equal row gives the same object.

Between two readings most positions, orders and symbols do not change. The object that was handed
out before is compared in no time by whoever keeps it, and translating is the dearer part.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
Raw = Mapping[str, Any]


class Rows:
    """One terminal's rows, as of its last whole reading. Use `begin`, `of` for each row, `end`."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, object], tuple[Raw, object, Any]] = {}
        self._now: dict[tuple[str, object], tuple[Raw, object, Any]] = {}

    def begin(self) -> None:
        """Start a reading; what one before it left half done is forgotten."""
        self._now = {}

    def of(self, kind: str, name: object, raw: Raw, under: object, made: Callable[[], T]) -> T:
        """The value of a row: the one before where the row and what it is read `under` are equal.

        `kind` and `name` tell the row from all others; `made` translates it anew.
        """
        key = (kind, name)
        kept = self._last.get(key)
        if kept is not None and kept[0] == raw and kept[1] == under:
            self._now[key] = kept
            value: T = kept[2]
            return value
        value = made()
        self._now[key] = (raw, under, value)
        return value

    def end(self) -> None:
        """The reading is whole: its rows are what the next is compared with."""
        self._last, self._now = self._now, {}
