"""What the sentences of refusals are made of."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bot.i18n import t
from bot.markup import esc
from bot.views.message import Voice
from bot.views.numbers import moment

Facts = dict[str, Any]
Sentence = Callable[[Facts, Voice], str]


def fixed(text: str) -> Sentence:
    """One that says the same always."""
    return lambda _facts, _voice: t(text)


def at(facts: Facts, key: str, voice: Voice, before: str = " at ") -> str:
    """An instant, where it is known."""
    instant = facts.get(key)
    return f"{before}{moment(instant, voice)}" if isinstance(instant, datetime) else ""


def outside(facts: Facts, key: str, before: str = "") -> str:
    """What came from outside, escaped, where there is any."""
    value = facts.get(key)
    return f"{before}{esc(str(value), 120)}" if value not in {None, ""} else ""
