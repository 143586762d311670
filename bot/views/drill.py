"""What a rehearsal of closing showed: what would block, how long it would take."""

from collections.abc import Sequence
from datetime import datetime

from bot.markup import code, esc
from bot.views.alert_lines import trade
from bot.views.message import Message, Voice, compose, marked
from bot.views.numbers import moment
from bot.views.obstacles import WORDS as OBSTACLES
from bot.views.words import holdings, plural, word
from core.domain.alert_parts import Blocked
from core.domain.alerts_closing import DrillBlocked
from core.domain.drill import Drilled
from core.domain.permissions import parts
from core.domain.retcodes import outcome

STANDS = {
    "market_closed": "its market is closed",
    "autotrading_off": "automated trading is off",
    "rejected": "the broker would refuse it",
    "unknown_outcome": "no clear answer",
    "cannot_trade": "it may not be traded",
    "closing_now": "it is being closed now: see its messages",
    "unreadable": "it cannot be read",
    "check_failed": "the terminal did not check the closes",
}
NOTHING_SENT = "Each close was checked with the terminal; nothing was sent."
SECONDS_SHOWN_MIN = 0.1
HEAD_MAX = 3
"""Blocks shown of one account among many; alone it shows all that were kept."""


def rehearsed(made: Sequence[Drilled], voice: Voice, now: datetime) -> Message:
    """The answer to /drill: those that could not be closed first."""
    blocked = [each for each in made if not each.ready]
    most = None if len(made) == 1 else HEAD_MAX
    rows = [line for each in blocked for line in _blocked(each, voice, now, most)]
    rows += [_ready(each) for each in made if each.ready]
    tail = [NOTHING_SENT, f"At {moment(now, voice)}"]
    title = _title(len(blocked), len(made))
    return Message(html=compose([f"<b>{marked(voice, title)}</b>"], rows, tail))


def by_schedule(alert: DrillBlocked, voice: Voice) -> Message:
    """A rehearsal by schedule that found something."""
    count = len(alert.accounts) + alert.more
    rows = [line for each in alert.accounts for line in _blocked(each, voice, alert.at, HEAD_MAX)]
    rows += [f"and {plural(alert.more, 'account')} more: /drill"] if alert.more else []
    head = [f"<b>{marked(voice, _title(count, alert.rehearsed))}</b>", "The weekly rehearsal says:"]
    return Message(html=compose(head, rows, [NOTHING_SENT, f"At {moment(alert.at, voice)}"]))


def _title(blocked: int, count: int) -> str:
    if not blocked:
        return f"✅ {plural(count, 'account')} could be closed now"
    if count == 1:
        return "⚠️ This account could not be closed now"
    return f"⚠️ {blocked} of {plural(count, 'account')} could not be closed now"


def _blocked(made: Drilled, voice: Voice, now: datetime, most: int | None) -> list[str]:
    whose = f"⚠️ <b>{made.login}</b> {esc(made.client)}".rstrip()
    shown = made.blocks if most is None else made.blocks[:most]
    left = len(made.blocks) - len(shown)
    lines = [f"{whose}: {_holds(made)}", *(f"  {_block(block)}" for block in shown)]
    lines += [f"  and {left} more: /drill {made.login}"] if left else []
    if made.opens_at is not None:
        lines.append(f"  It usually opens at {moment(made.opens_at, voice, today=now)}.")
    return lines


def _block(block: Blocked) -> str:
    obstacle, symbol = parts(block.word)
    if obstacle is not None:
        return OBSTACLES[obstacle].because.format(symbol=esc(symbol))
    why = word(STANDS, block.word)
    if block.code is not None:
        why += f" ({block.code}: {outcome(block.code, block.detail).sentence})"
    elif block.detail:
        why += f" ({code(block.detail)})"
    if block.ticket:
        return f"#{block.ticket} {trade(block.symbol, block.side, block.volume)}: {why}"
    return f"{esc(block.symbol)}: {why}" if block.symbol else why


def _holds(made: Drilled) -> str:
    if not made.positions and not made.orders:
        return "nothing open"
    return holdings(made.positions, made.orders)


def _ready(made: Drilled) -> str:
    whose = f"✅ <b>{made.login}</b> {esc(made.client)}".rstrip()
    if not made.positions and not made.orders:
        return f"{whose}: nothing open, nothing in the way"
    took = ""
    if made.close_s is not None and made.proof_s is not None:
        basis = "by its own closes" if made.from_sends else "by how fast it answers now"
        took = f", about {_seconds(made.close_s)} and {_seconds(made.proof_s)} of proof ({basis})"
    notes = [f"{plural(made.split, 'position')} in pieces"] if made.split else []
    notes += ["oldest first"] if made.fifo else []
    notes += [f"{plural(made.untried, 'close')} not tried"] if made.untried else []
    if made.margin_level_percent is not None and made.stop_out_percent is not None:
        level, stop = made.margin_level_percent, made.stop_out_percent
        notes.append(f"margin level {esc(level)} %, stop-out at {esc(stop)} %")
    said = f"; {', '.join(notes)}" if notes else ""
    return f"{whose}: {_holds(made)} in {plural(made.requests, 'request')}{took}{said}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= SECONDS_SHOWN_MIN else "less than 0.1 s"
