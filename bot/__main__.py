"""`python -m bot`: understand the command line, then load only what the command needs."""

import sys
from collections.abc import Sequence
from typing import Final

from bot.cli.options import UsageError
from bot.cli.parser import parse

BAD_INPUT: Final = 2


def main(words: Sequence[str]) -> int:
    """Do as the command line says and answer the exit status."""
    try:
        demo = parse(words)
        if demo is None:
            from bot.cli.run import run  # noqa: PLC0415 - `--help` loads no settings

            return run()
        from bot.cli.demo import demo as start_demo  # noqa: PLC0415 - as above

        return start_demo(demo)
    except UsageError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command line's own voice
        return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
