"""What one account's board says, line by line."""

from datetime import datetime
from decimal import Decimal

from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views import obstacles as words_of
from bot.views.message import (
    Voice,
)
from bot.views.numbers import (
    gain,
    lots,
    moment,
    money,
    percent,
    price,
    price_or_none,
)
from bot.views.words import GUARDS, REASONS, word
from core.domain.board import (
    AccountBoard,
    PendingLine,
    PositionLine,
)

HUNDRED = Decimal(100)
BUT_NOT_ALL = later(
    "Headroom: {room}{part}. The limit is at equity {floor}, but Reckoner cannot close everything."
)
BUT_NOTHING = later(
    "Headroom: {room}{part}. The limit is at equity {floor}, but Reckoner cannot close anything."
)
BLIND_GUARDS = frozenset({"clear", "unarmed"})


def money_lines(board: AccountBoard) -> list[str]:
    """Equity, balance, profit and what they mean."""
    if board.equity is None or board.balance is None:
        return []
    equity = money(board.equity, board.currency, board.currency_digits)
    balance = money(board.balance, board.currency, board.currency_digits)
    lines = [t("Equity: {equity}, balance {balance}", equity=equity, balance=balance)]
    if board.profit is not None:
        lines.append(
            t(
                "Open result: {profit}",
                profit=gain(board.profit, board.currency, board.currency_digits),
            )
        )
    if board.credit:
        credit = money(board.credit, board.currency, board.currency_digits)
        lines.append(t("Credit: {credit}, part of the equity", credit=credit))
    if board.margin_level_percent is not None:
        lines.append(t("Margin level: {level}", level=percent(board.margin_level_percent)))
    return lines


def headroom(board: AccountBoard, voice: Voice, now: datetime, *, share: bool = False) -> list[str]:
    """What may still be lost, or what is past; `share` adds it in percent of equity."""
    if board.headroom is None or board.floor is None:
        return []
    room = money(abs(board.headroom), board.currency, board.currency_digits)
    if board.headroom < 0:
        return [past(board, room, voice, now)]
    if board.guard == "latched":
        return [t("Equity is {room} above the limit again; the account stays locked.", room=room)]
    floor = money(board.floor, board.currency, board.currency_digits)
    part = ""
    if share and board.equity:
        part = t(", {percent} of equity", percent=percent(board.headroom * HUNDRED / board.equity))
    if board.obstacles:
        but = BUT_NOT_ALL if words_of.partial(board.obstacles) else BUT_NOTHING
        return [t(but, room=room, part=part, floor=floor)]
    return [
        t(
            "Headroom: {room}{part}. Reckoner closes everything at equity {floor}.",
            room=room,
            part=part,
            floor=floor,
        )
    ]


def past(board: AccountBoard, past: str, voice: Voice, now: datetime) -> str:
    """What a loss past the limit means."""
    match board.guard:
        case "countdown" if board.deadline_at is not None:
            begins = moment(board.deadline_at, voice, today=now)
            return t("{past} past the limit; closing begins at {begins}.", past=past, begins=begins)
        case "closing":
            return t("{past} past the limit; Reckoner is closing everything.", past=past)
        case "latched" if board.positions_count == 0:
            return t("The limit was passed by {past}. Everything is closed.", past=past)
        case _:
            return t("{past} past the limit.", past=past)


def drawdown_percent(board: AccountBoard) -> str:
    """The drawdown, near its limit with two decimals."""
    value = Decimal(0) if board.drawdown_percent is None else board.drawdown_percent
    return percent(value, board.warn_percent, board.limit_percent)


def guard(board: AccountBoard, voice: Voice, now: datetime) -> list[str]:
    """What the guard is doing."""
    since = _since(board.guard_since, voice, now)
    reason = f": {word(REASONS, board.guard_reason)}" if board.guard_reason else ""
    blind = board.unavailable_since is not None or board.observed_at is None
    if blind and board.guard in BLIND_GUARDS:
        return []
    lines = [f"{word(GUARDS, board.guard)}{since}{reason}"]
    if board.obstacles and board.guard == "clear":
        stuck = _since(board.obstacles_since, voice, now)
        lines = [
            t(
                "🔴 Guard watching{since}, but it cannot close as it should{stuck}",
                since=since,
                stuck=stuck,
            )
        ]
    if board.guard == "countdown" and board.deadline_at is not None:
        begins = moment(board.deadline_at, voice, today=now)
        lines.append(t("Closing begins at {begins}.", begins=begins))
    if board.release_requested_at is not None:
        asked = moment(board.release_requested_at, voice, today=now)
        lines.append(t("Release asked for at {asked}; an admin will answer.", asked=asked))
    return lines


def _since(at: datetime | None, voice: Voice, now: datetime) -> str:
    return "" if at is None else t(" since {since}", since=moment(at, voice, today=now))


def none_shown(board: AccountBoard) -> str:
    """No position is listed: nothing is open, or nobody has looked since the start."""
    match board.positions_count:
        case None:
            return ""  # that it was never read is said already
        case 0:
            return t("Nothing open.")
        case count:
            return tn(
                "{n} position open when last read.", "{n} positions open when last read.", count
            )


def position(line: PositionLine, board: AccountBoard) -> str:
    """One open position."""
    origin = (
        t("signal {signal}", signal=line.signal_id)
        if line.signal_id is not None
        else t("not from a signal")
    )
    result = gain(line.profit, board.currency, board.currency_digits)
    return t(
        "• {symbol} {side} {volume}: {result}\n   {price_open} → "
        "{price_current}, SL {stop_loss}, TP {take_profit}\n   #{ticket}, "
        "{origin}",
        symbol=esc(line.symbol),
        side=esc(line.side),
        volume=lots(line.volume),
        result=result,
        price_open=price(line.price_open),
        price_current=price(line.price_current),
        stop_loss=price_or_none(line.stop_loss),
        take_profit=price_or_none(line.take_profit),
        ticket=line.ticket,
        origin=origin,
    )


def pending(line: PendingLine, voice: Voice, now: datetime) -> str:
    """One pending order."""
    trade = f"{esc(line.symbol)} {esc(line.side)} {lots(line.volume)}"
    at = "" if line.price is None else t(" at {price}", price=price(line.price))
    if not line.expected:
        return t("• Pending order: {trade}{at}", trade=trade, at=at)
    until = (
        ""
        if line.deadline_at is None
        else t(", until {until}", until=moment(line.deadline_at, voice, today=now))
    )
    return t("• Approved, not placed yet: {trade}{at}{until}", trade=trade, at=at, until=until)


def pounds(amount: Decimal) -> str:
    """A setting in pounds, without pence where there are none: `100 GBP`."""
    if amount == amount.to_integral():
        return f"{amount.normalize():,f} GBP"
    return money(amount, "GBP")
