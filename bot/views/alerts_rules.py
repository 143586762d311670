"""Rules that are broken, that will be at their reset, or changed; and a guard that is blind."""

from bot.markup import esc
from bot.views.alert_lines import at_line, headline, who
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import gain, moment, money, span
from bot.views.rules import against, at_reset
from bot.views.words import plural
from core.domain.alerts_rules import (
    GuardBlind,
    GuardSees,
    RuleAlert,
    RuleBroken,
    RuleEased,
    RuleResetAhead,
    RulesChanged,
)

MODES = {"observe": "keeps a log only", "advise": "advises", "enforce": "acts"}
ADVISED = {
    "close_all": "This rule advises only: Reckoner closes nothing for it. Closing is up to you.",
    "pause_day": "This rule advises only: approvals go on. To stop for the day is up to you.",
    "warn": "Reckoner closes nothing for this rule.",
}
NOT_ARMED = (
    "It was broken at its first reading, so Reckoner closes nothing for it until it was kept once. "
    "Please check the account's initial balance and profile."
)
DONE_AT_RESET = {
    "close_all": "Then Reckoner closes everything.",
    "pause_day": "Then approvals pause for the day.",
    "warn": "Then this rule warns.",
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
    name = esc(alert.title)
    pauses = alert.paused_until is not None
    if alert.paused_until is not None:
        until = at_reset(alert.paused_until, alert.zone)
        title = f"⏸ {alert.login} is paused until {until} - {name.lower()}"
    else:
        title = f"🟠 {name} on {alert.login} - rule broken"
    past = against(alert.measure, alert.figure, alert.floor, alert.currency)
    lines = [headline(voice, title), *who(alert, audience), f"{name}: {past}."]
    if pauses:
        lines.append("Nothing new is approved until then. What is open stays open.")
    elif alert.mode == "enforce" and alert.severity == "close_all":
        lines.append(NOT_ARMED)
    else:
        lines.append(ADVISED.get(alert.severity, ADVISED["warn"]))
    lines += [f"Equity: {money(alert.equity, alert.currency)}", at_line(alert.at, voice)]
    return Message(html="\n".join(lines))


def _eased(alert: RuleEased, voice: Voice, audience: Audience) -> Message:
    name = esc(alert.title)
    lines = [headline(voice, f"🟢 {name} on {alert.login} - over"), *who(alert, audience)]
    if alert.figure is not None:
        now = against(alert.measure, alert.figure, alert.floor, alert.currency)
        lines.append(f"{name}: {now}.")
    lines += [
        (
            f"It was broken at {moment(alert.opened_at, voice, today=alert.at)}, for "
            f"{span(alert.at - alert.opened_at)}; equity changed by "
            f"{gain(alert.result, alert.currency)} since."
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines), silent=True)


def _ahead(alert: RuleResetAhead, voice: Voice, audience: Audience) -> Message:
    when = at_reset(alert.resets_at, alert.zone)
    below = money(alert.floor_after - alert.figure, alert.currency)
    follows = (
        DONE_AT_RESET.get(alert.severity, "")
        if alert.mode == "enforce"
        else ADVISED.get(alert.severity, "")
    )
    lines = [
        headline(voice, f"🟠 {esc(alert.title)} on {alert.login} is broken at {when} as it is"),
        *who(alert, audience),
        (
            f"At {moment(alert.resets_at, voice, today=alert.at)}, in "
            f"{span(alert.resets_at - alert.at)}, its floor goes from "
            f"{money(alert.floor, alert.currency)} to {money(alert.floor_after, alert.currency)}."
        ),
        f"With {money(alert.figure, alert.currency)} now that is {below} below it.",
        *([follows] if follows else []),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _changed(alert: RulesChanged, voice: Voice, audience: Audience) -> Message:
    state = "New rules wait" if alert.pending else "Rules changed"
    lines = [
        headline(voice, f"⚙️ {state}: {alert.login}"),
        *who(alert, audience),
        f"Profile: {esc(alert.profile)}",
        *(f"• {esc(title)}: {MODES.get(mode, esc(mode))}" for title, mode in alert.rules),
    ]
    if not alert.rules:
        lines.append("No rule but the drawdown limit and the minimum equity.")
    if alert.pending and alert.effective_at is not None:
        lines.append(
            f"They are looser, so they take effect at "
            f"{moment(alert.effective_at, voice, today=alert.at)}, if the account is flat and "
            "not locked then. Until then the stricter ones hold."
        )
    lines += ["/rules shows how each floor comes about.", at_line(alert.at, voice)]
    return Message(html="\n".join(lines), silent=True)


def _blind(alert: GuardBlind, voice: Voice, audience: Audience) -> Message:
    held = plural(alert.positions_count, "position")
    long = span(alert.at - alert.since)
    own = audience is Audience.CLIENT
    look = "Please look at the account in MetaTrader yourself." if own else "See /status."
    lines = [
        headline(voice, f"🔴 The guard is blind on {alert.login}, {held} open"),
        *who(alert, audience),
        (
            f"The guard is blind: no trustworthy reading of account {alert.login} for {long} "
            f"with {held} open."
        ),
        "No limit is watched until it can be read again; Reckoner goes on trying.",
        f"Why: {esc(alert.reason, 200)}",
        look,
        f"Last trustworthy reading: {moment(alert.since, voice, today=alert.at)}",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def _sees(alert: GuardSees, voice: Voice, audience: Audience) -> Message:
    lines = [
        headline(
            voice,
            f"🟢 The guard sees {alert.login} again, after {span(alert.at - alert.since)}",
        ),
        *who(alert, audience),
        f"Equity: {money(alert.equity, alert.currency)}",
        f"Blind since {moment(alert.since, voice, today=alert.at)}.",
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))
