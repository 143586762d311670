"""Words about alarms: the button and footer under an alert, and the list of those nobody has."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from bot.callbacks import AlarmPress
from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views.message import Button, Message, Voice, marked
from bot.views.numbers import moment, span
from bot.views.words import word
from core.domain.alarms import SAYING_THEIR_END
from core.records import AlarmRow

I_HAVE_IT = later("I have it")
KINDS = {
    "GuardBreached": later("the guard closes everything"),
    "CloseStalled": later("a close makes no progress"),
    "GuardBlind": later("the guard is blind"),
    "LatchedReappeared": later("something opened on a locked account"),
    "AccountUnavailable": later("an account with positions cannot be read"),
    "TerminalBlocked": later("a terminal is blocked"),
}

TELL_THEIR_END = frozenset(kind.__name__ for kind in SAYING_THEIR_END)


def dressed(
    message: Message, alarm: AlarmRow, voice: Voice, repeated_at: datetime | None
) -> Message:
    """An alarm's message as it stands: a button while nobody has it, else who and since when.

    `repeated_at` is when this copy was made because nobody had it; it says so first.
    """
    html, keyboard = message.html, message.keyboard
    if alarm.taken_at is not None and alarm.taken_by is not None:
        html += t(
            "\n✋ {name} has it, since {since}",
            name=esc(alarm.taken_by),
            since=moment(alarm.taken_at, voice),
        )
    elif alarm.over_at is not None:
        if alarm.kind in TELL_THEIR_END:
            return message
        html += t("\nOver at {at}.", at=moment(alarm.over_at, voice))
    else:
        keyboard = (*keyboard, (_button(alarm.id),))
        if repeated_at is not None:
            waited = span(repeated_at - alarm.opened_at)
            nobody = t("🔴 Nobody has this for {span}", span=waited)
            html = f"<b>{marked(voice, nobody)}</b>\n{html}"
    return replace(message, html=html, keyboard=keyboard)


def listed(count: int, alarms: Sequence[tuple[AlarmRow, int | None]], now: datetime) -> Message:
    """The oldest of those that nobody has, each with the login it is about, and its button."""
    if not alarms:
        return Message(html=t("<b>Nobody has to take anything.</b> Every alarm is over or taken."))
    oldest = t(", the oldest {shown}", shown=len(alarms)) if count > len(alarms) else ""
    lines = [t("<b>Alarms that nobody has: {count}{oldest}</b>", count=count, oldest=oldest)]
    for alarm, login in alarms:
        what = word(KINDS, alarm.kind)
        account = "" if login is None else t(", account {login}", login=login)
        lines.append(
            t(
                "{number}: {what}{account}, {span} ago",
                number=alarm.id,
                what=what,
                account=account,
                span=span(now - alarm.opened_at),
            )
        )
    lines.append(t("Take one with its button or with /ack and its number, all with /ack all."))
    keyboard = tuple((_button(alarm.id, f" {alarm.id}"),) for alarm, _ in alarms)
    return Message(html="\n".join(lines), keyboard=keyboard)


def taken(alarm: AlarmRow) -> str:
    """The answer to who took it."""
    return t("You have it: {what}.", what=word(KINDS, alarm.kind))


def taken_all(count: int) -> str:
    """The answer to who took all of them."""
    return (
        tn("You have {n} alarm.", "You have {n} alarms.", count)
        if count
        else t("There was none that nobody had.")
    )


def usage(said: str) -> Message:
    """What the command takes."""
    return Message(
        html=t("'{said}' is no alarm's number. Send /ack for the list.", said=esc(said, 40))
    )


def _button(alarm_id: int, which: str = "") -> Button:
    return Button(t(I_HAVE_IT) + which, AlarmPress(alarm_id=alarm_id).pack(), "primary")
