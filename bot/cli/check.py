"""`check`: look at everything between Reckoner and its accounts, and say what is missing.

Where another process owns the database, Reckoner runs: then nothing is started, and what it has
read last is told instead.
"""

import asyncio
from datetime import datetime
from typing import Final

from msgspec import Struct

from bot.cli.check_telegram import telegram_step
from bot.cli.check_words import Running, blocked, over_http, running_steps, steps
from bot.cli.composition import Database, Prober, links_over, looked_at, now
from bot.cli.keys import opened_again
from bot.cli.options import UsageError
from bot.cli.private import keep_to_this_user
from bot.cli.run import people_and_rules, settings_or_usage
from bot.cli.saying import FAILED, say
from bot.cli.steps import State, Step, cannot, many, missing, ok
from bot.keys import Keys
from core.config import Settings
from core.domain.people import Role
from core.domain.readiness import of_state
from core.people_file import PeopleFile, PeopleFileError
from core.ports import PasswordUnreadable, Store, StoreUnavailable
from core.records import AccountRow, AccountStateRow, SignalRow, TerminalRow, TradeRow
from core.rule_files import RuleFileError
from core.services.links import PasswordsUnreadable

AT_ONCE_MAX: Final = 8
"""Accounts looked at at the same time: each starts a terminal."""
KEY, DATABASE, PEOPLE = "key", "database", "people"
READY: Final = "Reckoner can guard and close every account."
NOT_READY: Final = "Reckoner cannot guard and close every account yet; see the lines above."


class Account(Struct, frozen=True, kw_only=True):
    """An account that is to be guarded. `id` is 0 while only the people file knows it."""

    id: int
    login: int
    server: str
    name: str
    currency: str


def check() -> int:
    """Print every step and answer the exit status. Raises UsageError."""
    keep_to_this_user()
    settings = settings_or_usage()
    try:
        people = people_and_rules(settings)
    except (PeopleFileError, RuleFileError) as error:
        raise UsageError(str(error)) from None
    is_ready = asyncio.run(look(settings, people))
    say(f"\n{READY if is_ready else NOT_READY}")
    return 0 if is_ready else FAILED


async def look(settings: Settings, people: PeopleFile | None) -> bool:
    """Print every step; answer whether nothing is missing."""
    async with looked_at(settings) as database:
        try:
            told, system = await _looked(settings, people, database)
        except StoreUnavailable as error:
            told, system = await _looked(settings, people, Database(fails=str(error)))
    system.append(await telegram_step(settings))
    say("\nReckoner")
    for step in system:
        _print(step)
    return all(step.state is State.OK for step in (*told, *system))


async def _looked(
    settings: Settings, people: PeopleFile | None, database: Database
) -> tuple[list[Step], list[Step]]:
    """Print the accounts' steps; give them, and the steps of Reckoner itself, not printed yet."""
    keys = Keys(settings)
    accounts = await _accounts(database.store, people)
    told = await _of_accounts(settings, database, keys, accounts)
    return told, [
        await _key(database, keys),
        _database(database, settings),
        await _people(accounts, people, settings, database.store),
    ]


async def _of_accounts(
    settings: Settings, database: Database, keys: Keys, accounts: list[Account]
) -> list[Step]:
    """Go every account's way, print what was found, and give all steps."""
    if not accounts:
        say("no account is known yet, so no terminal was looked for")
    elif database.epoch is not None and settings.terminal_base_url is None:
        say(f"looking at {many(len(accounts), 'account')}; a terminal may take minutes to start")
    turn = asyncio.Semaphore(AT_ONCE_MAX)

    async def one(account: Account) -> list[Step]:
        async with turn:
            return await _of_account(settings, database, keys, account)

    found = await asyncio.gather(*(one(account) for account in accounts))
    for account, account_steps in zip(accounts, found, strict=True):
        say(f"\nAccount {account.login} at {account.server} ({account.name})")
        for step in account_steps:
            _print(step)
    return [step for account_steps in found for step in account_steps]


async def _of_account(
    settings: Settings, database: Database, keys: Keys, account: Account
) -> list[Step]:
    store = database.store
    if settings.terminal_base_url is not None and not database.owner:
        return [over_http(settings.terminal_base_url)]
    if store is None:
        return [_unlinked(account, [], settings)]
    async with store.reading() as tx:
        row = await tx.first(TerminalRow, login=account.login, server=account.server)
        state = await tx.get(AccountStateRow, account.id) if account.id else None
        alike = await tx.find(TerminalRow, login=account.login)
    again = relink(account, row)
    if row is None and settings.terminal_base_url is None:
        return [_unlinked(account, alike, settings)]
    if database.epoch is not None:
        probe = Prober(settings, database, keys)
        needed = await _needed(store, account, now())
        found = await probe(account.login, account.server, needed)
        return [*blocked(state), *steps(found, now(), again, opened_again(keys, again))]
    place = settings.terminal_base_url or ("" if row is None else row.path)
    state = state or AccountStateRow(id=account.id)
    found = of_state(state, account.login, account.currency, place)
    running = Running(
        since=database.since,
        interval_s=settings.reconciliation_sync_interval_s,
        opens=row is None or _opens(row, keys),
    )
    return running_steps(state, found, now(), running, again)


