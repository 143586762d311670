"""The command line's own voice: lines on standard output, complaints on standard error."""

import sys
from typing import Final

FAILED: Final = 1


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)  # noqa: T201 - what this module is for


def complain(text: str) -> int:
    """Print to standard error; answers the exit status of a failure."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - what this module is for
    return FAILED
