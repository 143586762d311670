"""/pause: what is paused, what may be, and what changed."""

from collections.abc import Sequence
from datetime import datetime

from bot import keyboards_pauses as keyboards
from bot.callbacks import PauseLength
from bot.markup import esc
from bot.views.alert_lines import at_line, headline
from bot.views.message import Message, Voice, marked
from bot.views.numbers import clock, moment
from bot.views.words import word
from core.domain.alerts_app import PauseChanged
from core.domain.pauses import PAUSE_MAX, Pausable, Pause

NAMES: dict[str, str] = {Pausable.MARKET: "market-guard actions", Pausable.SIGNALS: "signals"}
EFFECTS: dict[str, str] = {
    Pausable.MARKET: "The market guard warns, and closes and blocks nothing.",
    Pausable.SIGNALS: "No signal is posted or approved. Open trades are watched as ever.",
}
ENDED: dict[str, str] = {
    Pausable.MARKET: "It closes and blocks again. What waited is warned of anew, with a new time.",
    Pausable.SIGNALS: "Signals are posted and approved again.",
}
NEVER = "The drawdown guard, the minimum equity and locks are never paused."
HOURS_MAX = int(PAUSE_MAX.total_seconds() // 3600)
USAGE = (
    "Write <code>/pause market 1h broker at work</code> or <code>/pause signals 30m holiday</code>:"
    f" what, how long (1m to {HOURS_MAX}h), why. <code>/resume market</code> goes on."
)


def board(paused: Sequence[Pause], voice: Voice, now: datetime) -> Message:
    """What is paused now, with a button for every length and for going on."""
    held = {pause.what: pause for pause in paused}
    lines = [f"<b>{marked(voice, '⏸ Paused' if held else '▶️ Nothing is paused')}</b>"]
    for what, pause in held.items():
        until = moment(pause.until, voice, today=now)
        since = moment(pause.since, voice, today=now)
        lines += [
            f"<b>{NAMES[what].capitalize()}</b> until {until}, by {esc(pause.by)} since {since}",
            f"Why: {esc(pause.reason)}",
            EFFECTS[what],
        ]
    lines += [NEVER, USAGE]
    return Message(html="\n".join(lines), keyboard=keyboards.board(held))


def reasons(what: Pausable, length: PauseLength, voice: Voice) -> Message:
    """What a pause would do, and why it is wanted: the answer pauses."""
    title = f"⏸ Pause {NAMES[what]} for {keyboards.LENGTHS[length]}?"
    lines = [f"<b>{marked(voice, title)}</b>", EFFECTS[what], NEVER, "Why?"]
    return Message(html="\n".join(lines), keyboard=keyboards.reasons(what, length))


def usage(text: str) -> Message:
    """A /pause or /resume that says nothing known."""
    said = f"I do not understand '{esc(text, 60)}'. " if text else ""
    return Message(html=f"{said}{NEVER}\n{USAGE}")


def changed(alert: PauseChanged, voice: Voice) -> Message:
    """What is paused from now on, or goes on."""
    what, name = alert.what, word(NAMES, alert.what)
    if alert.until is not None:
        lines = [
            headline(voice, f"⏸ Paused until {clock(alert.until, voice)}: {name}"),
            f"By {esc(alert.by)}: {esc(alert.reason)}",
            word(EFFECTS, what),
            NEVER,
            f"It ends by itself at {moment(alert.until, voice)}, or with /resume.",
        ]
    else:
        how = f"Resumed by {esc(alert.by)}." if alert.by else "The time was over."
        lines = [headline(voice, f"▶️ No longer paused: {name}"), how, word(ENDED, what)]
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines))
