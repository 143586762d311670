"""The composition root of the commands beside `run`: concrete classes meet here, and in bot.app.

Nothing here stays running: each command opens what it needs, uses it, and closes it.
"""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bot.keys import AuditKeyHome, Keys
from core.adapters.clock import SystemClock
from core.adapters.mt5.probe import Probe, Wanted
from core.adapters.mt5.shared import Limits
from core.adapters.process import this_process
from core.adapters.sql.engine import SQLITE, parse_url
from core.adapters.sql.migrate import current, newest, upgrade
from core.adapters.sql.store import SqlStore
from core.adapters.sql.terminals import SqlTerminals
from core.adapters.vault import Vault
from core.agent_command import AGENTS_DIR, CommandError, agent_command
from core.config import Settings
from core.config_values import PASSWORD_KEYS_MAX
from core.domain.audit import AuditKeys
from core.domain.readiness import Found, Stage, Trouble
from core.ports import (
    BrokerUnavailable,
    KeysUnusable,
    Store,
    StoreLocked,
    StoreUnavailable,
)
from core.services.invitations import Invite
from core.services.links import Links, RotateKeys

OTHER_VERSION: Final = "it is of another version"


def now() -> datetime:
    """The present instant, UTC."""
    return SystemClock().now()


def links_over(store: Store, vault: Vault) -> Links:
    """Build the service; the audit names who is logged in to this machine."""
    return Links(store=store, clock=SystemClock(), vault=vault, actor=operator())


def invite_over(store: Store) -> Invite:
    """Build the service; the audit names who is logged in to this machine."""
    return Invite(store=store, clock=SystemClock(), actor=operator())


def rotation(store: Store) -> RotateKeys:
    """Build the service."""
    return RotateKeys(lambda keys: links_over(store, Vault(lambda: keys)), PASSWORD_KEYS_MAX)


class Database(Struct, frozen=True, kw_only=True):
    """How the database was found. `epoch` is ours while nobody else owns it; `owner` says who does.

    `since` is when that one took it. Without a store, `lacks` says what is not there yet, or
    `fails` why it cannot be used.
    """

    store: Store | None = None
    epoch: int | None = None
    owner: str = ""
    since: datetime | None = None
    lacks: str = ""
    fails: str = ""


@asynccontextmanager
async def looked_at(settings: Settings) -> AsyncIterator[Database]:
    """Open the database as it is, and own it for the while if nobody else does. Makes nothing."""
    try:
        lacks = await _lacking(settings.database_url)
        store = None if lacks else await SqlStore.open(settings.database_url)
    except StoreUnavailable as error:
        yield Database(fails=str(error))
        return
    if store is None:
        yield Database(lacks=lacks)
        return
    try:
        database = await _owned(store)
        yield database
    finally:
        await store.close()


async def _owned(store: SqlStore) -> Database:
    try:
        return Database(store=store, epoch=await store.owner_epoch())
    except StoreLocked as error:
        owner = f"process {error.pid or 'unknown'}"
        return Database(store=store, owner=owner, since=error.since)
    except StoreUnavailable as error:
        return Database(fails=str(error))


async def _lacking(url: str) -> str:
    """Say what the database lacks, "" where nothing. Raises StoreUnavailable."""
    parsed = parse_url(url)
    if parsed.drivername == SQLITE and not _is_there(str(parsed.database)):
        return f"{parsed.database} is not there yet"
    revision = await current(url)
    if revision is None:
        return "it is empty"
    is_current = revision == newest()
    return "" if is_current else f"{OTHER_VERSION} ({revision}, not {newest()})"


