"""A step of `check`: one line, and under it what to do next."""

import textwrap
from enum import StrEnum
from typing import Final

from msgspec import Struct

WIDTH: Final = 100
STATE_WIDTH: Final = 7
"""Of the longest word below."""


class State(StrEnum):
    """How a step stands."""

    OK = "ok"
    """Nothing is missing."""
    MISSING = "missing"
    """Something was not done yet; the line under it says what."""
    CANNOT = "cannot"
    """It was tried and does not work; the line under it says what to do."""


class Step(Struct, frozen=True):
    """What was looked at, how it stands, what was seen, and what to do next ("" where nothing)."""

    name: str
    state: State
    text: str
    fix: str = ""

    def lines(self) -> list[str]:
        """The step as it is printed."""
        told = [f"  {self.state.value:<{STATE_WIDTH}}  {self.name}: {self.text}"]
        indent = " " * (STATE_WIDTH + 6)
        if self.fix:
            told += textwrap.wrap(
                self.fix,
                WIDTH,
                initial_indent=indent,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            )
        return told


def ok(name: str, text: str) -> Step:
    """Nothing is missing."""
    return Step(name, State.OK, text)


def missing(name: str, text: str, fix: str) -> Step:
    """Something was not done yet."""
    return Step(name, State.MISSING, text, fix)


def cannot(name: str, text: str, fix: str) -> Step:
    """It was tried and does not work."""
    return Step(name, State.CANNOT, text, fix)


def many(count: int, noun: str) -> str:
    """`1 account`, `2 accounts`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"
