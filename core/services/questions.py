"""Questions which trade a position is, for admins to look at; answering them is another service."""

from msgspec import Struct

from core.domain.adoption import ASKED, OVER
from core.domain.alerts_adoption import PositionQuestion
from core.domain.people import Person
from core.ports import Store, Transaction
from core.records import AccountRow, AccountStateRow, QuestionRow, TradeRow, UserRow
from core.services import record_questions
from core.services.errors import Refused

LISTED_MAX = 100
"""Questions looked through for the list of those that wait; more are counted."""


class OpenQuestions(Struct, frozen=True, kw_only=True):
    """Questions that wait, those with candidates first. `total` counts all of them."""

    cards: tuple[PositionQuestion, ...]
    total: int


class Questions:
    """The questions as they stand."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def waiting(self, actor: Person) -> OpenQuestions:
        """Every question that waits for an answer. Raises Refused: not_admin."""
        check_admin(actor)
        async with self._store.reading() as tx:
            # On a locked account there is nothing to answer: what is on it is closed.
            locked = {row.id for row in await tx.find(AccountStateRow, latched_at__ne=None)}
            total = await tx.count(QuestionRow, state=ASKED)
            if locked:
                total -= await tx.count(QuestionRow, state=ASKED, account_id=tuple(locked))
            rows = await tx.find(QuestionRow, state=ASKED, order_by="-id", limit=LISTED_MAX)
            cards = [await question_card(tx, row) for row in rows if row.account_id not in locked]
        cards.sort(key=lambda card: not card.asked.total)
        return OpenQuestions(cards=tuple(cards), total=total)

    async def card(self, actor: Person, question_id: int) -> PositionQuestion:
        """One question as it stands. Raises Refused: not_admin, not_found."""
        check_admin(actor)
        async with self._store.reading() as tx:
            row = await tx.get(QuestionRow, question_id)
            if row is None:
                raise Refused("not_found")
            return await question_card(tx, row)

    async def find(self, actor: Person, position_id: int) -> PositionQuestion:
        """The question about a position. Raises Refused: not_admin, no_question, same_position."""
        check_admin(actor)
        async with self._store.reading() as tx:
            rows = await tx.find(QuestionRow, position_id=position_id, state__ne=OVER)
            if not rows:
                raise Refused("no_question", position=position_id)
            if len(rows) > 1:
                raise Refused("same_position", position=position_id)
            return await question_card(tx, rows[0])

    async def trade_of(self, question_id: int, signal_id: int) -> int:
        """The trade by which the question's account follows a signal. Raises Refused: no_signal."""
        async with self._store.reading() as tx:
            row = await tx.get(QuestionRow, question_id)
            where = {"account_id": row.account_id if row else 0, "signal_id": signal_id}
            trade = await tx.first(TradeRow, order_by="-id", **where)
        if trade is None:
            raise Refused("no_signal", signal=signal_id)
        return trade.id


def check_admin(actor: Person) -> None:
    """Raise Refused not_admin for everybody else."""
    if not actor.is_admin:
        raise Refused("not_admin")


async def question_card(tx: Transaction, row: QuestionRow) -> PositionQuestion:
    """A question as it stands, with the names of account, client, signal and who answered."""
    account = await tx.get(AccountRow, row.account_id)
    user = await tx.get(UserRow, account.user_id) if account else None
    if account is None or user is None:
        raise Refused("not_found")
    answered_by = await tx.get(UserRow, row.answered_by) if row.answered_by else None
    trade = await tx.get(TradeRow, row.trade_id) if row.trade_id else None
    who = {
        "account_id": account.id,
        "login": account.login,
        "client": user.name,
        "currency": account.currency,
    }
    return record_questions.card(
        who,
        row,
        signal_id=trade.signal_id if trade else None,
        by=answered_by.name if answered_by else "",
    )
