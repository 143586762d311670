"""What people asked to see: positions, drawdown, status, accounts, warnings.

Every board says how old its figures are. What cannot be read stands first, and older figures are
never shown as current.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from bot import keyboards
from bot.callbacks import BoardKind
from bot.markup import esc
from bot.views import alerts_market, rules
from bot.views import obstacles as words_of
from bot.views.alerts_terminal import NEVER_READ, UNLINKED
from bot.views.message import (
    Audience,
    ChartRequest,
    Keyboard,
    Message,
    Voice,
    marked,
    pages,
)
from bot.views.numbers import (
    age,
    gain,
    limit,
    lots,
    moment,
    money,
    percent,
    price,
    price_or_none,
    span,
)
from bot.views.words import GUARDS, REASONS, plural, word
from core.domain.alerts_market import MarketWarning
from core.domain.board import (
    AccountBoard,
    DrawdownBoard,
    PendingLine,
    PositionLine,
    SystemBoard,
    TerminalLine,
)

WARNINGS_MAX = 10
"""Warnings shown one by one, each with its buttons."""
SPARKS = "▁▂▃▄▅▆▇█"
SPARKS_MAX = 24
NO_ACCOUNT = "No account is linked to you yet. Please ask your admin."
ADMIN_NO_ACCOUNT = "You have no account of your own; /accounts shows all."
HUNDRED = Decimal(100)
REASON_CHARS_MAX = 120
WATCHING = "🔴 Guard watching"
CANNOT = "but it cannot close as it should"
TERMINALS = {"up": "up", "starting": "starting", "resting": "resting", "unlinked": "not linked"}
BLIND_GUARDS = frozenset({"clear", "unarmed"})
"""States of a guard that mean nothing while its account cannot be read."""


def no_account(*, admin: bool) -> Message:
    """To somebody who asks for their accounts and has none."""
    return Message(html=ADMIN_NO_ACCOUNT if admin else NO_ACCOUNT)


def positions(boards: Sequence[AccountBoard], voice: Voice, now: datetime) -> tuple[Message, ...]:
    """A client's open positions and what is expected to be placed."""
    known = [board.positions_count for board in boards if board.positions_count is not None]
    counted = plural(sum(known), "open position") if known else "Positions: not known"
    title = _title(voice, f"📊 {counted}", boards)
    rows: list[str] = []
    for board in boards:
        rows += [_head(board), *_trust(board, voice, now), *_money(board)]
        rows += [_position(line, board) for line in board.positions]
        rows += [_pending(line, voice, now) for line in board.pending]
        if not board.positions and not board.pending:
            rows.append(_none_shown(board))
    return pages(title, _tidy(rows), (), keyboards.refresh(BoardKind.POSITIONS))


def drawdown(boards: Sequence[DrawdownBoard], voice: Voice, now: datetime) -> tuple[Message, ...]:
    """A client's drawdown. One account comes with its chart, several with a button for each."""
    if len(boards) == 1:
        return (drawdown_chart(boards[0], voice, now),)
    accounts = [board.account for board in boards]
    rows = [line for board in boards for line in _drawdown_lines(board, voice, now)]
    buttons = keyboards.charts([(account.account_id, account.login) for account in accounts])
    keyboard = (*buttons, *keyboards.refresh(BoardKind.DRAWDOWN))
    return pages(_title(voice, "📉 Drawdown", accounts), rows, (), keyboard)


def drawdown_chart(board: DrawdownBoard, voice: Voice, now: datetime) -> Message:
    """One account's figures as a caption, and the chart to draw above it."""
    account = board.account
    figure = "" if account.drawdown_percent is None else f" {_percent(account)}"
    title = _title(voice, f"📉 Drawdown{figure} on {account.login}", [account])
    lines = [title, *_drawdown_lines(board, voice, now)[1:]]
    drawn = len(board.history) > 1
    return Message(
        html="\n".join(lines),
        keyboard=_release_button([account]),
        chart=_chart(board, voice, now) if drawn else None,
    )


def status(
    boards: Sequence[AccountBoard], system: SystemBoard, voice: Voice, *, admin: bool
) -> tuple[Message, ...]:
    """How Reckoner is, and how it sees the asker's accounts."""
    title = _title(voice, f"🟢 Reckoner {esc(system.version)} is running", boards)
    now = system.now
    rows = _system(system) if admin else []
    audience = Audience.ADMIN if admin else Audience.CLIENT
    for board in boards:
        rows += [_head(board), *_trust(board, voice, now, audience), *_guard(board, voice, now)]
    since = moment(system.started_at, voice, today=now)
    tail = [f"Running since {since}, seen at {moment(now, voice)}"]
    keyboard = (*_release_button(boards), *keyboards.refresh(BoardKind.STATUS))
    return pages(title, rows, tail, keyboard)


