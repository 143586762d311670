"""What is told of an account that its client links in the chat."""

from bot import keyboards_links as keyboards
from bot.i18n import t, tn
from bot.markup import code, esc
from bot.views.alert_lines import at_line, headline
from bot.views.links import AGAIN, FAILURES, NOTHING_KEPT, OLD_STAYS, account
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import moment, money, percent
from bot.views.words import word
from core.domain import alerts_links as k
from core.domain.linking import LinkState


def render(  # noqa: PLR0911 - one arm per kind
    alert: k.AnyLinkAlert, voice: Voice, audience: Audience
) -> Message:
    """Any of them."""
    match alert:
        case k.LinkAsked():
            return _asked(alert, voice)
        case k.LinkAnswered():
            return _answered(alert, voice)
        case k.LinkNews():
            return _news(alert, voice)
        case k.LinkEnded():
            return _ended(alert, voice, audience)
        case k.AccountLinked():
            return _linked(alert, voice, audience)
        case k.PasswordRenewed():
            return _renewed(alert, voice, audience)
        case k.WordsLeft():
            return _left(alert, voice)
        case k.RequestDamaged():
            return _damaged(alert, voice, audience)


def _asked(alert: k.LinkAsked, voice: Voice) -> Message:
    title = t("🔑 {name} asks to have an account guarded", name=esc(alert.client))
    lines = [headline(voice, title), *_what(alert)]
    if alert.known:
        lines.append(
            t(
                "⚠️ Reckoner has this account already ({owner}). It can only be refused; the client "
                "is not told why.",
                owner=esc(alert.known),
            )
        )
    else:
        lines.append(
            t(
                "Is it theirs? After your approval I log in with the password they gave; its "
                "currency is known then. Nobody reads the password."
            )
        )
    if alert.rivals:
        names = ", ".join(esc(name) for name in alert.rivals)
        lines.append(
            t(
                "⚠️ The same account is asked for in another request, too: by {names}. Approve one "
                "at most.",
                names=names,
            )
        )
    if alert.waiting > 1:
        lines.append(
            tn("Waiting in all: {n} account", "Waiting in all: {n} accounts", alert.waiting)
        )
    return Message(
        html="\n".join([*lines, at_line(alert.at, voice)]),
        keyboard=keyboards.answer(alert.request_id, possible=not alert.known),
    )


def _answered(alert: k.LinkAnswered, voice: Voice) -> Message:
    name, at = esc(alert.client), moment(alert.at, voice)
    match alert.state:
        case LinkState.APPROVED:
            title = t("⏳ {name}'s account {login} is approved", name=name, login=alert.login)
            end = t("Approved by {by}, {at}. The broker is asked.", by=esc(alert.by), at=at)
        case LinkState.REFUSED:
            title = t("🔒 {name}'s account {login} is refused", name=name, login=alert.login)
            end = t("Refused by {by}, {at}", by=esc(alert.by), at=at)
        case LinkState.CANCELLED:
            title = t("{name} has withdrawn account {login}", name=name, login=alert.login)
            end = t("Withdrawn {at}; the password is forgotten.", at=at)
        case _:
            title = t("⌛ Nobody answered {name}: {login}", name=name, login=alert.login)
            end = t("Ended {at}; the password is forgotten.", at=at)
    asked = t("Asked: {moment}", moment=moment(alert.asked_at, voice, today=alert.at))
    return Message(html="\n".join([headline(voice, title), *_what(alert), asked, end]))


def _news(alert: k.LinkNews, voice: Voice) -> Message:
    match alert.state:
        case LinkState.APPROVED:
            title = t("⏳ Approved: I ask the broker now")
            more = [t("I tell you here as soon as the account is guarded.")]
        case LinkState.REFUSED:
            title = t("🔒 Your account was not accepted")
            more = [
                t("An admin has refused it. If you think this is a mistake, talk to them."),
                t(NOTHING_KEPT),
            ]
        case _:
            title = (
                t("⌛ The time for the new password is over")
                if alert.renewal
                else t("⌛ The time to link your account is over")
            )
            more = [t("Please send no password now."), t(NOTHING_KEPT), t(AGAIN)]
    named = _named(alert) if alert.login else []
    return Message(html="\n".join([headline(voice, title), *named, *more]))


