"""The way to the broker: unreadable accounts, what keeps one from being closed, wrong terminals."""

from typing import assert_never

from bot import keyboards
from bot.markup import code
from bot.views import obstacles as words_of
from bot.views.alert_lines import at_line, headline, who
from bot.views.message import Audience, Keyboard, Message, Voice
from bot.views.numbers import clock, moment, span
from bot.views.words import plural, scope, word
from core.domain.alerts_terminal import (
    AccountRecovered,
    AccountUnavailable,
    CanCloseAgain,
    CannotClose,
    TerminalAlert,
    TerminalBlocked,
    TerminalCleared,
)

REASON_CHARS_MAX = 200
"""Both logins and both servers fit: they are what has to be compared."""
UNLINKED = {
    Audience.CLIENT: "No terminal is linked to it; your admin has to link one.",
    Audience.ADMIN: "No terminal is linked to it. On Reckoner's machine: python -m bot link",
}
NEVER_READ = "It was never read: what is open is not known."
UNANSWERED = "Its terminal or its broker does not answer. The admins read what it says."
UNGUARDED = (
    "Until it can be read again Reckoner cannot guard it, and older figures are not current."
)


def render(alert: TerminalAlert, voice: Voice, audience: Audience) -> Message:
    """The message such an alert becomes for these readers."""
    match alert:
        case AccountUnavailable():
            return unavailable(alert, voice, audience)
        case AccountRecovered():
            return recovered(alert, voice, audience)
        case CannotClose():
            return cannot_close(alert, voice, audience)
        case CanCloseAgain():
            return can_close_again(alert, voice, audience)
        case TerminalBlocked():
            return blocked(alert, voice, audience)
        case TerminalCleared():
            return cleared(alert, voice, audience)
    assert_never(alert)


def unavailable(alert: AccountUnavailable, voice: Voice, audience: Audience) -> Message:
    """The account cannot be read; nothing is concluded but that (law 1)."""
    title, reason = _why_unread(alert, voice, audience)
    lines = [
        headline(voice, title),
        *who(alert, audience),
        reason,
        _held(alert.positions_count),
        UNGUARDED,
        f"Reckoner keeps trying and will say when it is back. Since {moment(alert.since, voice)}.",
    ]
    return Message(html="\n".join(lines))


def _why_unread(alert: AccountUnavailable, voice: Voice, audience: Audience) -> tuple[str, str]:
    since = clock(alert.since, voice)
    match alert.terminal:
        case "starting":
            return (
                f"⏳ {alert.login}: its terminal is starting since {since}",
                f"The terminal is being started since {since}; the account is not read meanwhile.",
            )
        case "failing":
            times = plural(alert.attempts, "time")
            at = "" if alert.next_try_at is None else moment(alert.next_try_at, voice)
            why = "" if audience is Audience.CLIENT else f": {word({}, alert.reason)}"
            again = f" The next try is at {at}." if at else ""
            return (
                f"⚠️ {alert.login}: its terminal does not start",
                f"It failed {times} in a row{why}.{again}",
            )
        case "unlinked":
            return f"⚠️ {alert.login}: no terminal is linked", UNLINKED[audience]
        case _:
            title = f"⚠️ Account {alert.login} cannot be read since {since}"
            if audience is Audience.CLIENT:  # the terminal's own words help admins only
                return title, UNANSWERED
            return title, f"Reason: {word({}, alert.reason)}"


def _held(positions: int | None) -> str:
    """What was open when last read. An account that was never read may hold anything."""
    if positions is None:
        return NEVER_READ
    if not positions:
        return "No position was open when last read."
    return f"{plural(positions, 'position')} open when last read."


def recovered(alert: AccountRecovered, voice: Voice, audience: Audience) -> Message:
    """The account can be read again."""
    if alert.blocked and audience is Audience.ADMIN:
        after = f"Nothing is traded on it before it is unblocked: /unblock {alert.login}"
    elif alert.blocked:
        after = "Nothing is traded on it before your admin has unblocked it."
    else:
        after = "Reckoner guards it again."
    lines = [
        headline(voice, f"✅ Account {alert.login} can be read again"),
        *who(alert, audience),
        (
            f"Not read from {moment(alert.since, voice, today=alert.at)} "
            f"to {moment(alert.at, voice)} ({span(alert.at - alert.since)})."
        ),
        after,
    ]
    return Message(html="\n".join(lines), silent=True)


