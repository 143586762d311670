"""The market guard's messages: the admins' warning, and each client's before a close."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from core.domain.alert_parts import Exposure
from core.domain.alerts_market import MarketCloseAhead, MarketWarning
from core.domain.broker import ZERO, Position, Side, SymbolSpec, Tick
from core.domain.market import Change, WarningState
from core.domain.quotes import Action, Seen, WarningKind
from core.domain.valuing import valued
from core.ports import Transaction
from core.records import CloseJobRow, MarketWarningRow, UserRow
from core.services.desk import AccountMemory, Desk
from core.services.gap_close import close_key
from core.services.speaking import speak


class MarketTelling:
    """Puts what became of a warning into the outbox, inside its own commit."""

    def __init__(self, desk: Desk, admin_chat_id: int) -> None:
        self._desk = desk
        self._admin_chat_id = admin_chat_id

    async def admins(  # noqa: PLR0913 - what the message is made of
        self,
        tx: Transaction,
        change: Change,
        warning: MarketWarningRow,
        account_ids: list[int],
        seen: Seen | None,
        now: datetime,
        *,
        quote: Tick | None = None,
        by: str = "",
        reason: str = "",
    ) -> None:
        """Tell the admin chat; `account_ids` are those that are, or were last, concerned."""
        ended = _ended(warning, seen)
        if ended == "not_held" and await tx.count(
            CloseJobRow, account_id=tuple(account_ids), trigger_key=close_key(warning)
        ):
            ended = "closed"
        if not by and ended and warning.answered_by:
            user = await tx.get(UserRow, warning.answered_by)
            by = user.name if user else ""
        wide = seen.too_wide if seen is not None else None
        alert = warning_of(
            warning,
            accounts=self.names(account_ids),
            exposures=self._exposures(account_ids, warning.symbol, quote),
            by=by,
            reason=reason,
            at=now,
            again=change.again,
            spread_now=wide.figure if wide is not None else None,
            ended=ended,
        )
        await speak(tx, alert, client=None, admin=self._admin_chat_id, now=now)

    async def clients(
        self,
        tx: Transaction,
        change: Change,
        warning: MarketWarningRow,
        known: MarketWarningRow | None,
        now: datetime,
        quote: Tick | None = None,
    ) -> None:
        """Tell each client whose positions are to be closed, before they are (and if they are not).

        Who held nothing when the warning was told, and does now, is told then.
        """
        if warning.action != Action.CLOSE:
            return
        before = set(known.account_ids) if known and known.action == Action.CLOSE else set()
        ids = warning.account_ids or (known.account_ids if known else [])
        if warning.state == WarningState.RESOLVED and known and known.state == WarningState.CLOSING:
            return  # the close's own report says so
        all_hear = change.told and not change.joined
        for account_id in ids if all_hear else [i for i in ids if i not in before]:
            memory = self._desk.peek(account_id)
            if memory is None:
                continue
            alert = MarketCloseAhead(
                account_id=account_id,
                login=memory.account.login,
                client=memory.user.name,
                currency=memory.account.currency,
                warning_id=warning.id,
                warning=warning.kind,
                symbol=warning.symbol,
                state=warning.state,
                figure=warning.figure,
                limit=warning.limit,
                price_before=warning.price_before,
                price_after=warning.price_after,
                deadline_at=warning.deadline_at,
                wait_until=warning.wait_until,
                hold_until=warning.hold_until,
                exposures=tuple(held(memory, warning.symbol, quote)),
                at=now,
                again=change.again or account_id not in before,
            )
            await speak(
                tx, alert, client=memory.user.telegram_id, admin=self._admin_chat_id, now=now
            )

    def names(self, account_ids: Iterable[int]) -> list[str]:
        """Account ids as people know them: client and login."""
        known = (self._desk.peek(account_id) for account_id in account_ids)
        return [_name(m) for m in known if m is not None]

    def _exposures(
        self, account_ids: Iterable[int], symbol: str, quote: Tick | None
    ) -> tuple[Exposure, ...]:
        found = (self._desk.peek(account_id) for account_id in account_ids)
        return tuple(
            e for memory in found if memory is not None for e in held(memory, symbol, quote)
        )


def warning_of(  # noqa: PLR0913 - what the row does not know, each named
    row: MarketWarningRow,
    *,
    accounts: Iterable[str],
    exposures: Iterable[Exposure],
    by: str,
    reason: str,
    at: datetime,
    again: bool = False,
    spread_now: Decimal | None = None,
    ended: str = "",
) -> MarketWarning:
    """A warning as it is shown, when it changes and in lists alike."""
    return MarketWarning(
        warning_id=row.id,
        version=row.version,
        warning=row.kind,
        rule=row.rule,
        action=row.action,
        symbol=row.symbol,
        server=row.server,
        state=row.state,
        figure=row.figure,
        limit=row.limit,
        worst=row.worst,
        typical=row.typical,
        accounts=tuple(accounts),
        opened_at=row.opened_at,
        deadline_at=row.deadline_at,
        wait_until=row.wait_until,
        hold_until=row.hold_until,
        answered_by=by,
        reason=reason,
        at=at,
        again=again,
        price_before=row.price_before,
        price_after=row.price_after,
        before_at=row.before_at,
        spread_now=spread_now,
        exposures=tuple(exposures),
        ended=ended,
    )


def held(memory: AccountMemory, symbol: str, quote: Tick | None) -> list[Exposure]:
    """What an account holds of a symbol, a line per side, as last read, at the newest quote.

    An account that was read before the jump would show what it had before: its positions are
    valued anew, and where that cannot be done no result is shown.
    """
    snapshot = memory.snapshot
    positions = [p for p in snapshot.positions if p.symbol == symbol] if snapshot else []
    spec = snapshot.symbols.get(symbol) if snapshot else None
    return [
        Exposure(
            account=_name(memory),
            side=side.value,
            volume=sum((p.volume for p in positions if p.side is side), ZERO),
            profit=_result([p for p in positions if p.side is side], spec, quote),
            currency=memory.account.currency,
        )
        for side in Side
        if any(p.side is side for p in positions)
    ]


def _result(
    positions: Sequence[Position], spec: SymbolSpec | None, quote: Tick | None
) -> Decimal | None:
    results = [valued(p, spec, quote) for p in positions]
    known = [r for r in results if r is not None]
    return sum(known, ZERO) if len(known) == len(results) else None


def _name(memory: AccountMemory) -> str:
    return f"{memory.user.name} {memory.account.login}"


def _ended(warning: MarketWarningRow, seen: Seen | None) -> str:
    """Why a warning is over: nobody holds the symbol, it is calm, or (a gap) it was told."""
    if warning.resolved_at is None:
        return ""
    if not warning.account_ids:
        return "not_held"
    if warning.kind == WarningKind.GAP:
        return "passed" if warning.action != Action.CLOSE else ""
    if warning.kind == WarningKind.STILL and seen is not None and seen.resting:
        return "resting"
    return "calm"
