"""Closing carried out: proved flat, held up, re-opened; and the release afterwards."""

from datetime import datetime

from bot import keyboards
from bot.i18n import later, t
from bot.markup import code, esc
from bot.views import close_results
from bot.views.alert_lines import LOCKED, at_line, equity_line, headline, who
from bot.views.message import Audience, Keyboard, Message, Voice, compose
from bot.views.numbers import limit, moment, money, percent
from bot.views.obstacles import BY_HAND
from bot.views.retcodes import sentence
from bot.views.words import REASONS, TROUBLES, holdings, reason, word
from core.domain.alert_parts import AccountAlert
from core.domain.alerts import (
    CloseConfirmed,
    CloseTrouble,
    ReleaseAnswered,
    ReleaseAsked,
)

WHOLE_ACCOUNT = "account"
TROUBLE_HEADS = {
    "market_closed": later("market closed"),
    "autotrading_off": later("automated trading is off"),
    "rejected": later("broker refuses"),
    "unknown_outcome": later("no answer yet"),
    "cannot_trade": later("may not trade"),
    "terminal_blocked": later("blocked"),
}
SWITCH_ON = later("Please switch on “Algo Trading” in the terminal now.")
HOW_TO_ASK = later("When you are ready, ask for release with the button or /release.")


def confirmed(alert: CloseConfirmed, voice: Voice, audience: Audience) -> Message:
    """Proved flat: the result as a whole and per ticket."""
    whole = alert.scope == WHOLE_ACCOUNT
    what = (
        str(alert.login)
        if whole
        else t("{symbol} on {login}", symbol=esc(alert.scope), login=alert.login)
    )
    mark = "🔒" if alert.latched else "⏹"
    flat = (
        t("{what} is flat - confirmed by two reads of the broker", what=what)
        if whole
        else t("{what} is flat - confirmed by two reads", what=what)
    )
    if alert.completed:
        first = [
            headline(voice, t("📄 The whole result: {what}", what=what)),
            *who(alert, audience),
            flat,
        ]
    elif audience is Audience.CLIENT:
        closed = (
            t("Everything on {login} is closed", login=alert.login)
            if whole
            else t(
                "All {symbol} on {login} is closed",
                symbol=esc(alert.scope),
                login=alert.login,
            )
        )
        first = [headline(voice, f"{mark} {closed}"), flat]
    else:
        first = [headline(voice, f"{mark} {flat}"), *who(alert, audience)]
    head = [*first, *_why(alert, voice), *close_results.outcome(alert, voice, audience)]
    own = audience is Audience.CLIENT
    rows = [close_results.ticket(result, alert.currency, own=own) for result in alert.results]
    tail = [t(LOCKED)] if alert.latched else []
    tail += [t(HOW_TO_ASK)] if alert.latched and audience is Audience.CLIENT else []
    return Message(
        html=compose(head, rows, tail),
        keyboard=_ask(alert, audience) if alert.latched else (),
    )


