"""What a rehearsal of closing showed: what would block, how long it would take."""

from collections.abc import Sequence
from datetime import datetime

from bot.i18n import later, t, tn
from bot.markup import code, esc
from bot.views.alert_lines import trade
from bot.views.message import Message, Voice, compose, marked
from bot.views.numbers import moment
from bot.views.obstacles import WORDS as OBSTACLES
from bot.views.obstacles import because
from bot.views.retcodes import sentence
from bot.views.words import holdings, word
from core.domain.alert_parts import Blocked
from core.domain.alerts_closing import DrillBlocked
from core.domain.drill import Drilled
from core.domain.permissions import parts

STANDS = {
    "market_closed": later("its market is closed"),
    "autotrading_off": later("automated trading is off"),
    "rejected": later("the broker would refuse it"),
    "unknown_outcome": later("no clear answer"),
    "cannot_trade": later("it may not be traded"),
    "closing_now": later("it is being closed now: see its messages"),
    "unreadable": later("it cannot be read"),
    "check_failed": later("the terminal did not check the closes"),
}
NOTHING_SENT = later("Each close was checked with the terminal; nothing was sent.")
BY_CLOSES = later(", about {closing} and {proof} of proof (by its own closes)")
BY_ANSWERS = later(", about {closing} and {proof} of proof (by how fast it answers now)")
SECONDS_SHOWN_MIN = 0.1
HEAD_MAX = 3
"""Blocks shown of one account among many; alone it shows all that were kept."""


def rehearsed(made: Sequence[Drilled], voice: Voice, now: datetime) -> Message:
    """The answer to /drill: those that could not be closed first."""
    blocked = [each for each in made if not each.ready]
    most = None if len(made) == 1 else HEAD_MAX
    rows = [line for each in blocked for line in _blocked(each, voice, now, most)]
    rows += [_ready(each) for each in made if each.ready]
    tail = [t(NOTHING_SENT), t("At {now}", now=moment(now, voice))]
    title = _title(len(blocked), len(made))
    return Message(html=compose([f"<b>{marked(voice, title)}</b>"], rows, tail))


def by_schedule(alert: DrillBlocked, voice: Voice) -> Message:
    """A rehearsal by schedule that found something."""
    count = len(alert.accounts) + alert.more
    rows = [line for each in alert.accounts for line in _blocked(each, voice, alert.at, HEAD_MAX)]
    rows += (
        [tn("and {n} account more: /drill", "and {n} accounts more: /drill", alert.more)]
        if alert.more
        else []
    )
    head = [
        f"<b>{marked(voice, _title(count, alert.rehearsed))}</b>",
        t("The weekly rehearsal says:"),
    ]
    return Message(
        html=compose(head, rows, [t(NOTHING_SENT), t("At {at}", at=moment(alert.at, voice))])
    )


def _title(blocked: int, count: int) -> str:
    if not blocked:
        return tn(
            "✅ {n} account could be closed now", "✅ {n} accounts could be closed now", count
        )
    if count == 1:
        return t("⚠️ This account could not be closed now")
    return tn(
        "⚠️ {blocked} of {n} account could not be closed now",
        "⚠️ {blocked} of {n} accounts could not be closed now",
        count,
        blocked=blocked,
    )


def _blocked(made: Drilled, voice: Voice, now: datetime, most: int | None) -> list[str]:
    whose = f"⚠️ <b>{made.login}</b> {esc(made.client)}".rstrip()
    shown = made.blocks if most is None else made.blocks[:most]
    left = len(made.blocks) - len(shown)
    lines = [f"{whose}: {_holds(made)}", *(f"  {_block(block)}" for block in shown)]
    lines += [t("  and {left} more: /drill {login}", left=left, login=made.login)] if left else []
    if made.opens_at is not None:
        opens = moment(made.opens_at, voice, today=now)
        lines.append(t("  It usually opens at {opens}.", opens=opens))
    return lines


def _block(block: Blocked) -> str:
    obstacle, symbol = parts(block.word)
    if obstacle is not None:
        return because(OBSTACLES[obstacle], esc(symbol))
    why = word(STANDS, block.word)
    if block.code is not None:
        why += f" ({block.code}: {sentence(block.code, block.detail)})"
    elif block.detail:
        why += f" ({code(block.detail)})"
    if block.ticket:
        return f"#{block.ticket} {trade(block.symbol, block.side, block.volume)}: {why}"
    return f"{esc(block.symbol)}: {why}" if block.symbol else why


def _holds(made: Drilled) -> str:
    if not made.positions and not made.orders:
        return t("nothing open")
    return holdings(made.positions, made.orders)


def _ready(made: Drilled) -> str:
    whose = f"✅ <b>{made.login}</b> {esc(made.client)}".rstrip()
    if not made.positions and not made.orders:
        return f"{whose}: {t('nothing open, nothing in the way')}"
    took = ""
    if made.close_s is not None and made.proof_s is not None:
        basis = BY_CLOSES if made.from_sends else BY_ANSWERS
        took = t(basis, closing=_seconds(made.close_s), proof=_seconds(made.proof_s))
    notes = _notes(made)
    holds = tn(
        "{holds} in {n} request", "{holds} in {n} requests", made.requests, holds=_holds(made)
    )
    return f"{whose}: {holds}{took}{'; ' if notes else ''}{', '.join(notes)}"


def _notes(made: Drilled) -> list[str]:
    """What else is to be known of a close that would go through."""
    notes: list[str] = []
    if made.split:
        notes.append(tn("{n} position in pieces", "{n} positions in pieces", made.split))
    if made.fifo:
        notes.append(t("oldest first"))
    if made.untried:
        notes.append(tn("{n} close not tried", "{n} closes not tried", made.untried))
    if made.margin_level_percent is not None and made.stop_out_percent is not None:
        level, stop = made.margin_level_percent, made.stop_out_percent
        notes.append(
            t("margin level {level} %, stop-out at {stop} %", level=esc(level), stop=esc(stop))
        )
    return notes


def _seconds(seconds: float) -> str:
    return t("{n} s", n=f"{seconds:.1f}") if seconds >= SECONDS_SHOWN_MIN else t("less than 0.1 s")
