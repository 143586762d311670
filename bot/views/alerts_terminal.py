"""The way to the broker: unreadable accounts, what keeps one from being closed, wrong terminals."""

from typing import assert_never

from bot import keyboards, keyboards_links
from bot.i18n import later, t, tn
from bot.markup import code
from bot.views import obstacles as words_of
from bot.views.alert_lines import at_line, headline, who
from bot.views.causes import cause
from bot.views.message import Audience, Keyboard, Message, Voice
from bot.views.numbers import clock, moment, span
from bot.views.words import scope, word
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
    Audience.CLIENT: later("No terminal is linked to it; your admin has to link one."),
    Audience.ADMIN: later("No terminal is linked to it. On Reckoner's machine: python -m bot link"),
}
NEVER_READ = later("It was never read: what is open is not known.")
UNANSWERED = later("Its terminal or its broker does not answer. The admins read what it says.")
UNGUARDED = later(
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


REFUSED = {
    Audience.CLIENT: later(
        "Your broker does not accept the password I have; it was probably changed. Ask your admin "
        "to enter the new one, and do not write it here."
    ),
    Audience.ADMIN: later(
        "The broker refuses the password that is kept; it was probably changed. On Reckoner's "
        "machine: python -m bot link"
    ),
}
RENEWABLE = {
    Audience.CLIENT: later(
        "Your broker does not accept the password I have; it was probably changed. Press the "
        "button and give me the new trading password, and I try it at once."
    ),
    Audience.ADMIN: later(
        "The broker refuses the password that is kept; it was probably changed. Its owner is asked "
        "for the new one in private; an operator can give it by python -m bot link."
    ),
}


def unavailable(alert: AccountUnavailable, voice: Voice, audience: Audience) -> Message:
    """The account cannot be read; nothing is concluded but that (law 1)."""
    title, reason = _why_unread(alert, voice, audience)
    lines = [
        headline(voice, title),
        *who(alert, audience),
        reason,
        _held(alert.positions_count),
        t(UNGUARDED),
        t(
            "Reckoner keeps trying and will say when it is back. Since {since}.",
            since=moment(alert.since, voice),
        ),
    ]
    asks = alert.renewable and audience is Audience.CLIENT
    keyboard = keyboards_links.renew(alert.account_id) if asks else ()
    return Message(html="\n".join(lines), keyboard=keyboard)


def _why_unread(alert: AccountUnavailable, voice: Voice, audience: Audience) -> tuple[str, str]:
    since = clock(alert.since, voice)
    match alert.terminal:
        case "starting":
            return (
                t(
                    "⏳ {login}: its terminal is starting since {since}",
                    login=alert.login,
                    since=since,
                ),
                t(
                    "The terminal is being started since {since}; the account is not read "
                    "meanwhile.",
                    since=since,
                ),
            )
        case "failing":
            at = "" if alert.next_try_at is None else moment(alert.next_try_at, voice)
            why = (
                "" if audience is Audience.CLIENT else f": {cause(alert.reason.replace('_', ' '))}"
            )
            again = t(" The next try is at {at}.", at=at) if at else ""
            return (
                t("⚠️ {login}: its terminal does not start", login=alert.login),
                tn(
                    "It failed {n} time in a row{why}.{again}",
                    "It failed {n} times in a row{why}.{again}",
                    alert.attempts,
                    why=why,
                    again=again,
                ),
            )
        case "refused":
            words = RENEWABLE if alert.renewable else REFUSED
            title = t("🔑 {login}: the broker refuses its password", login=alert.login)
            return title, t(words[audience])
        case "unlinked":
            return t("⚠️ {login}: no terminal is linked", login=alert.login), t(UNLINKED[audience])
        case _:
            title = t(
                "⚠️ Account {login} cannot be read since {since}", login=alert.login, since=since
            )
            if audience is Audience.CLIENT:  # the terminal's own words help admins only
                return title, t(UNANSWERED)
            return title, t("Reason: {reason}", reason=cause(alert.reason.replace("_", " ")))


def _held(positions: int | None) -> str:
    """What was open when last read. An account that was never read may hold anything."""
    if positions is None:
        return t(NEVER_READ)
    if not positions:
        return t("No position was open when last read.")
    return tn("{n} position open when last read.", "{n} positions open when last read.", positions)


def recovered(alert: AccountRecovered, voice: Voice, audience: Audience) -> Message:
    """The account can be read again."""
    if alert.blocked and audience is Audience.ADMIN:
        after = t(
            "Nothing is traded on it before it is unblocked: /unblock {login}", login=alert.login
        )
    elif alert.blocked:
        after = t("Nothing is traded on it before your admin has unblocked it.")
    else:
        after = t("Reckoner guards it again.")
    lines = [
        headline(voice, t("✅ Account {login} can be read again", login=alert.login)),
        *who(alert, audience),
        t(
            "Not read from {since} to {until} ({span}).",
            since=moment(alert.since, voice, today=alert.at),
            until=moment(alert.at, voice),
            span=span(alert.at - alert.since),
        ),
        after,
    ]
    return Message(html="\n".join(lines), silent=True)


def cannot_close(alert: CannotClose, voice: Voice, audience: Audience) -> Message:
    """The guard's promise does not hold here, why, and what to do."""
    held = alert.positions_count > 0
    lines = [
        headline(voice, f"{'🔴' if held else '🟠'} {_cannot(alert)}"),
        *who(alert, audience),
        words_of.sentence(alert.obstacles),
        (
            tn(
                "{n} position open. Reckoner watches the drawdown limit, but cannot close "
                "at it until this is mended.",
                "{n} positions open. Reckoner watches the drawdown limit, but cannot close "
                "at it until this is mended.",
                alert.positions_count,
            )
            if held
            else t("Nothing is open on it. Signals cannot be approved until this is mended.")
        ),
        *words_of.next_steps(alert.obstacles, alert.login, audience),
        *(words_of.by_hand(alert.obstacles) if held and audience is Audience.CLIENT else []),
        t("Since {since}.", since=moment(alert.since, voice, today=alert.at)),
    ]
    return Message(html="\n".join(lines))


def _cannot(alert: CannotClose) -> str:
    login, why = alert.login, words_of.heading(alert.obstacles)
    partial, still = words_of.partial(alert.obstacles), alert.news == "reminder"
    if partial and still:
        return t("Still cannot close all on {login} - {why}", login=login, why=why)
    if partial:
        return t("Cannot close all on {login} - {why}", login=login, why=why)
    if still:
        return t("Still cannot close on {login} - {why}", login=login, why=why)
    return t("Cannot close on {login} - {why}", login=login, why=why)


def can_close_again(alert: CanCloseAgain, voice: Voice, audience: Audience) -> Message:
    """Nothing is in the way any more."""
    lines = [
        headline(voice, t("🟢 Closing works again on {login}", login=alert.login)),
        *who(alert, audience),
        t(
            "What was in the way since {since} is gone. The guard closes at the limit again.",
            since=moment(alert.since, voice, today=alert.at),
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
            headline(voice, t("🟠 {login} can be read again - not traded yet", login=alert.login)),
            t(
                "Reckoner watches it again, but closes nothing before your admin has "
                "looked at the terminal."
            ),
            *_scheduled(alert.closing),
            t(words_of.BY_HAND),
        ]
    return [
        headline(voice, t("🔴 Trading is stopped on {login}, to be safe", login=alert.login)),
        t(
            "Its terminal answered for a different account. So that nothing of "
            "yours is closed by mistake, Reckoner sends nothing to it until your "
            "admin has looked at it."
        ),
        *_scheduled(alert.closing),
        f"{t(words_of.BY_HAND)} {t('Your admin has been told.')}",
    ]


def _blocked_for_admin(alert: TerminalBlocked, voice: Voice) -> list[str]:
    who_it_is = who(alert, Audience.ADMIN)
    if alert.right_again:
        return [
            headline(voice, t("🟠 {login} is itself again - still blocked", login=alert.login)),
            *who_it_is,
            t("The terminal answers for the right account now."),
            *_scheduled(alert.closing),
            t(
                "Find out how the other account came there, then unblock it: /unblock {login}",
                login=alert.login,
            ),
        ]
    return [
        headline(voice, t("🔴 Wrong account behind {login} - trading blocked", login=alert.login)),
        *who_it_is,
        t("The terminal says: {words}", words=code(alert.reason, REASON_CHARS_MAX)),
        _held(alert.positions_count),
        t("Nothing is sent to the terminal until an admin unblocks it."),
        *_scheduled(alert.closing),
        t(
            "Log the terminal in to {login}. Once it is read as {login} again: /unblock {login}",
            login=alert.login,
        ),
    ]


def _scheduled(closing: str) -> list[str]:
    if not closing:
        return []
    return [
        t(
            "Scheduled: closing {what}. It goes on the moment it is unblocked.",
            what=scope(closing),
        )
    ]


def cleared(alert: TerminalCleared, voice: Voice, audience: Audience) -> Message:
    """An admin has unblocked it."""
    on = (
        t("Closing {what} goes on now.", what=scope(alert.closing))
        if alert.closing
        else t("It is guarded again.")
    )
    lines = [
        headline(voice, t("🟢 {login} is unblocked", login=alert.login)),
        *who(alert, audience),
        on,
        t(
            "It was blocked since {since}. Unblocked by {name}.",
            since=moment(alert.blocked_at, voice, today=alert.at),
            name=word({}, alert.by),
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))
