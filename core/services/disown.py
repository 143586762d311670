"""A person takes an adoption back, as long as the trade is open."""

from msgspec.structs import replace

from core.domain import adoption
from core.domain import audit_words as words
from core.domain.adoption import ADOPTED, DECLINED
from core.domain.answers import QuestionAnswered
from core.domain.broker import AccountSnapshot, Position
from core.domain.matching import NotAdoptable
from core.domain.people import Person
from core.records import QuestionRow, TradeRow
from core.services import record_questions
from core.services.answering import (
    Answer,
    AnswerDesk,
    alert_of,
    answered,
    check_free,
    position_in,
    update,
)
from core.services.desk import AccountMemory
from core.services.errors import Refused
from core.services.questions import question_card
from core.services.recording import Recorder

DISOWNED = "disowned"


class Disown:
    """Part a trade from a position that it got by adoption."""

    def __init__(self, desk: AnswerDesk) -> None:
        self._desk = desk
        self._store = desk.store
        self._clock = desk.clock
        self._policy = desk.policy

    async def __call__(self, actor: Person, question_id: int, said: Answer) -> QuestionAnswered:
        """Take an adoption back, as long as the trade is open; it is not asked about again.

        Raises Refused: not_admin, not_found, question_answered, account_unavailable, not_disowned.
        """
        return await self._desk(
            actor,
            question_id,
            "not_disowned",
            lambda memory, row: self._disown(memory, actor, row, said),
        )

    async def _disown(
        self, memory: AccountMemory, actor: Person, row: QuestionRow, said: Answer
    ) -> QuestionAnswered:
        taken_back = row.state == DECLINED and row.answered_by == actor.user_id
        if taken_back and said.version == row.version - 1:
            return replace(answered(memory, row), state=DISOWNED)
        if row.state != ADOPTED:
            await self._refuse(row)
        if said.version not in {None, row.version}:
            raise Refused("question_changed")
        check_free(memory, "not_disowned")
        trade = await self._trade_for_disowning(row)
        snapshot = await self._desk.read(memory, row)
        position = position_in(snapshot, row, "not_disowned")
        trade = memory.trades.get(trade.id, trade)
        try:
            after = adoption.disown(
                trade,
                position,
                row.status_before or "expired",
                lots=adoption.asked_of(row).volume,
                held={p.identifier for p in snapshot.positions},
            )
        except NotAdoptable as refusal:
            raise Refused("not_disowned", why=refusal.why) from refusal
        await self._take_back(memory, actor, row, (trade, after), (said, position, snapshot))
        return replace(answered(memory, row, trade.signal_id), state=DISOWNED)

    async def _refuse(self, row: QuestionRow) -> None:
        if row.state != DECLINED:
            raise Refused("not_disowned", why="not_adopted")
        async with self._store.reading() as tx:
            card = await question_card(tx, row)
        raise Refused("question_answered", state=row.state, signal=None, by=card.by, at=card.at)

    async def _trade_for_disowning(self, row: QuestionRow) -> TradeRow:
        async with self._store.reading() as tx:
            trade = await tx.get(TradeRow, row.trade_id or 0)
        if trade is None:
            raise Refused("not_found")
        return trade

    async def _take_back(
        self,
        memory: AccountMemory,
        actor: Person,
        row: QuestionRow,
        trade: tuple[TradeRow, TradeRow],
        seen: tuple[Answer, Position, AccountSnapshot],
    ) -> None:
        """Part the trade from its position; the next reading tells what is unknown then.

        It is not asked about again, and not matched to that trade again without a tag.
        """
        (before, after), (said, position, snapshot) = trade, seen
        adopted_at, spec = row.answered_at, snapshot.symbols.get(position.symbol)
        named = {*row.candidates, before.id} if before.approval_id else set(row.candidates)
        row = replace(row, about=adoption.what(position), candidates=sorted(named))
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            await update(tx, before, after)
            memory.trades[after.id] = after
            if after.approval_id is None:
                memory.trades.pop(after.id)
            row = await record_questions.save(
                pen, adoption.declined(row, by=actor.user_id, now=pen.now)
            )
            await pen.audit(
                words.POSITION_DISOWNED,
                actor=actor.name,
                by=actor.user_id,
                source=said.source,
                question=row.id,
                position=row.position_id,
                trade=before.id,
                signal=before.signal_id,
                adopted_by=before.adopted_by,
                adopted_at=before.adopted_at,
            )
            shown = record_questions.card(pen.who, row, signal_id=before.signal_id, by=actor.name)
            await pen.say(replace(shown, state=DISOWNED))
            told = alert_of(
                pen, before, position, spec, by=actor.name, adopted_at=adopted_at or pen.now
            )
            await pen.say(replace(told, undone_by=actor.name))
