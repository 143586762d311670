"""What answers to questions which trade a position is have in common.

Only admins answer. What a position is decides what the account is measured against, what counts as
a difference, and which signals count as followed; the client who opened it by hand would be judge
in their own case, and an executor cannot be asked. Everybody else is refused, the client of the
account included; they are told what was decided, and by whom.

An answer touches trades, questions and episodes and nothing of the guards: neither peak nor limits,
latch or warnings.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from msgspec import Struct

from core.domain import adoption
from core.domain import audit_words as words
from core.domain.alerts_adoption import PositionAdopted
from core.domain.answers import QuestionAnswered
from core.domain.broker import AccountSnapshot, Position, SymbolSpec
from core.domain.people import Person
from core.domain.pips import quoted
from core.ports import (
    BrokerUnavailable,
    Clock,
    SnapshotRequest,
    Store,
    TerminalGateway,
    Transaction,
    WrongAccount,
)
from core.records import QuestionRow, TradeRow
from core.services.desk import AccountMemory, Desk
from core.services.errors import Refused
from core.services.policy import EnginePolicy
from core.services.questions import check_admin
from core.services.recording import Recorder
from core.services.terminal_block import TerminalBlock


class Answer(Struct, frozen=True, kw_only=True):
    """What a person says. `trade_id` names a trade; `own` is a trade no signal called for.

    Neither means none of these. `version` is the question as it was shown, None where it was typed
    just now. `source` is where it was said: a chat and a message.
    """

    source: str
    version: int | None = None
    trade_id: int | None = None
    own: bool = False


class AnswerDesk:
    """Where an answer finds its account, held for it and read anew."""

    def __init__(  # noqa: PLR0913, PLR0917 - the ports, one line where they are joined
        self,
        store: Store,
        gateway: TerminalGateway,
        clock: Clock,
        desk: Desk,
        policy: EnginePolicy,
        block: TerminalBlock,
        wake: Callable[[int], None],
    ) -> None:
        self.store = store
        self._gateway = gateway
        self.clock = clock
        self._desk = desk
        self.policy = policy
        self._block = block
        self.wake = wake
        self._answering: dict[int, int] = {}

    async def __call__(
        self,
        actor: Person,
        question_id: int,
        refusal_code: str,
        work: Callable[[AccountMemory, QuestionRow], Awaitable[QuestionAnswered]],
    ) -> QuestionAnswered:
        """Do the work on the question's account, one at a time; a close under way is a refusal.

        Raises Refused: not_admin, not_found, and whatever the work raises.
        """
        check_admin(actor)
        async with self.store.reading() as tx:
            row = await tx.get(QuestionRow, question_id)
        if row is None:
            raise Refused("not_found")
        seen = self._desk.peek(row.account_id)
        if seen is not None and seen.jobs:
            # A close may hold the account for a while; nobody has to wait to be refused.
            raise Refused(refusal_code, why="closing")
        first = self._answering.setdefault(row.account_id, row.id)
        if first != row.id:
            # Each answer reads the account: those to many, in a row, would keep the guard waiting.
            # Who answers the same one waits, to be told who was first.
            raise Refused(refusal_code, why="busy")
        try:
            done = await self._work(actor, row, work)
        finally:
            self._answering.pop(row.account_id, None)
        self.wake(row.account_id)
        return done

    async def _work(
        self,
        actor: Person,
        asked: QuestionRow,
        work: Callable[[AccountMemory, QuestionRow], Awaitable[QuestionAnswered]],
    ) -> QuestionAnswered:
        async with self._desk.holding(asked.account_id) as memory:
            async with self.store.reading() as tx:
                row = await tx.get(QuestionRow, asked.id) or asked
            try:
                return await work(memory, row)
            except Refused as refusal:
                await self._refused(memory, actor, row, refusal)
                raise

    async def read(self, memory: AccountMemory, row: QuestionRow) -> AccountSnapshot:
        """The account as it is now: an answer is not decided by what was shown."""
        request = SnapshotRequest(
            account_id=memory.account.id,
            login=memory.account.login,
            server=memory.account.server,
            deals_since=self.clock.now(),
            symbols=(adoption.asked_of(row).symbol,),
        )
        try:
            return await self._gateway.snapshot(request)
        except BrokerUnavailable as error:
            if isinstance(error, WrongAccount):
                await self._block(memory, str(error), reading=False)
                raise Refused("not_adopted", why="blocked") from error
            raise Refused(
                "account_unavailable", reason=str(error), since=memory.failing_since
            ) from error

    async def _refused(
        self, memory: AccountMemory, actor: Person, row: QuestionRow, refusal: Refused
    ) -> None:
        async with self.store.writing() as tx:
            pen = Recorder(tx, memory, self.clock.now(), self.policy.admin_chat_id)
            await pen.audit(
                words.ADOPTION_REFUSED,
                actor=actor.name,
                question=row.id,
                position=row.position_id,
                code=refusal.code,
                why=refusal.facts.get("why", ""),
            )


def check_free(memory: AccountMemory, code: str) -> None:
    """Nothing is adopted or taken back while a guard owns the account, or nobody knows whose it is.

    What is there then is going to be closed, and a trade must not stand in the way of that, nor
    seem to.
    """
    if memory.jobs:
        raise Refused(code, why="closing")
    if memory.latched:
        raise Refused(code, why="locked")
    if memory.state.terminal_blocked_at is not None:
        raise Refused(code, why="blocked")


def position_in(snapshot: AccountSnapshot, row: QuestionRow, code: str) -> Position:
    """The question's position as it is now. Raises Refused with this code where it is gone."""
    for position in snapshot.positions:
        if position.identifier == row.position_id:
            return position
    raise Refused(code, why="gone")


async def update(tx: Transaction, before: TradeRow, after: TradeRow) -> None:
    """Write what is different about a trade."""
    changes = {
        name: getattr(after, name)
        for name in after.__struct_fields__
        if getattr(after, name) != getattr(before, name)
    }
    await tx.update(TradeRow, {"id": after.id}, **changes)


def answered(
    memory: AccountMemory, row: QuestionRow, signal_id: int | None = None
) -> QuestionAnswered:
    """What is answered to the person: the question as it stands now."""
    asked = adoption.asked_of(row)
    return QuestionAnswered(
        question_id=row.id,
        login=memory.account.login,
        position_id=row.position_id,
        symbol=asked.symbol,
        side=asked.side,
        volume=asked.volume,
        state=row.state,
        signal_id=signal_id,
    )


def alert_of(
    pen: Recorder,
    trade: TradeRow,
    position: Position,
    spec: SymbolSpec | None,
    *,
    by: str,
    adopted_at: datetime,
) -> PositionAdopted:
    """What the client reads of it. `adopted_at` is which adoption the message is about."""
    return PositionAdopted(
        **pen.who,
        position_id=position.identifier,
        signal_id=trade.signal_id,
        symbol=position.symbol,
        side=position.side.value,
        volume=position.volume,
        expected_volume=trade.volume,
        price=quoted(position.price_open, spec),
        expected_entry=quoted(trade.expected_entry, spec),
        stop_loss=trade.stop_loss,
        take_profit=trade.take_profit,
        by=by,
        adopted_at=adopted_at,
        at=pen.now,
    )
