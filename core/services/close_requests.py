"""Send one request of a close job: the intent committed, the answer recorded, nothing believed.

The intent carries the epoch, and is refused where the store has a newer owner by then: what is not
committed is not sent (law 6; facts: scale, section 5).
"""

from decimal import Decimal

from msgspec.structs import replace

from core.domain import audit_words as words
from core.domain import closing
from core.domain.broker import ZERO, AccountSnapshot, Side
from core.domain.close_request import CANCEL, Attempt
from core.domain.results import COMMENT_PREFIX
from core.domain.retcodes import RetcodeClass, classify
from core.ports import (
    AnsweredElsewhere,
    CancelRequest,
    Clock,
    CloseRequest,
    NotSent,
    OutcomeUnknown,
    SendResult,
    StaleEpoch,
    Store,
    TerminalGateway,
    Transaction,
    WrongAccount,
)
from core.records import CloseJobRow, CloseOrderRow, LeaseRow
from core.services.desk import AccountMemory
from core.services.policy import EnginePolicy
from core.services.recording import Recorder
from core.services.terminal_block import TerminalBlock


class SendClose:
    """Make one attempt; answers how it is recorded."""

    def __init__(
        self,
        *,
        gateway: TerminalGateway,
        store: Store,
        clock: Clock,
        policy: EnginePolicy,
        block: TerminalBlock,
        epoch: int,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._clock = clock
        self._policy = policy
        self._block = block
        self._epoch = epoch

    async def __call__(
        self, memory: AccountMemory, job: CloseJobRow, attempt: Attempt, snapshot: AccountSnapshot
    ) -> CloseOrderRow:
        """Intent, commit, send, answer, commit. Raises StaleEpoch, and nothing was sent then."""
        order = await self._intend(memory, job, attempt)
        request = _to_request(attempt, order, snapshot)
        try:
            result = await self._gateway.send(request)
        except AnsweredElsewhere as error:
            await self._block(memory, str(error), reading=False)
            answered = replace(order, state=closing.UNKNOWN, error=str(error))
        except OutcomeUnknown as error:
            answered = replace(order, state=closing.UNKNOWN, retcode=error.code, error=str(error))
        except NotSent as error:
            answered = replace(order, state=closing.REFUSED, retcode=error.code, error=str(error))
        except WrongAccount as error:
            await self._block(memory, str(error), reading=False)
            answered = replace(order, state=closing.REFUSED, error=str(error))
        else:
            answered = _answered(order, result)
        return await self._record_answer(memory, answered)

    async def _intend(
        self, memory: AccountMemory, job: CloseJobRow, attempt: Attempt
    ) -> CloseOrderRow:
        async with self._store.writing() as tx:
            await self._check_owner(tx)
            pen = self._pen(tx, memory)
            order = CloseOrderRow(
                job_id=job.id,
                account_id=memory.account.id,
                ticket=attempt.ticket,
                position_id=attempt.position_id,
                action=attempt.action,
                attempt=attempt.attempt,
                symbol=attempt.symbol,
                side=attempt.side,
                held=attempt.held,
                volume=attempt.volume,
                filling=attempt.filling,
                deviation_points=attempt.deviation_points,
                state=closing.INTENDED,
                epoch=self._epoch,
                created_at=pen.now,
            )
            order = replace(order, id=await tx.insert(order))
            await pen.audit(
                words.CLOSE_INTENDED,
                job=job.id,
                order=order.id,
                action=order.action,
                ticket=order.ticket,
                attempt=order.attempt,
                volume=order.volume,
                held=order.held,
                filling=order.filling,
                deviation_points=order.deviation_points,
            )
        memory.orders.append(order)
        memory.sent_for.add(order.position_id)
        if order.action == CANCEL:
            memory.cancelled.add(order.ticket)
        return order

    async def _record_answer(self, memory: AccountMemory, order: CloseOrderRow) -> CloseOrderRow:
        async with self._store.writing() as tx:
            pen = self._pen(tx, memory)
            order = replace(order, answered_at=pen.now)
            await tx.update(
                CloseOrderRow,
                {"id": order.id},
                state=order.state,
                retcode=order.retcode,
                deal=order.deal,
                price=order.price,
                error=order.error,
                answered_at=order.answered_at,
            )
            await pen.audit(
                words.CLOSE_ANSWERED,
                order=order.id,
                ticket=order.ticket,
                state=order.state,
                retcode=order.retcode,
                deal=order.deal,
                price=order.price,
                error=order.error,
            )
        replace_order(memory, order)
        return order

    async def _check_owner(self, tx: Transaction) -> None:
        lease = await tx.first(LeaseRow)
        if lease is not None and lease.epoch != self._epoch:
            raise StaleEpoch(f"epoch {lease.epoch} owns the accounts, this one is {self._epoch}")

    def _pen(self, tx: Transaction, memory: AccountMemory) -> Recorder:
        return Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)


def _to_request(
    attempt: Attempt, order: CloseOrderRow, snapshot: AccountSnapshot
) -> CloseRequest | CancelRequest:
    if attempt.action == CANCEL:
        state = snapshot.state
        return CancelRequest(
            login=state.login, server=state.server, ticket=attempt.ticket, symbol=attempt.symbol
        )
    return close_request(attempt, f"{COMMENT_PREFIX}{order.id}", snapshot)


def close_request(attempt: Attempt, comment: str, snapshot: AccountSnapshot) -> CloseRequest:
    """The request that an attempt to close a position is."""
    side = Side(attempt.side)
    return CloseRequest(
        login=snapshot.state.login,
        server=snapshot.state.server,
        ticket=attempt.ticket,
        symbol=attempt.symbol,
        position_side=side,
        volume=attempt.volume,
        price=_price(attempt, side, snapshot),
        deviation_points=attempt.deviation_points,
        filling=attempt.filling,
        comment=comment,
    )


def _price(attempt: Attempt, side: Side, snapshot: AccountSnapshot) -> Decimal:
    """The price to close at; without a quote, the one at which the terminal values the position.

    Only request and instant execution look at it (facts: mt5, section 2, close).
    """
    tick = snapshot.ticks.get(attempt.symbol)
    quoted = ZERO if tick is None else tick.bid if side is Side.BUY else tick.ask
    if quoted > 0:
        return quoted
    valued = (p.price_current for p in snapshot.positions if p.ticket == attempt.ticket)
    return next(valued, ZERO)


def _answered(order: CloseOrderRow, result: SendResult) -> CloseOrderRow:
    match classify(result.retcode):
        case RetcodeClass.ACCEPTED | RetcodeClass.GONE:
            state = closing.DONE
        case RetcodeClass.UNKNOWN:
            state = closing.UNKNOWN
        case _:
            state = closing.REFUSED
    price = result.price if result.price > 0 else None
    return replace(
        order,
        state=state,
        retcode=result.retcode,
        deal=result.deal or None,
        price=price,
        error=result.comment or None,
    )


def replace_order(memory: AccountMemory, order: CloseOrderRow) -> None:
    """Take the order's new state into memory."""
    memory.orders = [order if o.id == order.id else o for o in memory.orders]
