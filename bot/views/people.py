"""Words about people: the answer to a stranger, a request to be let in, what became of it."""

from bot import keyboards_people as keyboards
from bot.i18n import later, t, tn
from bot.markup import code, esc
from bot.views import alerts_links, refusals
from bot.views.alert_lines import at_line, headline
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import moment
from core.domain import alerts_links as k
from core.domain import alerts_people as p
from core.domain.access import AccessDecision
from core.domain.invitations import Redeemed

CODE_IN_GROUP = later(
    "That code was for our private chat, and others have seen it here: it "
    "is void now. Ask your admin for a new link."
)
IN_GROUP = later(
    "⚠️ {name}: what you wrote behind /link may be a password, and others read here. I have removed "
    "your message. Change the password at your broker now, and write none in a group."
)
IN_GROUP_LEFT = later(
    "⚠️ {name}: what you wrote behind /link may be a password, and others read here. I cannot "
    "remove your message: do it yourself now, change the password at your broker, and write none "
    "in a group."
)
REQUEST_SENT = later("Your request was sent. An admin will answer here.")


def private_only(username: str) -> Message:
    """A command about somebody's own accounts, in a group: no figure, and the way to them."""
    return Message(html=t(refusals.PRIVATE_ONLY), keyboard=keyboards.private_chat(username))


def stranger(telegram_id: int, *, in_private: bool) -> Message:
    """The one answer to somebody unknown; a group offers no button."""
    lines = [
        t("Hello. This bot serves invited clients only, and I do not know you yet."),
        t("Your Telegram number is {number}.", number=code(str(telegram_id))),
    ]
    if not in_private:
        return Message(html="\n".join(lines))
    lines += [
        t("If you are a client, ask for access: an admin reads your name and this number."),
        t("Send me no password before you are let in: I would leave it here, unread."),
    ]
    return Message(html="\n".join(lines), keyboard=keyboards.ask_access(telegram_id))


def stranger_press(telegram_id: int) -> str:
    """The pop-up for a stranger who presses what is not theirs."""
    return t(
        "I do not know you (Telegram number {telegram_id}). Write to me in "
        "private if you want to ask for access.",
        telegram_id=telegram_id,
    )


def welcome(redeemed: Redeemed) -> Message:
    """To somebody whom a code let in."""
    lines = [
        t("<b>Welcome, {name}.</b>", name=esc(redeemed.name)),
        t("I watch your MetaTrader account and write to you by myself when something is wrong."),
        t("Send /help for what you can ask me."),
    ]
    return Message(html="\n".join(lines))


def id_of(telegram_id: int) -> Message:
    """Somebody's number, to be given to an admin."""
    return Message(html=t("Your Telegram number is {number}.", number=code(str(telegram_id))))


def decided(decision: AccessDecision) -> str:
    """The pop-up after an admin's answer."""
    if decision.approved:
        return t("{name} is a client now.", name=decision.name)
    return t("{name} is blocked.", name=decision.name)


def render(alert: p.PeopleAlert, voice: Voice, audience: Audience) -> Message:  # noqa: PLR0911 - one arm per kind
    """Any of them."""
    if isinstance(alert, k.AnyLinkAlert):
        return alerts_links.render(alert, voice, audience)
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
        lines = [headline(voice, t("👤 You asked for access")), t("An admin will answer here.")]
        return Message(html="\n".join([*lines, at_line(alert.at, voice)]), silent=True)
    what = t(
        "A client sees their own accounts and answers signals. Which accounts "
        "are theirs is not decided here."
    )
    lines = [
        headline(voice, t("👤 {name} asks for access", name=esc(alert.name))),
        *_who(alert),
        what,
    ]
    if alert.waiting > 1:
        lines.append(
            tn("Waiting in all: {n} request", "Waiting in all: {n} requests", alert.waiting)
        )
    return Message(
        html="\n".join([*lines, at_line(alert.at, voice)]),
        keyboard=keyboards.answer_access(alert.request_id),
    )


