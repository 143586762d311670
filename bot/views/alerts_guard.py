"""The drawdown guard: warning, breach, and what moves the figures it judges by."""

from bot import keyboards
from bot.markup import esc
from bot.views import obstacles as words_of
from bot.views import rules
from bot.views.alert_lines import (
    LOCKED,
    at_line,
    equity_line,
    headline,
    headroom_past,
    who,
)
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import clock, limit, moment, money, percent
from bot.views.words import SKIPS, holdings, word
from core.domain.alerts import (
    DrawdownEased,
    DrawdownWarning,
    GuardBreached,
    LimitsChanged,
)
from core.domain.permissions import Obstacle

FINAL = {
    Audience.CLIENT: "This cannot be cancelled: it limits your loss. You can still close positions "
    "yourself.",
    Audience.ADMIN: "This cannot be cancelled: it limits the client's loss. The client can still "
    "close positions.",
}

AFTER = "Afterwards the account is locked until its release."


def drawdown_warning(alert: DrawdownWarning, voice: Voice, audience: Audience) -> Message:
    """The warning level is passed: how much room is left, and what happens at its end."""
    room = money(alert.headroom, alert.currency)
    figure = percent(alert.drawdown_percent, alert.warn_percent, alert.limit_percent)
    lines = [
        headline(voice, f"🟠 Drawdown {figure} on {alert.login}"),
        *who(alert, audience),
        f"Room left: {room} until Reckoner closes everything.",
        equity_line(alert.equity, alert.peak_equity, alert.currency),
        (
            f"At {limit(alert.limit_percent)} below the peak Reckoner closes every position and "
            "removes every pending order, at any hour."
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def drawdown_eased(alert: DrawdownEased, voice: Voice, audience: Audience) -> Message:
    """The warning is over."""
    figure = percent(alert.drawdown_percent, alert.warn_percent)
    lines = [
        headline(voice, f"🟢 Drawdown back to {figure} on {alert.login}"),
        *who(alert, audience),
        f"Equity: {money(alert.equity, alert.currency)}",
        (
            f"It is below the warning level of {limit(alert.warn_percent)} again. "
            f"Warned at {moment(alert.warned_at, voice, today=alert.at)}."
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)


def breached(alert: GuardBreached, voice: Voice, audience: Audience) -> Message:
    """The guard closes everything, when, and why; or it only locks a flat account."""
    flat = alert.positions_count == 0 and alert.orders_count == 0
    figure = _figure(alert)
    if flat:
        title = f"🔒 {alert.login} is locked - {figure}"
    elif alert.obstacles and not words_of.partial(alert.obstacles):
        title = f"🔴 Must close {alert.login} and cannot - {figure}"
    elif alert.deadline_at is None:
        title = f"🔴 Closing everything on {alert.login} now - {figure}"
    else:
        when = clock(alert.deadline_at, voice)
        title = f"🔴 Closing everything on {alert.login} at {when} - {figure}"
    lines = [headline(voice, title), *who(alert, audience)]
    lines += _locked_only() if flat else _closing(alert, voice, audience)
    lines += [*_why(alert), at_line(alert.at, voice)]
    ask = flat and audience is Audience.CLIENT
    return Message(
        html="\n".join(lines), keyboard=keyboards.ask_release(alert.account_id) if ask else ()
    )


def _figure(alert: GuardBreached) -> str:
    """What the first line says of why."""
    if alert.title:
        return esc(alert.title.lower())
    if alert.rule == "minimum_equity":
        return f"equity {money(alert.equity, alert.currency)}"
    return f"drawdown {percent(alert.drawdown_percent, alert.limit_percent)}"


def limits_changed(alert: LimitsChanged, voice: Voice, audience: Audience) -> Message:
    """The limits in force, or looser ones that wait."""
    state = "New limits wait" if alert.pending else "Limits changed"
    lines = [
        headline(voice, f"⚙️ {state}: {alert.login}"),
        *who(alert, audience),
        (
            f"Close everything at {limit(alert.max_drawdown_percent)}, "
            f"warn at {limit(alert.warn_drawdown_percent)} below the peak."
        ),
        f"Minimum equity: {money(alert.min_equity_gbp, 'GBP')}",
    ]
    if alert.pending and alert.effective_at is not None:
        lines.append(
            f"They are looser, so they take effect at "
            f"{moment(alert.effective_at, voice, today=alert.at)}, if the account is flat and "
            "not locked then. Until then the stricter ones hold."
        )
    lines.append(at_line(alert.at, voice))
    return Message(html="\n".join(lines), silent=True)


def _closing(alert: GuardBreached, voice: Voice, audience: Audience) -> list[str]:
    held = holdings(alert.positions_count, alert.orders_count)
    if alert.obstacles and not words_of.partial(alert.obstacles):
        return [*_held_up(alert, held, voice, audience), AFTER]
    if alert.deadline_at is None:
        start = f"Closing {held} now."
    else:
        start = f"Closing {held}, beginning at {moment(alert.deadline_at, voice)}."
    skip = word(SKIPS, alert.skip_reason)
    but = [words_of.sentence(alert.obstacles)] if alert.obstacles else []
    return [start, *but, *([skip] if skip else []), FINAL[audience], AFTER]


def _held_up(alert: GuardBreached, held: str, voice: Voice, audience: Audience) -> list[str]:
    """What is due and cannot be done as it is, why, and what would let it be done."""
    client = audience is Audience.CLIENT
    due = "now" if alert.deadline_at is None else f"at {moment(alert.deadline_at, voice)}"
    blocked = Obstacle.WRONG_ACCOUNT.value in alert.obstacles
    goes_on = "It is closed the moment it is unblocked." if blocked else "Reckoner goes on trying."
    return [
        f"{held} to close {due}. {goes_on}",
        words_of.sentence(alert.obstacles),
        *words_of.next_steps(alert.obstacles, alert.login, audience),
        *(words_of.by_hand(alert.obstacles) if client else []),
    ]


def _locked_only() -> list[str]:
    return ["Nothing was open, so there is nothing to close.", LOCKED]


def _why(alert: GuardBreached) -> list[str]:
    if alert.title and alert.figure is not None and alert.floor is not None:
        broken = rules.against(alert.measure, alert.figure, alert.floor, alert.currency)
        return [
            f"{esc(alert.title)}: {broken}.",
            equity_line(alert.equity, alert.peak_equity, alert.currency),
        ]
    if alert.rule == "minimum_equity" and alert.minimum_equity is not None:
        return [
            (
                f"Equity: {money(alert.equity, alert.currency)}, "
                f"minimum {money(alert.minimum_equity, alert.currency)}"
            )
        ]
    past = headroom_past(alert.equity, alert.peak_equity, alert.limit_percent)
    by = "" if past is None else f", passed by {money(past, alert.currency)}"
    return [
        equity_line(alert.equity, alert.peak_equity, alert.currency),
        f"Limit: {limit(alert.limit_percent)} below the peak{by}",
    ]
