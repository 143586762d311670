"""What people asked to see: positions, drawdown, status, accounts, warnings.

Every board says how old its figures are. What cannot be read stands first, and older figures are
never shown as current.
"""

from collections.abc import Sequence
from datetime import datetime

from bot import keyboards
from bot.callbacks import BoardKind
from bot.i18n import later, spoken, t, tn
from bot.markup import esc
from bot.views import alerts_market, rules
from bot.views import obstacles as words_of
from bot.views.account_lines import (
    drawdown_percent,
    guard,
    headroom,
    money_lines,
    none_shown,
    pending,
    position,
    pounds,
)
from bot.views.alerts_terminal import NEVER_READ, UNLINKED
from bot.views.causes import cause
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
    limit,
    moment,
    money,
    span,
)
from bot.views.words import word
from core.domain.alerts_market import MarketWarning
from core.domain.board import (
    AccountBoard,
    DrawdownBoard,
    SystemBoard,
    TerminalLine,
)

WARNINGS_MAX = 10
"""Warnings shown one by one, each with its buttons."""
NO_ACCOUNT = later("No account is linked to you yet. Please ask your admin.")
ADMIN_NO_ACCOUNT = later("You have no account of your own; /accounts shows all.")
REASON_CHARS_MAX = 120
TERMINALS = {
    "up": later("up"),
    "starting": later("starting"),
    "resting": later("resting"),
    "unlinked": later("not linked"),
}
"""States of a guard that mean nothing while its account cannot be read."""


def no_account(*, admin: bool) -> Message:
    """To somebody who asks for their accounts and has none."""
    return Message(html=t(ADMIN_NO_ACCOUNT) if admin else t(NO_ACCOUNT))


def positions(boards: Sequence[AccountBoard], voice: Voice, now: datetime) -> tuple[Message, ...]:
    """A client's open positions and what is expected to be placed."""
    known = [board.positions_count for board in boards if board.positions_count is not None]
    counted = (
        tn("{n} open position", "{n} open positions", sum(known))
        if known
        else t("Positions: not known")
    )
    title = titled(voice, f"📊 {counted}", boards)
    rows: list[str] = []
    for board in boards:
        rows += [head(board), *trust(board, voice, now), *money_lines(board)]
        rows += [position(line, board) for line in board.positions]
        rows += [pending(line, voice, now) for line in board.pending]
        if not board.positions and not board.pending:
            rows.append(none_shown(board))
    held = [(board.account_id, board.login) for board in boards if board.exposure]
    keyboard = (*keyboards.exposure(held), *keyboards.refresh(BoardKind.POSITIONS))
    return pages(title, _tidy(rows), (), keyboard)


def drawdown(boards: Sequence[DrawdownBoard], voice: Voice, now: datetime) -> tuple[Message, ...]:
    """A client's drawdown. One account comes with its chart, several with a button for each."""
    if len(boards) == 1:
        return (drawdown_chart(boards[0], voice, now),)
    accounts = [board.account for board in boards]
    rows = [line for board in boards for line in _drawdown_lines(board, voice, now)]
    buttons = keyboards.charts([(account.account_id, account.login) for account in accounts])
    keyboard = (*buttons, *keyboards.refresh(BoardKind.DRAWDOWN))
    return pages(titled(voice, t("📉 Drawdown"), accounts), rows, (), keyboard)


def drawdown_chart(board: DrawdownBoard, voice: Voice, now: datetime) -> Message:
    """One account's figures as a caption, and the chart to draw above it."""
    account = board.account
    figure = "" if account.drawdown_percent is None else f" {drawdown_percent(account)}"
    title = titled(
        voice, t("📉 Drawdown{figure} on {login}", figure=figure, login=account.login), [account]
    )
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
    title = titled(
        voice, t("🟢 Reckoner {version} is running", version=esc(system.version)), boards
    )
    now = system.now
    rows = _system(system) if admin else []
    audience = Audience.ADMIN if admin else Audience.CLIENT
    for board in boards:
        rows += [head(board), *trust(board, voice, now, audience), *guard(board, voice, now)]
    since = moment(system.started_at, voice, today=now)
    tail = [t("Running since {since}, seen at {now}", since=since, now=moment(now, voice))]
    keyboard = (*_release_button(boards), *keyboards.refresh(BoardKind.STATUS))
    return pages(title, rows, tail, keyboard)


