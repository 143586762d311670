"""Words about alarms: the button and footer under an alert, and the list of those nobody has."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from bot.callbacks import AlarmPress
from bot.markup import esc
from bot.views.message import Button, Message, Voice, marked
from bot.views.numbers import moment, span
from bot.views.words import plural, word
from core.records import AlarmRow

I_HAVE_IT = "I have it"
KINDS = {
    "GuardBreached": "the guard closes everything",
    "CloseStalled": "a close makes no progress",
    "GuardBlind": "the guard is blind",
    "LatchedReappeared": "something opened on a locked account",
    "AccountUnavailable": "an account with positions cannot be read",
    "TerminalBlocked": "a terminal is blocked",
}


def dressed(
    message: Message, alarm: AlarmRow, voice: Voice, repeated_at: datetime | None
) -> Message:
    """An alarm's message as it stands: a button while nobody has it, else who and since when.

    `repeated_at` is when this copy was made because nobody had it; it says so first.
    """
    html, keyboard = message.html, message.keyboard
    if alarm.taken_at is not None and alarm.taken_by is not None:
        html += f"\n✋ {esc(alarm.taken_by)} has it, since {moment(alarm.taken_at, voice)}"
    elif alarm.over_at is not None:
        html += f"\nOver at {moment(alarm.over_at, voice)}."
    else:
        keyboard = (*keyboard, (_button(alarm.id),))
        if repeated_at is not None:
            waited = span(repeated_at - alarm.opened_at)
            html = f"<b>{marked(voice, f'🔴 Nobody has this for {waited}')}</b>\n{html}"
    return replace(message, html=html, keyboard=keyboard)


def listed(count: int, alarms: Sequence[tuple[AlarmRow, int | None]], now: datetime) -> Message:
    """The oldest of those that nobody has, each with the login it is about, and its button."""
    if not alarms:
        return Message(html="<b>Nobody has to take anything.</b> Every alarm is over or taken.")
    oldest = f", the oldest {len(alarms)}" if count > len(alarms) else ""
    lines = [f"<b>Alarms that nobody has: {count}{oldest}</b>"]
    for alarm, login in alarms:
        what = word(KINDS, alarm.kind)
        whose = "" if login is None else f", account {login}"
        lines.append(f"{alarm.id}: {what}{whose}, {span(now - alarm.opened_at)} ago")
    lines.append("Take one with its button or with /ack and its number, all with /ack all.")
    keyboard = tuple((_button(alarm.id, f" {alarm.id}"),) for alarm, _ in alarms)
    return Message(html="\n".join(lines), keyboard=keyboard)


def taken(alarm: AlarmRow) -> str:
    """The answer to who took it."""
    return f"You have it: {word(KINDS, alarm.kind)}."


def taken_all(count: int) -> str:
    """The answer to who took all of them."""
    return f"You have {plural(count, 'alarm')}." if count else "There was none that nobody had."


def usage(said: str) -> Message:
    """What the command takes."""
    return Message(html=f"'{esc(said, 40)}' is no alarm's number. Send /ack for the list.")


def _button(alarm_id: int, which: str = "") -> Button:
    return Button(I_HAVE_IT + which, AlarmPress(alarm_id=alarm_id).pack(), "primary")
