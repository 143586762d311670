"""Why something cannot be read or done: words that are kept as text, said in the reader's language.

A cause is stored with its account, its pause or its alert in English. One that the catalog has is
said in the language being spoken; any other is somebody's own and is shown as it is.
"""

from typing import Final

from bot.i18n import later, t
from bot.markup import OUTSIDE_CHARS_MAX, esc

KNOWN: Final = (
    later("not read yet"),
    later("no terminal is linked"),
    later("it does not answer"),
    later("the terminal did not answer"),
    later("the terminal is not connected to the broker"),
    later("the terminal is busy with earlier requests"),
    later("its terminal answers for another account"),
    later("the broker refuses its password"),
    later("no rate to pounds"),
    later("is locked and was not asked"),
    later("cannot be closed as it is: an approval would be refused"),
)
"""What `core` and the adapters say, listed so that every catalog has it."""


NO_ANSWER: Final = "the terminal did not answer ("
"""What follows, up to the bracket at the end, is a program's."""


def cause(text: str, chars_max: int = OUTSIDE_CHARS_MAX) -> str:
    """The cause, escaped."""
    if text.startswith(NO_ANSWER) and text.endswith(")"):
        detail = text[len(NO_ANSWER) : -1]
        return esc(t("the terminal did not answer ({detail})", detail=detail), chars_max)
    return esc(t(text), chars_max)


def of_account(text: str, chars_max: int) -> str:
    """A cause that follows a login: `50001 is locked and was not asked`."""
    login, _, why = text.partition(" ")
    return f"{esc(login, chars_max)} {cause(why, chars_max)}" if why else esc(text, chars_max)