def _answered(alert: p.AccessAnswered, voice: Voice, audience: Audience) -> Message:
    at = moment(alert.at, voice)
    if audience is Audience.CLIENT:
        # Whoever was refused is not told by whom: that is the admins' affair.
        title = t("🟢 You have access") if alert.approved else t("🔒 Your request was refused")
        decided = (
            t("Decided by {by}, {at}", by=esc(alert.by), at=at)
            if alert.approved
            else t("Decided, {at}", at=at)
        )
        return Message(html=f"{headline(voice, title)}\n{decided}")
    title = (
        t("🟢 {name} is a client", name=esc(alert.name))
        if alert.approved
        else t("🔒 {name} is blocked", name=esc(alert.name))
    )
    lines = [
        headline(voice, title),
        *_who(alert),
        t("Asked: {asked_at}", asked_at=moment(alert.asked_at, voice, today=alert.at)),
        t("Approved by {by}, {at}", by=esc(alert.by), at=at)
        if alert.approved
        else t("Blocked by {by}, {at}", by=esc(alert.by), at=at),
    ]
    return Message(html="\n".join(lines))


def _news(alert: p.AccessDecided, voice: Voice) -> Message:
    if alert.approved:
        lines = [
            headline(voice, t("🟢 Welcome: you have access")),
            t("Send /help for what you can ask me. I write to you about your accounts by myself."),
        ]
        if alert.links:
            lines.append(t("No account of yours is guarded yet: /link has one guarded."))
    else:
        lines = [
            headline(voice, t("🔒 Access refused")),
            t("An admin has refused your request. If you think this is a mistake, talk to them."),
        ]
    return Message(html="\n".join(lines))


def _given(alert: p.AccountGiven, voice: Voice, audience: Audience) -> Message:
    if audience is Audience.CLIENT:
        lines = [
            headline(voice, t("🔑 Account {login} is yours here", login=alert.login)),
            t("You get its alerts and its signals from now on."),
            t("/drawdown shows how far it is from its limit, /rules what is guarded."),
        ]
    else:
        lines = [
            headline(
                voice,
                t("🔑 {client} owns account {login}", client=esc(alert.client), login=alert.login),
            ),
            t("By an invitation. Before: {before}.", before=esc(alert.before)),
        ]
    return Message(html="\n".join([*lines, at_line(alert.at, voice)]))


def _taken(alert: p.AccountTaken, voice: Voice) -> Message:
    lines = [
        headline(voice, t("🔑 Account {login} is no longer yours here", login=alert.login)),
        t("An invitation made by the operator was used for it; alerts go to somebody else now."),
        t("If this is a mistake, tell your admin at once."),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _standing(alert: p.StandingChanged, voice: Voice, audience: Audience) -> Message:
    at = at_line(alert.at, voice)
    if audience is Audience.ADMIN:
        title = (
            t("🔒 {name} is blocked", name=esc(alert.name))
            if alert.blocked
            else t("🟢 {name} is not blocked any more", name=esc(alert.name))
        )
        number = code(str(alert.telegram_id))
        by = t("By {by}. Telegram number {number}", by=esc(alert.by), number=number)
        return Message(html=f"{headline(voice, title)}\n{by}\n{at}")
    if alert.blocked:
        lines = [
            headline(voice, t("🔒 Your access has ended")),
            t(
                "An admin has blocked it, and I write to you no more. Accounts of "
                "yours stay guarded."
            ),
            t("If you think this is a mistake, talk to your admin."),
        ]
    else:
        lines = [
            headline(voice, t("🟢 You have access again")),
            t("Send /help for what you can ask."),
        ]
    return Message(html="\n".join([*lines, at]))


def _who(alert: p.AccessAsked | p.AccessAnswered) -> list[str]:
    username = f"@{esc(alert.username)}, " if alert.username else ""
    number = code(str(alert.telegram_id))
    return [t("Telegram: {username}number {number}", username=username, number=number)]


def password_in_group(telegram_id: int, name: str, *, removed: bool) -> Message:
    """What to do for whoever wrote behind `/link` where others read; it quotes nothing."""
    who = f'<a href="tg://user?id={telegram_id}">{esc(name)}</a>'
    return Message(html=t(IN_GROUP if removed else IN_GROUP_LEFT, name=who))
