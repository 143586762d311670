"""Record the beginnings, changes and ends of an account's conditions (`core.domain.conditions`)."""

from decimal import Decimal

from msgspec.structs import replace

from core.domain import alerts_money as m
from core.domain import audit_words as words
from core.domain.broker import ZERO
from core.domain.conditions import (
    PNL_MISMATCH,
    Begun,
    Condition,
    Over,
    Worse,
    amount_of,
    since_of,
)
from core.domain.cycle import Cycle
from core.records import EpisodeRow
from core.services.recording import Recorder


async def conditions(pen: Recorder, cycle: Cycle) -> list[str]:
    """Record and tell what changed; answers the kinds that began."""
    begun: list[str] = []
    for change in cycle.conditions:
        match change:
            case Begun(condition):
                await _begun(pen, cycle, condition)
                begun.append(condition.kind)
            case Worse(episode, condition):
                await _worse(pen, cycle, episode, condition)
            case Over(episode):
                await _over(pen, cycle, episode)
    return begun


async def _begun(pen: Recorder, cycle: Cycle, condition: Condition) -> None:
    kind, subject = condition.key
    row = EpisodeRow(
        account_id=pen.memory.account.id,
        kind=kind,
        subject=subject,
        material=condition.material,
        detail=_detail(condition),
        opened_at=pen.now,
        changed_at=pen.now,
    )
    row = replace(row, id=await pen.tx.insert(row))
    pen.memory.episodes[condition.key] = row
    if kind != PNL_MISMATCH:  # the ledger has recorded a mismatch with its write-off
        await pen.audit(words.PRICES_STILL, since=condition.since)
        await _log(pen, kind, "warning", "no price has moved, the figures are of an old one")
    await _told(pen, cycle, row, condition, again=False)


async def _worse(pen: Recorder, cycle: Cycle, episode: EpisodeRow, condition: Condition) -> None:
    changes = {
        "material": condition.material,
        "detail": _detail(condition),
        "changed_at": pen.now,
    }
    await pen.tx.update(EpisodeRow, {"id": episode.id}, **changes)
    pen.memory.episodes[condition.key] = replace(episode, **changes)
    await _told(pen, cycle, episode, condition, again=True)


async def _over(pen: Recorder, cycle: Cycle, episode: EpisodeRow) -> None:
    await pen.tx.update(EpisodeRow, {"id": episode.id}, resolved_at=pen.now)
    pen.memory.episodes.pop((episode.kind, episode.subject), None)
    since = since_of(episode)
    if episode.kind == PNL_MISMATCH:
        amount = amount_of(episode)
        await pen.audit(words.BALANCE_EXPLAINED, amount=amount, balance=cycle.state.balance)
        text = "resolved: deals explain the balance"
        await _log(pen, episode.kind, "success", text, pnl=amount)
        await pen.say(
            m.BalanceExplained(
                **pen.who, episode_id=episode.id, amount=amount, since=since, at=pen.now
            )
        )
        return
    await pen.audit(words.PRICES_MOVE, since=since)
    await _log(pen, episode.kind, "success", "resolved: prices move")
    await pen.say(m.PricesMove(**pen.who, episode_id=episode.id, since=since, at=pen.now))


async def _told(
    pen: Recorder, cycle: Cycle, row: EpisodeRow, condition: Condition, *, again: bool
) -> None:
    if condition.kind == PNL_MISMATCH:
        await pen.say(
            m.BalanceUnexplained(
                **pen.who,
                amount=condition.amount or ZERO,
                since=condition.since,
                at=pen.now,
                episode_id=row.id,
                again=again,
            )
        )
        return
    await pen.say(
        m.PricesStill(
            **pen.who,
            episode_id=row.id,
            positions_count=cycle.state.positions_count,
            since=condition.since,
            at=pen.now,
        )
    )


async def _log(
    pen: Recorder, kind: str, status: str, text: str, *, pnl: Decimal | None = None
) -> None:
    await pen.log(
        matched=False,
        divergence_reason=kind,
        event_type="sync",
        status=status,
        pnl=pnl,
        error_message=text,
    )


def _detail(condition: Condition) -> dict[str, str | None]:
    amount = None if condition.amount is None else f"{condition.amount:f}"
    return {"since": condition.since.isoformat(), "amount": amount}
