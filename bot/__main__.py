"""`python -m bot`: understand the command line, then load only what the command needs."""

import sys
from collections.abc import Sequence
from typing import Final

from bot.cli.options import (
    AuditOptions,
    CheckOptions,
    DemoOptions,
    InviteOptions,
    LinkOptions,
    ListLinksOptions,
    Options,
    RotateKeysOptions,
    RunOptions,
    UnlinkOptions,
    UsageError,
)
from bot.cli.parser import parse
from bot.cli.saying import FAILED, NobodyListens

BAD_INPUT: Final = 2


def main(words: Sequence[str]) -> int:
    """Do as the command line says and answer the exit status."""
    try:
        return _do(parse(words))
    except UsageError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command line's own voice
        return BAD_INPUT
    except NobodyListens:
        return FAILED


def _do(options: Options) -> int:  # noqa: PLR0911 - one arm per command
    """Load only what this command needs: `--help` is answered at once."""
    match options:
        case DemoOptions():
            from bot.cli.demo import demo  # noqa: PLC0415 - see above

            return demo(options)
        case RunOptions():
            from bot.cli.run import run  # noqa: PLC0415 - see above

            return run()
        case CheckOptions():
            from bot.cli.check import check  # noqa: PLC0415 - see above

            return check()
        case InviteOptions():
            from bot.cli.invite import invite  # noqa: PLC0415 - see above

            return invite(options)
        case RotateKeysOptions():
            from bot.cli.keys import rotate_keys  # noqa: PLC0415 - see above

            return rotate_keys()
        case AuditOptions():
            from bot.cli.audit import audit  # noqa: PLC0415 - see above

            return audit(options)
        case LinkOptions() | UnlinkOptions() | ListLinksOptions():
            from bot.cli.link import do  # noqa: PLC0415 - see above

            return do(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
