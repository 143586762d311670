"""The market guard: what is wrong with one symbol's market, and what becomes of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot import keyboards
from bot.i18n import later, t
from bot.markup import esc
from bot.views.alert_lines import at_line, headline
from bot.views.message import Keyboard, Message, Voice, compose
from bot.views.numbers import clock, gain, limit, lots, moment, percent, pips, price, span
from bot.views.words import WARNING_STATES, reason, word
from core.domain.alert_parts import Exposure
from core.domain.alerts_market import MarketCloseAhead, MarketWarning

GAP, SPREAD, CLOSE, BLOCK = "gap", "spread", "close", "block"
ANSWERABLE = ("open", "held")
NAMED = {
    GAP: later("gap {figure}"),
    SPREAD: later("spread {figure}"),
    "still": later("price {figure}"),
}
"""What is wrong, within a line."""
NAMED_FIRST = {
    GAP: later("Gap {figure} on {symbol}"),
    SPREAD: later("Spread {figure} on {symbol}"),
    "still": later("No new price for {figure} on {symbol}"),
}
"""The same, of what symbol, as a line begins."""
HELD = {
    GAP: later(
        "This gap closes nothing until {until}. If it still lasts, Reckoner warns again. "
        "The drawdown guard still works."
    ),
    SPREAD: later(
        "This spread closes nothing until {until}. If it still lasts, Reckoner warns again. "
        "The drawdown guard still works."
    ),
    "still": later(
        "This price closes nothing until {until}. If it still lasts, Reckoner warns again. "
        "The drawdown guard still works."
    ),
}
DISMISSED = {
    GAP: later("This gap closes nothing; a new one warns again. The drawdown guard still works."),
    SPREAD: later(
        "This spread closes nothing; a new one warns again. The drawdown guard still works."
    ),
    "still": later(
        "This price closes nothing; a new one warns again. The drawdown guard still works."
    ),
}


def warning(alert: MarketWarning, voice: Voice) -> Message:
    """The warning as it stands now, with the answers it takes."""
    head = [headline(voice, _title(alert, voice)), *_jump(alert, voice), *_facts(alert)]
    rows = [_holder(account, alert.exposures) for account in alert.accounts]
    again = [t("Told again: it still lasts.")] if alert.again and alert.state == "open" else []
    wide = _spread_now(alert)
    tail = [*again, *_what_next(alert, voice, alert.at), *wide, at_line(alert.at, voice)]
    return Message(
        html=compose(head, [t("Accounts:"), *rows] if rows else [], tail),
        keyboard=answers(alert, copy=False),
        silent=alert.state in {"dismissed", "resolved", "held"},
    )


def line(listed: MarketWarning, voice: Voice, now: datetime) -> Message:
    """A warning, shown again on request with its buttons."""
    head = [headline(voice, _title(listed, voice)), *_jump(listed, voice), *_facts(listed)]
    head.append(t("State: {state}", state=word(WARNING_STATES, listed.state)))
    rows = [_holder(account, listed.exposures) for account in listed.accounts]
    tail = [
        *_what_next(listed, voice, now),
        t("Opened {at}", at=moment(listed.opened_at, voice, today=now)),
    ]
    return Message(
        html=compose(head, [t("Accounts:"), *rows] if rows else [], tail),
        keyboard=answers(listed, copy=True),
    )


def answers(said: MarketWarning, *, copy: bool) -> Keyboard:
    """The buttons of a warning, while it takes answers."""
    if said.state not in ANSWERABLE:
        return ()
    closes = said.action == CLOSE
    return keyboards.warning(said.warning_id, said.version, closes=closes, copy=copy)


def close_ahead(alert: MarketCloseAhead, voice: Voice) -> Message:
    """To a client: their positions of a symbol are about to be closed, or are not after all."""
    symbol = esc(alert.symbol)
    named = _within(alert)
    positions = t("{symbol} on {login}", symbol=symbol, login=alert.login)
    match alert.state:
        case "open":
            title, what = _open_ahead(alert, voice, positions)
        case "held" if alert.hold_until is not None:
            until = alert.hold_until
            title = t(
                "⏸ {positions} stays open until {until}: {reason}",
                positions=positions,
                until=clock(until, voice),
                reason=named,
            )
            what = t("An admin put the close off until then. The drawdown guard still works.")
        case "dismissed":
            title = t("✅ {positions} is not closed: {reason}", positions=positions, reason=named)
            what = t("An admin dismissed the warning. The drawdown guard still works.")
        case "closing":
            title = t("🔴 {positions} is being closed: {reason}", positions=positions, reason=named)
            what = t("The result follows when it is proved.")
        case _:
            title, what = (
                t("✅ Over: {reason}, {positions}", reason=named, positions=positions),
                t("Nothing is closed for it any more."),
            )
    held = [_side(each) for each in alert.exposures]
    lines = [headline(voice, title), *_jump(alert, voice), *held, what, at_line(alert.at, voice)]
    return Message(html="\n".join(lines), silent=alert.state != "open")


def _open_ahead(alert: MarketCloseAhead, voice: Voice, positions: str) -> tuple[str, str]:
    """A close that comes unless somebody says no: the first line, and what it means."""
    symbol, named = esc(alert.symbol), _within(alert)
    if alert.wait_until is None:
        title = t(
            "🟠 {positions} will be closed at {at}: {reason}",
            positions=positions,
            at=clock(alert.deadline_at, voice),
            reason=named,
        )
        what = t(
            "Unless an admin decides otherwise, Reckoner closes your {symbol} "
            "positions and pending orders at {at}. You can close them "
            "yourself.",
            symbol=symbol,
            at=moment(alert.deadline_at, voice),
        )
        return title, what
    title = t(
        "🟠 {positions} will be closed by {until}: {reason}",
        positions=positions,
        until=clock(alert.wait_until, voice),
        reason=named,
    )
    what = t(
        "Unless an admin decides otherwise, Reckoner closes your {symbol} "
        "positions and pending orders by {until}. You can close them "
        "yourself. It waits for the spread to narrow, and closes then at the latest.",
        symbol=symbol,
        until=moment(alert.wait_until, voice),
    )
    return title, what


def _within(said: MarketWarning | MarketCloseAhead) -> str:
    """`gap 6.0 %`."""
    if said.warning in NAMED:
        return t(NAMED[said.warning], figure=_figure(said))
    return f"{word({}, said.warning)} {_figure(said)}"


def _figure(said: MarketWarning | MarketCloseAhead) -> str:
    if said.warning == GAP:
        return percent(said.figure, said.limit)
    return pips(said.figure) if said.warning == SPREAD else _seconds(said.figure)


def _seconds(value: object) -> str:
    return span(timedelta(seconds=int(str(value).split(".", maxsplit=1)[0])))


def _named(said: MarketWarning) -> str:
    """`Gap 6.0 % on EURUSD`."""
    named = NAMED_FIRST.get(said.warning, NAMED_FIRST[SPREAD])
    return t(named, figure=_figure(said), symbol=esc(said.symbol))


def _title(said: MarketWarning, voice: Voice) -> str:  # noqa: PLR0911 - a table
    what = _named(said)
    match said.state:
        case "open" if said.action == CLOSE and said.wait_until is not None:
            until = clock(said.wait_until, voice)
            return t("🟠 {what} - closing by {until}", what=what, until=until)
        case "open" if said.action == CLOSE:
            return t("🟠 {what} - closing at {at}", what=what, at=clock(said.deadline_at, voice))
        case "open":
            return f"🟠 {what} - {_limit(said)}"
        case "held":
            if said.hold_until is None:
                return t("⏸ On hold: {what}", what=what)
            until = clock(said.hold_until, voice)
            return t("⏸ On hold until {until}: {what}", until=until, what=what)
        case "dismissed":
            return t("✅ Dismissed: {what}", what=what)
        case "closing":
            symbol = esc(said.symbol)
            return t("🔴 Closing {symbol} - {reason}", symbol=symbol, reason=_within(said))
        case "resolved":
            return t("✅ Over: {what}", what=what)
        case other:
            return f"🟠 {what} - {word(WARNING_STATES, other)}"


def _limit(said: MarketWarning) -> str:
    """`limit 10.0 pips`, or how many times what is usual."""
    if said.rule == "typical" and said.typical:
        return t("{times} times the usual", times=f"{said.figure / said.typical:,.0f}")
    match said.warning:
        case "gap":
            return t("limit {limit}", limit=limit(said.limit))
        case "spread":
            return t("limit {limit}", limit=pips(said.limit))
        case _:
            return t("limit {limit}", limit=_seconds(said.limit))


def _facts(said: MarketWarning) -> list[str]:
    server = t(
        "Warning {warning_id}, server: {server}",
        warning_id=said.warning_id,
        server=esc(said.server),
    )
    if said.warning == GAP:
        return [t("Limit: {limit}{usual}", limit=limit(said.limit), usual=_usual(said)), server]
    if said.warning == SPREAD:
        return [
            t(
                "Limit: {limit}, worst so far {worst}{usual}",
                limit=pips(said.limit),
                worst=pips(said.worst),
                usual=_usual(said),
            ),
            server,
        ]
    return [
        t("Limit: {limit}. Other prices of this server move.", limit=_seconds(said.limit)),
        server,
    ]


def _usual(said: MarketWarning) -> str:
    """What is usual of the symbol, or that too little of it is known to say."""
    if said.typical is None:
        return t(". What is usual is not known yet: too few quotes were seen")
    if said.warning == GAP:
        return t(". Usual in that time: {percent} %", percent=f"{said.typical.normalize():f}")
    return t(". Usual at this hour: {spread}", spread=pips(said.typical))


def _jump(said: MarketWarning | MarketCloseAhead, voice: Voice) -> list[str]:
    """Which way the price went, and since when where that is not just now."""
    before, after = said.price_before, said.price_after
    if before is None or after is None:
        return []
    before_at = None if isinstance(said, MarketCloseAhead) else said.before_at
    since = "" if before_at is None else f" ({moment(before_at, voice, today=said.at)})"
    figures = {"before": price(before), "since": since, "after": price(after)}
    if after > before:
        return [t("The price went up from {before}{since} to {after}.", **figures)]
    return [t("The price went down from {before}{since} to {after}.", **figures)]


def _spread_now(alert: MarketWarning) -> list[str]:
    """What a close meets now: closing into a wide spread is a choice, and is said to be one."""
    if alert.spread_now is None or alert.action != CLOSE:
        return []
    spread = pips(alert.spread_now)
    if alert.state == "closing":
        return [t("The spread is {spread} now, which is wide: the close pays it.", spread=spread)]
    if alert.state not in ANSWERABLE:
        return []
    return [t("The spread is {spread} now, which is wide: Close now would pay it.", spread=spread)]


def _holder(account: str, exposures: Sequence[Exposure]) -> str:
    """An account with its sides, lots and results so far."""
    held = [_side(each) for each in exposures if each.account == account]
    return f"• {esc(account)}" + (f": {'; '.join(held)}" if held else "")


def _side(each: Exposure) -> str:
    """`buy 0.05, -500.60 GBP so far`."""
    what = f"{esc(each.side)} {lots(each.volume)}"
    if each.profit is None:
        return t("{side}, result at this price not read yet", side=what)
    return t("{side}, {result} so far", side=what, result=gain(each.profit, each.currency))


def _what_next(said: MarketWarning, voice: Voice, now: datetime) -> list[str]:
    why = f" ({reason(said.reason)})" if said.reason else ""
    by = (
        [t("Answered by {name}{why}.", name=esc(said.answered_by), why=why)]
        if said.answered_by
        else []
    )
    symbol = esc(said.symbol)
    match said.state:
        case "open":
            return _unanswered(said, voice, now)
        case "held" if said.hold_until is not None:
            until = moment(said.hold_until, voice, today=now)
            return [
                t(HELD.get(said.warning, HELD["still"]), until=until),
                *_blocked(said),
                *by,
            ]
        case "dismissed":
            return [
                t(DISMISSED.get(said.warning, DISMISSED["still"])),
                *_over(said),
                *by,
            ]
        case "closing":
            return [
                t("Reckoner closes the {symbol} positions of these accounts now.", symbol=symbol),
                *by,
            ]
        case "resolved":
            return [*_over(said), *by]
        case _:
            return []


def _unanswered(said: MarketWarning, voice: Voice, now: datetime) -> list[str]:
    """What follows without an answer, by the policy in force."""
    deadline, symbol = moment(said.deadline_at, voice, today=now), esc(said.symbol)
    if said.action != CLOSE:
        lasts = (
            t(
                "Nothing is closed. This gap is over at {at} if no other follows.",
                at=deadline,
            )
            if said.warning == GAP
            else t(
                "Without an answer by {until} nothing is closed: Reckoner holds and "
                "goes on warning.",
                until=deadline,
            )
        )
        return [lasts, *_blocked(said)]
    if said.wait_until is not None:
        until = moment(said.wait_until, voice, today=now)
        return [
            t(
                "Nobody answered. The close waits for the spread to narrow, at most "
                "until {until}: then Reckoner closes the {symbol} positions of these "
                "accounts.",
                until=until,
                symbol=symbol,
            ),
            *_blocked(said),
        ]
    chosen = (
        [t("Settings say to close at a wide spread (MARKET_SPREAD_ACTION).")]
        if said.warning == SPREAD
        else []
    )
    return [
        t(
            "Without an answer by {until} Reckoner closes the {symbol} positions of these "
            "accounts.",
            until=deadline,
            symbol=symbol,
        ),
        *chosen,
        *_blocked(said),
    ]


def _blocked(said: MarketWarning) -> list[str]:
    if said.action not in {BLOCK, CLOSE}:
        return []
    return [t("Until it is over, nothing new of {symbol} is approved.", symbol=esc(said.symbol))]


def _over(said: MarketWarning) -> list[str]:  # noqa: PLR0911 - a table
    """Why it is over, where that is known."""
    match said.ended:
        case "closed":
            return [
                t(
                    "Reckoner closed it: no account holds {symbol} any more.",
                    symbol=esc(said.symbol),
                )
            ]
        case "not_held":
            return [t("No account holds {symbol} any more.", symbol=esc(said.symbol))]
        case "calm" if said.warning == SPREAD:
            return [t("The spread is well within its limit again.")]
        case "calm" if said.warning != GAP:
            return [t("Its price moves again.")]
        case "passed":
            return [t("No other gap followed.")]
        case "resting":
            return [t("Its session is over.")]
        case _:
            return []