def accounts(boards: Sequence[AccountBoard], voice: Voice, now: datetime) -> tuple[Message, ...]:
    """Every account for the admins, the least headroom first."""
    many = plural(len(boards), "account")
    title = _title(voice, f"🗂 {many}, least room in percent of equity first", boards)
    rows: list[str] = []
    for board in boards:
        rows += [
            f"<b>{esc(board.client)}, {board.login}</b>",
            *_trust(board, voice, now, Audience.ADMIN),
            *_money(board),
            *_headroom(board, voice, now, share=True),
            *_guard(board, voice, now),
        ]
        if board.open_divergences:
            differences = plural(board.open_divergences, "open difference")
            rows.append(f"⚠️ {differences} from its signals")
    return pages(title, rows or ["No account yet."], (), keyboards.refresh(BoardKind.ACCOUNTS))


def warnings(lines: Sequence[MarketWarning], voice: Voice, now: datetime) -> tuple[Message, ...]:
    """Unresolved market warnings, one message each, so that each keeps its own buttons."""
    if not lines:
        return (Message(html=f"✅ No open market warning, {age(now, now, voice)}"),)
    shown = [alerts_market.line(line, voice, now) for line in lines[:WARNINGS_MAX]]
    left = len(lines) - len(shown)
    more = [Message(html=f"and {left} more. Answer these first.")] if left else []
    return (*shown, *more)


