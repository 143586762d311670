"""Which terminal belongs to which account: link, unlink, list, and encrypt all passwords anew."""

import ntpath
from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct

from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.ports import (
    Clock,
    PasswordUnreadable,
    PasswordVault,
    Secret,
    Store,
    Transaction,
    UnreadableRow,
)
from core.records import TerminalRow
from core.records_links import LinkRequestRow
from core.services import audit
from core.services.counting import following


class TerminalTaken(Exception):
    """Another account is linked to this terminal: one terminal serves one account."""

    def __init__(self, row: TerminalRow) -> None:
        super().__init__(f"{row.login} at {row.server}")
        self.row = row


class PasswordsUnreadable(Exception):
    """Some passwords cannot be decrypted, so nothing was changed. `rows` are theirs."""

    def __init__(self, rows: list[TerminalRow], reason: str) -> None:
        super().__init__(reason)
        self.rows = rows
        self.reason = reason


class KeyRing(Protocol):
    """The keys to the passwords, the newest first, kept where only we read."""

    def read(self) -> tuple[str, ...]:
        """Give the keys. Raises KeysUnusable."""
        ...

    def write(self, keys: tuple[str, ...]) -> None:
        """Replace them, whole, on the disk before this returns. Raises KeysUnusable."""
        ...

    def new_key(self) -> str:
        """Make a key."""
        ...


class NewLink(Struct, frozen=True, kw_only=True):
    """What is to be linked. `password` None: the terminal remembers its own login."""

    login: int
    server: str
    path: str
    portable: bool
    host: str
    password: Secret | None


class Links:
    """Decides over `terminals`; each change is audited in the system's chain, without a secret.

    Every method raises StoreUnavailable.
    """

    def __init__(self, *, store: Store, clock: Clock, vault: PasswordVault, actor: str) -> None:
        self._store = store
        self._clock = clock
        self._vault = vault
        self._actor = actor

    async def link(self, new: NewLink) -> bool:
        """Link an account, or link it anew; answers whether it was linked before.

        Raises TerminalTaken where another account has the terminal.
        """
        now = self._clock.now()
        token = self._sealed(new.login, new.server, new.password)
        async with self._store.writing() as tx:
            _refuse_taken(new, await tx.find(TerminalRow, host=new.host))
            changes: dict[str, Any] = {
                "path": new.path,
                "portable": new.portable,
                "host": new.host,
                "password_token": token,
                "changed_at": now,
            }
            known = await tx.update(
                TerminalRow, {"login": new.login, "server": new.server}, **changes
            )
            if not known:
                row = TerminalRow(login=new.login, server=new.server, linked_at=now, **changes)
                await tx.insert(row)
            detail = {
                "login": new.login,
                "server": new.server,
                "path": new.path,
                "portable": new.portable,
                "host": new.host,
                "password_kept": token is not None,
                "again": known > 0,
            }
            await audit.append(tx, SYSTEM, self._actor, words.TERMINAL_LINKED, detail, now)
        return known > 0

    async def unlink(self, login: int, server: str) -> bool:
        """Forget an account's terminal and password; answers whether there was one."""
        now = self._clock.now()
        async with self._store.writing() as tx:
            gone = await tx.delete(TerminalRow, login=login, server=server)
            if gone:
                detail = {"login": login, "server": server}
                await audit.append(tx, SYSTEM, self._actor, words.TERMINAL_UNLINKED, detail, now)
        return gone > 0

    async def all(self) -> list[TerminalRow]:
        """Every link, by login."""
        async with self._store.reading() as tx:
            return await tx.find(TerminalRow, order_by="login")

    async def refuse_unreadable(self, but: tuple[int, str] | None = None) -> int:
        """Answer how many passwords are kept. Raises PasswordsUnreadable unless all can be read.

        `but`: login and server of an account that is not looked at.
        """
        rows = [
            row
            for row in await self.all()
            if row.password_token is not None and (row.login, row.server) != but
        ]
        _passwords(self._vault, rows)
        return len(rows)

    async def encrypt_anew(self) -> int:
        """Encrypt every password under the newest key, in one transaction; answers how many.

        Raises PasswordsUnreadable, and changes nothing, unless all can be read. Those of clients
        who wait for an admin go along; one that cannot be read is told when it is needed.
        """
        now = self._clock.now()
        waiting = await self._waiting()
        async with self._store.writing() as tx:
            rows = await tx.find(TerminalRow, password_token__ne=None)
            for row, password in zip(rows, _passwords(self._vault, rows), strict=True):
                await self._replace(tx, row, password)
            await self._replace_waiting(tx, waiting)
            detail = {"passwords": len(rows)}
            await audit.append(tx, SYSTEM, self._actor, words.KEYS_ROTATED, detail, now)
        return len(rows)

    async def _replace(self, tx: Transaction, row: TerminalRow, password: Secret) -> None:
        token = self._sealed(row.login, row.server, password)
        await tx.update(TerminalRow, {"id": row.id}, password_token=token)

    async def _waiting(self) -> list[int]:
        """Requests with a password that can be read as rows; a damaged one is ended elsewhere."""
        readable: list[int] = []
        after: int | None = 0
        while after is not None:
            try:
                async with self._store.reading() as tx:
                    after = await following(
                        tx, LinkRequestRow, "id", after, password_token__ne=None
                    )
                    if after is not None and await tx.get(LinkRequestRow, after) is not None:
                        readable.append(after)
            except UnreadableRow:
                continue
        return readable

    async def _replace_waiting(self, tx: Transaction, numbers: list[int]) -> None:
        for row in await tx.find(LinkRequestRow, id=numbers, password_token__ne=None):
            try:
                password = self._vault.unseal(row.login, row.server, row.password_token or "")
            except PasswordUnreadable:
                continue
            token = self._sealed(row.login, row.server, password)
            await tx.update(LinkRequestRow, {"id": row.id}, password_token=token)

    def _sealed(self, login: int, server: str, password: Secret | None) -> str | None:
        return None if password is None else self._vault.seal(login, server, password)