def _unlinked(account: Account, alike: list[TerminalRow], settings: Settings) -> Step:
    """No terminal; `alike` are links of the same number, at servers that are spelt otherwise."""
    again = relink(account, None)
    if not alike:
        return missing("terminal", "no terminal is linked to this account", again)
    servers = " and ".join(row.server for row in alike)
    where = settings.people_file or "the people file"
    return missing(
        "terminal",
        f"no terminal is linked to this account: {account.login} is linked at {servers}; {where} "
        f"spells it {account.server}",
        f"write both as the terminal's title bar shows it: in {where}, or unlink it there and "
        f"{relink(account, alike[0])}",
    )


def _opens(row: TerminalRow, keys: Keys) -> bool:
    """Whether the link's password, if it has one, can be read now."""
    if row.password_token is None:
        return True
    try:
        keys.vault.unseal(row.login, row.server, row.password_token)
    except PasswordUnreadable:
        return False
    return True


async def _accounts(store: Store | None, people: PeopleFile | None) -> list[Account]:
    """All that are to be guarded: those the database has enabled, and the people file's new."""
    rows: list[AccountRow] = []
    if store is not None:
        async with store.reading() as tx:
            rows = await tx.find(AccountRow)
    accounts = [
        Account(id=r.id, login=r.login, server=r.server, name=r.name, currency=r.currency)
        for r in rows
        if r.enabled
    ]
    known = {(row.login, row.server) for row in rows}
    accounts += [
        Account(id=0, login=e.login, server=e.server, name=e.name, currency=e.currency)
        for e in (people.accounts if people else ())
        if (e.login, e.server) not in known
    ]
    return sorted(accounts, key=lambda each: (each.login, each.server))


async def _needed(store: Store, account: Account, at: datetime) -> tuple[str, ...]:
    """Symbols of open signals, and of what the account is expected to hold."""
    async with store.reading() as tx:
        signals = await tx.find(SignalRow, status="open", expires_at__gt=at)
        trades = await tx.find(TradeRow, account_id=account.id, status=("pending", "open"))
    return tuple(sorted({each.symbol for each in signals} | {each.symbol for each in trades}))


async def _key(database: Database, keys: Keys) -> Step:
    if database.fails:
        return cannot(KEY, "not known while the database fails", "first do what stands below")
    store = database.store
    if store is None:
        return missing(KEY, "none is needed before there is a database", "the first link makes it")
    links = links_over(store, keys.vault)
    try:
        count = await links.refuse_unreadable()
    except PasswordsUnreadable as error:
        lost = ", ".join(f"{row.login} at {row.server}" for row in error.rows)
        return cannot(
            KEY,
            f"the passwords of {lost} cannot be decrypted: {error.reason}",
            opened_again(keys, "link these accounts again with"),
        )
    if not count:
        return ok(KEY, "no password is kept, so none is needed")
    where = "PASSWORD_KEYS" if keys.given else str(keys.file.path)
    return ok(KEY, f"{where} opens {many(count, 'password')}")


def _database(database: Database, settings: Settings) -> Step:
    if database.fails:
        return cannot(DATABASE, database.fails, "see DATABASE_URL and DATA_DIR, and their rights")
    if database.lacks:
        return missing(
            DATABASE,
            database.lacks,
            "python -m bot link makes it, and brings an older one up to date",
        )
    where = "SQLite" if settings.database_url.startswith("sqlite") else "PostgreSQL"
    if database.owner:
        return ok(DATABASE, f"{where}; Reckoner runs ({database.owner}), so nothing was started")
    return ok(DATABASE, f"{where}, nobody else uses it")


async def _people(
    accounts: list[Account], people: PeopleFile | None, settings: Settings, store: Store | None
) -> Step:
    if not accounts:
        return missing(
            PEOPLE,
            "no account is known",
            "copy people.example.toml to people.toml, fill it in, and set PEOPLE_FILE=people.toml",
        )
    if people is not None and not any(u.role in {Role.ADMIN, Role.OWNER} for u in people.users):
        return missing(PEOPLE, f"{settings.people_file} names no admin", "give somebody that role")
    new = sum(1 for account in accounts if not account.id)
    which = "all new" if new == len(accounts) else f"{new} of them new"
    later = f", {which}: the next start of Reckoner takes them up" if new else ""
    idle = await _ownerless(store, people)
    links = f"; linked, but no account of Reckoner: {', '.join(idle)}" if idle else ""
    return ok(PEOPLE, f"{many(len(accounts), 'account')}{later}{links}")


async def _ownerless(store: Store | None, people: PeopleFile | None) -> list[str]:
    """Links that belong to no account, neither of the database nor of the people file."""
    if store is None:
        return []
    async with store.reading() as tx:
        known = {(each.login, each.server) for each in await tx.find(AccountRow)}
        links = await tx.find(TerminalRow, order_by="login")
    known |= {(each.login, each.server) for each in (people.accounts if people else ())}
    return [f"{x.login} at {x.server}" for x in links if (x.login, x.server) not in known]


def relink(account: Account, row: TerminalRow | None) -> str:
    """The command that links the account anew, as far as it is known."""
    path = "PATH" if row is None else f'"{row.path}"'
    words = f'python -m bot link {account.login} --server "{account.server}" --terminal {path}'
    if row is not None and row.portable:
        words += " --portable"
    return words if row is None or not row.host else f"{words} --host {row.host}"


def _print(step: Step) -> None:
    for line in step.lines():
        say(line)
