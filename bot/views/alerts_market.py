"""The market guard: a price gap or a wide spread of one symbol, and what becomes of it."""

from collections.abc import Sequence
from datetime import datetime

from bot import keyboards
from bot.markup import esc
from bot.views.alert_lines import at_line, headline
from bot.views.message import Message, Voice, compose
from bot.views.numbers import clock, gain, limit, lots, moment, percent, pips, price
from bot.views.words import WARNING_STATES, word
from core.domain.alert_parts import Exposure
from core.domain.alerts import MarketWarning
from core.domain.board import WarningLine

GAP = "gap"


def warning(alert: MarketWarning, voice: Voice) -> Message:
    """The warning as it stands now; answers only while it is open."""
    head = [headline(voice, _title(alert, voice)), *_jump(alert), *_facts(alert)]
    rows = [_holder(account, alert.exposures) for account in alert.accounts]
    again = ["Told again: it still lasts."] if alert.again and alert.state == "open" else []
    tail = [*again, *_what_next(alert, voice, alert.at), at_line(alert.at, voice)]
    keyboard = (
        keyboards.warning(alert.warning_id, alert.version, alert.warning)
        if alert.state == "open"
        else ()
    )
    return Message(
        html=compose(head, ["Accounts:", *rows] if rows else [], tail),
        keyboard=keyboard,
        silent=alert.state in {"dismissed", "resolved", "held"},
    )


def line(listed: WarningLine, voice: Voice, now: datetime) -> Message:
    """An unresolved warning, shown again on request with its buttons."""
    head = [headline(voice, _title(listed, voice)), *_facts(listed)]
    head.append(f"State: {word(WARNING_STATES, listed.state)}")
    rows = [f"• {esc(account)}" for account in listed.accounts]
    tail = [*_what_next(listed, voice, now), f"Opened {moment(listed.opened_at, voice, today=now)}"]
    keyboard = (
        keyboards.warning(listed.warning_id, listed.version, listed.warning, copy=True)
        if listed.state == "open"
        else ()
    )
    return Message(
        html=compose(head, ["Accounts:", *rows] if rows else [], tail), keyboard=keyboard
    )


def _title(said: MarketWarning | WarningLine, voice: Voice) -> str:  # noqa: PLR0911 - a table
    gap = said.warning == GAP
    figure = percent(said.figure, said.limit) if gap else pips(said.figure)
    what = f"{'Gap' if gap else 'Spread'} {figure} on {esc(said.symbol)}"
    match said.state:
        case "open" if gap:
            return f"🟠 {what} - closing at {clock(said.deadline_at, voice)}"
        case "open":
            return f"🟠 {what} - limit {pips(said.limit)}"
        case "held":
            until = "" if said.hold_until is None else f" until {clock(said.hold_until, voice)}"
            return f"⏸ On hold{until}: {what}"
        case "dismissed":
            return f"✅ Dismissed: {what}"
        case "closing":
            return f"🔴 Closing {esc(said.symbol)} - {'gap' if gap else 'spread'} {figure}"
        case "resolved":
            return f"✅ Over: {what}"
        case other:
            return f"🟠 {what} - {word(WARNING_STATES, other)}"


def _facts(said: MarketWarning | WarningLine) -> list[str]:
    if said.warning == GAP:
        figures = f"Limit: {limit(said.limit)}"
    else:
        figures = f"Limit: {pips(said.limit)}, worst so far {pips(said.worst)}"
    return [figures, f"Server: {esc(said.server)}"]


def _jump(alert: MarketWarning) -> list[str]:
    """Which way the price went."""
    before, after = alert.price_before, alert.price_after
    if before is None or after is None:
        return []
    way = "up" if after > before else "down"
    return [f"The price went {way} from {price(before)} to {price(after)} (middle of the quote)."]


def _holder(account: str, exposures: Sequence[Exposure]) -> str:
    """An account with its sides, lots and results so far."""
    held = [
        f"{esc(each.side)} {lots(each.volume)}, {gain(each.profit, each.currency)} so far"
        for each in exposures
        if each.account == account
    ]
    return f"• {esc(account)}" + (f": {'; '.join(held)}" if held else "")


def _what_next(  # noqa: PLR0911 - a table
    said: MarketWarning | WarningLine, voice: Voice, now: datetime
) -> list[str]:
    deadline = moment(said.deadline_at, voice, today=now)
    by = [f"Answered by {esc(said.answered_by)}."] if said.answered_by else []
    symbol = esc(said.symbol)
    match said.state:
        case "open" if said.warning == GAP:
            return [
                (
                    f"Without an answer by {deadline} Reckoner closes the {symbol} positions of "
                    "these accounts."
                )
            ]
        case "open":
            return [
                (
                    f"Without an answer by {deadline} nothing is closed: Reckoner holds "
                    "and goes on warning."
                )
            ]
        case "held" if said.hold_until is not None:
            until = moment(said.hold_until, voice, today=now)
            return [
                (
                    f"This {_name(said)} closes nothing until {until}. If it still lasts, Reckoner "
                    "warns again. The drawdown guard still works."
                ),
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


def _name(said: MarketWarning | WarningLine) -> str:
    return "gap" if said.warning == GAP else "spread"


def _over(said: MarketWarning | WarningLine) -> list[str]:
    """Why it is over, where that is known."""
    match said.ended if isinstance(said, MarketWarning) else "":
        case "not_held":
            return [f"No account holds {esc(said.symbol)} any more."]
        case "calm" if said.warning != GAP:
            return ["The spread is back within its limit."]
        case _:
            return []
