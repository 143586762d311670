"""Reckoner about itself, for the admin chat."""

from collections.abc import Sequence
from datetime import timedelta

from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views import obstacles, pauses
from bot.views.alert_lines import at_line, headline
from bot.views.message import Message, Voice
from bot.views.numbers import lots, moment, span
from bot.views.words import word
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
NO_ACCOUNT = later("There is no account to guard yet.")


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
    reading = (
        t("Reading {plural}.", plural=tn("{n} account", "{n} accounts", alert.accounts))
        if alert.accounts
        else t(NO_ACCOUNT)
    )
    lines = [
        headline(voice, t("▶️ Reckoner {version} has started", version=esc(alert.version))),
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
        title = t("🟢 Reckoner {version} is running", version=version)
    elif alert.guarded:
        title = t(
            "🟠 Reckoner {version} is running - {plural} not guarded",
            version=version,
            plural=tn("{n} account", "{n} accounts", out),
        )
    else:
        title = t("🔴 Reckoner {version} is running - nothing is guarded", version=version)
    guarding = t(
        "Guarding {guarded} of {plural}, {latched} locked.",
        guarded=alert.guarded,
        plural=tn("{n} account", "{n} accounts", all_in),
        latched=alert.latched,
    )
    lines = [
        headline(voice, title),
        guarding if all_in else t(NO_ACCOUNT),
        *_unguarded(alert.unguarded),
        *_found(alert.started, voice),
        t("Started at {at}.", at=moment(alert.started.at, voice, today=alert.at)),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=not out)


def _unguarded(accounts: Sequence[Unguarded]) -> list[str]:
    if not accounts:
        return []
    shown = ", ".join(f"{each.login} ({_why(each)})" for each in accounts[:UNGUARDED_MAX])
    left = len(accounts) - UNGUARDED_MAX
    return [
        t(
            "Not guarded: {shown}{what}",
            shown=shown,
            what=t(" and {left} more", left=left) if left > 0 else "",
        )
    ]


def _why(account: Unguarded) -> str:
    if not account.obstacles:
        return esc(account.reason, REASON_CHARS_MAX)
    return t("cannot be closed: {heading}", heading=obstacles.heading(account.obstacles))


def _found(alert: AppStarted, voice: Voice) -> list[str]:
    """What the store told at the start."""
    lines = _downtime(alert, voice)
    if alert.unfinished_closes:
        closings = tn("{n} closing", "{n} closings", alert.unfinished_closes)
        lines.append(t("Going on with {closings} that had begun before.", closings=closings))
    if alert.open_warnings:
        warnings = tn("{n} market warning", "{n} market warnings", alert.open_warnings)
        lines.append(t("{warnings} still open: see /warnings.", warnings=warnings))
    return lines


def _matters(alert: AppStarted, voice: Voice) -> bool:
    return bool(alert.unfinished_closes or _downtime(alert, voice))


def _downtime(alert: AppStarted, voice: Voice) -> list[str]:
    last = alert.last_read_at
    if last is None or alert.at - last < DOWN_MIN:
        return []
    return [
        (
            t(
                "Reckoner was down from {last} to {at} ({span}). Nothing was watched in that time.",
                last=moment(last, voice, today=alert.at),
                at=moment(alert.at, voice),
                span=span(alert.at - last),
            )
        )
    ]


def stopping(alert: AppStopping, voice: Voice) -> Message:
    """Reckoner stops; nothing is guarded until it is back."""
    accounts, never = tn("{n} account", "{n} accounts", alert.accounts), len(alert.never_read)
    held = tn("{n} open position", "{n} open positions", alert.open_positions)
    if never == alert.accounts:
        what = t(
            "{accounts} {are} not guarded until it is back.",
            accounts=accounts,
            are=_are(alert.accounts),
        )
    else:
        what = t(
            "{accounts} with {held} when last read {are} not guarded until it is back.",
            accounts=accounts,
            held=held,
            are=_are(alert.accounts),
        )
    lines = [headline(voice, t("⏹ Reckoner is stopping - nothing is guarded now")), what]
    if never:
        logins = ", ".join(str(login) for login in alert.never_read[:UNGUARDED_MAX])
        more = (
            t(" and {figure} more", figure=never - UNGUARDED_MAX) if never > UNGUARDED_MAX else ""
        )
        lines.append(
            t(
                "Never read: {logins}{more}. What is open there is not known.",
                logins=logins,
                more=more,
            )
        )
    if alert.unfinished_closes:
        lines.append(
            t(
                "🔴 {plural} not finished: Reckoner goes on with it at the next start.",
                plural=tn("{n} closing", "{n} closings", alert.unfinished_closes),
            )
        )
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines))


def by_program(alert: SignalByProgram, voice: Voice) -> Message:
    """A signal that came over the API, for admins who pressed nothing."""
    what = f"{esc(alert.symbol)} {esc(alert.side)} {lots(alert.volume)}"
    until = moment(alert.expires_at, voice)
    offered = tn("{n} account", "{n} accounts", alert.offered)
    lines = [
        headline(
            voice,
            t("📣 Signal {signal_id} by a program: {what}", signal_id=alert.signal_id, what=what),
        ),
        t(
            "Posted for {author}, offered to {offered} until {until}.",
            author=esc(alert.author),
            offered=offered,
            until=until,
        ),
        *(f"• {esc(each, REASON_CHARS_MAX)}" for each in alert.skipped[:UNGUARDED_MAX]),
    ]
    left = len(alert.skipped) - UNGUARDED_MAX
    if left > 0:
        lines.append(t("• and {left} more", left=left))
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
        headline(voice, t("⚠️ {who} cannot be reached", who=who)),
        t(
            "Not delivered: {alert}. Telegram says: {reason}",
            alert=word({}, alert.alert),
            reason=esc(alert.reason, 120),
        ),
        t("Please reach them another way. The guard itself needs no answer from anybody."),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def reachable(alert: ChatReachable, voice: Voice) -> Message:
    """Messages arrive again: the admins read for how long not, the chat itself what is gone."""
    lost = t(
        "{plural} could not be delivered", plural=tn("{n} message", "{n} messages", alert.missed)
    )
    since = moment(alert.since, voice, today=alert.at)
    if alert.here:
        lines = [
            headline(
                voice,
                t("⚠️ This chat was out of reach for {span}", span=span(alert.at - alert.since)),
            ),
            t("{lost} since {since}, and will not come any more.", lost=lost, since=since),
            t("See /positions for what is open now and /history for what happened."),
            at_line(alert.at, voice),
        ]
        return Message(html="\n".join(lines))
    who = esc(alert.person) if alert.person else f"chat {alert.chat_id}"
    lines = [
        headline(voice, t("✅ {who} can be reached again", who=who)),
        t(
            "For {span}, since {since}, {lost}. That chat is told so, too.",
            span=span(alert.at - alert.since),
            since=since,
            lost=lost,
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def moved(alert: ChatMoved, voice: Voice) -> Message:
    """The group that Reckoner speaks to has another id from now on."""
    lines = [
        headline(voice, t("⚠️ This group has a new id")),
        t(
            "Telegram made it a supergroup. Nothing is lost: Reckoner speaks and "
            "listens here already."
        ),
        t(
            "Please set ADMIN_CHAT_ID={new_id} in the settings (it was {old_id}).",
            new_id=alert.new_id,
            old_id=alert.old_id,
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))
