"""An account's history in words: a card for each thing that happened, newest first."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from bot import keyboards_history as keyboards
from bot.callbacks import HistoryPress
from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views.causes import cause
from bot.views.message import Message, Voice, compose, marked
from bot.views.numbers import (
    age,
    dated,
    gain,
    limit,
    local,
    lots,
    moment,
    money,
    percent,
    price,
    slippage,
)
from bot.views.words import (
    CLOSED_BY_CLIENT,
    CLOSED_BY_YOU,
    FINDINGS,
    REASONS,
    begun,
    ended,
    scope,
    word,
)
from core.domain import audit_words as words
from core.domain.history import HistoryFilter, HistoryKind, HistoryLine, HistoryPage

TITLES = {
    HistoryFilter.ALL: later("history"),
    HistoryFilter.OPENED: later("what was opened"),
    HistoryFilter.CLOSED: later("what was closed"),
    HistoryFilter.DIFFERENCES: later("differences"),
    HistoryFilter.MONEY: later("money in and out"),
}
HOW_CLOSED = {
    "foreign_ea": later("by an expert advisor"),
    "stop_loss": later("by its stop loss"),
    "take_profit": later("by its take profit"),
    "stop_out": later("by the broker's stop-out"),
    "reckoner": later("by Reckoner"),
    "close_by": later("by close-by"),
    "rollover": later("by a rollover"),
    "other": "",
}
MONEY = {
    "deposit": later("Deposit"),
    "withdrawal": later("Withdrawal"),
    "credit": later("Credit"),
    "bonus": later("Bonus"),
    "charge": later("Charge"),
    "correction": later("Correction"),
    "commission": later("Commission"),
    "agent_commission": later("Agent commission"),
    "interest": later("Interest"),
    "cancelled_trade": later("Cancelled trade"),
    "dividend": later("Dividend"),
    "tax": later("Tax"),
}
DIFFERENCES = {
    **FINDINGS,
    "not_executed": later("approved, not placed"),
    "balance_unexplained": later("unexplained balance change"),
}
JOB_STATES = {
    "countdown": later("counting down"),
    "closing": later("closing"),
    "flat": later("closed and proved flat"),
    "superseded": later("taken over by the whole account's close"),
}
EMPTY = later("Nothing of this kind.")
OUTSIDE_CHARS_MAX = 80
CUT = later(
    "That is as far back as these pages go; /report week with a date has older ones in its file."
)


def page(shown: HistoryPage, voice: Voice, now: datetime, asker: int) -> Message:
    """One page with its buttons. Times are the reader's own; days are headings."""
    what = t(TITLES[shown.filter])
    symbol = f", {esc(shown.symbol)}" if shown.symbol else ""
    title = f"📜 {shown.login}: {what}{symbol}"
    head = [f"<b>{marked(voice, title)}</b>", _place(shown)]
    tail = [*_trust(shown, voice, now), t("Times: {zone}", zone=_zone(now, voice))]
    if shown.is_cut and shown.page + 1 == shown.pages:
        tail.append(t(CUT))
    rows = _by_day(shown, voice) or [t(EMPTY)]
    return Message(html=compose(head, rows, tail), keyboard=keyboards.history(shown, asker))


def pick_symbol(press: HistoryPress, symbols: tuple[tuple[int, str], ...], voice: Voice) -> Message:
    """The symbols to choose from."""
    title = f"<b>{marked(voice, t('📜 Which symbol?'))}</b>"
    return Message(html=title, keyboard=keyboards.history_symbols(press, symbols))


def pick_account(
    press: HistoryPress, accounts: tuple[tuple[int, int], ...], voice: Voice
) -> Message:
    """The reader's accounts to choose from."""
    title = f"<b>{marked(voice, t('📜 Which account?'))}</b>"
    return Message(html=title, keyboard=keyboards.history_accounts(press, accounts))


def _place(shown: HistoryPage) -> str:
    if not shown.total:
        return t("No entries")
    return t(
        "{entries}, page {page} of {pages}",
        entries=tn("{n} entry", "{n} entries", shown.total),
        page=shown.page + 1,
        pages=shown.pages,
    )


def _zone(now: datetime, voice: Voice) -> str:
    """`UTC`, or `Europe/London (GMT)`."""
    if voice.time_zone == "UTC":
        return "UTC"
    return f"{esc(voice.time_zone)} ({esc(local(now, voice).tzname() or '')})"


def _trust(shown: HistoryPage, voice: Voice, now: datetime) -> list[str]:
    """How old what is shown is; that the account cannot be read, where it cannot."""
    if shown.unavailable_since is not None:
        since = moment(shown.unavailable_since, voice, today=now)
        return [t("⚠️ Cannot be read since {since}: what came later is not known yet.", since=since)]
    if shown.observed_at is None:
        return [t("⚠️ Not read yet.")]
    return [t("List {age}", age=age(shown.as_of, now, voice))]


