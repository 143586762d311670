"""/signals, and the offer that /approve and /reject name."""

from collections import Counter
from typing import Any, Final

from core.domain.alerts import SignalOffered
from core.domain.people import Person
from core.domain.signal_board import AnsweredOffer, OwnSignals, SignalLine
from core.ports import Clock, Store, Transaction
from core.records import AccountRow, AccountStateRow, ApprovalRow, SignalRow, UserRow
from core.services.errors import Refused

WAITING_MAX: Final = 5
"""Offers shown each with its buttons; more are counted."""
ANSWERED_MAX: Final = 10
PRICE_DIGITS_MIN: Final = 2
SIGNALS_MAX: Final = 10


class SignalBoards:
    """Answers; changes nothing."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def own(self, person: Person) -> OwnSignals:
        """The person's own offers."""
        where: dict[str, Any] = {"user_id": person.user_id, "account_id": person.account_ids}
        async with self._store.reading() as tx:
            offers = await tx.find(ApprovalRow, status="offered", order_by="-id", **where)
            answered = await tx.find(
                ApprovalRow, status__ne="offered", order_by="-id", limit=ANSWERED_MAX, **where
            )
            signals = await _signals(tx, [*offers, *answered])
            accounts = {row.id: row for row in await tx.find(AccountRow, id=person.account_ids)}
            states = [await tx.get(AccountStateRow, account_id) for account_id in accounts]
        latched = {state.id for state in states if state is not None and state.latched_at}
        now = self._clock.now()
        open_now = [row for row in offers if signals[row.signal_id].expires_at > now]
        return OwnSignals(
            waiting=tuple(
                _offer(row, signals[row.signal_id], accounts[row.account_id], person)
                for row in open_now[:WAITING_MAX]
            ),
            more_waiting=max(0, len(open_now) - WAITING_MAX),
            answered=tuple(
                _answered(row, signals[row.signal_id], accounts[row.account_id]) for row in answered
            ),
            locked=tuple(sorted(accounts[account_id].login for account_id in latched)),
        )

    async def last(self, actor: Person) -> tuple[SignalLine, ...]:
        """The newest signals and what became of them. Raises Refused: not_admin."""
        if not actor.is_admin:
            raise Refused("not_admin")
        async with self._store.reading() as tx:
            rows = await tx.find(SignalRow, order_by="-id", limit=SIGNALS_MAX)
            authors = tuple({row.author_user_id for row in rows})
            users = {row.id: row.name for row in await tx.find(UserRow, id=authors)}
            answers = {row.id: Counter[str]() for row in rows}
            for offer in await tx.find(ApprovalRow, signal_id=tuple(answers)):
                answers[offer.signal_id][offer.status] += 1
        return tuple(
            SignalLine(
                signal_id=row.id,
                symbol=row.symbol,
                side=row.side,
                volume=row.volume,
                author=users.get(row.author_user_id, ""),
                posted_at=row.created_at,
                expires_at=row.expires_at,
                answers=answers[row.id],
            )
            for row in rows
        )

    async def offers_of(self, person: Person, signal_id: int) -> tuple[int, ...]:
        """The person's offers of a signal, one for each account, whatever became of them.

        Raises Refused: no_offer (signal), whether the signal exists or not.
        """
        async with self._store.reading() as tx:
            rows = await tx.find(
                ApprovalRow,
                signal_id=signal_id,
                user_id=person.user_id,
                account_id=person.account_ids,
            )
        if not rows:
            raise Refused("no_offer", signal=signal_id)
        return tuple(row.id for row in rows)


async def _signals(tx: Transaction, offers: list[ApprovalRow]) -> dict[int, SignalRow]:
    ids = tuple({row.signal_id for row in offers})
    return {row.id: row for row in await tx.find(SignalRow, id=ids)}


def _offer(
    row: ApprovalRow, signal: SignalRow, account: AccountRow, person: Person
) -> SignalOffered:
    return SignalOffered(
        account_id=account.id,
        login=account.login,
        client=person.name,
        currency=account.currency,
        approval_id=row.id,
        signal_id=signal.id,
        symbol=signal.symbol,
        side=signal.side,
        volume=signal.volume,
        stop_loss=signal.stop_loss,
        take_profit=signal.take_profit,
        expires_at=signal.expires_at,
        price_digits=_digits(signal),
    )


def _digits(signal: SignalRow) -> int:
    """As many decimals as its levels were posted with; storage adds zeros."""
    levels = [level.normalize() for level in (signal.stop_loss, signal.take_profit) if level]
    exponents = [int(level.as_tuple().exponent) for level in levels]
    return max(PRICE_DIGITS_MIN, -min(exponents, default=0))


def _answered(row: ApprovalRow, signal: SignalRow, account: AccountRow) -> AnsweredOffer:
    return AnsweredOffer(
        signal_id=signal.id,
        login=account.login,
        symbol=signal.symbol,
        side=signal.side,
        volume=signal.volume,
        status=row.status,
        at=row.decided_at or row.created_at,
    )