def sparkline(values: Sequence[Decimal]) -> str:
    """A curve in one line of text, for where no chart can be drawn."""
    if not values:
        return ""
    step = max(1, -(-len(values) // SPARKS_MAX))
    kept = [*values[::-1][::step]][::-1]
    low, high = min(kept), max(kept)
    top = len(SPARKS) - 1
    return "".join(
        SPARKS[0 if high == low else int((value - low) * top / (high - low))] for value in kept
    )


def chart_in_words(message: Message) -> Message:
    """The same message with a sparkline in place of its chart."""
    if message.chart is None:
        return message
    points = message.chart.points
    lows, highs = min(p.equity for p in points), max(p.equity for p in points)
    request = message.chart
    low = money(lows, request.currency, request.currency_digits)
    high = money(highs, request.currency, request.currency_digits)
    line = f"{sparkline([p.equity for p in points])}\nEquity from {low} to {high}"
    return Message(html=f"{message.html}\n{line}", keyboard=message.keyboard, silent=message.silent)


def _title(voice: Voice, text: str, boards: Sequence[AccountBoard]) -> str:
    blind = [board for board in boards if board.unavailable_since or board.observed_at is None]
    if blind:
        first = f"⚠️ {plural(len(blind), 'account')} cannot be read"
        return f"<b>{marked(voice, first)}</b>\n{text}"
    stuck = [board for board in boards if board.obstacles]
    if stuck:
        first = f"🔴 Cannot close on {plural(len(stuck), 'account')}"
        return f"<b>{marked(voice, first)}</b>\n{text}"
    return f"<b>{marked(voice, text)}</b>"


def _head(board: AccountBoard) -> str:
    return f"<b>{board.login}</b> {esc(board.name)}".rstrip()


def _trust(
    board: AccountBoard, voice: Voice, now: datetime, audience: Audience = Audience.CLIENT
) -> list[str]:
    """How far figures and guard may be believed: unreadable first, then age, then obstacles."""
    lines: list[str] = []
    if board.unavailable_since is not None:
        since = moment(board.unavailable_since, voice, today=now)
        why = f": {esc(board.unavailable_reason)}" if board.unavailable_reason else ""
        lines.append(f"⚠️ Cannot be read since {since}{why}. Not guarded until it can.")
        if board.observed_at is None:
            lines.append(NEVER_READ)
        if board.observed_at is not None:
            read = moment(board.observed_at, voice, today=now)
            lines.append(
                f"Last read at {read}, {span(now - board.observed_at)} ago; figures are from then."
            )
    elif board.observed_at is None:
        lines.append("⚠️ Never read: what is open is not known.")
    else:
        lines.append(f"Figures {age(board.observed_at, now, voice)}")
    if board.terminal is not None:
        lines += _terminal(board.terminal, voice, now, audience)
    if board.obstacles:
        lines.append(f"🔴 {words_of.sentence(board.obstacles)}")
        lines += words_of.next_steps(board.obstacles, board.login, audience)
        if board.positions and audience is Audience.CLIENT:
            lines += words_of.by_hand(board.obstacles)
    return lines


def _terminal(line: TerminalLine, voice: Voice, now: datetime, audience: Audience) -> list[str]:
    """A terminal that does not answer yet: what it does, until when, and what is to be done."""
    since = moment(line.since, voice, today=now)
    match line.state:
        case "starting":
            return [f"⏳ Its terminal is being started since {since}."]
        case "resting":
            until = "" if line.next_try_at is None else moment(line.next_try_at, voice, today=now)
            tried = f" after {plural(line.attempts, 'failure')}" if line.attempts else ""
            told = audience is Audience.ADMIN and line.reason
            why = f": {esc(line.reason, REASON_CHARS_MAX)}" if told else ""
            return [f"⏳ Its terminal rests{f' until {until}' if until else ''}{tried}{why}."]
        case "unlinked":
            return [f"⚠️ {UNLINKED[audience]}"]
        case _:
            return []


def _money(board: AccountBoard) -> list[str]:
    if board.equity is None or board.balance is None:
        return []
    equity = money(board.equity, board.currency, board.currency_digits)
    balance = money(board.balance, board.currency, board.currency_digits)
    lines = [f"Equity: {equity}, balance {balance}"]
    if board.profit is not None:
        lines.append(f"Open result: {gain(board.profit, board.currency, board.currency_digits)}")
    if board.credit:
        credit = money(board.credit, board.currency, board.currency_digits)
        lines.append(f"Credit: {credit}, part of the equity")
    if board.margin_level_percent is not None:
        lines.append(f"Margin level: {percent(board.margin_level_percent)}")
    return lines


def _headroom(
    board: AccountBoard, voice: Voice, now: datetime, *, share: bool = False
) -> list[str]:
    """What may still be lost, or what is past; `share` adds it in percent of equity."""
    if board.headroom is None or board.floor is None:
        return []
    room = money(abs(board.headroom), board.currency, board.currency_digits)
    if board.headroom < 0:
        return [_past(board, room, voice, now)]
    if board.guard == "latched":
        return [f"Equity is {room} above the limit again; the account stays locked."]
    floor = money(board.floor, board.currency, board.currency_digits)
    part = ""
    if share and board.equity:
        part = f", {percent(board.headroom * HUNDRED / board.equity)} of equity"
    if board.obstacles:
        everything = "everything" if words_of.partial(board.obstacles) else "anything"
        return [
            (
                f"Headroom: {room}{part}. The limit is at equity {floor}, but Reckoner cannot "
                "close "
                f"{everything}."
            )
        ]
    return [f"Headroom: {room}{part}. Reckoner closes everything at equity {floor}."]


def _past(board: AccountBoard, past: str, voice: Voice, now: datetime) -> str:
    match board.guard:
        case "countdown" if board.deadline_at is not None:
            begins = moment(board.deadline_at, voice, today=now)
            return f"{past} past the limit; closing begins at {begins}."
        case "closing":
            return f"{past} past the limit; Reckoner is closing everything."
        case "latched" if board.positions_count == 0:
            return f"The limit was passed by {past}. Everything is closed."
        case _:
            return f"{past} past the limit."


def _percent(board: AccountBoard) -> str:
    value = Decimal(0) if board.drawdown_percent is None else board.drawdown_percent
    return percent(value, board.warn_percent, board.limit_percent)


def _drawdown_lines(asked: DrawdownBoard, voice: Voice, now: datetime) -> list[str]:
    board = asked.account
    lines = [_head(board), *_trust(board, voice, now), *_headroom(board, voice, now)]
    if board.drawdown_percent is not None:
        lines.append(
            f"Drawdown: {_percent(board)} "
            f"(warning {limit(board.warn_percent)}, limit {limit(board.limit_percent)})"
        )
    if board.equity is not None and board.peak_equity is not None:
        equity = money(board.equity, board.currency, board.currency_digits)
        peak = money(board.peak_equity, board.currency, board.currency_digits)
        lines.append(f"Equity: {equity}, peak {peak}")
    if board.equity_gbp is not None and board.currency != "GBP":
        rate = "" if board.gbp_rate_at is None else f", rate {span(now - board.gbp_rate_at)} old"
        lines.append(f"Equity in pounds: {money(board.equity_gbp, 'GBP')}{rate}")
    if board.minimum_equity is not None:
        minimum = money(board.minimum_equity, board.currency, board.currency_digits)
        pounds = "" if board.currency == "GBP" else f" ({_pounds(board.min_equity_gbp)})"
        lines.append(f"Minimum equity: {minimum}{pounds}")
    else:
        lines.append(f"Minimum equity: {_pounds(board.min_equity_gbp)}, no rate for it yet")
    return [*lines, *_guard(board, voice, now), *rules.headroom(asked, now)]


def _guard(board: AccountBoard, voice: Voice, now: datetime) -> list[str]:
    since = (
        ""
        if board.guard_since is None
        else (f" since {moment(board.guard_since, voice, today=now)}")
    )
    reason = f": {word(REASONS, board.guard_reason)}" if board.guard_reason else ""
    blind = board.unavailable_since is not None or board.observed_at is None
    if blind and board.guard in BLIND_GUARDS:
        return []
    lines = [f"{word(GUARDS, board.guard)}{since}{reason}"]
    if board.obstacles and board.guard == "clear":
        stuck = (
            ""
            if board.obstacles_since is None
            else f" since {moment(board.obstacles_since, voice, today=now)}"
        )
        lines = [f"{WATCHING}{since}, {CANNOT}{stuck}"]
    if board.guard == "countdown" and board.deadline_at is not None:
        lines.append(f"Closing begins at {moment(board.deadline_at, voice, today=now)}.")
    if board.release_requested_at is not None:
        asked = moment(board.release_requested_at, voice, today=now)
        lines.append(f"Release asked for at {asked}; an admin will answer.")
    return lines


def _none_shown(board: AccountBoard) -> str:
    """No position is listed: nothing is open, or nobody has looked since the start."""
    match board.positions_count:
        case None:
            return ""  # that it was never read is said already
        case 0:
            return "Nothing open."
        case count:
            return f"{plural(count, 'position')} open when last read."


def _position(line: PositionLine, board: AccountBoard) -> str:
    origin = f"signal {line.signal_id}" if line.signal_id is not None else "not from a signal"
    result = gain(line.profit, board.currency, board.currency_digits)
    return (
        f"• {esc(line.symbol)} {esc(line.side)} {lots(line.volume)}: {result}\n"
        f"   {price(line.price_open)} → {price(line.price_current)}, "
        f"SL {price_or_none(line.stop_loss)}, TP {price_or_none(line.take_profit)}\n"
        f"   #{line.ticket}, {origin}"
    )


def _pending(line: PendingLine, voice: Voice, now: datetime) -> str:
    what = f"{esc(line.symbol)} {esc(line.side)} {lots(line.volume)}"
    at = "" if line.price is None else f" at {price(line.price)}"
    if not line.expected:
        return f"• Pending order: {what}{at}"
    until = (
        "" if line.deadline_at is None else f", until {moment(line.deadline_at, voice, today=now)}"
    )
    return f"• Approved, not placed yet: {what}{at}{until}"


def _system(system: SystemBoard) -> list[str]:
    blind = f"⚠️ {system.unavailable} cannot be read" if system.unavailable else "all readable"
    rows = [
        f"{plural(system.accounts, 'account')}, {blind}, {system.latched} locked",
        (
            f"{plural(system.unfinished_closes, 'closing')} under way, "
            f"{plural(system.open_warnings, 'open warning')}"
        ),
    ]
    if system.cannot_close:
        rows.append(f"🔴 {system.cannot_close} cannot be closed as they are: see /accounts")
    if any(state != "up" for state, _ in system.terminals):
        states = ", ".join(f"{count} {word(TERMINALS, state)}" for state, count in system.terminals)
        rows.append(f"Terminals: {states}")
    if system.outbox_due:
        oldest = (
            ""
            if system.oldest_due_at is None
            else f", the oldest for {span(system.now - system.oldest_due_at)}"
        )
        rows.append(f"{plural(system.outbox_due, 'message')} waiting{oldest}")
    return [*rows, f"Start number {system.epoch}"]


def _pounds(amount: Decimal) -> str:
    """A setting in pounds, without pence where there are none: `100 GBP`."""
    return (
        f"{amount.normalize():,f} GBP" if amount == amount.to_integral() else money(amount, "GBP")
    )


def _release_button(boards: Sequence[AccountBoard]) -> Keyboard:
    locked = [b for b in boards if b.guard == "latched" and b.release_requested_at is None]
    if len(locked) == 1:
        return keyboards.ask_release(locked[0].account_id)
    return tuple(
        row
        for board in locked[: keyboards.CHARTS_MAX]
        for row in keyboards.ask_release(board.account_id, suffix=f" {board.login}")
    )


def _chart(board: DrawdownBoard, voice: Voice, now: datetime) -> ChartRequest:
    account = board.account
    return ChartRequest(
        account_id=account.account_id,
        login=account.login,
        currency=account.currency,
        currency_digits=account.currency_digits,
        limit_percent=account.limit_percent,
        warn_percent=account.warn_percent,
        minimum_equity=account.minimum_equity,
        headroom=account.headroom,
        mark=voice.mark,
        points=board.history,
        drawn_at=now,
    )


def _tidy(rows: Sequence[str]) -> list[str]:
    return [row for row in rows if row]
