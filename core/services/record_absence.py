"""Record and tell, as one thing, what happened to an account while it was not read."""

from datetime import datetime

from core.domain import alerts as a
from core.domain import alerts_money as m
from core.domain import audit_words as words
from core.domain.absence import NOT_READ, Absence, is_away, what_happened
from core.domain.broker import AccountSnapshot
from core.domain.cycle import Cycle
from core.records import PositionSnapshotRow
from core.services.desk import AccountMemory
from core.services.recording import GROUP_ITEMS_MAX, Recorder

TOLD_TOGETHER: tuple[type[a.Alert], ...] = (
    a.PositionClosed,
    a.PositionsClosed,
    m.CashFlowSeen,
    m.ResultsBooked,
)
"""What deals alone give cause to: told with the absence, not one by one as news."""


def absence(memory: AccountMemory, snapshot: AccountSnapshot, cycle: Cycle) -> Absence | None:
    """What happened, where this is the first reading of a start after a longer stop."""
    if memory.snapshot is not None or not is_away(memory.state, snapshot):
        return None
    episodes = tuple(memory.episodes.values())
    found = what_happened(memory.state, episodes, snapshot, cycle, memory.closed_by_us)
    return found if found.is_news else None


async def told(pen: Recorder, away: Absence) -> None:
    """Record which figures are uncertain, and tell the client and the admins."""
    text = _text(away)
    await pen.audit(
        words.AWAY,
        since=away.since,
        until=away.until,
        happened=dict(away.counts),
        result=away.result,
        lowest_equity="unknown" if away.uncertain else "known",
        peak="may be understated" if away.uncertain else "known",
    )
    await pen.log(
        matched=False,
        event_type="sync",
        status="partial" if away.uncertain else "success",
        error_message=text,
    )
    await pen.tx.insert(
        PositionSnapshotRow(
            user_id=pen.memory.user.id,
            account_id=pen.memory.account.id,
            currency=pen.memory.account.currency,
            sync_error=text,
            created_at=pen.now,
        )
    )
    await pen.say(
        m.WhileAway(
            **pen.who,
            since=away.since,
            until=away.until,
            counts=dict(away.counts),
            items=away.items[:GROUP_ITEMS_MAX],
            count=len(away.items),
            result=away.result,
            orders_placed=away.orders_placed,
            orders_gone=away.orders_gone,
            vanished=away.vanished,
            unexplained=away.unexplained,
            positions_before=away.positions_before,
            positions_count=away.positions_count,
            uncertain=away.uncertain,
        )
    )


def _text(away: Absence) -> str:
    uncertain = (
        "the lowest equity is unknown and the peak may be understated"
        if away.uncertain
        else "nothing was held, no figure is uncertain"
    )
    return f"{NOT_READ} {_stamp(away.since)} to {_stamp(away.until)}: {uncertain}"


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
