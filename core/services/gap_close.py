"""Close a symbol that a market warning calls to close, in each account's own cycle (law 16)."""

from collections.abc import Callable

from msgspec.structs import replace

from core.domain import audit_words as words
from core.domain.broker import AccountSnapshot
from core.ports import Clock, Store
from core.records import CloseJobRow, MarketWarningRow
from core.services.desk import AccountMemory
from core.services.policy import EnginePolicy
from core.services.recording import Recorder

_UNITS = {"gap": "%", "spread": "pips"}


def close_key(warning: MarketWarningRow) -> str:
    """What makes an account's close for a warning one and the same."""
    return f"{warning.kind}:{warning.id}"


class GapClose:
    """Give the account the job that a closing market warning calls for, once per warning."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        policy: EnginePolicy,
        epoch: int,
        closing: Callable[[str], list[MarketWarningRow]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._epoch = epoch
        self._closing = closing

    async def __call__(self, memory: AccountMemory, snapshot: AccountSnapshot) -> None:
        """Look at this reading; an account that is latched or closed whole needs nothing more."""
        if memory.latched:
            return
        held = {p.symbol for p in snapshot.positions} | {o.symbol for o in snapshot.orders}
        for warning in self._closing(memory.account.server):
            covered = any(j.scope in ("account", warning.symbol) for j in memory.jobs)
            if warning.symbol in held and not covered:
                await self._begin(memory, snapshot, warning)

    async def _begin(
        self, memory: AccountMemory, snapshot: AccountSnapshot, warning: MarketWarningRow
    ) -> None:
        now = self._clock.now()
        job = CloseJobRow(
            account_id=memory.account.id,
            trigger_key=close_key(warning),
            reason=f"market_{warning.kind}",
            scope=warning.symbol,
            state="closing",
            deadline_at=now,
            epoch=self._epoch,
            equity_at_trigger=snapshot.state.equity,
            drawdown_percent=memory.state.drawdown_percent,
            created_at=now,
            started_at=now,
        )
        async with self._store.writing() as tx:
            new_id = await tx.insert_new(job)
            if new_id is None:
                return  # closed for this warning before; what is held now is newer than it
            pen = Recorder(tx, memory, now, self._policy.admin_chat_id)
            memory.jobs.append(replace(job, id=new_id))
            await pen.audit(words.CLOSE_STARTED, job=new_id, warning=warning.id)
            await pen.log(
                matched=True,
                symbol=warning.symbol,
                event_type="guard_trigger",
                status="warning",
                error_message=f"market {warning.kind} {warning.figure} {_UNITS[warning.kind]}",
            )