class RotateKeys:
    """Replace the keys so that a crash at any moment leaves every password readable.

    The new key is on the disk before a password is encrypted under it; the old ones leave only
    after the commit, and after every password was read back with the new one alone. What a crash
    leaves, the next rotation finishes.
    """

    def __init__(self, links_with: Callable[[tuple[str, ...]], Links], keys_max: int) -> None:
        self._links_with = links_with
        self._keys_max = keys_max

    async def in_ring(self, ring: KeyRing) -> int:
        """Put a new key into the ring in the place of all others; answers how many passwords.

        Raises KeysUnusable, PasswordsUnreadable and StoreUnavailable.
        """
        keys = ring.read()
        if len(keys) >= self._keys_max:  # rotations that crashed, one upon another
            await self.under_first(keys)
            keys = keys[:1]
            ring.write(keys)
        await self._links_with(keys).refuse_unreadable()
        keys = (ring.new_key(), *keys)
        ring.write(keys)
        count = await self.under_first(keys)
        ring.write(keys[:1])
        return count

    async def under_first(self, keys: tuple[str, ...]) -> int:
        """Encrypt every password under the first of these keys, and read each back with it alone.

        Answers how many. Raises PasswordsUnreadable and StoreUnavailable.
        """
        count = await self._links_with(keys).encrypt_anew()
        await self._links_with(keys[:1]).refuse_unreadable()
        return count


def _passwords(vault: PasswordVault, rows: list[TerminalRow]) -> list[Secret]:
    """Decrypt the passwords of rows that have one. Raises PasswordsUnreadable, naming them all."""
    passwords: list[Secret] = []
    unreadable: list[TerminalRow] = []
    reason = ""
    for row in rows:
        try:
            passwords.append(vault.unseal(row.login, row.server, row.password_token or ""))
        except PasswordUnreadable as error:
            unreadable.append(row)
            reason = reason or str(error)
    if unreadable:
        raise PasswordsUnreadable(unreadable, reason)
    return passwords


def _refuse_taken(new: NewLink, on_host: list[TerminalRow]) -> None:
    for row in on_host:
        is_other = (row.login, row.server) != (new.login, new.server)
        if is_other and _same(row.path) == _same(new.path):
            raise TerminalTaken(row)


def _same(path: str) -> str:
    """One spelling of what Windows takes for the same: case, slashes, `.` and `..` on the way."""
    return ntpath.normpath(path).casefold()
