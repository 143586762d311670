"""A person says which trade a position is, or that it is none (`core.services.answering`)."""

from msgspec.structs import replace

from core.domain import adoption
from core.domain import audit_words as words
from core.domain.adoption import ADOPTED, ASKED, DECLINED, OVER
from core.domain.answers import QuestionAnswered
from core.domain.broker import AccountSnapshot, Position
from core.domain.matching import NotAdoptable, adopt, identifiers
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


class Adoption:
    """Answers to questions: this trade, a trade of its own, none of these."""

    def __init__(self, desk: AnswerDesk) -> None:
        self._desk = desk
        self._store = desk.store
        self._clock = desk.clock
        self._policy = desk.policy

    async def __call__(self, actor: Person, question_id: int, said: Answer) -> QuestionAnswered:
        """Do what was said, once; the same again by the same person is told the same.

        Raises Refused: not_admin, not_found, question_answered, question_changed,
        account_unavailable, not_adopted.
        """
        return await self._desk(
            actor,
            question_id,
            "not_adopted",
            lambda memory, row: self._answer(memory, actor, row, said),
        )

    async def _answer(
        self, memory: AccountMemory, actor: Person, row: QuestionRow, said: Answer
    ) -> QuestionAnswered:
        repeated = await self._repeated(memory, actor, row, said)
        if repeated is not None:
            return repeated
        await self._check_current(row, said.version)
        if not said.own and said.trade_id is None:
            return await self._decline(memory, actor, row, said)
        check_free(memory, "not_adopted")
        snapshot = await self._desk.read(memory, row)
        position = position_in(snapshot, row, "not_adopted")
        if said.version is not None and adoption.what(position) != row.about:
            self._desk.wake(row.account_id)  # the next reading redraws the question
            raise Refused("question_changed")
        now = self._clock.now()
        if said.own:
            before = adoption.own_trade(
                position, row, user_id=memory.user.id, by=actor.user_id, at=now
            )
            _check_taken(memory, row.position_id)
            return await self._adopt(memory, actor, row, (None, before), (said, position, snapshot))
        trade = await self._trade(memory, said.trade_id or 0)
        try:
            after = adopt(
                trade,
                position,
                memory.trades.values(),
                by=actor.user_id,
                at=now,
                symbols=snapshot.symbols,
            )
        except NotAdoptable as refusal:
            raise Refused("not_adopted", why=refusal.why) from refusal
        return await self._adopt(memory, actor, row, (trade, after), (said, position, snapshot))

    async def _repeated(
        self, memory: AccountMemory, actor: Person, row: QuestionRow, said: Answer
    ) -> QuestionAnswered | None:
        """What was done already, where the same person says the same again of the same question.

        A press is handled once more where the app ended before it was answered.
        """
        if said.version != row.version - 1 or row.answered_by != actor.user_id:
            return None
        if row.state == DECLINED and said.trade_id is None and not said.own:
            return answered(memory, row)
        if row.state != ADOPTED or row.trade_id is None:
            return None
        async with self._store.reading() as tx:
            trade = await tx.get(TradeRow, row.trade_id)
        signal_id = trade.signal_id if trade else None
        same = said.own if signal_id is None else said.trade_id == row.trade_id
        return answered(memory, row, signal_id) if same else None

    async def _check_current(self, row: QuestionRow, version: int | None) -> None:
        """Whether the question still waits, as it was shown."""
        if row.state in {ASKED, DECLINED} and version in {None, row.version}:
            return
        if row.state == OVER:
            raise Refused("not_adopted", why="settled")
        if row.answered_by is None:
            raise Refused("question_changed")
        async with self._store.reading() as tx:
            card = await question_card(tx, row)
        raise Refused(
            "question_answered", state=row.state, signal=card.signal_id, by=card.by, at=card.at
        )

    async def _trade(self, memory: AccountMemory, trade_id: int) -> TradeRow:
        """A trade of this account; one from before the last days is only in the store."""
        known = memory.trades.get(trade_id)
        if known is not None:
            return known
        async with self._store.reading() as tx:
            trade = await tx.get(TradeRow, trade_id)
        if trade is None or trade.account_id != memory.account.id or trade.signal_id is None:
            raise Refused("not_found")
        return trade

    async def _adopt(
        self,
        memory: AccountMemory,
        actor: Person,
        row: QuestionRow,
        trade: tuple[TradeRow | None, TradeRow],
        seen: tuple[Answer, Position, AccountSnapshot],
    ) -> QuestionAnswered:
        """Write the trade with its position, end the question and what was told, in one commit."""
        (before, after), (said, position, snapshot) = trade, seen
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            if before is None:
                after = replace(after, id=await tx.insert(after))
            else:
                await update(tx, before, after)
            memory.trades[after.id] = after
            row = await record_questions.save(
                pen,
                adoption.answered(
                    row,
                    ADOPTED,
                    by=actor.user_id,
                    now=pen.now,
                    trade_id=after.id,
                    status_before=before.status if before else None,
                ),
            )
            await _recorded(pen, row, after, (actor, said, position))
            await record_questions.resolve(pen, row.position_id)
            await pen.say(
                record_questions.card(pen.who, row, signal_id=after.signal_id, by=actor.name)
            )
            spec = snapshot.symbols.get(position.symbol)
            await pen.say(alert_of(pen, after, position, spec, by=actor.name, adopted_at=pen.now))
        return answered(memory, row, after.signal_id)

    async def _decline(
        self, memory: AccountMemory, actor: Person, row: QuestionRow, said: Answer
    ) -> QuestionAnswered:
        async with self._store.writing() as tx:
            pen = Recorder(tx, memory, self._clock.now(), self._policy.admin_chat_id)
            row = await record_questions.save(
                pen, adoption.declined(row, by=actor.user_id, now=pen.now)
            )
            await pen.audit(
                words.POSITION_DECLINED,
                actor=actor.name,
                by=actor.user_id,
                source=said.source,
                question=row.id,
                position=row.position_id,
                candidates=row.candidates,
                about=row.about,
            )
            await pen.say(record_questions.card(pen.who, row, by=actor.name))
        return answered(memory, row)


def _check_taken(memory: AccountMemory, position_id: int) -> None:
    if any(position_id in identifiers(trade) for trade in memory.trades.values()):
        raise Refused("not_adopted", why="taken")


async def _recorded(
    pen: Recorder, row: QuestionRow, after: TradeRow, how: tuple[Person, Answer, Position]
) -> None:
    """Who, when, which candidates, from which message; and the match in the log."""
    actor, said, position = how
    await pen.audit(
        words.POSITION_ADOPTED,
        actor=actor.name,
        by=actor.user_id,
        source=said.source,
        question=row.id,
        position=row.position_id,
        trade=after.id,
        signal=after.signal_id,
        candidates=row.candidates,
        about=row.about,
        volume=position.volume,
        price=position.price_open,
        status_before=row.status_before,
    )
    await pen.log(
        signal_id=after.signal_id,
        approval_id=after.approval_id,
        mt5_position_id=position.identifier,
        symbol=position.symbol,
        direction=position.side.value,
        volume=position.volume,
        entry_price=position.price_open,
        current_price=position.price_current,
        take_profit=position.take_profit,
        stop_loss=position.stop_loss,
        matched=True,
        event_type="sync",
        status="success",
        error_message=f"adopted by {actor.name}",
    )
