"""How words of the command line are read, and those of `link` and `unlink`."""

import argparse
from collections.abc import Callable
from typing import Any, Final, TypeVar

from bot.cli import options
from bot.cli.options import LinkOptions, ListLinksOptions, UsageError

NEW_KEY: Final = "--new-key"

T = TypeVar("T")


def read(convert: Callable[[str], T], expected: str) -> Callable[[str], T]:
    """Give a converter the words argparse says when it fails."""

    def convert_or_say(word: str) -> T:
        try:
            return convert(word)
        except ValueError:
            raise argparse.ArgumentTypeError(f"expected {expected}, got '{word}'") from None

    return convert_or_say


_LOGIN = read(options.login_number, "an account's number")
_SERVER = read(options.server_name, "the server's name, as the terminal's title bar shows it")
_TERMINAL = read(
    options.terminal_path, r"the whole path of its program, such as C:\MT5\1\terminal64.exe"
)


def add_account_words(command: argparse.ArgumentParser) -> None:
    """Which account."""
    command.add_argument("login", type=_LOGIN, metavar="LOGIN", help="the account's number")
    command.add_argument(
        "--server", type=_SERVER, required=True, metavar="S", help="the broker's server"
    )


def add_link_words(link: argparse.ArgumentParser) -> None:
    """Which account, which terminal, and how it logs in."""
    add = link.add_argument
    add("login", type=_LOGIN, nargs="?", metavar="LOGIN", help="the account's number")
    add(
        "--server",
        type=_SERVER,
        metavar="S",
        help="the broker's server, as the terminal's title bar shows it",
    )
    add(
        "--terminal",
        type=_TERMINAL,
        metavar="PATH",
        help="the terminal's program on its own machine, such as C:/MT5/1/terminal64.exe",
    )
    add("--portable", action="store_true", help="the terminal keeps its files beside its program")
    add("--host", default="", metavar="H", help="its machine, where MT5_AGENT_COMMAND has {host}")
    add(
        "--no-password",
        action="store_true",
        help="keep none: the terminal remembers its own login",
    )
    add(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input, for scripts",
    )
    add(
        NEW_KEY,
        action="store_true",
        help="go on though the key to passwords of other accounts is lost: these have to be "
        "linked again too",
    )
    add("--list", action="store_true", help="list the linked accounts")


def link_options(given: dict[str, Any]) -> LinkOptions | ListLinksOptions:
    """Understand `link`: `--list` stands alone, else all that finds a terminal is needed.

    Raises UsageError.
    """
    if given.pop("list"):
        if any(given.values()):
            raise UsageError("link --list: expected no other word")
        return ListLinksOptions()
    missing = [
        word
        for word, name in (("LOGIN", "login"), ("--server", "server"), ("--terminal", "terminal"))
        if given[name] is None
    ]
    if missing:
        raise UsageError(f"link: expected {', '.join(missing)}; try --help")
    return LinkOptions(**given)
