"""/pause: what is paused, what may be, and what changed."""

from collections.abc import Sequence
from datetime import datetime

from bot import keyboards_pauses as keyboards
from bot.callbacks import PauseLength
from bot.i18n import later, t
from bot.markup import esc
from bot.views.alert_lines import at_line, headline
from bot.views.causes import cause
from bot.views.message import Message, Voice, marked
from bot.views.numbers import clock, moment
from bot.views.words import word
from core.domain.alerts_app import PauseChanged
from core.domain.pauses import PAUSE_MAX, Pausable, Pause

NAMES: dict[str, str] = {
    Pausable.MARKET: later("market-guard actions"),
    Pausable.SIGNALS: later("signals"),
}
HELD: dict[str, str] = {
    Pausable.MARKET: later("<b>Market-guard actions</b> until {until}, by {by} since {since}"),
    Pausable.SIGNALS: later("<b>Signals</b> until {until}, by {by} since {since}"),
}
ASKED: dict[str, str] = {
    Pausable.MARKET: later("⏸ Pause market-guard actions for {length}?"),
    Pausable.SIGNALS: later("⏸ Pause signals for {length}?"),
}
EFFECTS: dict[str, str] = {
    Pausable.MARKET: later("The market guard warns, and closes and blocks nothing."),
    Pausable.SIGNALS: later("No signal is posted or approved. Open trades are watched as ever."),
}
ENDED: dict[str, str] = {
    Pausable.MARKET: later(
        "It closes and blocks again. What waited is warned of anew, with a new time."
    ),
    Pausable.SIGNALS: later("Signals are posted and approved again."),
}
NEVER = later("The drawdown guard, the minimum equity and locks are never paused.")
HOURS_MAX = int(PAUSE_MAX.total_seconds() // 3600)
USAGE = later(
    "Write <code>/pause market 1h broker at work</code> or "
    "<code>/pause signals 30m holiday</code>: what, how long (1m to {hours_max}h), why. "
    "<code>/resume market</code> goes on."
)


def board(paused: Sequence[Pause], voice: Voice, now: datetime) -> Message:
    """What is paused now, with a button for every length and for going on."""
    held = {pause.what: pause for pause in paused}
    lines = [f"<b>{marked(voice, t('⏸ Paused') if held else t('▶️ Nothing is paused'))}</b>"]
    for what, pause in held.items():
        until = moment(pause.until, voice, today=now)
        since = moment(pause.since, voice, today=now)
        lines += [
            t(HELD[what], until=until, by=esc(pause.by), since=since),
            t("Why: {reason}", reason=cause(pause.reason)),
            t(EFFECTS[what]),
        ]
    lines += [t(NEVER), t(USAGE, hours_max=HOURS_MAX)]
    return Message(html="\n".join(lines), keyboard=keyboards.board(held))


def reasons(what: Pausable, length: PauseLength, voice: Voice) -> Message:
    """What a pause would do, and why it is wanted: the answer pauses."""
    title = t(ASKED[what], length=t(keyboards.LENGTHS[length]))
    lines = [f"<b>{marked(voice, title)}</b>", t(EFFECTS[what]), t(NEVER), t("Why?")]
    return Message(html="\n".join(lines), keyboard=keyboards.reasons(what, length))


def usage(text: str) -> Message:
    """A /pause or /resume that says nothing known."""
    said = t("I do not understand '{text}'. ", text=esc(text, 60)) if text else ""
    return Message(html=f"{said}{t(NEVER)}\n{t(USAGE, hours_max=HOURS_MAX)}")


def changed(alert: PauseChanged, voice: Voice) -> Message:
    """What is paused from now on, or goes on."""
    what, name = alert.what, word(NAMES, alert.what)
    if alert.until is not None:
        lines = [
            headline(
                voice,
                t("⏸ Paused until {until}: {name}", until=clock(alert.until, voice), name=name),
            ),
            t("By {by}: {reason}", by=esc(alert.by), reason=cause(alert.reason)),
            word(EFFECTS, what),
            t(NEVER),
            t("It ends by itself at {until}, or with /resume.", until=moment(alert.until, voice)),
        ]
    else:
        how = t("Resumed by {by}.", by=esc(alert.by)) if alert.by else t("The time was over.")
        lines = [
            headline(voice, t("▶️ No longer paused: {name}", name=name)),
            how,
            word(ENDED, what),
        ]
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines))
