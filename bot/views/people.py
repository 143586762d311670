"""Words about people: the answer to a stranger, a request to be let in, what became of it."""

from bot import keyboards_people as keyboards
from bot.markup import code, esc
from bot.views import refusals
from bot.views.alert_lines import at_line, headline
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import moment
from bot.views.words import plural
from core.domain import alerts_people as p
from core.domain.access import AccessDecision
from core.domain.invitations import Redeemed

CODE_IN_GROUP = (
    "That code was for our private chat, and others have seen it here: it is void now. "
    "Ask your admin for a new link."
)
REQUEST_SENT = "Your request was sent. An admin will answer here."


def private_only(username: str) -> Message:
    """A command about somebody's own accounts, in a group: no figure, and the way to them."""
    return Message(html=refusals.PRIVATE_ONLY, keyboard=keyboards.private_chat(username))


def stranger(telegram_id: int, *, in_private: bool) -> Message:
    """The one answer to somebody unknown; a group offers no button."""
    lines = [
        "Hello. This bot serves invited clients only, and I do not know you yet.",
        f"Your Telegram number is {code(str(telegram_id))}.",
    ]
    if not in_private:
        return Message(html="\n".join(lines))
    lines.append("If you are a client, ask for access: an admin reads your name and this number.")
    return Message(html="\n".join(lines), keyboard=keyboards.ask_access(telegram_id))


def stranger_press(telegram_id: int) -> str:
    """The pop-up for a stranger who presses what is not theirs."""
    return (
        f"I do not know you (Telegram number {telegram_id}). "
        "Write to me in private if you want to ask for access."
    )


def welcome(redeemed: Redeemed) -> Message:
    """To somebody whom a code let in."""
    lines = [
        f"<b>Welcome, {esc(redeemed.name)}.</b>",
        "I watch your MetaTrader account and write to you by myself when something is wrong.",
        "Send /help for what you can ask me.",
    ]
    return Message(html="\n".join(lines))


def id_of(telegram_id: int) -> Message:
    """Somebody's number, to be given to an admin."""
    return Message(html=f"Your Telegram number is {code(str(telegram_id))}.")


def decided(decision: AccessDecision) -> str:
    """The pop-up after an admin's answer."""
    if decision.approved:
        return f"{decision.name} is a client now."
    return f"{decision.name} is blocked."


def render(alert: p.PeopleAlert, voice: Voice, audience: Audience) -> Message:
    """Any of them."""
    match alert:
        case p.AccessAsked():
            return _asked(alert, voice, audience)
        case p.AccessAnswered():
            return _answered(alert, voice, audience)
        case p.AccessDecided():
            return _news(alert, voice)
        case p.AccountGiven():
            return _given(alert, voice, audience)
        case p.StandingChanged():
            return _standing(alert, voice, audience)
        case p.AccountTaken():
            return _taken(alert, voice)


def _asked(alert: p.AccessAsked, voice: Voice, audience: Audience) -> Message:
    if audience is Audience.CLIENT:
        lines = [headline(voice, "👤 You asked for access"), "An admin will answer here."]
        return Message(html="\n".join([*lines, at_line(alert.at, voice)]), silent=True)
    what = (
        "A client sees their own accounts and answers signals. Which accounts are theirs is not "
        "decided here."
    )
    lines = [headline(voice, f"👤 {esc(alert.name)} asks for access"), *_who(alert), what]
    if alert.waiting > 1:
        lines.append(f"Waiting in all: {plural(alert.waiting, 'request')}")
    return Message(
        html="\n".join([*lines, at_line(alert.at, voice)]),
        keyboard=keyboards.answer_access(alert.request_id),
    )


def _answered(alert: p.AccessAnswered, voice: Voice, audience: Audience) -> Message:
    at = moment(alert.at, voice)
    if audience is Audience.CLIENT:
        # Whoever was refused is not told by whom: that is the admins' affair.
        title = "🟢 You have access" if alert.approved else "🔒 Your request was refused"
        by = f" by {esc(alert.by)}" if alert.approved else ""
        return Message(html=f"{headline(voice, title)}\nDecided{by}, {at}")
    title = (
        f"🟢 {esc(alert.name)} is a client"
        if alert.approved
        else f"🔒 {esc(alert.name)} is blocked"
    )
    lines = [
        headline(voice, title),
        *_who(alert),
        f"Asked: {moment(alert.asked_at, voice, today=alert.at)}",
        f"{'Approved' if alert.approved else 'Blocked'} by {esc(alert.by)}, {at}",
    ]
    return Message(html="\n".join(lines))


def _news(alert: p.AccessDecided, voice: Voice) -> Message:
    if alert.approved:
        lines = [
            headline(voice, "🟢 Welcome: you have access"),
            "Send /help for what you can ask me. I write to you about your accounts by myself.",
        ]
    else:
        lines = [
            headline(voice, "🔒 Access refused"),
            "An admin has refused your request. If you think this is a mistake, talk to them.",
        ]
    return Message(html="\n".join(lines))


def _given(alert: p.AccountGiven, voice: Voice, audience: Audience) -> Message:
    if audience is Audience.CLIENT:
        lines = [
            headline(voice, f"🔑 Account {alert.login} is yours here"),
            "You get its alerts and its signals from now on.",
            "/drawdown shows how far it is from its limit, /rules what is guarded.",
        ]
    else:
        lines = [
            headline(voice, f"🔑 {esc(alert.client)} owns account {alert.login}"),
            f"By an invitation. Before: {esc(alert.before)}.",
        ]
    return Message(html="\n".join([*lines, at_line(alert.at, voice)]))


def _taken(alert: p.AccountTaken, voice: Voice) -> Message:
    lines = [
        headline(voice, f"🔑 Account {alert.login} is no longer yours here"),
        "An invitation made by the operator was used for it; alerts go to somebody else now.",
        "If this is a mistake, tell your admin at once.",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _standing(alert: p.StandingChanged, voice: Voice, audience: Audience) -> Message:
    at = at_line(alert.at, voice)
    if audience is Audience.ADMIN:
        what = "is blocked" if alert.blocked else "is not blocked any more"
        title = headline(voice, f"{'🔒' if alert.blocked else '🟢'} {esc(alert.name)} {what}")
        by = f"By {esc(alert.by)}. Telegram number {code(str(alert.telegram_id))}"
        return Message(html=f"{title}\n{by}\n{at}")
    if alert.blocked:
        lines = [
            headline(voice, "🔒 Your access has ended"),
            "An admin has blocked it, and I write to you no more. Accounts of yours stay guarded.",
            "If you think this is a mistake, talk to your admin.",
        ]
    else:
        lines = [headline(voice, "🟢 You have access again"), "Send /help for what you can ask."]
    return Message(html="\n".join([*lines, at]))


def _who(alert: p.AccessAsked | p.AccessAnswered) -> list[str]:
    username = f"@{esc(alert.username)}, " if alert.username else ""
    return [f"Telegram: {username}number {code(str(alert.telegram_id))}"]
