"""The drawdown guard: warning, breach, and what moves the figures it judges by."""

from datetime import datetime

from bot import keyboards
from bot.i18n import later, t
from bot.views import obstacles as words_of
from bot.views import rules
from bot.views.alert_lines import (
    LOCKED,
    at_line,
    equity_line,
    headline,
    headroom_past,
    over_line,
    who,
)
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import clock, limit, moment, money, percent, span
from bot.views.rule_titles import named, titled
from bot.views.words import SKIPS, holdings, word
from core.domain.alerts import (
    DrawdownEased,
    DrawdownWarning,
    GuardBreached,
    LimitsChanged,
)
from core.domain.permissions import Obstacle

FINAL = {
    Audience.CLIENT: later(
        "This cannot be cancelled: it limits your loss. You can still close positions yourself."
    ),
    Audience.ADMIN: later(
        "This cannot be cancelled: it limits the client's loss. The client can "
        "still close positions."
    ),
}

YOURSELF = {
    Audience.CLIENT: later(
        "You can close or reduce positions in your terminal; /drawdown shows where you stand."
    ),
    Audience.ADMIN: later(
        "The client can close or reduce positions until then; /accounts shows where they stand."
    ),
}
"""What may be done while there is room."""
AFTER = later("Afterwards the account is locked until its release.")


def drawdown_warning(alert: DrawdownWarning, voice: Voice, audience: Audience) -> Message:
    """The warning level is passed: how much room is left, and what happens at its end."""
    room = money(alert.headroom, alert.currency)
    figure = percent(alert.drawdown_percent, alert.warn_percent, alert.limit_percent)
    lines = [
        headline(voice, t("🟠 Drawdown {drawdown} on {login}", drawdown=figure, login=alert.login)),
        *who(alert, audience),
        t("Room left: {amount} until Reckoner closes everything.", amount=room),
        equity_line(alert.equity, alert.peak_equity, alert.currency),
        t(
            "At {limit} below the peak Reckoner closes every position and "
            "removes every pending order, at any hour.",
            limit=limit(alert.limit_percent),
        ),
        t(YOURSELF[audience]),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def drawdown_eased(alert: DrawdownEased, voice: Voice, audience: Audience) -> Message:
    """The warning is over."""
    figure = percent(alert.drawdown_percent, alert.warn_percent)
    lines = [
        headline(
            voice,
            t("🟢 Drawdown back to {drawdown} on {login}", drawdown=figure, login=alert.login),
        ),
        *who(alert, audience),
        t("Equity: {equity}", equity=money(alert.equity, alert.currency)),
        t(
            "It is below the warning level of {level} again. Warned at {at}.",
            level=limit(alert.warn_percent),
            at=moment(alert.warned_at, voice, today=alert.at),
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)


def breached(alert: GuardBreached, voice: Voice, audience: Audience) -> Message:
    """The guard closes everything, when, and why; or it only locks a flat account."""
    if alert.over_at is not None:
        return _over(alert, alert.over_at, voice, audience)
    flat = alert.positions_count == 0 and alert.orders_count == 0
    figure = _figure(alert)
    if flat:
        title = t("🔒 {login} is locked - {reason}", login=alert.login, reason=figure)
    elif alert.obstacles and not words_of.partial(alert.obstacles):
        title = t("🔴 Must close {login} and cannot - {reason}", login=alert.login, reason=figure)
    elif alert.deadline_at is None:
        title = t(
            "🔴 Closing everything on {login} now - {reason}", login=alert.login, reason=figure
        )
    else:
        title = t(
            "🔴 Closing {login} in {span} ({at}) - {reason}",
            login=alert.login,
            span=span(alert.deadline_at - alert.at),
            at=clock(alert.deadline_at, voice),
            reason=figure,
        )
    lines = [headline(voice, title), *who(alert, audience)]
    lines += _locked_only() if flat else _closing(alert, voice, audience)
    lines += [*_why(alert), at_line(alert.at, voice)]
    ask = flat and audience is Audience.CLIENT
    return Message(
        html="\n".join(lines), keyboard=keyboards.ask_release(alert.account_id) if ask else ()
    )


def _over(alert: GuardBreached, over_at: datetime, voice: Voice, audience: Audience) -> Message:
    """The same once it is over: nothing is said to be still to come."""
    closed, reason = bool(alert.positions_count or alert.orders_count), _figure(alert)
    title = (
        t("⏹ Over: {login} was closed - {reason}", login=alert.login, reason=reason)
        if closed
        else t("🔓 Over: {login} was locked - {reason}", login=alert.login, reason=reason)
    )
    lines = [headline(voice, title), *who(alert, audience), *_why(alert), at_line(alert.at, voice)]
    if alert.deadline_at is not None:
        deadline = moment(alert.deadline_at, voice, today=alert.at)
        lines.append(t("Closing was to begin at {deadline}.", deadline=deadline))
    lines.append(over_line(over_at, alert.at, voice, closed=closed))
    return Message(html="\n".join(lines))


def _figure(alert: GuardBreached) -> str:
    """What the first line says of why."""
    if alert.title:
        return named(alert.title)
    if alert.rule == "minimum_equity":
        return t("equity {equity}", equity=money(alert.equity, alert.currency))
    return t("drawdown {drawdown}", drawdown=percent(alert.drawdown_percent, alert.limit_percent))


def limits_changed(alert: LimitsChanged, voice: Voice, audience: Audience) -> Message:
    """The limits in force, or looser ones that wait."""
    state = t("New limits wait") if alert.pending else t("Limits changed")
    lines = [
        headline(voice, f"⚙️ {state}: {alert.login}"),
        *who(alert, audience),
        t(
            "Close everything at {limit}, warn at {warn_level} below the peak.",
            limit=limit(alert.max_drawdown_percent),
            warn_level=limit(alert.warn_drawdown_percent),
        ),
        t("Minimum equity: {amount}", amount=money(alert.min_equity_gbp, "GBP")),
    ]
    if alert.pending and alert.effective_at is not None:
        lines.append(
            t(
                "They are looser, so they take effect at {at}, if the "
                "account is flat and not locked then. Until then the stricter ones "
                "hold.",
                at=moment(alert.effective_at, voice, today=alert.at),
            )
        )
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines), silent=True)


