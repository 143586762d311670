"""Reckoner about itself, for the admin chat."""

from datetime import timedelta

from bot.markup import esc
from bot.views.alert_lines import at_line, headline
from bot.views.message import Message, Voice
from bot.views.numbers import moment, span
from bot.views.words import plural, word
from core.domain.alerts import AppStarted, AppStopping, ChatUnreachable

DOWN_MIN = timedelta(seconds=30)
"""A gap between two readings from which on Reckoner says that it was down."""


def started(alert: AppStarted, voice: Voice) -> Message:
    """Reckoner runs; what it found open."""
    lines = [
        headline(voice, f"🟢 Reckoner {esc(alert.version)} is running"),
        f"Guarding {plural(alert.accounts, 'account')}, {alert.latched} locked.",
    ]
    down = _downtime(alert, voice)
    lines += down
    if alert.unfinished_closes:
        closings = plural(alert.unfinished_closes, "closing")
        lines.append(f"Going on with {closings} that had begun before.")
    if alert.open_warnings:
        warnings = plural(alert.open_warnings, "market warning")
        lines.append(f"{warnings} still open: see /warnings.")
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines), silent=not (alert.unfinished_closes or down))


def _downtime(alert: AppStarted, voice: Voice) -> list[str]:
    last = alert.last_read_at
    if last is None or alert.at - last < DOWN_MIN:
        return []
    return [
        (
            f"Reckoner was down from {moment(last, voice, today=alert.at)} to "
            f"{moment(alert.at, voice)} ({span(alert.at - last)}). "
            "Nothing was watched in that time."
        )
    ]


def stopping(alert: AppStopping, voice: Voice) -> Message:
    """Reckoner stops; nothing is guarded until it is back."""
    lines = [
        headline(voice, "⏹ Reckoner is stopping - nothing is guarded now"),
        (
            f"{plural(alert.accounts, 'account')} with "
            f"{plural(alert.open_positions, 'open position')} are not guarded until it is back."
        ),
    ]
    if alert.unfinished_closes:
        lines.append(
            f"🔴 {plural(alert.unfinished_closes, 'closing')} not finished: Reckoner goes on "
            "with it at the next start."
        )
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines))


def unreachable(alert: ChatUnreachable, voice: Voice) -> Message:
    """A person does not get their messages."""
    who = esc(alert.person) if alert.person else f"chat {alert.chat_id}"
    lines = [
        headline(voice, f"⚠️ {who} cannot be reached"),
        f"Not delivered: {word({}, alert.alert)}. Telegram says: {esc(alert.reason, 120)}",
        "Please reach them another way. The guard itself needs no answer from anybody.",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))
