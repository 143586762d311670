"""What the sentences of refusals are made of."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bot.i18n import later, t
from bot.markup import esc
from bot.views.causes import cause
from bot.views.message import Voice
from bot.views.numbers import moment

Facts = dict[str, Any]
Sentence = Callable[[Facts, Voice], str]
AT = later(" at {at}")
BY = later(" by {by}")
SINCE = later(" since {since}")
UNTIL = later(" until {until}")
REASON = later(": {reason}")
OUTSIDE_CHARS_MAX = 120
CAUSES = frozenset({"reason", "why", "rule"})
"""Facts that may be Reckoner's own words."""


def fixed(text: str) -> Sentence:
    """One that says the same always."""
    return lambda _facts, _voice: t(text)


def at(facts: Facts, key: str, voice: Voice, clause: str = AT) -> str:
    """An instant in its clause, which names it by its key; empty where it is not known."""
    instant = facts.get(key)
    return t(clause, **{key: moment(instant, voice)}) if isinstance(instant, datetime) else ""


def outside(facts: Facts, key: str, clause: str = "") -> str:
    """What came from outside, escaped, in its clause; empty where there is none."""
    value = facts.get(key)
    if value in {None, ""}:
        return ""
    text = str(value)
    said = (cause if key in CAUSES else esc)(text, OUTSIDE_CHARS_MAX)
    return t(clause, **{key: said}) if clause else said