def _closing(alert: GuardBreached, voice: Voice, audience: Audience) -> list[str]:
    held = holdings(alert.positions_count, alert.orders_count)
    if alert.obstacles and not words_of.partial(alert.obstacles):
        return [*_held_up(alert, held, voice, audience), t(AFTER)]
    if alert.deadline_at is None:
        start = t("Closing {held} now.", held=held)
    else:
        start = t(
            "Closing {held} in {span}, at {at}.",
            held=held,
            span=span(alert.deadline_at - alert.at),
            at=moment(alert.deadline_at, voice),
        )
    skip = word(SKIPS, alert.skip_reason)
    but = [words_of.sentence(alert.obstacles)] if alert.obstacles else []
    return [start, *but, *([skip] if skip else []), t(FINAL[audience]), t(AFTER)]


def _held_up(alert: GuardBreached, held: str, voice: Voice, audience: Audience) -> list[str]:
    """What is due and cannot be done as it is, why, and what would let it be done."""
    client = audience is Audience.CLIENT
    due = (
        t("{held} to close now.", held=held)
        if alert.deadline_at is None
        else t("{held} to close at {at}.", held=held, at=moment(alert.deadline_at, voice))
    )
    blocked = Obstacle.WRONG_ACCOUNT.value in alert.obstacles
    goes_on = (
        t("It is closed the moment it is unblocked.") if blocked else t("Reckoner goes on trying.")
    )
    return [
        f"{due} {goes_on}",
        words_of.sentence(alert.obstacles),
        *words_of.next_steps(alert.obstacles, alert.login, audience),
        *(words_of.by_hand(alert.obstacles) if client else []),
    ]


def _locked_only() -> list[str]:
    return [t("Nothing was open, so there is nothing to close."), t(LOCKED)]


def _why(alert: GuardBreached) -> list[str]:
    if alert.title and alert.figure is not None and alert.floor is not None:
        broken = rules.against(alert.measure, alert.figure, alert.floor, alert.currency)
        return [
            f"{titled(alert.title)}: {broken}.",
            equity_line(alert.equity, alert.peak_equity, alert.currency),
        ]
    if alert.rule == "minimum_equity" and alert.minimum_equity is not None:
        return [
            t(
                "Equity: {equity}, minimum {minimum}",
                equity=money(alert.equity, alert.currency),
                minimum=money(alert.minimum_equity, alert.currency),
            )
        ]
    past = headroom_past(alert.equity, alert.peak_equity, alert.limit_percent)
    passed = "" if past is None else t(", passed by {amount}", amount=money(past, alert.currency))
    return [
        equity_line(alert.equity, alert.peak_equity, alert.currency),
        t(
            "Limit: {limit} below the peak{passed}",
            limit=limit(alert.limit_percent),
            passed=passed,
        ),
    ]
