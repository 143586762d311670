"""Buttons under histories and reports. Pure, like all keyboards."""

from collections.abc import Sequence
from datetime import date
from math import ceil

from bot.callbacks import HistoryPress, HistoryVerb, ReportPress
from bot.i18n import later, t
from bot.keyboards import in_rows
from bot.views.message import Button, Keyboard
from core.domain.history import HistoryFilter, HistoryPage
from core.domain.periods import Period, Span

ACCOUNTS_MAX = 24
"""Accounts that get a button of their own."""
CHOSEN = "• "
"""Stands before the filter in force: its colour alone would not tell everybody."""
FILTERS_PER_ROW = 2
"""Three would break their words on a phone, in some languages."""
FILTERS = {
    HistoryFilter.ALL: later("All"),
    HistoryFilter.OPENED: later("Opened"),
    HistoryFilter.CLOSED: later("Closed"),
    HistoryFilter.DIFFERENCES: later("Differences"),
    HistoryFilter.MONEY: later("Money"),
}


def history(page: HistoryPage, asker: int) -> Keyboard:
    """Older and newer, filters, symbol and account; Refresh shows what is newest now."""
    here = _press(page, asker)
    turns = []
    if page.page > 0:
        newer = here.model_copy(update={"page": page.page - 1})
        turns.append(Button(t("« Newer"), newer.pack()))
    if page.page + 1 < page.pages:
        older = here.model_copy(update={"page": page.page + 1})
        turns.append(Button(t("Older »"), older.pack()))
    first = here.model_copy(update={"page": 0})
    filters = [
        Button(
            f"{CHOSEN if each is page.filter else ''}{t(label)}",
            first.model_copy(update={"kind": each}).pack(),
        )
        for each, label in FILTERS.items()
    ]
    symbols = here.model_copy(update={"verb": HistoryVerb.SYMBOLS})
    accounts = here.model_copy(update={"verb": HistoryVerb.ACCOUNTS})
    symbol = t("Symbol: {symbol}", symbol=page.symbol) if page.symbol else t("Symbol: all")
    last = [Button(symbol, symbols.pack())]
    if page.own and len(page.accounts) > 1:
        last.append(Button(t("Account: {login}", login=page.login), accounts.pack()))
    last.append(Button(t("Refresh"), first.model_copy(update={"as_of": 0}).pack()))
    rows = (tuple(turns), *in_rows(filters, FILTERS_PER_ROW), tuple(last))
    return tuple(row for row in rows if row)


def history_symbols(press: HistoryPress, symbols: Sequence[tuple[int, str]]) -> Keyboard:
    """A button for each symbol, and one for all of them."""
    show = press.model_copy(update={"verb": HistoryVerb.SHOW, "page": 0})
    buttons = [
        Button(name, show.model_copy(update={"symbol_id": deal_id}).pack())
        for deal_id, name in symbols
    ]
    every = Button(t("All symbols"), show.model_copy(update={"symbol_id": 0}).pack())
    return (*in_rows(buttons), (every,))


def history_accounts(press: HistoryPress, accounts: Sequence[tuple[int, int]]) -> Keyboard:
    """A button for each account: its history begins anew, with the same filter."""
    show = press.model_copy(
        update={"verb": HistoryVerb.SHOW, "page": 0, "symbol_id": 0, "as_of": 0}
    )
    return in_rows(
        [
            Button(str(login), show.model_copy(update={"account_id": account_id}).pack())
            for account_id, login in accounts[:ACCOUNTS_MAX]
        ]
    )


def _press(page: HistoryPage, asker: int) -> HistoryPress:
    return HistoryPress(
        verb=HistoryVerb.SHOW,
        asker=asker,
        account_id=page.account_id,
        kind=page.filter,
        symbol_id=page.symbol_id,
        page=page.page,
        as_of=ceil(page.as_of.timestamp()),  # to the full second, up: what was shown stays
    )


def report_accounts(
    span: Span, day: date, asker: int, accounts: Sequence[tuple[int, int]]
) -> Keyboard:
    """Which account to report on: (account id, login)."""
    return in_rows(
        [
            Button(str(login), _report(span, day, asker, account_id))
            for account_id, login in accounts[:ACCOUNTS_MAX]
        ]
    )


def report(account_id: int, period: Period, asker: int) -> Keyboard:
    """The period before, and the other span around the same days."""
    before = date.fromordinal(period.first.toordinal() - 1)
    if period.span is Span.DAY:
        around = Button(t("Its week"), _report(Span.WEEK, period.first, asker, account_id))
        return ((Button(t("Day before"), _report(Span.DAY, before, asker, account_id)), around),)
    return ((Button(t("Week before"), _report(Span.WEEK, before, asker, account_id)),),)


def _report(span: Span, day: date, asker: int, account_id: int) -> str:
    return ReportPress(span=span, asker=asker, account_id=account_id, day=day.toordinal()).pack()