@asynccontextmanager
async def present_store(settings: Settings) -> AsyncIterator[SqlStore | None]:
    """Open the database to read in it, None where there is none yet. Makes and owns nothing.

    Raises StoreUnavailable, also for one of another version.
    """
    lacks = await _lacking(settings.database_url)
    if lacks.startswith(OTHER_VERSION):
        raise StoreUnavailable(f"{lacks}; the next link or run brings it up to date")
    if lacks:
        yield None
        return
    store = await SqlStore.open(settings.database_url)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def audited_store(settings: Settings) -> AsyncIterator[tuple[Store, AuditKeys] | None]:
    """Open the database to read the audit in it, with its keys; None where there is none yet.

    Makes and owns nothing. Raises StoreUnavailable and KeysUnusable.
    """
    async with present_store(settings) as store:
        if store is None:
            yield None
            return
        keys = AuditKeyHome(settings).keys
        keys.read()
        yield store, keys


async def change_audit_key(settings: Settings, *, lost: bool) -> int:
    """Put every chain under a new key; answers how many. Raises StoreUnavailable, KeysUnusable."""
    home = AuditKeyHome(settings)
    async with present_store(settings) as store:
        if store is None:
            raise KeysUnusable("there is no audit yet; the first `run` or `link` begins it")
        return await home.rotate(store, operator(), now(), lost=lost)


def _is_there(path: str) -> bool:
    return Path(path).exists()


class Prober:
    """Goes each account's way to its broker through an agent, as `run` would."""

    def __init__(self, settings: Settings, database: Database, keys: Keys) -> None:
        if database.store is None or database.epoch is None:
            raise ValueError("whoever does not own the store must not start agents")
        self._settings = settings
        self._clock = SystemClock()
        self._terminals = SqlTerminals(database.store, keys.vault)
        self._command = agent_command(settings.mt5_agent_command)
        self._probe = Probe(epoch=database.epoch, owner=this_process(), clock=self._clock)

    async def __call__(self, login: int, server: str, needed: tuple[str, ...]) -> Found:
        """Go one account's way. Raises StoreUnavailable."""
        try:
            link = await self._terminals.find(login, server)
        except BrokerUnavailable as error:
            return _at_link(login, "password", str(error))
        if link is None:
            return _at_link(login, "unlinked", "")
        if self._command is None:
            return _at_link(login, "command", "nothing says how an agent is started", link.path)
        try:
            argv = self._command.argv(link.host)
        except CommandError as error:
            return _at_link(login, self._command.trouble(link.host), str(error), link.path)
        found = await self._probe(
            Wanted(
                link=link,
                argv=argv,
                log_path=self._settings.data_dir / AGENTS_DIR / f"check-{login}.log",
                limits=Limits(
                    read_s=self._settings.read_timeout_s,
                    send_s=self._settings.send_timeout_s,
                    start_s=self._settings.mt5_start_timeout_s,
                ),
                needed=needed,
                named=tuple(self._settings.pip_by_symbol),
            )
        )
        if found.symbols is not None and "pip_by_symbol" not in self._settings.model_fields_set:
            # Nobody has asked for these: they are there to be found, where a broker has them.
            found = replace(found, symbols=replace(found.symbols, unused=()))
        if found.offset_s is not None and found.offset_is_fresh:
            await self._terminals.keep_offset(login, server, found.offset_s, self._clock.now())
        return found


def _at_link(login: int, kind: str, text: str, path: str = "") -> Found:
    return Found(login=login, path=path, trouble=Trouble(stage=Stage.LINK, kind=kind, text=text))


@asynccontextmanager
async def opened_store(settings: Settings) -> AsyncIterator[SqlStore]:
    """Open the database, made or migrated where need be. Raises StoreUnavailable, KeysUnusable."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    await upgrade(settings.database_url)
    audit = AuditKeyHome(settings)
    store = await SqlStore.open(settings.database_url, audit_keys=audit.keys)
    try:
        await audit.prepare(store, operator(), now())
        yield store
    finally:
        await store.close()


def operator() -> str:
    """Who is logged in to this machine, as the audit names them."""
    return f"operator:{_user()}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a process whose user has no name
        return "unknown"
