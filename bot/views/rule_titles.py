"""Titles of rules. Those that Reckoner brings have words in each language; an operator's stay."""

from bot.i18n import later, t
from bot.markup import esc

TITLES = {
    later("Daily loss"): later("daily loss"),
    later("Drawdown warning"): later("drawdown warning"),
    later("Exposure"): later("exposure"),
    later("Margin level"): later("margin level"),
    later("Maximum loss"): later("maximum loss"),
    later("Minimum equity"): later("minimum equity"),
    later("Open positions"): later("open positions"),
    later("Peak drawdown"): later("peak drawdown"),
    later("Trailing loss"): later("trailing loss"),
    later("Trailing maximum loss"): later("trailing maximum loss"),
}
"""A title, and the same within a sentence."""


def titled(title: str) -> str:
    """`Daily loss`: for the beginning of a line."""
    return esc(t(title) if title in TITLES else title)


def named(title: str) -> str:
    """`daily loss`: the same within a sentence."""
    return esc(t(TITLES[title]) if title in TITLES else title.lower())
