"""MetaTrader trade return codes, and what each means for a close.

Source: docs of the trade server return codes and the table in facts (mt5, 1.4). 10005 and 10037 do
not exist. A code this table does not know is treated as an unknown outcome: look, never repeat.
"""

from enum import StrEnum

PLACED = 10008
"""Accepted, not yet filled: to be polled, never sent again (facts: mt5, 1.4)."""
DONE = 10009
PARTIAL = 10010


class RetcodeClass(StrEnum):
    """What to do after this answer to a close or cancel request."""

    ACCEPTED = "accepted"
    """Executed or accepted, in part or whole: read what is left."""
    GONE = "gone"
    """There is nothing left to close: read, and find the deal."""
    UNKNOWN = "unknown"
    """It may have been executed: read before anything else."""
    REPRICE = "reprice"
    """Not executed; try again at once with a fresh price."""
    BACK_OFF = "back_off"
    """Not executed; try again after a growing pause."""
    FILLING = "filling"
    """Not executed; try another filling mode."""
    SESSION = "session"
    """Not executed; the market is closed."""
    HUMAN = "human"
    """Not executed; somebody has to switch something on."""
    INVALID = "invalid"
    """Not executed; the request was wrong. Read, rebuild it, and tell the operators."""


_TABLE: dict[int, RetcodeClass] = {
    10004: RetcodeClass.REPRICE,
    10006: RetcodeClass.BACK_OFF,
    10007: RetcodeClass.UNKNOWN,
    10008: RetcodeClass.ACCEPTED,
    10009: RetcodeClass.ACCEPTED,
    10010: RetcodeClass.ACCEPTED,
    10011: RetcodeClass.UNKNOWN,
    10012: RetcodeClass.UNKNOWN,
    10013: RetcodeClass.INVALID,
    10014: RetcodeClass.INVALID,
    10015: RetcodeClass.REPRICE,
    10016: RetcodeClass.INVALID,
    10017: RetcodeClass.HUMAN,
    10018: RetcodeClass.SESSION,
    10019: RetcodeClass.BACK_OFF,
    10020: RetcodeClass.REPRICE,
    10021: RetcodeClass.BACK_OFF,
    10022: RetcodeClass.INVALID,
    10023: RetcodeClass.UNKNOWN,
    10024: RetcodeClass.BACK_OFF,
    10025: RetcodeClass.ACCEPTED,
    10026: RetcodeClass.HUMAN,
    10027: RetcodeClass.HUMAN,
    10028: RetcodeClass.UNKNOWN,
    10029: RetcodeClass.BACK_OFF,
    10030: RetcodeClass.FILLING,
    10031: RetcodeClass.UNKNOWN,
    10032: RetcodeClass.HUMAN,
    10033: RetcodeClass.BACK_OFF,
    10034: RetcodeClass.BACK_OFF,
    10035: RetcodeClass.INVALID,
    10036: RetcodeClass.GONE,
    10038: RetcodeClass.INVALID,
    10039: RetcodeClass.UNKNOWN,
    10040: RetcodeClass.BACK_OFF,
    10041: RetcodeClass.UNKNOWN,
    10042: RetcodeClass.HUMAN,
    10043: RetcodeClass.HUMAN,
    10044: RetcodeClass.HUMAN,
    10045: RetcodeClass.BACK_OFF,
    10046: RetcodeClass.HUMAN,
}


def classify(retcode: int) -> RetcodeClass:
    """What this answer means for a close."""
    return _TABLE.get(retcode, RetcodeClass.UNKNOWN)
