"""Rules that are broken, that will be at their reset, or changed; and a guard that is blind."""

from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views.alert_lines import at_line, headline, who
from bot.views.causes import cause
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import gain, moment, money, span
from bot.views.rule_titles import named, titled
from bot.views.rules import against, at_reset
from bot.views.words import word
from core.domain.alerts_rules import (
    GuardBlind,
    GuardSees,
    RuleAlert,
    RuleBroken,
    RuleEased,
    RuleResetAhead,
    RulesChanged,
)

MODES = {
    "observe": later("keeps a log only"),
    "advise": later("advises"),
    "enforce": later("acts"),
}
ADVISED = {
    "close_all": later(
        "This rule advises only: Reckoner closes nothing for it. Closing is up to you."
    ),
    "pause_day": later(
        "This rule advises only: approvals go on. To stop for the day is up to you."
    ),
    "warn": later("Reckoner closes nothing for this rule."),
}
NOT_ARMED = later(
    "It was broken at its first reading, so Reckoner closes nothing for it "
    "until it was kept once. Please check the account's initial balance "
    "and profile."
)
DONE_AT_RESET = {
    "close_all": later("Then Reckoner closes everything."),
    "pause_day": later("Then approvals pause for the day."),
    "warn": later("Then this rule warns."),
}


def render(alert: RuleAlert, voice: Voice, audience: Audience) -> Message:
    """The message about a rule, or about a guard that cannot see."""
    match alert:
        case RuleBroken():
            return _broken(alert, voice, audience)
        case RuleEased():
            return _eased(alert, voice, audience)
        case RuleResetAhead():
            return _ahead(alert, voice, audience)
        case RulesChanged():
            return _changed(alert, voice, audience)
        case GuardBlind():
            return _blind(alert, voice, audience)
        case GuardSees():
            return _sees(alert, voice, audience)


def _broken(alert: RuleBroken, voice: Voice, audience: Audience) -> Message:
    name = titled(alert.title)
    pauses = alert.paused_until is not None
    if alert.paused_until is not None:
        until = at_reset(alert.paused_until, alert.zone)
        title = t(
            "⏸ {login} is paused until {until} - {rule}",
            login=alert.login,
            until=until,
            rule=named(alert.title),
        )
    else:
        title = t("🟠 {rule} on {login} - rule broken", rule=name, login=alert.login)
    past = against(alert.measure, alert.figure, alert.floor, alert.currency)
    lines = [headline(voice, title), *who(alert, audience), f"{name}: {past}."]
    if pauses:
        lines.append(t("Nothing new is approved until then. What is open stays open."))
    elif alert.mode == "enforce" and alert.severity == "close_all":
        lines.append(t(NOT_ARMED))
    else:
        lines.append(t(ADVISED.get(alert.severity, ADVISED["warn"])))
    lines += [
        t("Equity: {equity}", equity=money(alert.equity, alert.currency)),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _eased(alert: RuleEased, voice: Voice, audience: Audience) -> Message:
    name = titled(alert.title)
    lines = [
        headline(voice, t("🟢 {rule} on {login} - over", rule=name, login=alert.login)),
        *who(alert, audience),
    ]
    if alert.figure is not None:
        now = against(alert.measure, alert.figure, alert.floor, alert.currency)
        lines.append(f"{name}: {now}.")
    lines += [
        t(
            "It was broken at {at}, for {span}; equity changed by {amount} since.",
            at=moment(alert.opened_at, voice, today=alert.at),
            span=span(alert.at - alert.opened_at),
            amount=gain(alert.result, alert.currency),
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)


def _ahead(alert: RuleResetAhead, voice: Voice, audience: Audience) -> Message:
    when = at_reset(alert.resets_at, alert.zone)
    below = money(alert.floor_after - alert.figure, alert.currency)
    follows = (DONE_AT_RESET if alert.mode == "enforce" else ADVISED).get(alert.severity, "")
    lines = [
        headline(
            voice,
            t(
                "🟠 {rule} on {login} is broken at {at} as it is",
                rule=titled(alert.title),
                login=alert.login,
                at=when,
            ),
        ),
        *who(alert, audience),
        t(
            "At {at}, in {span}, its floor goes from {floor} to {floor_after}.",
            at=moment(alert.resets_at, voice, today=alert.at),
            span=span(alert.resets_at - alert.at),
            floor=money(alert.floor, alert.currency),
            floor_after=money(alert.floor_after, alert.currency),
        ),
        t(
            "With {equity} now that is {below} below it.",
            equity=money(alert.figure, alert.currency),
            below=below,
        ),
        *([t(follows)] if follows else []),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _changed(alert: RulesChanged, voice: Voice, audience: Audience) -> Message:
    state = t("New rules wait") if alert.pending else t("Rules changed")
    lines = [
        headline(voice, f"⚙️ {state}: {alert.login}"),
        *who(alert, audience),
        t("Profile: {profile}", profile=esc(alert.profile)),
        *(f"• {titled(title)}: {word(MODES, mode)}" for title, mode in alert.rules),
    ]
    if not alert.rules:
        lines.append(t("No rule but the drawdown limit and the minimum equity."))
    if alert.pending and alert.effective_at is not None:
        lines.append(
            t(
                "They are looser, so they take effect at {at}, if the "
                "account is flat and not locked then. Until then the stricter ones "
                "hold.",
                at=moment(alert.effective_at, voice, today=alert.at),
            )
        )
    lines += [t("/rules shows how each floor comes about."), at_line(alert.at, voice)]
    return Message(html="\n".join(lines), silent=True)


def _blind(alert: GuardBlind, voice: Voice, audience: Audience) -> Message:
    held = alert.positions_count
    long = span(alert.at - alert.since)
    own = audience is Audience.CLIENT
    look = t("Please look at the account in MetaTrader yourself.") if own else t("See /status.")
    lines = [
        headline(
            voice,
            tn(
                "🔴 The guard is blind on {login}, {n} position open",
                "🔴 The guard is blind on {login}, {n} positions open",
                held,
                login=alert.login,
            ),
        ),
        *who(alert, audience),
        tn(
            "The guard is blind: no trustworthy reading of account {login} for "
            "{span} with {n} position open.",
            "The guard is blind: no trustworthy reading of account {login} for "
            "{span} with {n} positions open.",
            held,
            login=alert.login,
            span=long,
        ),
        t("No limit is watched until it can be read again; Reckoner goes on trying."),
        t("Why: {reason}", reason=cause(alert.reason)),
        look,
        t("Last trustworthy reading: {at}", at=moment(alert.since, voice, today=alert.at)),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _sees(alert: GuardSees, voice: Voice, audience: Audience) -> Message:
    lines = [
        headline(
            voice,
            t(
                "🟢 The guard sees {login} again, after {span}",
                login=alert.login,
                span=span(alert.at - alert.since),
            ),
        ),
        *who(alert, audience),
        t("Equity: {equity}", equity=money(alert.equity, alert.currency)),
        t("Blind since {since}.", since=moment(alert.since, voice, today=alert.at)),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))
