"""`link`, `link --list`, `unlink`: which terminal an account is reached through."""

import asyncio
import getpass
import sys
import warnings
from typing import Final

from bot.cli.composition import links_over, opened_store, present_store
from bot.cli.keys import opened_again
from bot.cli.options import LinkOptions, ListLinksOptions, UnlinkOptions, UsageError
from bot.cli.private import keep_to_this_user
from bot.cli.run import settings_or_usage
from bot.cli.saying import complain, say
from bot.keys import Keys
from core.agent_command import HOST, CommandError, agent_command, host_name
from core.config import Settings
from core.domain.linking import PASSWORD_UNITS_MAX, is_password
from core.people_file import PeopleFileError, read_people
from core.ports import KeysUnusable, Secret, StoreUnavailable
from core.records import TerminalRow
from core.services.links import NewLink, PasswordsUnreadable, TerminalTaken

NO_TERMINAL_TO_ASK: Final = (
    "link: standard input is no terminal, so the password cannot be asked for unseen; "
    "a script gives it with --password-stdin"
)


def do(options: LinkOptions | UnlinkOptions | ListLinksOptions) -> int:
    """Do one of the three and answer the exit status. Raises UsageError."""
    match options:
        case LinkOptions():
            return link(options)
        case UnlinkOptions():
            return unlink(options)
        case ListLinksOptions():
            return list_links()


def link(options: LinkOptions) -> int:
    """Ask for the password, keep the link, say what to do next. Raises UsageError."""
    keep_to_this_user()
    settings = settings_or_usage()
    _check_host(settings, options.host)
    new = NewLink(
        login=options.login,
        server=options.server,
        path=options.terminal,
        portable=options.portable,
        host=options.host,
        password=None if options.no_password else _password(options),
    )
    keys = Keys(settings)
    try:
        with keys.held():
            again = asyncio.run(_link(settings, keys, new, new_key=options.new_key))
    except PasswordsUnreadable as error:
        return complain(_lost(keys, error))
    except TerminalTaken as error:
        raise UsageError(
            f"--terminal: {options.terminal} is linked to {error} already; one terminal serves one "
            "account, so install another one in its own folder, or unlink that account first"
        ) from None
    except (KeysUnusable, StoreUnavailable) as error:
        return complain(_unusable(error))
    say(f"{'linked again' if again else 'linked'}: {_words(new)}")
    for line in _of_people(settings, new):
        say(line)
    say("next: python -m bot check")
    return 0


def unlink(options: UnlinkOptions) -> int:
    """Forget the link and say so; 1 where there was none. Raises UsageError."""
    keep_to_this_user()
    settings = settings_or_usage()
    keys = Keys(settings)
    account = f"{options.login} at {options.server}"
    try:
        with keys.held():
            was_linked = asyncio.run(_unlink(settings, keys, options))
    except (KeysUnusable, StoreUnavailable) as error:
        return complain(_unusable(error))
    if not was_linked:
        return complain(f"{account} is not linked; see python -m bot link --list")
    say(
        f"unlinked: {account}; its password is gone. A Reckoner that runs keeps the connection it "
        "has until that ends"
    )
    return 0


def list_links() -> int:
    """Print every link, without passwords. Raises UsageError."""
    keep_to_this_user()
    settings = settings_or_usage()
    try:
        rows = asyncio.run(_all(settings, Keys(settings)))
    except StoreUnavailable as error:
        return complain(f"the database cannot be read: {error}")
    for row in rows:
        say(_words(row))
    if not rows:
        say("no account is linked; see python -m bot link --help")
    return 0


async def _link(settings: Settings, keys: Keys, new: NewLink, *, new_key: bool) -> bool:
    async with opened_store(settings) as store:
        links = links_over(store, keys.vault)
        if new.password is not None:
            # The first key of an installation, never one in the place of another that is missed.
            if not new_key:
                await links.refuse_unreadable(but=(new.login, new.server))
            keys.prepare()
        return await links.link(new)


async def _unlink(settings: Settings, keys: Keys, options: UnlinkOptions) -> bool:
    async with opened_store(settings) as store:
        return await links_over(store, keys.vault).unlink(options.login, options.server)


async def _all(settings: Settings, keys: Keys) -> list[TerminalRow]:
    async with present_store(settings) as store:
        return [] if store is None else await links_over(store, keys.vault).all()


def _check_host(settings: Settings, host: str) -> None:
    """A host without its place in the command, or a place without a host, leads nowhere."""
    if host:
        try:
            host_name(host)
        except CommandError as error:
            raise UsageError(f"--host: {error}") from None
    command = agent_command(settings.mt5_agent_command)
    if command is None:
        return  # not decided yet; `check` will tell
    if host and not command.takes_host:
        raise UsageError(f"--host: MT5_AGENT_COMMAND has no {HOST} for it to stand in")
    if command.takes_host and not host:
        raise UsageError(f"--host: expected the terminal's machine: MT5_AGENT_COMMAND has {HOST}")


def _password(options: LinkOptions) -> Secret:
    """Read the password, from a person without echo or from a script. Raises UsageError."""
    if options.password_stdin:
        text = sys.stdin.readline(PASSWORD_UNITS_MAX + 2).rstrip("\r\n")
    elif sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(NO_TERMINAL_TO_ASK)
    else:
        text = _asked(f"Password of {options.login} at {options.server} (not shown): ")
    if not text:
        raise UsageError(
            "link: expected a password, got nothing; where the terminal remembers its own login, "
            "--no-password"
        )
    if not is_password(text):
        raise UsageError(
            f"link: expected a password of at most {PASSWORD_UNITS_MAX} printable characters, "
            "those beyond Unicode's first 65,536 counting as two"
        )
    return Secret(text)


def _asked(prompt: str) -> str:
    with warnings.catch_warnings():
        # It would go on, showing what is typed.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt)
        except getpass.GetPassWarning:
            raise UsageError(NO_TERMINAL_TO_ASK) from None
        except (EOFError, KeyboardInterrupt):
            raise UsageError("link: no password was typed; nothing was changed") from None


def _words(row: TerminalRow | NewLink) -> str:
    where = f" on {row.host}" if row.host else ""
    portable = ", portable" if row.portable else ""
    has_password = row.password_token if isinstance(row, TerminalRow) else row.password
    password = "password kept, encrypted" if has_password else "no password kept"
    return f"{row.login} at {row.server}: {row.path}{where}{portable}; {password}"


def _of_people(settings: Settings, new: NewLink) -> list[str]:
    """Say where the people file does not know the account: a link alone guards nothing."""
    if settings.people_file is None:
        return []
    try:
        accounts = read_people(settings.people_file).accounts
    except PeopleFileError as error:
        return [f"note: {error}"]
    servers = [account.server for account in accounts if account.login == new.login]
    if new.server in servers:
        return []
    if servers:
        both = f"{servers[0]}, not at {new.server}; both must be written alike"
        return [f"note: {settings.people_file} has {new.login} at {both}"]
    return [f"note: {settings.people_file} has no account {new.login} yet; add an [[account]]"]


def _lost(keys: Keys, error: PasswordsUnreadable) -> str:
    accounts = ", ".join(f"{row.login} at {row.server}" for row in error.rows)
    return (
        f"nothing was changed: the passwords of {accounts} cannot be decrypted ({error.reason}); "
        f"{opened_again(keys, 'link again, these accounts too, with')}"
    )


def _unusable(error: KeysUnusable | StoreUnavailable) -> str:
    if isinstance(error, StoreUnavailable):
        return f"the database cannot be used: {error}; nothing was changed"
    return f"nothing was changed: {error}"
