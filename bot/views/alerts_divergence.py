"""Differences between an account and what the signals called for."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from bot.i18n import later, t
from bot.markup import esc
from bot.views.alert_lines import at_line, headline, trade, who
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import between, lots, moment, pips, price, slippage, span
from bot.views.sentences import of_divergence, sentence
from bot.views.words import (
    FINDING_FIGURES,
    FINDING_NOTES,
    FINDINGS,
    FINDINGS_NEW,
    NEW_LEVELS,
    begun,
    ended,
    opened_by,
    word,
)
from core.domain.alerts import DivergenceOpened, DivergenceResolved, DivergencesOpened
from core.domain.broker import NOT_TOLD
from core.domain.divergences import Severity, severity_of

ICONS: Mapping[str, str] = {Severity.INFO: "🔹", Severity.WARNING: "⚠️", Severity.CRITICAL: "🔴"}
EXPLAINED = frozenset({"unknown_position", "unknown_pending_order", "late_execution"})
"""Findings whose headline and sentence say everything that two figures could."""
NOTHING_DONE = later("Reckoner reports this and changes nothing.")


def opened(alert: DivergenceOpened, voice: Voice, audience: Audience) -> Message:
    """A divergence: what was expected, what was found."""
    title = begun(_name(alert))
    figure = "" if alert.slippage_pips is None else t(" by {pips}", pips=pips(alert.slippage_pips))
    is_order = alert.finding == "unknown_pending_order"
    side = alert.expected if is_order and alert.expected else alert.side
    what = trade(alert.symbol, side, alert.volume) if alert.symbol else ""
    again = t("Still: ") if alert.lasting_since else t("Grown: ") if alert.worse else ""
    short = f"{esc(alert.symbol)} {lots(alert.volume)}" if again and what else what
    subject = (
        t("{trade} on {login}", trade=short, login=alert.login)
        if what
        else t("account {login}", login=alert.login)
    )
    sign = icon(severity_of(alert.finding, alert.origin))
    lines = [
        headline(voice, f"{sign} {again}{title}{figure}: {subject}"),
        *who(alert, audience),
        *([what] if again and what else []),
        *_figures(alert),
        sentence(of_divergence(alert), voice, audience),
    ]
    is_said = alert.origin == "manual"  # the sentence says by whom and from where
    if alert.finding.startswith("unknown_") and alert.opened_by != NOT_TOLD and not is_said:
        how = opened_by(alert.opened_by, alert.magic)
        lines.append(t("Placed {how}.", how=how) if is_order else t("Opened {how}.", how=how))
    if alert.subject:
        ticket = esc(alert.subject)
        lines.append(
            t("Order {ticket}", ticket=ticket)
            if is_order
            else t("Position {position_id}", position_id=ticket)
        )
    if alert.waiting_signal:
        lines.append(_waiting(alert.waiting_signal, own=audience is Audience.CLIENT))
    if alert.changed:
        lines.append(t("It has changed since it was last told."))
    lines += lasting(alert, voice)
    lines += [t(FINDING_NOTES.get(alert.finding, NOTHING_DONE)), at_line(alert.at, voice)]
    return Message(html="\n".join(lines))


def _waiting(signal: int, *, own: bool) -> str:
    """An approval would open a second position of what was opened by hand already."""
    if own:
        return t(
            "Signal {signal} for the same symbol and side still waits for your "
            "answer: approving it opens a second position.",
            signal=signal,
        )
    return t(
        "Signal {signal} for the same symbol and side still waits for the client's "
        "answer: approving it opens a second position.",
        signal=signal,
    )


def icon(severity: str) -> str:
    """The sign that a headline begins with."""
    return ICONS.get(severity, ICONS[Severity.WARNING])


def lasting(alert: DivergenceOpened | DivergencesOpened, voice: Voice) -> list[str]:
    """For how long that has been so which was told before and is the same."""
    if alert.lasting_since is None:
        return []
    since = moment(alert.lasting_since, voice, today=alert.at)
    return [
        t(
            "It has lasted {span}, since {since}.",
            span=span(alert.at - alert.lasting_since),
            since=since,
        )
    ]


def resolved(alert: DivergenceResolved, voice: Voice, audience: Audience) -> Message:
    """A divergence is over."""
    subject = (
        t("{symbol} on {login}", symbol=esc(alert.symbol), login=alert.login)
        if alert.symbol
        else t("account {login}", login=alert.login)
    )
    what = [trade(alert.symbol, alert.side, alert.volume)] if alert.symbol else []
    lines = [
        headline(
            voice, t("✅ Over: {difference}, {subject}", difference=_name(alert), subject=subject)
        ),
        *who(alert, audience),
        *what,
        *_figures(alert),
        t("How: {how}", how=ended(alert.how, own=audience is Audience.CLIENT)),
        t(
            "The difference lasted {span}, until {until}.",
            span=between(alert.opened_at, alert.resolved_at),
            until=moment(alert.resolved_at, voice, today=alert.opened_at),
        ),
    ]
    return Message(html="\n".join(lines), silent=True)


def _name(alert: DivergenceOpened | DivergenceResolved) -> str:
    """As it stands within a sentence. A level that was not there before was set, not moved."""
    if not alert.expected and alert.finding in FINDINGS_NEW:
        return t(FINDINGS_NEW[alert.finding])
    return word(FINDINGS, alert.finding)


def _figures(alert: DivergenceOpened | DivergenceResolved) -> list[str]:
    if alert.finding in EXPLAINED or (not alert.expected and not alert.observed):
        return []
    kind = FINDING_FIGURES.get(alert.finding, "")
    if not alert.expected and alert.finding in FINDINGS_NEW:
        level = t(NEW_LEVELS[alert.finding])
        return [t("{level}: none → {price}", level=level, price=_figure(alert.observed, kind))]
    expected = _figure(alert.expected, kind) or t("nothing")
    observed = _figure(alert.observed, kind) or t("nothing")
    worse = "" if alert.slippage_pips is None else f", {slippage(alert.slippage_pips)}"
    return [
        t(
            "Expected: {expected}, found: {observed}{worse}",
            expected=expected,
            observed=observed,
            worse=worse,
        )
    ]


def _figure(text: str, kind: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return esc(text)
    if not value.is_finite():
        return esc(text)
    if kind == "lots":
        return t("{volume} lots", volume=lots(value))
    return price(value) if kind == "price" else esc(text)