def trouble(alert: CloseTrouble, voice: Voice, audience: Audience) -> Message:
    """A close is held up, and when it is tried again."""
    what = (
        str(alert.login)
        if alert.scope == WHOLE_ACCOUNT
        else t("{symbol} on {login}", symbol=esc(alert.scope), login=alert.login)
    )
    held = holdings(alert.open_positions, alert.open_orders)
    lines = [
        headline(
            voice,
            t(
                "🔴 Cannot close {what} yet - {trouble}",
                what=what,
                trouble=word(TROUBLE_HEADS, alert.trouble),
            ),
        ),
        *who(alert, audience),
        word(TROUBLES, alert.trouble),
        t("Still open: {held}.", held=held),
    ]
    if alert.trouble == "terminal_blocked":
        return _held_by_block(lines, alert, voice, audience)
    if alert.trouble == "autotrading_off":
        lines.append(t(SWITCH_ON))  # the terminal itself refused: no server said anything
    else:
        lines += _refusal(alert, audience)
    if alert.trouble == "market_closed":
        lines.append(opening(alert.opens_at, alert.at, voice))
    lines += [
        t(
            "Reckoner tries again at {at} and goes on until it is flat.",
            at=moment(alert.next_try_at, voice, today=alert.at),
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def opening(opens_at: datetime | None, at: datetime, voice: Voice) -> str:
    """When a closed market opens, as far as anybody can say."""
    if opens_at is None:
        return t("MetaTrader does not say when it opens: Reckoner tries with the first new price.")
    when = moment(opens_at, voice, today=at)
    return t(
        "It usually opens at {when}; Reckoner tries then, and with any new price before.", when=when
    )


def _refusal(alert: CloseTrouble, audience: Audience) -> list[str]:
    """In the broker's own words, and for admins what they mean."""
    said = [t("The server says: {words}", words=code(alert.detail))] if alert.detail else []
    if alert.retcode is not None and audience is Audience.ADMIN:
        said.append(sentence(alert.retcode, alert.detail))
    return said


def _held_by_block(
    lines: list[str], alert: CloseTrouble, voice: Voice, audience: Audience
) -> Message:
    """A close that waits for an admin: who can clear it, and what happens then."""
    admin = audience is Audience.ADMIN
    lines += [
        (
            t("An admin can unblock it: /unblock {login}", login=alert.login)
            if admin
            else f"{t('Your admin has been told.')} {t(BY_HAND)}"
        ),
        t("Closing stays scheduled and goes on the moment it is unblocked."),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def release_asked(alert: ReleaseAsked, voice: Voice, audience: Audience) -> Message:
    """A client asks for release; an admin answers."""
    admin = audience is Audience.ADMIN
    title = (
        t("🔓 Release asked for {login}", login=alert.login)
        if admin
        else t("🔓 You asked for the release of {login}", login=alert.login)
    )
    lines = [
        headline(voice, title),
        *who(alert, audience),
        t(
            "Locked by: {reason}, {at}",
            reason=word(REASONS, alert.latch_reason),
            at=moment(alert.latched_at, voice, today=alert.at),
        ),
        equity_line(alert.equity, alert.peak_equity, alert.currency),
    ]
    if alert.minimum_equity is not None:
        lines.append(
            t("Minimum equity: {amount}", amount=money(alert.minimum_equity, alert.currency))
        )
    lines.append(
        t("Granting restarts the peak at the equity read then, once the account is proved flat.")
        if admin
        else t("An admin will answer. The account stays locked until then.")
    )
    lines.append(at_line(alert.at, voice))
    keyboard = keyboards.answer_release(alert.account_id) if admin else ()
    return Message(html="\n".join(lines), keyboard=keyboard, silent=not admin)


def release_answered(alert: ReleaseAnswered, voice: Voice, audience: Audience) -> Message:
    """The answer to a release: granted and being proved, released, or refused."""
    keyboard: Keyboard = ()
    asked = t("Asked at {at}.", at=moment(alert.asked_at, voice, today=alert.at))
    match alert.state:
        case "granted":
            title = t("🔓 Release granted for {login}", login=alert.login)
            lines = [t("Reckoner proves the account flat once more, then unlocks it.")]
        case "released":
            title = t("🟢 {login} is released", login=alert.login)
            lines = [t("Signals can be approved again. The drawdown counts from the new peak.")]
        case "refused":
            title = t("🔒 Release refused for {login}", login=alert.login)
            lines = [t("The account stays locked."), t("It can be asked for again with /release.")]
            keyboard = _ask(alert, audience)
        case other:
            title, lines = (
                t("🔒 Release of {login}: {state}", login=alert.login, state=word({}, other)),
                [],
            )
    text = [
        headline(voice, title),
        *who(alert, audience),
        *lines,
        equity_line(alert.equity, alert.peak_equity, alert.currency),
        *([asked, t("Answered by {name}.", name=esc(alert.by))] if alert.by else []),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(text), keyboard=keyboard)


def _why(alert: CloseConfirmed, voice: Voice) -> list[str]:
    """What was decided on, when: the account may look better again by the time it is flat."""
    at = moment(alert.triggered_at, voice, today=alert.flat_at)
    before, drawdown, bound = alert.equity_at_trigger, alert.drawdown_percent, alert.limit_percent
    if alert.reason == "drawdown" and drawdown is not None and bound is not None:
        why = t(
            "the drawdown passed {limit} at {at} ({drawdown}).",
            limit=limit(bound),
            at=at,
            drawdown=percent(drawdown, bound),
        )
    elif alert.reason == "minimum_equity" and before is not None:
        why = t(
            "equity was below the minimum at {at} ({equity}).",
            at=at,
            equity=money(before, alert.currency),
        )
    else:
        return [*_market_why(alert, voice, at), *_cut_short(alert, voice)]
    recovered = before is not None and alert.equity > before
    rule = t(" A close that has begun is not cancelled when the price recovers.")
    after = alert.drawdown_after_percent
    left = (
        []
        if after is None
        else [t("Drawdown after closing: {drawdown}", drawdown=percent(after, after))]
    )
    return [
        t("Why: {why}{rule}", why=why, rule=rule if recovered else ""),
        *_cut_short(alert, voice),
        *left,
    ]


def _market_why(alert: CloseConfirmed, voice: Voice, decided_at: str) -> list[str]:
    """What was wrong with the market and since when, and who decided that it closes."""
    cause = word(REASONS, alert.reason)
    decision = alert.decision
    if decision is None:
        return [t("Why: {cause}, {at}", cause=cause, at=decided_at)]
    since = moment(decision.caused_at, voice, today=alert.flat_at)
    if not decision.by:
        return [
            t(
                "Why: {cause} of {since}, and nobody decided otherwise by {until}.",
                cause=cause,
                since=since,
                until=decided_at,
            )
        ]
    why = f" ({reason(decision.why)})" if decision.why else ""
    return [
        t(
            "Why: {cause} of {since}. {name} decided at {at}{why}.",
            cause=cause,
            since=since,
            name=esc(decision.by),
            at=decided_at,
            why=why,
        )
    ]


def _cut_short(alert: CloseConfirmed, voice: Voice) -> list[str]:
    """That closing did not wait as long as had been told."""
    if alert.deadline_at is None or alert.started_at >= alert.deadline_at:
        return []
    began = moment(alert.started_at, voice, today=alert.flat_at)
    told = moment(alert.deadline_at, voice, today=alert.flat_at)
    return [
        t(
            "It went on falling: closing began at {began} and did not wait until {told}.",
            began=began,
            told=told,
        )
    ]


def _ask(alert: AccountAlert, audience: Audience) -> Keyboard:
    return keyboards.ask_release(alert.account_id) if audience is Audience.CLIENT else ()
