"""The words `python -m bot` understands. A mistake is one line and exit status 2."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from bot.cli import options
from bot.cli.audit_words import add_audit_words, audit_options
from bot.cli.options import (
    CheckOptions,
    DemoOptions,
    InviteOptions,
    Options,
    RotateKeysOptions,
    RunOptions,
    UnlinkOptions,
    UsageError,
)
from bot.cli.words import add_account_words, add_link_words, link_options, read

_COMMANDS: Final = "{demo,link,unlink,invite,check,run,rotate-keys,audit}"

_ABOUT: Final = (
    "Reckoner keeps MetaTrader 5 accounts true and alive, from a Telegram chat. "
    "Settings come from the environment and .env; see README.md and .env.example."
)
_EXIT: Final = "Exit status: 0 stopped as asked, 1 failed, 2 a wrong word, setting or file."


class OneLineParser(argparse.ArgumentParser):
    """Raises UsageError where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        """Refuse, in one line."""
        raise UsageError(f"{self.prog}: {message}; try --help")


def parse(words: Sequence[str]) -> Options:  # noqa: PLR0911 - one arm per command
    """Understand the command line. Raises UsageError."""
    given = vars(build_parser().parse_args(words))
    match given.pop("command"):
        case "demo":
            return DemoOptions(**given)
        case "link":
            return link_options(given)
        case "unlink":
            return UnlinkOptions(**given)
        case "invite":
            return InviteOptions(**given)
        case "rotate-keys":
            return RotateKeysOptions()
        case "check":
            return CheckOptions()
        case "audit":
            return audit_options(given)
        case _:
            return RunOptions()


def build_parser() -> OneLineParser:
    """Build the whole grammar."""
    parser = OneLineParser(prog="python -m bot", description=_ABOUT, epilog=_EXIT)
    commands = parser.add_subparsers(dest="command", required=True, metavar=_COMMANDS)
    _add_real(commands)
    _add_demo(
        commands.add_parser(
            "demo",
            help="a simulated broker, clients and chat: no token, no server, no configuration",
            description="Start a simulated world (broker, clients, Telegram) and the real bot in "
            "it; prints the address of a chat page.",
            epilog=_EXIT,
        )
    )
    return parser


def _add_real(commands: "argparse._SubParsersAction[OneLineParser]") -> None:
    """Everything but the demo, in the order in which an operator needs it."""
    link = commands.add_parser(
        "link",
        help="say which MetaTrader 5 terminal an account is reached through, and its password",
        description="Link an account to its terminal; asks for the password without showing it. "
        "Linking again replaces what was there. Works while Reckoner runs.",
        epilog=_EXIT,
    )
    add_link_words(link)
    unlink = commands.add_parser(
        "unlink",
        help="forget an account's terminal and password",
        description="Forget an account's terminal and password.",
        epilog=_EXIT,
    )
    add_account_words(unlink)
    invite = commands.add_parser(
        "invite",
        help="a link by which a client becomes an account's owner in Telegram",
        description="Make a link, good once and for 48 hours: whoever opens it in Telegram becomes "
        "a client, if they are not more already, and the account's owner. Works while Reckoner "
        "runs.",
        epilog=_EXIT,
    )
    add_account_words(invite)
    commands.add_parser(
        "check",
        help="say, in order, what is missing before Reckoner can guard and close",
        description="Look at every account, the settings, the database and Telegram, and say for "
        "each what is missing and the next step. Disturbs no Reckoner that runs.",
        epilog="Exit status: 0 every enabled account can be guarded and closed, 1 it cannot, "
        "2 a wrong word, setting or file.",
    )
    commands.add_parser(
        "run",
        help="guard real accounts through real Telegram",
        description="Guard real accounts. Needs TELEGRAM_TOKEN, ADMIN_CHAT_ID, PEOPLE_FILE and, "
        "except on Windows, MT5_AGENT_COMMAND in the environment or .env.",
        epilog=_EXIT,
    )
    commands.add_parser(
        "rotate-keys",
        help="encrypt every password under a new key",
        description="Encrypt every broker's password under a new key and drop the old ones: with "
        "them go the passwords in older copies of the database, unless a copy of password.keys is "
        "kept with those. Safe to run at any time, and to run again after a crash.",
        epilog=_EXIT,
    )
    add_audit_words(
        commands.add_parser(
            "audit",
            help="verify or print the proof of what was done",
            description="The chained, signed list of what was decided and done (docs/audit.md). "
            "Works while Reckoner runs.",
            epilog="Exit status of verify: 0 sound, 1 tampered with or not readable, 2 a wrong "
            "word, setting or file.",
        )
    )


def _add_demo(demo: argparse.ArgumentParser) -> None:
    add = demo.add_argument
    add(
        "--port",
        type=read(options.port_number, f"a port from 0 (any free one) to {options.PORT_MAX}"),
        default=options.PORT_DEFAULT,
        metavar="P",
        help="where the chat page is served, on 127.0.0.1 (default: %(default)s; 0: any free one)",
    )
    add(
        "--data-dir",
        type=Path,
        default=options.DATA_DIR_DEFAULT,
        metavar="D",
        help="where world and app keep their files (default: ./%(default)s); remove it to begin "
        "anew",
    )
    add(
        "--market",
        choices=("walk", "manual"),
        help="walk: prices move on their own (default); manual: only when told to, accounts "
        "start flat",
    )
    add("--headless", action="store_true", help="no story, log lines to standard output")
    add(
        "--agents",
        action="store_true",
        help="reach the accounts as real ones are, through an agent process beside each terminal",
    )
    add(
        "--seed",
        type=read(options.seed_number, f"a whole number from 0 to {options.SEED_MAX}"),
        default=1,
        metavar="N",
        help="another walk of the market (default: %(default)s)",
    )
    only = demo.add_mutually_exclusive_group()
    only.add_argument("--world-only", action="store_true", help="start only the world")
    only.add_argument("--app-only", action="store_true", help="start only the app, on its world")
    _add_replay(demo)


def _add_replay(demo: argparse.ArgumentParser) -> None:
    replay = demo.add_argument_group("recorded ticks instead of a walking market")
    add = replay.add_argument
    add("--ticks", type=Path, metavar="FILE", help="MetaTrader's tick export or plain CSV, or zip")
    add("--symbol", metavar="S", help="the symbol, where the file's name does not begin with it")
    add(
        "--speed",
        type=read(options.speed_factor, "a number from 0, times real time"),
        metavar="N",
        help="times real time (default: 0, as fast as the app reads)",
    )
    add(
        "--date",
        type=read(options.iso_date, "a day as YYYY-MM-DD"),
        metavar="YYYY-MM-DD",
        help="the day, for files that carry none",
    )
    add(
        "--utc-offset",
        type=read(options.utc_offset, "an offset such as +03:00"),
        metavar="+HH:MM",
        help="the file's clock minus UTC",
    )
