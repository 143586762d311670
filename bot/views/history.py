"""An account's history in words: a card for each thing that happened, newest first."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from bot import keyboards_history as keyboards
from bot.callbacks import HistoryPress
from bot.markup import esc
from bot.views.message import Message, Voice, compose, marked
from bot.views.numbers import age, gain, local, lots, moment, price, slippage
from bot.views.words import (
    CLOSED_BY_CLIENT,
    CLOSED_BY_YOU,
    FINDINGS,
    REASONS,
    ended,
    plural,
    scope,
    word,
)
from core.domain.history import HistoryFilter, HistoryKind, HistoryLine, HistoryPage

TITLES = {
    HistoryFilter.ALL: "history",
    HistoryFilter.OPENED: "what was opened",
    HistoryFilter.CLOSED: "what was closed",
    HistoryFilter.DIFFERENCES: "differences",
    HistoryFilter.MONEY: "money in and out",
}
HOW_CLOSED = {
    "foreign_ea": "by an expert advisor",
    "stop_loss": "by its stop loss",
    "take_profit": "by its take profit",
    "stop_out": "by the broker's stop-out",
    "reckoner": "by Reckoner",
    "close_by": "by close-by",
    "rollover": "by a rollover",
    "other": "",
}
MONEY = {
    "deposit": "Deposit",
    "withdrawal": "Withdrawal",
    "credit": "Credit",
    "bonus": "Bonus",
    "charge": "Charge",
    "correction": "Correction",
    "commission": "Commission",
    "agent_commission": "Agent commission",
    "interest": "Interest",
    "cancelled_trade": "Cancelled trade",
    "dividend": "Dividend",
    "tax": "Tax",
}
DIFFERENCES = {
    **FINDINGS,
    "not_executed": "Approved, not placed",
    "balance_unexplained": "Unexplained balance change",
}
JOB_STATES = {
    "countdown": "counting down",
    "closing": "closing",
    "flat": "closed and proved flat",
    "superseded": "taken over by the whole account's close",
}
EMPTY = "Nothing of this kind."
OUTSIDE_CHARS_MAX = 80
CUT = "That is as far back as these pages go; /report week with a date has older ones in its file."


def page(shown: HistoryPage, voice: Voice, now: datetime, asker: int) -> Message:
    """One page with its buttons. Times are the reader's own; days are headings."""
    what = TITLES[shown.filter]
    symbol = f", {esc(shown.symbol)}" if shown.symbol else ""
    title = f"📜 {shown.login}: {what}{symbol}"
    head = [f"<b>{marked(voice, title)}</b>", _place(shown)]
    tail = [*_trust(shown, voice, now), f"Times: {_zone(now, voice)}"]
    if shown.is_cut and shown.page + 1 == shown.pages:
        tail.append(CUT)
    rows = _by_day(shown, voice) or [EMPTY]
    return Message(html=compose(head, rows, tail), keyboard=keyboards.history(shown, asker))


def pick_symbol(press: HistoryPress, symbols: tuple[tuple[int, str], ...], voice: Voice) -> Message:
    """The symbols to choose from."""
    title = f"<b>{marked(voice, '📜 Which symbol?')}</b>"
    return Message(html=title, keyboard=keyboards.history_symbols(press, symbols))


def pick_account(
    press: HistoryPress, accounts: tuple[tuple[int, int], ...], voice: Voice
) -> Message:
    """The reader's accounts to choose from."""
    title = f"<b>{marked(voice, '📜 Which account?')}</b>"
    return Message(html=title, keyboard=keyboards.history_accounts(press, accounts))


def _place(shown: HistoryPage) -> str:
    if not shown.total:
        return "No entries"
    return f"{plural(shown.total, 'entry', 'entries')}, page {shown.page + 1} of {shown.pages}"


def _zone(now: datetime, voice: Voice) -> str:
    """`UTC`, or `Europe/London (GMT)`."""
    if voice.time_zone == "UTC":
        return "UTC"
    return f"{esc(voice.time_zone)} ({esc(local(now, voice).tzname() or '')})"