def _ended(alert: k.LinkEnded, voice: Voice, audience: Audience) -> Message:
    if alert.renewal:
        return _not_renewed(alert, voice, audience)
    title = t("🔴 Account {login} is not linked", login=alert.login)
    why = word(FAILURES, alert.failure)
    if audience is Audience.ADMIN:
        lines = [headline(voice, title), why, *_what(alert)]
        lines.append(t("Nothing was kept. {name} is told.", name=esc(alert.client)))
    else:
        lines = [headline(voice, title), why, *_named(alert), t(NOTHING_KEPT), t(AGAIN)]
    return Message(html="\n".join([*lines, at_line(alert.at, voice)]))


def _not_renewed(alert: k.LinkEnded, voice: Voice, audience: Audience) -> Message:
    title = t("🔴 The new password of {login} is not taken", login=alert.login)
    lines = [headline(voice, title), word(FAILURES, alert.failure)]
    if audience is Audience.ADMIN:
        told = t("The new password was not kept. {name} is told.", name=esc(alert.client))
        lines += [*_what(alert), told]
    else:
        lines += [*_named(alert), t(OLD_STAYS), t(AGAIN)]
    return Message(html="\n".join([*lines, at_line(alert.at, voice)]))


def _renewed(alert: k.PasswordRenewed, voice: Voice, audience: Audience) -> Message:
    title = t("🟢 The broker takes the new password of {login}", login=alert.login)
    lines = [
        headline(voice, title),
        *(_what(alert) if audience is Audience.ADMIN else _named(alert)),
        t("It is kept encrypted in the place of the old one."),
        t(
            "Within a minute or so the terminal logs in with it; I say so when the account can be "
            "read again. Until then it is not guarded."
        ),
    ]
    return Message(html="\n".join([*lines, at_line(alert.at, voice)]))


def _linked(alert: k.AccountLinked, voice: Voice, audience: Audience) -> Message:
    lines = [
        headline(voice, t("🟢 Account {login} is guarded from now on", login=alert.login)),
        *(_what(alert) if audience is Audience.ADMIN else _named(alert)),
        t(
            "Warning at {warn} below the peak; everything is closed at {limit}, or below "
            "{minimum}.",
            warn=percent(alert.warn_drawdown_percent),
            limit=percent(alert.max_drawdown_percent),
            minimum=money(alert.min_equity_gbp, "GBP"),
        ),
        t("Currency: {currency}", currency=esc(alert.currency)),
    ]
    if audience is Audience.CLIENT:
        lines.append(t("/status says whether it is read, /rules what is guarded."))
    return Message(html="\n".join([*lines, at_line(alert.at, voice)]))


def _left(alert: k.WordsLeft, voice: Voice) -> Message:
    if alert.in_group:
        lines = [
            headline(voice, t("⚠️ Was that your password, in a group?")),
            t(
                "You wrote in a group, and not long ago I asked you for a password here. If it was "
                "the password: remove it there now, and change it at your broker, since others "
                "have read it."
            ),
        ]
    else:
        lines = [
            headline(voice, t("⚠️ I could not remove your message: do it yourself now")),
            t(
                "If your password stands in it, remove the message here and change the password "
                "at your broker. I have not kept the message itself."
            ),
        ]
    return Message(html="\n".join([*lines, at_line(alert.at, voice)]))


def _damaged(alert: k.RequestDamaged, voice: Voice, audience: Audience) -> Message:
    if audience is Audience.CLIENT:
        lines = [
            headline(voice, t("🔴 Your request to have an account guarded is lost")),
            t("What I had kept of your request cannot be read any more."),
            t("Nothing of it is in force, and its password is forgotten."),
            t(AGAIN),
        ]
        return Message(html="\n".join([*lines, at_line(alert.at, voice)]))
    lines = [
        headline(voice, t("🔴 A request for an account is damaged and has ended")),
        t(
            "Request {number} in the database cannot be read: the disk is damaged, or somebody "
            "wrote into it by hand. Look at the disk and at your backups.",
            number=alert.request_id,
        ),
        t("Nothing of it is in force, and its password is forgotten."),
        (
            t("{name} is told and can begin anew.", name=esc(alert.client))
            if alert.telegram_id
            else t("Whose it was cannot be read either, so nobody else is told.")
        ),
    ]
    return Message(html="\n".join([*lines, at_line(alert.at, voice)]))


def _named(alert: k.LinkAlert) -> list[str]:
    return [t("Account: {account}", account=account(alert.login, alert.server))]


def _what(alert: k.LinkAlert) -> list[str]:
    number = t("Telegram: number {code}", code=code(str(alert.telegram_id)))
    return [*_named(alert), t("Client: {name}", name=esc(alert.client)), number]
