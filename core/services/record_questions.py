"""Ask which trade an unknown position is, keep the question, and let it end."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from core.domain import adoption
from core.domain import alerts as a
from core.domain.adoption import Asked
from core.domain.alerts_adoption import PositionQuestion
from core.domain.broker import AccountSnapshot, Position
from core.domain.cycle import Cycle
from core.domain.divergences import reason_word
from core.domain.episodes import Resolved
from core.domain.findings import Finding, Kind
from core.domain.pips import pip_size
from core.domain.reconciliation import Policy
from core.domain.vanished import UNMATCHED_KINDS
from core.records import EpisodeRow, QuestionRow, TradeRow
from core.services.desk import AccountMemory
from core.services.record_episodes import TOGETHER
from core.services.recording import Recorder


class Question(Struct, frozen=True):
    """A position that somebody has to say something about, and all its candidates."""

    position: Position
    trades: tuple[TradeRow, ...]
    about: str


class Questions(Struct, frozen=True):
    """What a reading changes in an account's questions."""

    asked: tuple[Question, ...]
    over: tuple[QuestionRow, ...]

    def __bool__(self) -> bool:
        return bool(self.asked or self.over)


NOTHING = Questions((), ())


def due(memory: AccountMemory, snapshot: AccountSnapshot, cycle: Cycle) -> Questions:
    """What to ask, to ask anew, and to ask no more. Nothing while a close or a latch owns it all.

    A question ends with its episode: a reading that failed to show the position ends neither.
    """
    opinion, known = cycle.reconciliation, memory.questions
    if memory.latched or memory.jobs or not (opinion.unknown or known):
        return NOTHING
    findings = {
        f.subject: f for f in opinion.findings if f.kind is Kind.UNKNOWN_POSITION and f.subject
    }
    quiet = {f.subject for f in cycle.muted}  # asked when it is told
    asked: list[Question] = []
    for position in opinion.unknown:
        finding = findings.get(str(position.identifier))
        if finding is None or str(position.identifier) in quiet:
            continue
        trades = adoption.candidates(
            position, finding, opinion.trades, snapshot.symbols, snapshot.began_at
        )
        row, about = known.get(position.identifier), adoption.what(position)
        same = row is not None and row.about == about
        if same and row is not None and row.candidates == sorted(t.id for t in trades):
            continue
        asked.append(Question(position, trades, about))
    ended = {e.episode.subject for e in cycle.events if isinstance(e, Resolved)}
    begun = {subject for kind, subject in memory.episodes if kind in UNMATCHED_KINDS} - ended
    over = [
        row
        for row in known.values()
        if str(row.position_id) not in findings and str(row.position_id) not in begun
    ]
    return Questions(tuple(asked), tuple(over))


async def questions(
    pen: Recorder, snapshot: AccountSnapshot, policy: Policy, found: Questions
) -> None:
    """Write them down. A question takes the place of its episode's message in the admin chat.

    Where an episode was told together with others, there is no such message: it is listed only.
    """
    for row in found.over:
        await save(pen, adoption.over(row, pen.now))
    for question in found.asked:
        asked = shown(question.position, question.trades, snapshot, policy)
        await _asked(pen, asked, question)


def shown(
    position: Position, trades: Sequence[TradeRow], snapshot: AccountSnapshot, policy: Policy
) -> Asked:
    """What is shown of a position and its candidates."""
    spec = snapshot.symbols.get(position.symbol)
    pip = None if spec is None else pip_size(spec, policy.pip_by_symbol)
    return adoption.ask(position, trades, spec, pip)


async def _asked(pen: Recorder, asked: Asked, question: Question) -> None:
    memory, account_id = pen.memory, pen.memory.account.id
    before = memory.questions.get(asked.position_id) or await pen.tx.first(
        QuestionRow, account_id=account_id, position_id=asked.position_id
    )
    after = adoption.follow(
        before,
        asked,
        question.about,
        [t.id for t in question.trades],
        account_id=account_id,
        now=pen.now,
    )
    if after is None:
        return
    episode = episode_of(memory, asked.position_id)
    after = replace(after, episode_id=episode.id if episode else after.episode_id)
    after = await save(pen, after)
    if episode is not None and not episode.detail.get(TOGETHER) and adoption.is_told(before, after):
        await pen.say(card(pen.who, after))


def episode_of(memory: AccountMemory, position_id: int) -> EpisodeRow | None:
    """The open episode that tells of the position as nobody's."""
    subject = str(position_id)
    found = (memory.episodes.get((kind, subject)) for kind in sorted(UNMATCHED_KINDS))
    return next((row for row in found if row is not None), None)


async def save(pen: Recorder, row: QuestionRow) -> QuestionRow:
    """Write a question, and keep it in memory while somebody may have to answer it."""
    if row.id == 0:
        row = replace(row, id=await pen.tx.insert(row))
    else:
        changes = {n: getattr(row, n) for n in row.__struct_fields__ if n not in FIXED}
        await pen.tx.update(QuestionRow, {"id": row.id}, **changes)
    if row.state in {adoption.ASKED, adoption.DECLINED}:
        pen.memory.questions[row.position_id] = row
    else:
        pen.memory.questions.pop(row.position_id, None)
    return row


FIXED = frozenset({"id", "account_id", "position_id", "created_at"})
"""Columns of a question that never change."""


def card(
    who: dict[str, Any], row: QuestionRow, *, signal_id: int | None = None, by: str = ""
) -> PositionQuestion:
    """A question as its message shows it. `by` is the name of who answered."""
    return PositionQuestion(
        **who,
        question_id=row.id,
        version=row.version,
        episode_id=row.episode_id or 0,
        asked=adoption.asked_of(row),
        state=row.state,
        signal_id=signal_id,
        by=by,
        at=row.answered_at,
    )


async def resolve(pen: Recorder, position_id: int) -> None:
    """End the episodes of a position that was nobody's, because a person said whose it is."""
    for kind in UNMATCHED_KINDS:
        episode = pen.memory.episodes.pop((kind, str(position_id)), None)
        if episode is not None:
            await _resolved(pen, episode)


async def _resolved(pen: Recorder, episode: EpisodeRow) -> None:
    await pen.tx.update(EpisodeRow, {"id": episode.id}, resolved_at=pen.now)
    finding = msgspec.convert(episode.detail, Finding, strict=False)
    await pen.log(
        mt5_position_id=int(finding.subject),
        symbol=finding.symbol,
        direction=finding.side,
        volume=finding.volume,
        matched=True,
        divergence_reason=reason_word(finding),
        event_type="sync",
        status="success",
        error_message="resolved: adopted",
    )
    if episode.detail.get(TOGETHER):
        return
    await pen.say(
        a.DivergenceResolved(
            **pen.who,
            episode_id=episode.id,
            finding=episode.kind,
            subject=episode.subject,
            symbol=finding.symbol,
            side=finding.side,
            volume=finding.volume,
            expected=finding.expected,
            observed=finding.observed,
            slippage_pips=finding.slippage_pips,
            how="adopted",
            opened_at=episode.opened_at,
            resolved_at=pen.now,
        )
    )
