"""Reckoner about itself, for the admin chat."""

from collections.abc import Sequence
from datetime import timedelta

from bot.markup import esc
from bot.views import obstacles, pauses
from bot.views.alert_lines import at_line, headline
from bot.views.message import Message, Voice
from bot.views.numbers import lots, moment, span
from bot.views.words import plural, word
from core.domain.alert_parts import Unguarded
from core.domain.alerts import ChatUnreachable
from core.domain.alerts_app import (
    AppStanding,
    AppStarted,
    AppStopping,
    ChatMoved,
    ChatReachable,
    OwnAlert,
    PauseChanged,
    SignalByProgram,
)

DOWN_MIN = timedelta(seconds=30)
"""A gap between two readings from which on Reckoner says that it was down."""
UNGUARDED_MAX = 10
"""Accounts named one by one; of the others the count."""
REASON_CHARS_MAX = 80
NO_ACCOUNT = "There is no account to guard yet."


def render(alert: OwnAlert, voice: Voice) -> Message:
    """Reckoner about itself, and what a program told it."""
    match alert:
        case AppStarted():
            return started(alert, voice)
        case AppStanding():
            return standing(alert, voice)
        case AppStopping():
            return stopping(alert, voice)
        case SignalByProgram():
            return by_program(alert, voice)
        case PauseChanged():
            return pauses.changed(alert, voice)


def started(alert: AppStarted, voice: Voice) -> Message:
    """Reckoner has started, and what it found; whether it guards anything it does not know yet."""
    reading = f"Reading {plural(alert.accounts, 'account')}." if alert.accounts else NO_ACCOUNT
    lines = [
        headline(voice, f"▶️ Reckoner {esc(alert.version)} has started"),
        reading,
        *_found(alert, voice),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=not _matters(alert, voice))


def standing(alert: AppStanding, voice: Voice) -> Message:
    """How it stands once every account was read, or told of as unreadable."""
    all_in = alert.started.accounts
    out = all_in - alert.guarded
    version = esc(alert.started.version)
    if not out:
        title = f"🟢 Reckoner {version} is running"
    elif alert.guarded:
        title = f"🟠 Reckoner {version} is running - {plural(out, 'account')} not guarded"
    else:
        title = f"🔴 Reckoner {version} is running - nothing is guarded"
    guarding = f"Guarding {alert.guarded} of {plural(all_in, 'account')}, {alert.latched} locked."
    lines = [
        headline(voice, title),
        guarding if all_in else NO_ACCOUNT,
        *_unguarded(alert.unguarded),
        *_found(alert.started, voice),
        f"Started at {moment(alert.started.at, voice, today=alert.at)}.",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=not out)


def _unguarded(accounts: Sequence[Unguarded]) -> list[str]:
    if not accounts:
        return []
    shown = ", ".join(f"{each.login} ({_why(each)})" for each in accounts[:UNGUARDED_MAX])
    left = len(accounts) - UNGUARDED_MAX
    return [f"Not guarded: {shown}{f' and {left} more' if left > 0 else ''}"]


def _why(account: Unguarded) -> str:
    if not account.obstacles:
        return esc(account.reason, REASON_CHARS_MAX)
    return f"cannot be closed: {obstacles.heading(account.obstacles)}"


def _found(alert: AppStarted, voice: Voice) -> list[str]:
    """What the store told at the start."""
    lines = _downtime(alert, voice)
    if alert.unfinished_closes:
        closings = plural(alert.unfinished_closes, "closing")
        lines.append(f"Going on with {closings} that had begun before.")
    if alert.open_warnings:
        warnings = plural(alert.open_warnings, "market warning")
        lines.append(f"{warnings} still open: see /warnings.")
    return lines


def _matters(alert: AppStarted, voice: Voice) -> bool:
    return bool(alert.unfinished_closes or _downtime(alert, voice))


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
    accounts, never = plural(alert.accounts, "account"), len(alert.never_read)
    held = plural(alert.open_positions, "open position")
    if never == alert.accounts:
        what = f"{accounts} {_are(alert.accounts)} not guarded until it is back."
    else:
        what = (
            f"{accounts} with {held} when last read {_are(alert.accounts)} not guarded until it is "
            "back."
        )
    lines = [headline(voice, "⏹ Reckoner is stopping - nothing is guarded now"), what]
    if never:
        logins = ", ".join(str(login) for login in alert.never_read[:UNGUARDED_MAX])
        more = f" and {never - UNGUARDED_MAX} more" if never > UNGUARDED_MAX else ""
        lines.append(f"Never read: {logins}{more}. What is open there is not known.")
    if alert.unfinished_closes:
        lines.append(
            f"🔴 {plural(alert.unfinished_closes, 'closing')} not finished: Reckoner goes on "
            "with it at the next start."
        )
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines))


def by_program(alert: SignalByProgram, voice: Voice) -> Message:
    """A signal that came over the API, for admins who pressed nothing."""
    what = f"{esc(alert.symbol)} {esc(alert.side)} {lots(alert.volume)}"
    until = moment(alert.expires_at, voice)
    offered = plural(alert.offered, "account")
    lines = [
        headline(voice, f"📣 Signal {alert.signal_id} by a program: {what}"),
        f"Posted for {esc(alert.author)}, offered to {offered} until {until}.",
        *(f"• {esc(each, REASON_CHARS_MAX)}" for each in alert.skipped[:UNGUARDED_MAX]),
    ]
    left = len(alert.skipped) - UNGUARDED_MAX
    if left > 0:
        lines.append(f"• and {left} more")
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines))


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def of_chat(alert: ChatUnreachable | ChatReachable | ChatMoved, voice: Voice) -> Message:
    """Whether messages arrive in a chat, and where it has gone."""
    match alert:
        case ChatUnreachable():
            return unreachable(alert, voice)
        case ChatReachable():
            return reachable(alert, voice)
        case ChatMoved():
            return moved(alert, voice)


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


def reachable(alert: ChatReachable, voice: Voice) -> Message:
    """Messages arrive again: the admins read for how long not, the chat itself what is gone."""
    lost = f"{plural(alert.missed, 'message')} could not be delivered"
    since = moment(alert.since, voice, today=alert.at)
    if alert.here:
        lines = [
            headline(voice, f"⚠️ This chat was out of reach for {span(alert.at - alert.since)}"),
            f"{lost} since {since}, and will not come any more.",
            "See /positions for what is open now and /history for what happened.",
            at_line(alert.at, voice),
        ]
        return Message(html="\n".join(lines))
    who = esc(alert.person) if alert.person else f"chat {alert.chat_id}"
    lines = [
        headline(voice, f"✅ {who} can be reached again"),
        f"For {span(alert.at - alert.since)}, since {since}, {lost}. That chat is told so, too.",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def moved(alert: ChatMoved, voice: Voice) -> Message:
    """The group that Reckoner speaks to has another id from now on."""
    lines = [
        headline(voice, "⚠️ This group has a new id"),
        "Telegram made it a supergroup. Nothing is lost: Reckoner speaks and listens here already.",
        f"Please set ADMIN_CHAT_ID={alert.new_id} in the settings (it was {alert.old_id}).",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))
