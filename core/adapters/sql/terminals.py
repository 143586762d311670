"""`core.ports.TerminalDirectory` over the table `terminals`."""

from datetime import datetime
from typing import Final

from core.ports import (
    BrokerUnavailable,
    PasswordUnreadable,
    PasswordVault,
    Secret,
    Store,
    TerminalLink,
)
from core.records import TerminalRow

UNSEAL_TRIES: Final = 2
"""Where the keys are changed between reading the row and reading them, the next row fits."""


class SqlTerminals:
    """Finds terminals where `python -m bot link` has put them, anew at each call."""

    def __init__(self, store: Store, vault: PasswordVault) -> None:
        self._store = store
        self._vault = vault

    async def find(self, login: int, server: str) -> TerminalLink | None:
        """The account's terminal; None where none is linked.

        Raises StoreUnavailable, and BrokerUnavailable where its password cannot be decrypted.
        """
        reason = ""
        for _ in range(UNSEAL_TRIES):
            async with self._store.reading() as tx:
                row = await tx.first(TerminalRow, login=login, server=server)
            if row is None:
                return None
            try:
                return link_of(row, self._password(row))
            except PasswordUnreadable as error:
                reason = str(error)
        raise BrokerUnavailable(
            f"the password of {login} at {server} cannot be decrypted: {reason}"
        )

    async def keep_offset(self, login: int, server: str, offset_s: int, at: datetime) -> None:
        """Remember the broker's clock minus UTC, as inferred at an instant (UTC)."""
        async with self._store.writing() as tx:
            await tx.update(
                TerminalRow,
                {"login": login, "server": server},
                server_offset_s=offset_s,
                offset_at=at,
            )

    def _password(self, row: TerminalRow) -> Secret | None:
        if row.password_token is None:
            return None
        return self._vault.unseal(row.login, row.server, row.password_token)


def link_of(row: TerminalRow, password: Secret | None) -> TerminalLink:
    """Make the link that a row tells of."""
    return TerminalLink(
        login=row.login,
        server=row.server,
        path=row.path,
        portable=row.portable,
        host=row.host,
        password=password,
        server_offset_s=row.server_offset_s,
    )