def accounts(boards: Sequence[AccountBoard], voice: Voice, now: datetime) -> tuple[Message, ...]:
    """Every account for the admins, the least headroom first."""
    title = tn(
        "🗂 {n} account, least room in percent of equity first",
        "🗂 {n} accounts, least room in percent of equity first",
        len(boards),
    )
    rows: list[str] = []
    for board in boards:
        rows += [
            f"<b>{esc(board.client)}, {board.login}</b>",
            *trust(board, voice, now, Audience.ADMIN),
            *money_lines(board),
            *headroom(board, voice, now, share=True),
            *guard(board, voice, now),
        ]
        if board.open_divergences:
            rows.append(
                tn(
                    "⚠️ {n} open difference from its signals",
                    "⚠️ {n} open differences from its signals",
                    board.open_divergences,
                )
            )
    return pages(
        titled(voice, title, boards),
        rows or [t("No account yet.")],
        (),
        keyboards.refresh(BoardKind.ACCOUNTS),
    )


def warnings(lines: Sequence[MarketWarning], voice: Voice, now: datetime) -> tuple[Message, ...]:
    """Unresolved market warnings, one message each, so that each keeps its own buttons."""
    if not lines:
        return (Message(html=t("✅ No open market warning, {age}", age=age(now, now, voice))),)
    shown = [alerts_market.line(line, voice, now) for line in lines[:WARNINGS_MAX]]
    left = len(lines) - len(shown)
    more = [Message(html=t("and {left} more. Answer these first.", left=left))] if left else []
    return (*shown, *more)


def titled(voice: Voice, text: str, boards: Sequence[AccountBoard]) -> str:
    """A board's first line: what cannot be read or closed goes before everything else."""
    blind = [board for board in boards if board.unavailable_since or board.observed_at is None]
    if blind:
        first = tn("⚠️ {n} account cannot be read", "⚠️ {n} accounts cannot be read", len(blind))
        return f"<b>{marked(voice, first)}</b>\n{text}"
    stuck = [board for board in boards if board.obstacles]
    if stuck:
        first = tn("🔴 Cannot close on {n} account", "🔴 Cannot close on {n} accounts", len(stuck))
        return f"<b>{marked(voice, first)}</b>\n{text}"
    return f"<b>{marked(voice, text)}</b>"


def head(board: AccountBoard) -> str:
    """Which account the lines below are about."""
    return f"<b>{board.login}</b> {esc(board.name)}".rstrip()


def trust(
    board: AccountBoard, voice: Voice, now: datetime, audience: Audience = Audience.CLIENT
) -> list[str]:
    """How far figures and guard may be believed: unreadable first, then age, then obstacles."""
    lines: list[str] = []
    if board.unavailable_since is not None:
        since = moment(board.unavailable_since, voice, today=now)
        why = f": {cause(board.unavailable_reason)}" if board.unavailable_reason else ""
        lines.append(
            t(
                "⚠️ Cannot be read since {since}{why}. Not guarded until it can.",
                since=since,
                why=why,
            )
        )
        if board.observed_at is None:
            lines.append(t(NEVER_READ))
        if board.observed_at is not None:
            read = moment(board.observed_at, voice, today=now)
            ago = span(now - board.observed_at)
            lines.append(
                t("Last read at {read}, {ago} ago; figures are from then.", read=read, ago=ago)
            )
    elif board.observed_at is None:
        lines.append(t("⚠️ Never read: what is open is not known."))
    else:
        lines.append(t("Figures {age}", age=age(board.observed_at, now, voice)))
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
            return [t("⏳ Its terminal is being started since {since}.", since=since)]
        case "resting":
            until = ""
            if line.next_try_at is not None:
                until = t(" until {until}", until=moment(line.next_try_at, voice, today=now))
            tried = (
                tn(" after {n} failure", " after {n} failures", line.attempts)
                if line.attempts
                else ""
            )
            told = audience is Audience.ADMIN and line.reason
            why = f": {cause(line.reason, REASON_CHARS_MAX)}" if told else ""
            return [
                t("⏳ Its terminal rests{until}{tried}{why}.", until=until, tried=tried, why=why)
            ]
        case "unlinked":
            return [f"⚠️ {t(UNLINKED[audience])}"]
        case _:
            return []


