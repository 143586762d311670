"""The pen a service writes with: one account, one transaction, one moment."""

from datetime import datetime
from typing import Any

import msgspec

from core.domain import alerts as a
from core.domain.broker import AccountSnapshot
from core.domain.cycle import Cycle
from core.ports import Transaction
from core.records import CardRow, PositionSnapshotRow, ReconciliationLogRow
from core.services import audit
from core.services.desk import AccountMemory
from core.services.evidence import DECISIONS, inputs
from core.services.speaking import speak
from core.services.telling import AUDITED

TOLD_EACH_MAX = 3
"""Things of one kind, found in one reading, that get a message each; more share one."""
GROUP_ITEMS_MAX = 10
"""Lines of a message about many; it says how many more there are."""


class Recorder:
    """One commit's pen: knows the account, the transaction, the moment and the admin chat.

    Memory is changed in step with the rows; the caller forgets it where the commit fails.
    """

    def __init__(
        self, tx: Transaction, memory: AccountMemory, now: datetime, admin_chat_id: int
    ) -> None:
        self.tx = tx
        self.memory = memory
        self.now = now
        self.admin_chat_id = admin_chat_id
        self.muted: tuple[type[a.Alert], ...] = ()
        """Kinds of alert that another message of this commit tells of (inhibition)."""
        self.reading: AccountSnapshot | None = None
        self.cycle: Cycle | None = None
        """What is being judged, where that is not yet what the memory has."""
        self.spoken: list[int] = []
        """Outbox rows of this commit so far that tell of a decision."""
        account = memory.account
        self.who: dict[str, Any] = {
            "account_id": account.id,
            "login": account.login,
            "client": memory.user.name,
            "currency": account.currency,
        }

    async def say(self, alert: a.Alert) -> None:
        """Tell whom it concerns."""
        if isinstance(alert, self.muted):
            return
        client = self.memory.user.telegram_id
        made = await speak(self.tx, alert, client=client, admin=self.admin_chat_id, now=self.now)
        if type(alert).__name__ in AUDITED:
            self.spoken += made
            # A pinned card must not say for half a minute more that there is room left.
            await self.tx.update(CardRow, {"user_id": self.memory.user.id}, next_at=self.now)

    async def audit(self, word: str, /, actor: str = "engine", **detail: object) -> None:
        """Add a link to the account's audit chain; a decision's with what it was made on.

        Say what tells of a decision before it: its link names the messages of this commit.
        """
        if word in DECISIONS:
            detail["inputs"] = inputs(self.memory, self.cycle, self.reading)
            detail["outbox"] = list(self.spoken)
        await audit.append(
            self.tx, self.memory.account.id, actor, word, msgspec.to_builtins(detail), self.now
        )

    async def log(self, **columns: object) -> None:
        """Add a reconciliation event. Raises TypeError for a column that there is not."""
        unknown = columns.keys() - set(ReconciliationLogRow.__struct_fields__)
        if unknown:
            raise TypeError(f"{ReconciliationLogRow.table} has no {sorted(unknown)}")
        memory = self.memory
        row = msgspec.convert(
            {
                "user_id": memory.user.id,
                "account_id": memory.account.id,
                "currency": memory.account.currency,
                "created_at": self.now,
                "updated_at": self.now,
                **columns,
            },
            ReconciliationLogRow,
        )
        await self.tx.insert(row)


async def failed_read(pen: Recorder, reason: str) -> None:
    """Add the one row of an outage to the samples, and one to the history."""
    account = pen.memory.account
    await pen.tx.insert(
        PositionSnapshotRow(
            user_id=pen.memory.user.id,
            account_id=account.id,
            currency=account.currency,
            sync_error=reason,
            created_at=pen.now,
        )
    )
    await pen.log(matched=False, event_type="sync", status="failed", error_message=reason)
