"""What it means that a terminal refuses our epoch: for its account, or for this whole process.

A terminal remembers the newest owner that it has served, whichever database counted that epoch. So
its refusal proves only that *it* obeys somebody else: another Reckoner with a database of its own,
one that ran before this database was made or brought back, or a host that lies. Whether this
process still owns its accounts is known to the store alone, and only the store's word ends it: one
terminal must not be able to leave every account unguarded.
"""

from core.domain.broker import AccountSnapshot
from core.ports import (
    CancelRequest,
    CheckResult,
    CloseRequest,
    NotSent,
    SendResult,
    SnapshotRequest,
    StaleEpoch,
    Store,
    TerminalGateway,
    TerminalHealth,
    TerminalTaken,
)
from core.records import LeaseRow

REMEDY = "if no other Reckoner runs for it, docs/connect-windows.md says what to do"


class FencedGateway:
    """The gateway; of a refused epoch it raises StaleEpoch only where the store agrees."""

    def __init__(self, gateway: TerminalGateway, store: Store, epoch: int) -> None:
        self._gateway = gateway
        self._store = store
        self._epoch = epoch

    def health(self, login: int, server: str) -> TerminalHealth | None:
        """How the account's terminal is."""
        return self._gateway.health(login, server)

    async def snapshot(self, request: SnapshotRequest) -> AccountSnapshot:
        """Read the account whole. Raises BrokerUnavailable, WrongAccount, StaleEpoch.

        Raises StoreUnavailable where the store has to be asked and cannot be.
        """
        try:
            return await self._gateway.snapshot(request)
        except StaleEpoch as error:
            await self._stop_if_replaced(error)
            raise TerminalTaken(f"its terminal obeys another owner: {error}; {REMEDY}") from error

    async def send(self, request: CloseRequest | CancelRequest) -> SendResult:
        """Send one request, once. Raises NotSent, OutcomeUnknown, WrongAccount, StaleEpoch.

        Raises StoreUnavailable as `snapshot`; nothing was sent then.
        """
        try:
            return await self._gateway.send(request)
        except StaleEpoch as error:
            await self._stop_if_replaced(error)
            raise NotSent(f"the terminal obeys another owner: {error}") from error

    async def check(self, request: CloseRequest) -> CheckResult:
        """Ask of one request whether it would be taken. Raises as `snapshot`."""
        try:
            return await self._gateway.check(request)
        except StaleEpoch as error:
            await self._stop_if_replaced(error)
            raise TerminalTaken(f"its terminal obeys another owner: {error}; {REMEDY}") from error

    async def _stop_if_replaced(self, error: StaleEpoch) -> None:
        """Raise the refusal on where our own store has another owner by now."""
        async with self._store.reading() as tx:
            lease = await tx.first(LeaseRow)
        if lease is not None and lease.epoch != self._epoch:
            raise error
