"""Questions to a person: which signal is this position, and what their answer makes of a trade.

Invariants:

1. Nothing here adopts by itself, nor because time has passed: only a person's answer does.
2. A question is asked anew only when what it is about has changed: the position's side or lots, or
   a candidate that was not there when "none of these" was said.
3. What a person says of one version of a question says nothing of a later one.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from core.domain.broker import ZERO, Position, Side, SymbolSpec
from core.domain.closures import mean
from core.domain.findings import Finding
from core.domain.matching import (
    BY_HAND,
    LATE_FILL_GRACE,
    OPEN,
    PENDING,
    NotAdoptable,
    Symbols,
    identifiers,
    same_symbol,
)
from core.domain.pips import entry_slippage_pips, quoted
from core.records import QuestionRow, TradeRow

ASKED, DECLINED, ADOPTED, OVER = "open", "declined", "adopted", "over"
"""A question's states: waiting, answered by none of these, answered by a trade, gone."""
NO_TAG = "adopted by hand: nothing carries this tag"
"""The comment of a trade that was made of a position: longer than the 31 that MetaTrader keeps."""
VERSIONS_MAX = 1 << 20
"""Versions of one question that get a magic number of their own."""
CHOICES_MAX = 5
"""Candidates kept with a question, the likeliest first; any other can be named in words."""


class Choice(Struct, frozen=True, kw_only=True, gc=False):
    """A trade that a position may be.

    `filled` are its lots already held. `off_pips` is how much worse than expected the position was
    filled, adverse positive; None where the symbol is not known. `after` is its opening less the
    trade's approval.
    """

    trade_id: int
    signal_id: int
    volume: Decimal
    filled: Decimal
    expected_entry: Decimal
    off_pips: Decimal | None
    after: timedelta


class Asked(Struct, frozen=True, kw_only=True, gc=False):
    """A position that a question is about, and what it may be. `total` counts all candidates."""

    position_id: int
    symbol: str
    side: str
    volume: Decimal
    price: Decimal
    opened_at: datetime
    opened_by: int
    magic: int
    choices: tuple[Choice, ...]
    total: int


def what(position: Position) -> str:
    """The part of a position whose change makes it another question: side and lots."""
    return f"{position.side.value} {position.volume.normalize():f}"


def candidates(
    position: Position,
    finding: Finding,
    trades: Iterable[TradeRow],
    symbols: Symbols,
    at: datetime,
) -> tuple[TradeRow, ...]:
    """The trades to ask about: those matching could not decide between, and those half filled.

    None while a trade's own tag may still come to a position that nobody opened by hand: by then
    most of them answer themselves.
    """
    possible = [t for t in trades if t.approval_id is not None and _fits(t, position, symbols)]
    named = [t for t in possible if t.id in finding.candidates]
    by_hand = position.reason in BY_HAND
    if position.magic and not by_hand:
        return tuple(named)
    if not by_hand and any(t.status == PENDING and at <= _tag_until(t) for t in named):
        return ()
    half = [
        t
        for t in possible
        if t.status == OPEN and t not in named and position.opened_at >= t.expected_at
    ]
    return (*named, *half)


def _tag_until(trade: TradeRow) -> datetime:
    return trade.deadline_at + LATE_FILL_GRACE


def _fits(trade: TradeRow, position: Position, symbols: Symbols) -> bool:
    """Whether adopting the position would be allowed, as far as the trade itself goes."""
    return (
        trade.side == position.side
        and same_symbol(trade, position.symbol, symbols)
        and trade.status != "closed"
        and (
            trade.position_id is None
            or (trade.observed_volume or ZERO) + position.volume <= trade.volume
        )
    )


def ask(
    position: Position,
    trades: Sequence[TradeRow],
    spec: SymbolSpec | None,
    pip: Decimal | None,
) -> Asked:
    """What is asked about a position, with the likeliest candidates first.

    `trades` are its candidates, `spec` and `pip` its symbol's, None where that is not known.
    """
    choices = sorted((_choice(position, t, spec, pip) for t in trades), key=_likely(position))
    return Asked(
        position_id=position.identifier,
        symbol=position.symbol,
        side=position.side.value,
        volume=position.volume,
        price=quoted(position.price_open, spec),
        opened_at=position.opened_at,
        opened_by=position.reason,
        magic=position.magic,
        choices=tuple(choices[:CHOICES_MAX]),
        total=len(choices),
    )


def _choice(
    position: Position, trade: TradeRow, spec: SymbolSpec | None, pip: Decimal | None
) -> Choice:
    off = None
    if pip is not None:
        off = entry_slippage_pips(Side(trade.side), trade.expected_entry, position.price_open, pip)
    return Choice(
        trade_id=trade.id,
        signal_id=trade.signal_id or 0,
        volume=trade.volume,
        filled=ZERO if trade.position_id is None else trade.observed_volume or ZERO,
        expected_entry=quoted(trade.expected_entry, spec),
        off_pips=off,
        after=position.opened_at - trade.expected_at,
    )


def _likely(position: Position) -> Callable[[Choice], tuple[bool, bool, Decimal, int]]:
    """Same lots before others, known distances before unknown ones, near before far."""

    def key(choice: Choice) -> tuple[bool, bool, Decimal, int]:
        rest = choice.volume - choice.filled
        off = choice.off_pips
        return (rest != position.volume, off is None, abs(off or ZERO), choice.trade_id)

    return key


def asked_of(question: QuestionRow) -> Asked:
    """What a stored question shows."""
    return msgspec.convert(question.detail, Asked, strict=False)


