"""Reckoner about itself, for the admin chat."""

from collections.abc import Sequence
from datetime import timedelta

from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views import obstacles, pauses
from bot.views.alert_lines import at_line, headline
from bot.views.causes import cause, of_account
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
        tn("Reading {n} account.", "Reading {n} accounts.", alert.accounts)
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
        title = tn(
            "🟠 Reckoner {version} is running - {n} account not guarded",
            "🟠 Reckoner {version} is running - {n} accounts not guarded",
            out,
            version=version,
        )
    else:
        title = t("🔴 Reckoner {version} is running - nothing is guarded", version=version)
    guarding = tn(
        "Guarding {guarded} of {n} account, {locked} locked.",
        "Guarding {guarded} of {n} accounts, {locked} locked.",
        all_in,
        guarded=alert.guarded,
        locked=alert.latched,
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
    others = _others(len(accounts))
    return [t("Not guarded: {accounts}{others}", accounts=shown, others=others)]


def _others(count: int) -> str:
    """`, ... and 3 more`: how many are not named."""
    left = count - UNGUARDED_MAX
    return t(" and {count} more", count=left) if left > 0 else ""


def _why(account: Unguarded) -> str:
    if not account.obstacles:
        return cause(account.reason, REASON_CHARS_MAX)
    return t("cannot be closed: {reason}", reason=obstacles.heading(account.obstacles))


def _found(alert: AppStarted, voice: Voice) -> list[str]:
    """What the store told at the start."""
    lines = _downtime(alert, voice)
    if alert.unfinished_closes:
        lines.append(
            tn(
                "Going on with {n} closing that had begun before.",
                "Going on with {n} closings that had begun before.",
                alert.unfinished_closes,
            )
        )
    if alert.open_warnings:
        lines.append(
            tn(
                "{n} market warning still open: see /warnings.",
                "{n} market warnings still open: see /warnings.",
                alert.open_warnings,
            )
        )
    return lines


def _matters(alert: AppStarted, voice: Voice) -> bool:
    return bool(alert.unfinished_closes or _downtime(alert, voice))


def _downtime(alert: AppStarted, voice: Voice) -> list[str]:
    last = alert.last_read_at
    if last is None or alert.at - last < DOWN_MIN:
        return []
    return [
        t(
            "Reckoner was down from {since} to {until} ({span}). Nothing was watched in that time.",
            since=moment(last, voice, today=alert.at),
            until=moment(alert.at, voice),
            span=span(alert.at - last),
        )
    ]


def stopping(alert: AppStopping, voice: Voice) -> Message:
    """Reckoner stops; nothing is guarded until it is back."""
    never = len(alert.never_read)
    if never == alert.accounts:
        what = tn(
            "{n} account is not guarded until it is back.",
            "{n} accounts are not guarded until it is back.",
            alert.accounts,
        )
    else:
        what = tn(
            "{n} account with {held} when last read is not guarded until it is back.",
            "{n} accounts with {held} when last read are not guarded until it is back.",
            alert.accounts,
            held=tn("{n} open position", "{n} open positions", alert.open_positions),
        )
    lines = [headline(voice, t("⏹ Reckoner is stopping - nothing is guarded now")), what]
    if never:
        logins = ", ".join(str(login) for login in alert.never_read[:UNGUARDED_MAX])
        lines.append(
            t(
                "Never read: {logins}{others}. What is open there is not known.",
                logins=logins,
                others=_others(never),
            )
        )
    if alert.unfinished_closes:
        lines.append(
            tn(
                "🔴 {n} closing not finished: Reckoner goes on with it at the next start.",
                "🔴 {n} closings not finished: Reckoner goes on with it at the next start.",
                alert.unfinished_closes,
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
            t("📣 Signal {signal_id} by a program: {trade}", signal_id=alert.signal_id, trade=what),
        ),
        t(
            "Posted for {author}, offered to {accounts} until {until}.",
            author=esc(alert.author),
            accounts=offered,
            until=until,
        ),
        *(f"• {of_account(each, REASON_CHARS_MAX)}" for each in alert.skipped[:UNGUARDED_MAX]),
    ]
    left = len(alert.skipped) - UNGUARDED_MAX
    if left > 0:
        lines.append(t("• and {count} more", count=left))
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines))


def of_chat(alert: ChatUnreachable | ChatReachable | ChatMoved, voice: Voice) -> Message:
    """Whether messages arrive in a chat, and where it has gone."""
    match alert:
        case ChatUnreachable():
            return unreachable(alert, voice)
        case ChatReachable():
            return reachable(alert, voice)
        case ChatMoved():
            return moved(alert, voice)


def _whom(alert: ChatUnreachable | ChatReachable) -> str:
    return esc(alert.person) if alert.person else t("chat {chat_id}", chat_id=alert.chat_id)


def unreachable(alert: ChatUnreachable, voice: Voice) -> Message:
    """A person does not get their messages."""
    lines = [
        headline(voice, t("⚠️ {who} cannot be reached", who=_whom(alert))),
        t(
            "Not delivered: {message}. Telegram says: {reason}",
            message=word({}, alert.alert),
            reason=esc(alert.reason, 120),
        ),
        t("Please reach them another way. The guard itself needs no answer from anybody."),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def reachable(alert: ChatReachable, voice: Voice) -> Message:
    """Messages arrive again: the admins read for how long not, the chat itself what is gone."""
    since = moment(alert.since, voice, today=alert.at)
    if alert.here:
        lines = [
            headline(
                voice,
                t("⚠️ This chat was out of reach for {span}", span=span(alert.at - alert.since)),
            ),
            tn(
                "{n} message could not be delivered since {since}, and will not come any more.",
                "{n} messages could not be delivered since {since}, and will not come any more.",
                alert.missed,
                since=since,
            ),
            t("See /positions for what is open now and /history for what happened."),
            at_line(alert.at, voice),
        ]
        return Message(html="\n".join(lines))
    lines = [
        headline(voice, t("✅ {who} can be reached again", who=_whom(alert))),
        tn(
            "For {span}, since {since}, {n} message could not be delivered. "
            "That chat is told so, too.",
            "For {span}, since {since}, {n} messages could not be delivered. "
            "That chat is told so, too.",
            alert.missed,
            span=span(alert.at - alert.since),
            since=since,
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
