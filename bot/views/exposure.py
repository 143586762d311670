"""Exposure by symbol in words, and as bars of text where no picture can be drawn."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from bot import keyboards
from bot.i18n import spoken, t
from bot.markup import esc
from bot.views.boards import head, titled, trust
from bot.views.message import ExposureChart, Message, Voice, pages
from bot.views.numbers import dated, gain, local, lots, money
from core.domain.board import AccountBoard
from core.domain.broker import ZERO
from core.domain.exposure import SymbolExposure, together

BAR_CELLS = 9
"""Columns of a bar of text on each side: with name and line a row is 30 wide."""
NAME_CELLS = 10
FULL, LEFT_HALF, RIGHT_HALF = "█", "▌", "▐"
TIMES_PLACES = Decimal("0.1")


def exposure(boards: Sequence[AccountBoard], voice: Voice, now: datetime) -> tuple[Message, ...]:
    """A client's exposure. One account comes with its chart, several with a button for each."""
    head_line = titled(voice, t("⚖️ Exposure by symbol"), boards)
    if len(boards) == 1:
        board = boards[0]
        chart = _chart(board, voice) if _drawable(board.exposure) else None
        text = "\n".join([head_line, *_lines(board, voice, now)])
        return (Message(html=text, keyboard=keyboards.exposure([]), chart=chart),)
    rows = [line for board in boards for line in _lines(board, voice, now)]
    held = [(board.account_id, board.login) for board in boards if board.exposure]
    return pages(head_line, rows, (), keyboards.exposure(held))


def _lines(board: AccountBoard, voice: Voice, now: datetime) -> list[str]:
    lines = [head(board), *trust(board, voice, now)]
    if not board.exposure:
        is_known = board.positions_count is not None and not board.positions_count
        return [*lines, t("No open position.") if is_known else t("Positions: not known")]
    lines.append(_gross(board.exposure, board.equity, board.currency, board.currency_digits))
    return [*lines, *(_row(each, board) for each in board.exposure)]


def _row(row: SymbolExposure, board: AccountBoard) -> str:
    sides = []
    if row.long_lots:
        sides.append(t("long {lots}", lots=lots(row.long_lots)))
    if row.short_lots:
        sides.append(t("short {lots}", lots=lots(row.short_lots)))
    text = t(
        "• {symbol}: {net} ({sides})",
        symbol=esc(row.symbol),
        net=net_words(row),
        sides=", ".join(sides),
    )
    if row.net_value is None or row.gross_value is None:
        return text + "\n   " + t("its value is not known")
    net = gain(row.net_value, board.currency, board.currency_digits)
    if not (row.long_lots and row.short_lots):
        return text + "\n   " + t("value {net}", net=net)
    gross = money(row.gross_value, board.currency, board.currency_digits)
    return text + "\n   " + t("net {net}, both sides {gross}", net=net, gross=gross)


def net_words(row: SymbolExposure) -> str:
    """`net +0.30 lots`, `net -0.20 lots`, `net 0 lots`."""
    sign = "+" if row.net_lots > 0 else ""
    figure = f"{sign}{lots(row.net_lots)}" if row.net_lots else "0"
    return t("net {figure} lots", figure=figure)


def gross_words(chart: ExposureChart) -> str:
    """What everything is worth together, and how many times the equity that is."""
    return _gross(chart.rows, chart.equity, chart.currency, chart.currency_digits)


def _gross(
    rows: Sequence[SymbolExposure], equity: Decimal | None, currency: str, digits: int
) -> str:
    whole = together(rows)
    if whole is None:
        return t("All together: not known, the value of a symbol is missing")
    figure = money(whole, currency, digits)
    if equity is None or equity <= ZERO:
        return t("All together: {figure}", figure=figure)
    times = (whole / equity).quantize(TIMES_PLACES)
    return t("All together: {figure}, {times} times the equity", figure=figure, times=times)


def bars(rows: Sequence[SymbolExposure]) -> str:
    """The chart as text: short to the left, long to the right of a line."""
    known = [row for row in rows if row.gross_value is not None]
    most = max((max(r.long_value or ZERO, r.short_value or ZERO) for r in known), default=ZERO)
    lines = [f"{t('short'):>{NAME_CELLS + 1 + BAR_CELLS}}│{t('long')}"]
    for row in known:
        name = row.symbol[:NAME_CELLS]
        left = _bar(row.short_value or ZERO, most)[::-1].replace(LEFT_HALF, RIGHT_HALF)
        right = _bar(row.long_value or ZERO, most)
        space = " " * (NAME_CELLS + 1 - len(name))
        lines.append(f"{esc(name)}{space}{left:>{BAR_CELLS}}│{right}")
    return "<pre>{}</pre>".format("\n".join(lines))


def _bar(value: Decimal, most: Decimal) -> str:
    """What is there is seen: half a column at least."""
    if value <= 0 or most <= 0:
        return ""
    whole, rest = divmod(value * BAR_CELLS * 2 / most, 2)
    return FULL * int(whole) + (LEFT_HALF if rest >= 1 or not whole else "")


def _drawable(rows: Sequence[SymbolExposure]) -> bool:
    return any(row.gross_value for row in rows)


def _chart(board: AccountBoard, voice: Voice) -> ExposureChart:
    read = ""
    if board.observed_at is not None:
        there = local(board.observed_at, voice)
        read = f"{dated(there.date(), 'd MMM')} {there:%H:%M:%S} {voice.time_zone}"
    return ExposureChart(
        account_id=board.account_id,
        login=board.login,
        currency=board.currency,
        currency_digits=board.currency_digits,
        mark=voice.mark,
        language=spoken(),
        rows=board.exposure,
        equity=board.equity,
        read=read,
    )