def cannot_close(alert: CannotClose, voice: Voice, audience: Audience) -> Message:
    """The guard's promise does not hold here, why, and what to do."""
    held = alert.positions_count > 0
    cannot = "Still cannot" if alert.news == "reminder" else "Cannot"
    why = words_of.heading(alert.obstacles)
    close = "close all" if words_of.partial(alert.obstacles) else "close"
    lines = [
        headline(voice, f"{'🔴' if held else '🟠'} {cannot} {close} on {alert.login} - {why}"),
        *who(alert, audience),
        words_of.sentence(alert.obstacles),
        (
            f"{plural(alert.positions_count, 'position')} open. Reckoner watches the drawdown "
            "limit, but "
            "cannot close at it until this is mended."
            if held
            else "Nothing is open on it. Signals cannot be approved until this is mended."
        ),
        *words_of.next_steps(alert.obstacles, alert.login, audience),
        *(words_of.by_hand(alert.obstacles) if held and audience is Audience.CLIENT else []),
        f"Since {moment(alert.since, voice, today=alert.at)}.",
    ]
    return Message(html="\n".join(lines))


def can_close_again(alert: CanCloseAgain, voice: Voice, audience: Audience) -> Message:
    """Nothing is in the way any more."""
    lines = [
        headline(voice, f"🟢 Closing works again on {alert.login}"),
        *who(alert, audience),
        (
            f"What was in the way since {moment(alert.since, voice, today=alert.at)} is gone. "
            "The guard closes at the limit again."
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)


def blocked(alert: TerminalBlocked, voice: Voice, audience: Audience) -> Message:
    """The terminal answered for another account; nothing is traded until an admin clears it."""
    admin = audience is Audience.ADMIN
    text = _blocked_for_admin(alert, voice) if admin else _blocked_for_client(alert, voice)
    keyboard: Keyboard = ()
    if admin:
        keyboard = keyboards.unblock(alert.account_id, alert.login, alert.blocked_at)
    return Message(html="\n".join([*text, at_line(alert.at, voice)]), keyboard=keyboard)


def _blocked_for_client(alert: TerminalBlocked, voice: Voice) -> list[str]:
    if alert.right_again:
        return [
            headline(voice, f"🟠 {alert.login} can be read again - not traded yet"),
            (
                "Reckoner watches it again, but closes nothing before your admin has looked at the "
                "terminal."
            ),
            *_scheduled(alert.closing),
            words_of.BY_HAND,
        ]
    return [
        headline(voice, f"🔴 Trading is stopped on {alert.login}, to be safe"),
        (
            "Its terminal answered for a different account. So that nothing of yours is closed by "
            "mistake, Reckoner sends nothing to it until your admin has looked at it."
        ),
        *_scheduled(alert.closing),
        f"{words_of.BY_HAND} Your admin has been told.",
    ]


def _blocked_for_admin(alert: TerminalBlocked, voice: Voice) -> list[str]:
    who_it_is = who(alert, Audience.ADMIN)
    if alert.right_again:
        return [
            headline(voice, f"🟠 {alert.login} is itself again - still blocked"),
            *who_it_is,
            "The terminal answers for the right account now.",
            *_scheduled(alert.closing),
            f"Find out how the other account came there, then unblock it: /unblock {alert.login}",
        ]
    return [
        headline(voice, f"🔴 Wrong account behind {alert.login} - trading blocked"),
        *who_it_is,
        f"The terminal says: {code(alert.reason, REASON_CHARS_MAX)}",
        _held(alert.positions_count),
        "Nothing is sent to the terminal until an admin unblocks it.",
        *_scheduled(alert.closing),
        (
            f"Log the terminal in to {alert.login}. Once it is read as {alert.login} again: "
            f"/unblock {alert.login}"
        ),
    ]


def _scheduled(closing: str) -> list[str]:
    if not closing:
        return []
    return [f"Scheduled: closing {scope(closing)}. It goes on the moment it is unblocked."]


def cleared(alert: TerminalCleared, voice: Voice, audience: Audience) -> Message:
    """An admin has unblocked it."""
    on = f"Closing {scope(alert.closing)} goes on now." if alert.closing else "It is guarded again."
    lines = [
        headline(voice, f"🟢 {alert.login} is unblocked"),
        *who(alert, audience),
        on,
        (
            f"It was blocked since {moment(alert.blocked_at, voice, today=alert.at)}. "
            f"Unblocked by {word({}, alert.by)}."
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))