def _drawdown_lines(asked: DrawdownBoard, voice: Voice, now: datetime) -> list[str]:
    board = asked.account
    lines = [head(board), *trust(board, voice, now), *headroom(board, voice, now)]
    if board.drawdown_percent is not None:
        lines.append(
            t(
                "Drawdown: {drawdown} (warning {warning}, limit {limit})",
                drawdown=drawdown_percent(board),
                warning=limit(board.warn_percent),
                limit=limit(board.limit_percent),
            )
        )
    if board.equity is not None and board.peak_equity is not None:
        equity = money(board.equity, board.currency, board.currency_digits)
        peak = money(board.peak_equity, board.currency, board.currency_digits)
        lines.append(t("Equity: {equity}, peak {peak}", equity=equity, peak=peak))
    if board.equity_gbp is not None and board.currency != "GBP":
        rate = (
            ""
            if board.gbp_rate_at is None
            else t(", rate {age} old", age=span(now - board.gbp_rate_at))
        )
        equity = money(board.equity_gbp, "GBP")
        lines.append(t("Equity in pounds: {equity}{rate}", equity=equity, rate=rate))
    if board.minimum_equity is not None:
        minimum = money(board.minimum_equity, board.currency, board.currency_digits)
        set_as = "" if board.currency == "GBP" else f" ({pounds(board.min_equity_gbp)})"
        lines.append(t("Minimum equity: {minimum}{set_as}", minimum=minimum, set_as=set_as))
    else:
        minimum = pounds(board.min_equity_gbp)
        lines.append(t("Minimum equity: {minimum}, no rate for it yet", minimum=minimum))
    return [*lines, *guard(board, voice, now), *rules.headroom(asked, now)]


def _system(system: SystemBoard) -> list[str]:
    read = (
        tn("⚠️ {n} cannot be read", "⚠️ {n} cannot be read", system.unavailable)
        if system.unavailable
        else t("all readable")
    )
    many = tn("{n} account", "{n} accounts", system.accounts)
    locked = tn("{n} locked", "{n} locked", system.latched)
    closing = tn("{n} closing under way", "{n} closings under way", system.unfinished_closes)
    warned = tn("{n} open warning", "{n} open warnings", system.open_warnings)
    rows = [f"{many}, {read}, {locked}", f"{closing}, {warned}"]
    if system.cannot_close:
        rows.append(
            tn(
                "🔴 {n} cannot be closed as it is: see /accounts",
                "🔴 {n} cannot be closed as they are: see /accounts",
                system.cannot_close,
            )
        )
    if any(state != "up" for state, _ in system.terminals):
        states = ", ".join(f"{count} {word(TERMINALS, state)}" for state, count in system.terminals)
        rows.append(t("Terminals: {states}", states=states))
    if system.outbox_due:
        oldest = (
            ""
            if system.oldest_due_at is None
            else t(", the oldest for {age}", age=span(system.now - system.oldest_due_at))
        )
        rows.append(
            tn(
                "{n} message waiting{oldest}",
                "{n} messages waiting{oldest}",
                system.outbox_due,
                oldest=oldest,
            )
        )
    return [*rows, t("Start number {number}", number=system.epoch)]


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
        language=spoken(),
        points=board.history,
        drawn_at=now,
    )


def _tidy(rows: Sequence[str]) -> list[str]:
    return [row for row in rows if row]
