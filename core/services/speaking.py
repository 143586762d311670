"""Put an alert into the outbox, inside the transaction that makes it true (law 5)."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from core.domain import alerts as a
from core.domain import alerts_adoption as ad
from core.domain import alerts_app as own
from core.domain import alerts_money as m
from core.domain.alerts_audit import HeadsRecorded
from core.domain.alerts_digest import DailyDigest
from core.domain.alerts_links import LinkAnswered, LinkAsked, LinkNews, WordsLeft
from core.domain.alerts_market import MarketCloseAhead, MarketWarning
from core.domain.alerts_people import AccessDecided, AccountTaken
from core.domain.findings import Kind
from core.domain.speech import REPLY, deliver
from core.ports import Transaction
from core.records import OutboxRow
from core.services import alarm_noting, endings
from core.services.folding import put_or_fold

ADMIN_ONLY = (
    MarketWarning,
    own.AppStarted,
    own.AppStanding,
    own.AppStopping,
    own.SignalByProgram,
    own.PauseChanged,
    ad.PositionQuestion,
    HeadsRecorded,
    LinkAsked,
    LinkAnswered,
)
CLIENT_ONLY = (
    a.SignalOffered,
    a.OfferAnswered,
    a.TradeOpened,
    a.TradeNotPlaced,
    a.PositionClosed,
    a.PositionsClosed,
    MarketCloseAhead,
    m.CashFlowSeen,
    m.ResultsBooked,
    DailyDigest,
    ad.PositionAdopted,
    AccessDecided,
    AccountTaken,
    LinkNews,
    WordsLeft,
)

DIFFERENCES = (a.DivergenceOpened, a.DivergencesOpened, a.DivergenceResolved)
STOP_OUTS = (a.PositionClosed, a.PositionsClosed)


async def speak(
    tx: Transaction, alert: a.Alert, *, client: int | None, admin: int, now: datetime
) -> list[int]:
    """Commit an alert to whom it concerns: the client, the admin chat, or both.

    Answers the outbox rows that were made, those that a client switched off among them.
    """
    made: dict[int, int] = {}
    delivery = deliver(alert)
    body = msgspec.json.encode(alert).decode()
    kind = type(alert).__name__
    for chat_id in audience(alert, client=client, admin=admin):
        row = OutboxRow(
            dedupe_key=f"{kind}:{delivery.thread}:{chat_id}:{now.isoformat()}",
            chat_id=chat_id,
            priority=int(delivery.priority),
            thread=delivery.thread,
            mode=_mode(alert, delivery.mode, own=chat_id == client != admin),
            kind=kind,
            payload=body,
            created_at=now,
            due_at=now,
        )
        row_id = await put_or_fold(tx, alert, row, admin=admin)
        if row_id is not None:
            made[chat_id] = row_id
    await alarm_noting.note(tx, alert, made, admin=admin, now=now)
    await endings.note(tx, alert, made, client=client, admin=admin, now=now)
    return list(made.values())


def _mode(alert: a.Alert, mode: str, *, own: bool) -> str:
    """A refused release takes the question's place, and is news to who asked (`own`)."""
    refused = isinstance(alert, a.ReleaseAnswered) and alert.state == "refused"
    return REPLY if own and refused else mode


def audience(alert: a.Alert, *, client: int | None, admin: int) -> Iterable[int]:
    """The chats that hear of it, each once."""
    if isinstance(alert, ADMIN_ONLY):
        return (admin,)
    if isinstance(alert, CLIENT_ONLY):
        urgent = isinstance(alert, STOP_OUTS) and alert.close_reason == "stop_out"
        return _once(client, admin if urgent else None)
    if isinstance(alert, DIFFERENCES) and alert.finding == Kind.VOLUME_REDUCED:
        return (admin,)  # its client reads of the close itself, with its result
    return _once(client, admin)


def _once(*chats: int | None) -> list[int]:
    return list(dict.fromkeys(c for c in chats if c is not None))
