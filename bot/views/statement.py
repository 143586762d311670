"""A period's statement as a table whose lines add up."""

from decimal import Decimal

from bot.i18n import t
from bot.markup import clean
from bot.views.numbers import gain, money
from bot.views.tables import table
from core.domain.report import AccountReport


def statement(found: AccountReport) -> list[str]:
    """Balance at the start, what changed it, balance and equity at the end; nothing unread."""
    made, currency = found.report, found.currency
    told = made.statement
    if told is None:
        return []
    is_over = found.now >= made.period.end
    flows = made.flows
    rows = [[t("Balance at start"), _plain(told.start, currency)]]
    changes = (
        (t("Money in"), flows.deposits),
        (t("Money out"), flows.withdrawals),
        (t("Credit"), flows.credit),
        (t("Realised"), made.realised),
        (t("No deal explains"), told.unexplained),
    )
    rows += [[name, _signed(amount, currency)] for name, amount in changes if amount]
    rows.append([t("Balance at end") if is_over else t("Balance now"), _plain(told.end, currency)])
    if told.equity is not None and told.open_result is not None:
        rows += [
            [t("Open positions"), _signed(told.open_result, currency)],
            [t("Equity at end") if is_over else t("Equity now"), _plain(told.equity, currency)],
        ]
    heading = (
        t("From start to end, balance with credit:") if told.has_credit else t("From start to end:")
    )
    return [heading, *table(["", clean(currency)], rows)]


def _plain(amount: Decimal, currency: str) -> str:
    return money(amount, currency).rsplit(" ", 1)[0]


def _signed(amount: Decimal, currency: str) -> str:
    """`+12.40`, `0.00`: the currency stands in the heading."""
    return gain(amount, currency).rsplit(" ", 1)[0]
