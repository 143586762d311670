"""A report's file: one row per deal, as comma-separated values in UTF-8.

A cell that a spreadsheet would take for a formula is written with an apostrophe before it; figures
are left as they are. Source: OWASP, CSV injection.
"""

import csv
import io
import re
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.views.numbers import currency_digits
from core.domain.broker import Deal, DealEntry, DealType
from core.domain.closures import close_reason, exit_side
from core.domain.history import is_trade, money_word
from core.domain.periods import Period, Span
from core.domain.report import AccountReport, ReportFile

COLUMNS = (
    "time",
    "time_utc",
    "account",
    "deal",
    "position",
    "what",
    "symbol",
    "side",
    "lots",
    "price",
    "profit",
    "commission",
    "swap",
    "fee",
    "amount",
    "currency",
    "how",
    "slippage_pips",
    "signal",
    "magic",
    "comment",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters that a spreadsheet may take for a formula's."""
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
ENTRIES = {
    DealEntry.IN: "opened",
    DealEntry.OUT: "closed",
    DealEntry.INOUT: "reversed",
    DealEntry.OUT_BY: "closed by opposite",
}


def name(login: int, period: Period) -> str:
    """`50001_2026-03-04.csv`, a week with both its dates."""
    last = "" if period.span is Span.DAY else f"_{period.last.isoformat()}"
    return f"{login}_{period.first.isoformat()}{last}.csv"


def content(found: AccountReport) -> bytes:
    """The file. Times stand in the reader's zone with their offset, and in UTC."""
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    zone = ZoneInfo(found.time_zone)
    for deal in found.file.deals:
        rows.writerow([safe(cell) for cell in _row(deal, found, zone)])
    return out.getvalue().encode()


def safe(cell: str) -> str:
    """The cell as a spreadsheet shows it and does not compute it."""
    if cell.startswith(FORMULA) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def _row(deal: Deal, found: AccountReport, zone: ZoneInfo) -> list[str]:
    file = found.file
    what, side, how = _what(deal, file)
    digits = currency_digits(found.currency)
    money = [deal.profit, deal.commission, deal.swap, deal.fee, deal.amount]
    return [
        _time(deal.executed_at.astimezone(zone)),
        _time(deal.executed_at),
        str(found.login),
        str(deal.ticket),
        str(deal.position_id or ""),
        what,
        deal.symbol,
        side,
        _plain(deal.volume) if is_trade(deal) else "",
        _plain(deal.price) if is_trade(deal) else "",
        *(_plain(amount, digits) for amount in money),
        found.currency,
        how,
        _slip(deal, file),
        str(file.signals.get(deal.position_id, "")),
        str(deal.magic or ""),
        deal.comment,
    ]


def _what(deal: Deal, file: ReportFile) -> tuple[str, str, str]:
    """What the deal did, on which side, and how it came about."""
    if not is_trade(deal):
        return money_word(deal), "", ""
    what = ENTRIES.get(deal.entry, f"entry {deal.entry}")
    if deal.entry in DealEntry.EXITS:
        ours = deal.position_id in file.ours
        return what, exit_side(deal).value, close_reason(deal, ours=ours).value
    return what, "buy" if deal.deal_type == DealType.BUY else "sell", ""


def _slip(deal: Deal, file: ReportFile) -> str:
    slip = file.slips.get((deal.position_id, deal.entry == DealEntry.IN))
    return _plain(slip) if slip is not None and is_trade(deal) else ""


def _time(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="seconds")


def _plain(value: Decimal, decimals_min: int = 0) -> str:
    """A figure for a spreadsheet: a point, no separators, at least so many decimals."""
    exponent = value.normalize().as_tuple().exponent
    decimals = max(decimals_min, -exponent if isinstance(exponent, int) else 0)
    return f"{value:.{decimals}f}"
