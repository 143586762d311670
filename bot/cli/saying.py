"""The command line's own voice: lines on standard output, complaints on standard error."""

import os
import sys
from typing import Final

FAILED: Final = 1


class NobodyListens(Exception):
    """Whoever read our output has ended (`... | head`)."""


def say(text: str) -> None:
    """Print at once, also into a pipe. Raises NobodyListens."""
    try:
        print(text, flush=True)  # noqa: T201 - what this module is for
    except BrokenPipeError:
        # What is still to be written goes nowhere, or the interpreter would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise NobodyListens from None


def complain(text: str) -> int:
    """Print to standard error; answers the exit status of a failure."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - what this module is for
    return FAILED