def _by_day(shown: HistoryPage, voice: Voice) -> list[str]:
    rows: list[str] = []
    day = ""
    for line in shown.lines:
        there = local(line.at, voice)
        heading = f"<b>{dated(there, 'EEE dd MMM y')}</b>"
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
    return "" if line.price is None else t("at {price}", price=price(line.price))


def _ids(line: HistoryLine) -> str:
    signal = "" if line.signal_id is None else t("signal {signal}", signal=line.signal_id)
    return _listed(signal, f"#{line.position_id}" if line.position_id else "")


def _opened(line: HistoryLine, shown: HistoryPage) -> str:
    cost = t("costs {amount}", amount=gain(line.amount, shown.currency)) if line.amount else ""
    return _card(t("▫️ Opened {trade}", trade=_what(line)), _listed(_at(line), _ids(line)), cost)


def _closed(line: HistoryLine, shown: HistoryPage) -> str:
    amount = line.amount or Decimal(0)
    icon = "🟢" if amount > 0 else "🔴" if amount < 0 else "⚪"
    by = CLOSED_BY_YOU if shown.own else CLOSED_BY_CLIENT
    return _card(
        f"{icon} {t('Closed: {result}', result=gain(amount, shown.currency))}",
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
        f"⚠️ {begun(word(DIFFERENCES, line.word))}",
        _listed(what, _ids(line)),
        _listed(slipped, amount),
    )


def _resolved(line: HistoryLine, shown: HistoryPage) -> str:
    what = _what(line) if line.symbol else ""
    return _card(
        t("✅ Over: {finding}", finding=word(DIFFERENCES, line.word)),
        _listed(what, _ids(line)),
        ended(line.ended, own=shown.own),
    )


def _guard(line: HistoryLine, _shown: HistoryPage) -> str:
    reason = word(REASONS, line.word)
    return t(
        "🔒 Reckoner closes {scope}: {reason}\n   {ended}",
        scope=scope(line.symbol),
        reason=reason,
        ended=word(JOB_STATES, line.ended),
    )


def _warning(line: HistoryLine, _shown: HistoryPage) -> str:
    if line.percent is None or line.limit_percent is None:
        return t("🟠 Drawdown warning")
    drawdown = percent(line.percent, line.limit_percent)
    return _card(
        t("🟠 Drawdown warning: {drawdown}", drawdown=drawdown),
        t("warns at {limit}", limit=limit(line.limit_percent)),
    )


def _locked(line: HistoryLine, shown: HistoryPage) -> str:
    equity = ""
    if line.amount is not None:
        equity = t("equity {equity}", equity=money(line.amount, shown.currency))
    against = ""
    if line.word == "drawdown" and line.percent is not None and line.limit_percent is not None:
        against = t(
            "{drawdown} (limit {limit})",
            drawdown=percent(line.percent, line.limit_percent),
            limit=limit(line.limit_percent),
        )
    return _card(t("🔒 Locked: {reason}", reason=word(REASONS, line.word)), against, equity)


def _reappeared(line: HistoryLine, _shown: HistoryPage) -> str:
    return _card(t("⚠️ Appeared on the locked account"), _listed(_what(line), _ids(line)))


def _release(line: HistoryLine, shown: HistoryPage) -> str:
    by = esc(line.by)
    match line.word:
        case words.RELEASE_ASKED:
            return t("🔑 {name} asked for release", name=by)
        case words.RELEASE_GRANTED:
            return t("🔑 {name} granted the release", name=by)
        case words.RELEASE_REFUSED:
            return t("🔑 {name} refused the release", name=by)
        case _:
            peak = ""
            if line.amount is not None:
                peak = t("new peak {peak}", peak=money(line.amount, shown.currency))
            return _card(t("🔓 Unlocked"), peak)


def _outage(line: HistoryLine, _shown: HistoryPage) -> str:
    why = cause(line.word, OUTSIDE_CHARS_MAX)
    return t("⚠️ Could not be read{why}", why=f": {why}" if why else "")


_CARDS: dict[HistoryKind, Callable[[HistoryLine, HistoryPage], str]] = {
    HistoryKind.OPENED: _opened,
    HistoryKind.CLOSED: _closed,
    HistoryKind.MONEY: _money,
    HistoryKind.DIFFERENCE: _difference,
    HistoryKind.RESOLVED: _resolved,
    HistoryKind.GUARD: _guard,
    HistoryKind.WARNING: _warning,
    HistoryKind.LOCKED: _locked,
    HistoryKind.REAPPEARED: _reappeared,
    HistoryKind.RELEASE: _release,
    HistoryKind.OUTAGE: _outage,
}