def follow(
    question: QuestionRow | None,
    asked: Asked,
    about: str,
    candidate_ids: Sequence[int],
    *,
    account_id: int,
    now: datetime,
) -> QuestionRow | None:
    """The next state of a question about a position that is unknown; None where nothing changed.

    `about` is `what` of the position, `candidate_ids` all its candidates.
    """
    ids = sorted(candidate_ids)
    if question is None:
        return QuestionRow(
            account_id=account_id,
            position_id=asked.position_id,
            state=ASKED,
            about=about,
            candidates=ids,
            detail=msgspec.to_builtins(asked),
            created_at=now,
            changed_at=now,
        )
    waits = question.state in {ASKED, DECLINED}
    if waits and question.about == about and question.candidates == ids:
        return None
    declined = question.declined_about == about and set(ids) <= set(
        question.declined_candidates or ()
    )
    return replace(
        question,
        state=DECLINED if declined else ASKED,
        version=question.version + 1,
        about=about,
        candidates=ids,
        detail=msgspec.to_builtins(asked),
        answered_by=question.answered_by if declined else None,
        answered_at=question.answered_at if declined else None,
        trade_id=None,
        changed_at=now,
    )


def is_told(before: QuestionRow | None, after: QuestionRow) -> bool:
    """Whether a question, or its change, is shown in the chat: where there is something to choose.

    What was shown is shown to be over, too.
    """
    if after.state != ASKED:
        return False
    return bool(after.candidates or (before is not None and before.candidates))


def over(question: QuestionRow, now: datetime) -> QuestionRow:
    """A question that nobody has to answer any more: it is a trade's, or it is gone."""
    return replace(question, state=OVER, version=question.version + 1, changed_at=now)


def answered(
    question: QuestionRow, state: str, *, by: int, now: datetime, **changes: Any
) -> QuestionRow:
    """A question with a person's answer: who (a user's id) and when."""
    return replace(
        question,
        state=state,
        version=question.version + 1,
        answered_by=by,
        answered_at=now,
        changed_at=now,
        **changes,
    )


def declined(question: QuestionRow, *, by: int, now: datetime) -> QuestionRow:
    """The question after "none of these": not asked again about the same lots and candidates."""
    return answered(
        question,
        DECLINED,
        by=by,
        now=now,
        declined_about=question.about,
        declined_candidates=sorted({*(question.declined_candidates or ()), *question.candidates}),
        trade_id=None,
        status_before=None,
    )


def _without(trade: TradeRow, bare: TradeRow, position: Position, lots: Decimal) -> TradeRow:
    """What is left of a trade, with its lots and mean price: all but the adopted position's."""
    rest = (trade.observed_volume or ZERO) - lots
    if rest <= 0:
        return bare
    if trade.entry_price is None:
        return replace(bare, observed_volume=rest)
    price = mean([(trade.entry_price, rest + lots), (position.price_open, -lots)])
    return replace(bare, observed_volume=rest, entry_price=price)


def own_trade(
    position: Position, question: QuestionRow, *, user_id: int, by: int, at: datetime
) -> TradeRow:
    """A position as a trade that no signal called for: what it is now is what is expected of it.

    `user_id` is the account's client, `by` who said so. It has a magic number and a comment that no
    position carries, so that nothing but this position is ever taken for it.
    """
    return TradeRow(
        approval_id=None,
        signal_id=None,
        user_id=user_id,
        account_id=question.account_id,
        symbol=position.symbol,
        side=position.side.value,
        volume=position.volume,
        stop_loss=position.stop_loss,
        take_profit=position.take_profit,
        expected_entry=position.price_open,
        expected_at=position.opened_at,
        magic=-(question.id * VERSIONS_MAX + question.version % VERSIONS_MAX),
        comment=NO_TAG,
        deadline_at=position.opened_at,
        status=OPEN,
        position_id=position.identifier,
        entry_price=position.price_open,
        observed_volume=position.volume,
        opened_at=position.opened_at,
        stop_seen=position.stop_loss is not None,
        target_seen=position.take_profit is not None,
        created_at=at,
        adopted_by=by,
        adopted_at=at,
    )


def disown(
    trade: TradeRow,
    position: Position,
    status_before: str,
    *,
    lots: Decimal,
    held: Collection[int],
) -> TradeRow:
    """The trade without a position that it got by adoption, as far as it is still open.

    `status_before` is what it was before the adoption; a trade made of the position is cancelled.
    `lots` were adopted, `held` are the account's positions now. Figures of what is left of the
    trade are read anew, or worked out where nothing of it is there to be read: without them its
    deals would never explain its end. Raises NotAdoptable: over, not_adopted.
    """
    position_id = position.identifier
    if trade.status != OPEN:
        raise NotAdoptable("over")
    left = [i for i in identifiers(trade) if i != position_id]
    if len(left) == len(identifiers(trade)):
        raise NotAdoptable("not_adopted")
    bare = replace(
        trade,
        entry_price=None,
        observed_volume=None,
        missing_since=None,
        missing_count=0,
    )
    if left:
        bare = replace(bare, position_id=left[0], other_position_ids=left[1:] or None)
        return bare if any(i in held for i in left) else _without(trade, bare, position, lots)
    return replace(
        bare,
        status="cancelled" if trade.approval_id is None else status_before,
        position_id=None,
        other_position_ids=None,
        opened_at=None,
        stop_seen=None,
        target_seen=None,
        adopted_by=None,
        adopted_at=None,
    )
