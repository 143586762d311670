"""The market guard: what is wrong with one symbol's market, and what becomes of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot import keyboards
from bot.markup import esc
from bot.views.alert_lines import at_line, headline
from bot.views.message import Keyboard, Message, Voice, compose
from bot.views.numbers import clock, gain, limit, lots, moment, percent, pips, price, span
from bot.views.words import WARNING_STATES, reason, word
from core.domain.alert_parts import Exposure
from core.domain.alerts_market import MarketCloseAhead, MarketWarning

GAP, SPREAD, CLOSE, BLOCK = "gap", "spread", "close", "block"
ANSWERABLE = ("open", "held")
NAMES = {GAP: "gap", SPREAD: "spread", "still": "price"}


def warning(alert: MarketWarning, voice: Voice) -> Message:
    """The warning as it stands now, with the answers it takes."""
    head = [headline(voice, _title(alert, voice)), *_jump(alert, voice), *_facts(alert)]
    rows = [_holder(account, alert.exposures) for account in alert.accounts]
    again = ["Told again: it still lasts."] if alert.again and alert.state == "open" else []
    wide = _spread_now(alert)
    tail = [*again, *_what_next(alert, voice, alert.at), *wide, at_line(alert.at, voice)]
    return Message(
        html=compose(head, ["Accounts:", *rows] if rows else [], tail),
        keyboard=answers(alert, copy=False),
        silent=alert.state in {"dismissed", "resolved", "held"},
    )


def line(listed: MarketWarning, voice: Voice, now: datetime) -> Message:
    """A warning, shown again on request with its buttons."""
    head = [headline(voice, _title(listed, voice)), *_jump(listed, voice), *_facts(listed)]
    head.append(f"State: {word(WARNING_STATES, listed.state)}")
    rows = [_holder(account, listed.exposures) for account in listed.accounts]
    tail = [*_what_next(listed, voice, now), f"Opened {moment(listed.opened_at, voice, today=now)}"]
    return Message(
        html=compose(head, ["Accounts:", *rows] if rows else [], tail),
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
    named = f"{word(NAMES, alert.warning)} {_figure(alert)}"
    positions = f"{symbol} on {alert.login}"
    match alert.state:
        case "open":
            until = alert.wait_until or alert.deadline_at
            latest = "by" if alert.wait_until else "at"
            title = f"🟠 {positions} will be closed {latest} {clock(until, voice)}: {named}"
            what = (
                f"Unless an admin decides otherwise, Reckoner closes your {symbol} positions and "
                f"pending orders {latest} {moment(until, voice)}. You can close them yourself."
            )
            if alert.wait_until:
                what += " It waits for the spread to narrow, and closes then at the latest."
        case "held" if alert.hold_until is not None:
            until = alert.hold_until
            title = f"⏸ {positions} stays open until {clock(until, voice)}: {named}"
            what = "An admin put the close off until then. The drawdown guard still works."
        case "dismissed":
            title = f"✅ {positions} is not closed: {named}"
            what = "An admin dismissed the warning. The drawdown guard still works."
        case "closing":
            title = f"🔴 {positions} is being closed: {named}"
            what = "The result follows when it is proved."
        case _:
            title, what = f"✅ Over: {named}, {positions}", "Nothing is closed for it any more."
    held = [_side(each) for each in alert.exposures]
    lines = [headline(voice, title), *_jump(alert, voice), *held, what, at_line(alert.at, voice)]
    return Message(html="\n".join(lines), silent=alert.state != "open")


def _figure(said: MarketWarning | MarketCloseAhead) -> str:
    if said.warning == GAP:
        return percent(said.figure, said.limit)
    return pips(said.figure) if said.warning == SPREAD else _seconds(said.figure)


def _seconds(value: object) -> str:
    return span(timedelta(seconds=int(str(value).split(".", maxsplit=1)[0])))


def _named(said: MarketWarning) -> str:
    """`Gap 6.0 % on EURUSD`."""
    figure, symbol = _figure(said), esc(said.symbol)
    if said.warning == "still":
        return f"No new price for {figure} on {symbol}"
    return f"{'Gap' if said.warning == GAP else 'Spread'} {figure} on {symbol}"


def _title(said: MarketWarning, voice: Voice) -> str:  # noqa: PLR0911 - a table
    what = _named(said)
    match said.state:
        case "open" if said.action == CLOSE:
            until = said.wait_until or said.deadline_at
            return f"🟠 {what} - closing {'by' if said.wait_until else 'at'} {clock(until, voice)}"
        case "open":
            return f"🟠 {what} - {_limit(said)}"
        case "held":
            until_text = (
                "" if said.hold_until is None else f" until {clock(said.hold_until, voice)}"
            )
            return f"⏸ On hold{until_text}: {what}"
        case "dismissed":
            return f"✅ Dismissed: {what}"
        case "closing":
            named = f"{word(NAMES, said.warning)} {_figure(said)}"
            return f"🔴 Closing {esc(said.symbol)} - {named}"
        case "resolved":
            return f"✅ Over: {what}"
        case other:
            return f"🟠 {what} - {word(WARNING_STATES, other)}"


def _limit(said: MarketWarning) -> str:
    """`limit 10.0 pips`, or how many times what is usual."""
    if said.rule == "typical" and said.typical:
        return f"{said.figure / said.typical:,.0f} times the usual"
    match said.warning:
        case "gap":
            return f"limit {limit(said.limit)}"
        case "spread":
            return f"limit {pips(said.limit)}"
        case _:
            return f"limit {_seconds(said.limit)}"


def _facts(said: MarketWarning) -> list[str]:
    server = f"Warning {said.warning_id}, server: {esc(said.server)}"
    if said.warning == GAP:
        return [f"Limit: {limit(said.limit)}{_usual(said)}", server]
    if said.warning == SPREAD:
        worst = f"worst so far {pips(said.worst)}"
        return [f"Limit: {pips(said.limit)}, {worst}{_usual(said)}", server]
    return [f"Limit: {_seconds(said.limit)}. Other prices of this server move.", server]


def _usual(said: MarketWarning) -> str:
    """What is usual of the symbol, or that too little of it is known to say."""
    if said.typical is None:
        return ". What is usual is not known yet: too few quotes were seen"
    if said.warning == GAP:
        return f". Usual in that time: {said.typical.normalize():f} %"
    return f". Usual at this hour: {pips(said.typical)}"


def _jump(said: MarketWarning | MarketCloseAhead, voice: Voice) -> list[str]:
    """Which way the price went, and since when where that is not just now."""
    before, after = said.price_before, said.price_after
    if before is None or after is None:
        return []
    way = "up" if after > before else "down"
    before_at = None if isinstance(said, MarketCloseAhead) else said.before_at
    since = "" if before_at is None else f" ({moment(before_at, voice, today=said.at)})"
    return [f"The price went {way} from {price(before)}{since} to {price(after)}."]


def _spread_now(alert: MarketWarning) -> list[str]:
    """What a close meets now: closing into a wide spread is a choice, and is said to be one."""
    if alert.spread_now is None or alert.action != CLOSE:
        return []
    wide = f"The spread is {pips(alert.spread_now)} now, which is wide"
    if alert.state == "closing":
        return [f"{wide}: the close pays it."]
    return [f"{wide}: Close now would pay it."] if alert.state in ANSWERABLE else []


def _holder(account: str, exposures: Sequence[Exposure]) -> str:
    """An account with its sides, lots and results so far."""
    held = [_side(each) for each in exposures if each.account == account]
    return f"• {esc(account)}" + (f": {'; '.join(held)}" if held else "")


def _side(each: Exposure) -> str:
    """`buy 0.05, -500.60 GBP so far`."""
    what = f"{esc(each.side)} {lots(each.volume)}"
    if each.profit is None:
        return f"{what}, result at this price not read yet"
    return f"{what}, {gain(each.profit, each.currency)} so far"


def _what_next(said: MarketWarning, voice: Voice, now: datetime) -> list[str]:
    why = f" ({reason(said.reason)})" if said.reason else ""
    by = [f"Answered by {esc(said.answered_by)}{why}."] if said.answered_by else []
    symbol = esc(said.symbol)
    match said.state:
        case "open":
            return _unanswered(said, voice, now)
        case "held" if said.hold_until is not None:
            until = moment(said.hold_until, voice, today=now)
            return [
                (
                    f"This {_name(said)} closes nothing until {until}. If it still lasts, Reckoner "
                    "warns again. The drawdown guard still works."
                ),
                *_blocked(said),
                *by,
            ]
        case "dismissed":
            return [
                (
                    f"This {_name(said)} closes nothing; a new one warns again. The drawdown guard "
                    "still works."
                ),
                *_over(said),
                *by,
            ]
        case "closing":
            return [f"Reckoner closes the {symbol} positions of these accounts now.", *by]
        case "resolved":
            return [*_over(said), *by]
        case _:
            return []


def _unanswered(said: MarketWarning, voice: Voice, now: datetime) -> list[str]:
    """What follows without an answer, by the policy in force."""
    deadline, symbol = moment(said.deadline_at, voice, today=now), esc(said.symbol)
    if said.action != CLOSE:
        lasts = (
            f"Nothing is closed. This gap is over at {deadline} if no other follows."
            if said.warning == GAP
            else f"Without an answer by {deadline} nothing is closed: Reckoner holds and goes on "
            "warning."
        )
        return [lasts, *_blocked(said)]
    closes = f"Reckoner closes the {symbol} positions of these accounts."
    if said.wait_until is not None:
        until = moment(said.wait_until, voice, today=now)
        return [
            (
                "Nobody answered. The close waits for the spread to narrow, at most until "
                f"{until}: then {closes}"
            ),
            *_blocked(said),
        ]
    chosen = (
        ["Settings say to close at a wide spread (MARKET_SPREAD_ACTION)."]
        if said.warning == SPREAD
        else []
    )
    return [f"Without an answer by {deadline} {closes}", *chosen, *_blocked(said)]


def _blocked(said: MarketWarning) -> list[str]:
    if said.action not in {BLOCK, CLOSE}:
        return []
    return [f"Until it is over, nothing new of {esc(said.symbol)} is approved."]


def _name(said: MarketWarning) -> str:
    return word(NAMES, said.warning)


def _over(said: MarketWarning) -> list[str]:  # noqa: PLR0911 - a table
    """Why it is over, where that is known."""
    match said.ended:
        case "closed":
            return [f"Reckoner closed it: no account holds {esc(said.symbol)} any more."]
        case "not_held":
            return [f"No account holds {esc(said.symbol)} any more."]
        case "calm" if said.warning == SPREAD:
            return ["The spread is well within its limit again."]
        case "calm" if said.warning != GAP:
            return ["Its price moves again."]
        case "passed":
            return ["No other gap followed."]
        case "resting":
            return ["Its session is over."]
        case _:
            return []
