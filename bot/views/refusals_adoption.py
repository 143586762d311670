"""Why a position is not adopted, or an adoption not taken back."""

from bot.views.message import Voice
from bot.views.refusal_parts import Facts, at, outside
from bot.views.words import word

WHY_NOT = {
    "other_symbol": "the position is in another symbol",
    "other_side": "the position goes the other way",
    "taken": "the position is another trade's already",
    "no_room": "the trade has its lots already",
    "over": "the trade is closed",
    "closing": "Reckoner is closing positions on this account now",
    "locked": "the account is locked, and what is on it is closed; its client asks for its release",
    "busy": "another answer for this account is being looked at; try again in a moment",
    "blocked": "the terminal answered for another account; unblock it first",
    "gone": "the position is not open any more",
    "settled": "the position is known without it by now, or it is not open any more",
    "not_adopted": "nobody has adopted this position",
}
"""Why a position is not adopted, or an adoption not taken back."""


def not_adopted(facts: Facts, _voice: Voice) -> str:
    """Why a position does not become a trade."""
    return f"Not adopted: {word(WHY_NOT, str(facts.get('why', '')))}. Nothing was changed."


def not_disowned(facts: Facts, _voice: Voice) -> str:
    """Why an adoption stays."""
    return f"Not taken back: {word(WHY_NOT, str(facts.get('why', '')))}. Nothing was changed."


def question_answered(facts: Facts, voice: Voice) -> str:
    """Who was first."""
    signal = facts.get("signal")
    what = "none of the signals"
    if facts.get("state") == "adopted":
        what = "a trade of its own" if signal is None else f"signal {signal}"
    return f"Already answered{outside(facts, 'by', ' by ')}{at(facts, 'at', voice)}: {what}."


def no_question(facts: Facts, _voice: Voice) -> str:
    """Nothing waits there."""
    position = outside(facts, "position") or "with this number"
    return f"No open position {position} is unknown or adopted. /adopt lists those that wait."


def same_position(facts: Facts, _voice: Voice) -> str:
    """A number that several accounts have."""
    position = outside(facts, "position") or "with this number"
    return f"Several accounts have a position {position}: choose it from the list of /adopt."
