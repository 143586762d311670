"""Why an account cannot be read. What the engine says itself has words; a terminal's own stay."""

from typing import Final

from bot.i18n import later, t
from bot.markup import esc

REASONS: Final = frozenset(
    {
        later("its terminal answers for another account"),
        later("not read yet"),
        later("the terminal is busy with earlier requests"),
        later("the terminal is not connected to the broker"),
    }
)
NO_ANSWER: Final = "the terminal did not answer ("
"""What follows, up to the bracket at the end, is a program's."""
CHARS_MAX: Final = 200


def why(reason: str, chars_max: int = CHARS_MAX) -> str:
    """The reason of a failed reading, made harmless."""
    if reason in REASONS:
        return t(reason)
    if reason.startswith(NO_ANSWER) and reason.endswith(")"):
        detail = esc(reason[len(NO_ANSWER) : -1], chars_max)
        return t("the terminal did not answer ({detail})", detail=detail)
    return esc(reason, chars_max)