def _trust(shown: HistoryPage, voice: Voice, now: datetime) -> list[str]:
    """How old what is shown is; that the account cannot be read, where it cannot."""
    if shown.unavailable_since is not None:
        since = moment(shown.unavailable_since, voice, today=now)
        return [f"⚠️ Cannot be read since {since}: what came later is not known yet."]
    if shown.observed_at is None:
        return ["⚠️ Not read yet."]
    return [f"List {age(shown.as_of, now, voice)}"]


def _by_day(shown: HistoryPage, voice: Voice) -> list[str]:
    rows: list[str] = []
    day = ""
    for line in shown.lines:
        there = local(line.at, voice)
        heading = f"<b>{there:%a %d %b %Y}</b>"
        card = f"{there:%H:%M} {_CARDS[line.kind](line, shown)}"
        rows.append(card if heading == day else f"{heading}\n{card}")
        day = heading
    return rows


def _what(line: HistoryLine) -> str:
    volume = "" if line.volume is None else f" {lots(line.volume)}"
    return f"{esc(line.symbol)} {esc(line.side)}{volume}".strip()


def _card(head: str, *below: str) -> str:
    """A line, and under it what belongs to it; short, so that a phone breaks none of them."""
    return "\n   ".join([head, *(text for text in below if text)])


def _listed(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _at(line: HistoryLine) -> str:
    return "" if line.price is None else f"at {price(line.price)}"


def _ids(line: HistoryLine) -> str:
    signal = "" if line.signal_id is None else f"signal {line.signal_id}"
    return _listed(signal, f"#{line.position_id}" if line.position_id else "")


def _opened(line: HistoryLine, shown: HistoryPage) -> str:
    cost = f"costs {gain(line.amount, shown.currency)}" if line.amount else ""
    return _card(f"▫️ Opened {_what(line)}", _listed(_at(line), _ids(line)), cost)


def _closed(line: HistoryLine, shown: HistoryPage) -> str:
    amount = line.amount or Decimal(0)
    icon = "🟢" if amount > 0 else "🔴" if amount < 0 else "⚪"
    by = CLOSED_BY_YOU if shown.own else CLOSED_BY_CLIENT
    return _card(
        f"{icon} Closed: {gain(amount, shown.currency)}",
        f"{_what(line)} {_at(line)}",
        _listed(word({**HOW_CLOSED, **by}, line.word), _ids(line)),
    )


def _money(line: HistoryLine, shown: HistoryPage) -> str:
    amount = gain(line.amount or Decimal(0), shown.currency)
    return _card(f"💰 {word(MONEY, line.word)}: {amount}", esc(line.symbol))


def _difference(line: HistoryLine, shown: HistoryPage) -> str:
    slipped = "" if line.slippage_pips is None else slippage(line.slippage_pips)
    amount = "" if line.amount is None else gain(line.amount, shown.currency)
    what = _what(line) if line.symbol else ""
    return _card(
        f"⚠️ {word(DIFFERENCES, line.word)}", _listed(what, _ids(line)), _listed(slipped, amount)
    )


def _resolved(line: HistoryLine, shown: HistoryPage) -> str:
    what = _what(line) if line.symbol else ""
    return _card(
        f"✅ Over: {word(DIFFERENCES, line.word).lower()}",
        _listed(what, _ids(line)),
        ended(line.ended, own=shown.own),
    )


def _guard(line: HistoryLine, _shown: HistoryPage) -> str:
    reason = word(REASONS, line.word)
    return f"🔒 Reckoner closes {scope(line.symbol)}: {reason}\n   {word(JOB_STATES, line.ended)}"


def _warning(_line: HistoryLine, _shown: HistoryPage) -> str:
    return "🟠 Drawdown warning"


def _outage(line: HistoryLine, _shown: HistoryPage) -> str:
    why = esc(line.word, OUTSIDE_CHARS_MAX)
    return f"⚠️ Could not be read{f': {why}' if why else ''}"


_CARDS: dict[HistoryKind, Callable[[HistoryLine, HistoryPage], str]] = {
    HistoryKind.OPENED: _opened,
    HistoryKind.CLOSED: _closed,
    HistoryKind.MONEY: _money,
    HistoryKind.DIFFERENCE: _difference,
    HistoryKind.RESOLVED: _resolved,
    HistoryKind.GUARD: _guard,
    HistoryKind.WARNING: _warning,
    HistoryKind.OUTAGE: _outage,
}
