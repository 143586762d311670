"""Why a position is not adopted, or an adoption not taken back."""

from bot.i18n import later, t
from bot.views.message import Voice
from bot.views.refusal_parts import BY, Facts, at, outside
from bot.views.words import word

WHY_NOT = {
    "other_symbol": later("the position is in another symbol"),
    "other_side": later("the position goes the other way"),
    "taken": later("the position is another trade's already"),
    "no_room": later("the trade has its lots already"),
    "over": later("the trade is closed"),
    "closing": later("Reckoner is closing positions on this account now"),
    "locked": later(
        "the account is locked, and what is on it is closed; its client asks for its release"
    ),
    "busy": later("another answer for this account is being looked at; try again in a moment"),
    "blocked": later("the terminal answered for another account; unblock it first"),
    "gone": later("the position is not open any more"),
    "settled": later("the position is known without it by now, or it is not open any more"),
    "not_adopted": later("nobody has adopted this position"),
}
"""Why a position is not adopted, or an adoption not taken back."""


def not_adopted(facts: Facts, _voice: Voice) -> str:
    """Why a position does not become a trade."""
    why = word(WHY_NOT, str(facts.get("why", "")))
    return t("Not adopted: {why}. Nothing was changed.", why=why)


def not_disowned(facts: Facts, _voice: Voice) -> str:
    """Why an adoption stays."""
    why = word(WHY_NOT, str(facts.get("why", "")))
    return t("Not taken back: {why}. Nothing was changed.", why=why)


def question_answered(facts: Facts, voice: Voice) -> str:
    """Who was first."""
    signal = facts.get("signal")
    what = t("none of the signals")
    if facts.get("state") == "adopted":
        what = t("a trade of its own") if signal is None else t("signal {signal}", signal=signal)
    return t(
        "Already answered{by}{at}: {what}.",
        by=outside(facts, "by", BY),
        at=at(facts, "at", voice),
        what=what,
    )


def _position(facts: Facts) -> str:
    return outside(facts, "position") or t("with this number")


def no_question(facts: Facts, _voice: Voice) -> str:
    """Nothing waits there."""
    return t(
        "No open position {position} is unknown or adopted. /adopt lists those that wait.",
        position=_position(facts),
    )


def same_position(facts: Facts, _voice: Voice) -> str:
    """A number that several accounts have."""
    return t(
        "Several accounts have a position {position}: choose it from the list of /adopt.",
        position=_position(facts),
    )
