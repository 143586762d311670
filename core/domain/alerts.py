"""Everything Reckoner tells somebody unasked, as a closed union of values.

An alert is decided and committed here as facts; `bot.views` turns it into words when it is sent.
Adding a kind means adding it to `Alert` at the bottom: mypy then names every view that lacks it.

Amounts are in the account's own currency (`currency`), percentages are percent (15 means 15 %),
prices in quote currency, instants UTC.
"""

from datetime import datetime
from decimal import Decimal
from enum import IntEnum

from core.domain.alert_parts import (
    AccountAlert,
    AlertBase,
    Appeared,
    Decision,
    DifferenceAlert,
    GroupItem,
    TicketResult,
)
from core.domain.alerts_adoption import AdoptionAlert
from core.domain.alerts_app import AppAlert
from core.domain.alerts_audit import HeadsRecorded
from core.domain.alerts_closing import ClosingAlert
from core.domain.alerts_digest import DailyDigest
from core.domain.alerts_folded import AlertsFolded
from core.domain.alerts_market import MarketCloseAhead, MarketWarning
from core.domain.alerts_money import MoneyAlert
from core.domain.alerts_over import AlertsOver
from core.domain.alerts_people import PeopleAlert
from core.domain.alerts_rules import RuleAlert
from core.domain.alerts_terminal import TerminalAlert


class Priority(IntEnum):
    """Who goes first when Telegram lets only some through."""

    CRITICAL = 0
    WARNING = 1
    INFO = 2


# --- signals and trades ------------------------------------------------------------------------


class SignalOffered(AccountAlert, frozen=True, kw_only=True):
    """A signal the client may follow on this account: Approve or Reject."""

    approval_id: int
    signal_id: int
    symbol: str
    side: str
    volume: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    expires_at: datetime
    price_digits: int = 5


class OfferAnswered(AccountAlert, frozen=True, kw_only=True):
    """The offer's end, shown in its place: approved, rejected or expired.

    Where approved, `expected_entry` is the ask (buy) or bid (sell) at the commit of the approval,
    and `broker_symbol` what the account's broker calls the symbol, empty where it says the same.
    """

    approval_id: int
    signal_id: int
    symbol: str
    side: str
    volume: Decimal
    outcome: str
    answered_at: datetime
    expected_entry: Decimal | None = None
    deadline_at: datetime | None = None
    broker_symbol: str = ""


class TradeOpened(AccountAlert, frozen=True, kw_only=True):
    """An approved trade was found at the broker. Slippage: pips, adverse positive."""

    trade_id: int
    signal_id: int | None
    position_id: int
    symbol: str
    side: str
    volume: Decimal
    entry_price: Decimal
    expected_entry: Decimal
    slippage_pips: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    opened_at: datetime


class TradeNotPlaced(AccountAlert, frozen=True, kw_only=True):
    """An approved trade did not appear by its deadline, or was withdrawn by the guard."""

    trade_id: int
    signal_id: int | None
    symbol: str
    side: str
    volume: Decimal
    reason: str
    at: datetime


class PositionClosed(AccountAlert, frozen=True, kw_only=True):
    """A position is gone and a deal says why.

    `close_reason`: client_desktop, client_mobile, client_web, foreign_ea, stop_loss, take_profit,
    stop_out, reckoner, close_by, netting_reversal, rollover, other. `partial` where some of it
    stays open. `note`, `slippage_pips`, `to_target_pips`: see `core.domain.findings.Closure`.
    """

    position_id: int
    trade_id: int | None
    signal_id: int | None
    symbol: str
    side: str
    volume: Decimal
    exit_price: Decimal
    pnl: Decimal
    close_reason: str
    closed_at: datetime
    partial: bool = False
    note: str = ""
    slippage_pips: Decimal | None = None
    to_target_pips: Decimal | None = None


# --- divergences --------------------------------------------------------------------------------


class DivergenceOpened(DifferenceAlert, frozen=True, kw_only=True):
    """The account differs from what the signals called for. `finding` names how.

    Kinds: those of `core.domain.findings.Kind`. `expected`, `observed` are the two figures as
    decimal text (prices with the symbol's digits, lots), empty where none: a stop that was not
    there before is `sl_moved` from nothing. `worse`: it changed, and more is at stake by a step.
    `waiting_signal` asks for the same as an unknown position and is not answered yet; 0: none does.
    """

    episode_id: int
    finding: str
    subject: str
    symbol: str
    side: str
    volume: Decimal
    expected: str
    observed: str
    slippage_pips: Decimal | None = None
    magic: int = 0
    opened_by: int = 0
    at: datetime
    slippage_points: Decimal | None = None
    origin: str = ""
    worse: bool = False
    waiting_signal: int = 0


class DivergencesOpened(DifferenceAlert, frozen=True, kw_only=True):
    """Many differences, found in one reading: one message, not one each.

    `items` are the first of them, `count` how many there are; `finding` is their kind, or `mixed`
    where they are of several: then each item has its own. `severity` is the gravest of theirs.
    """

    finding: str
    count: int
    items: tuple[GroupItem, ...]
    at: datetime
    severity: str = "warning"


class PositionsClosed(AccountAlert, frozen=True, kw_only=True):
    """Many positions that ended by one reading, none of them closed by Reckoner.

    `close_reason` is the one they share, `mixed` where they do not; `pnl` the sum of all.
    """

    close_reason: str
    count: int
    pnl: Decimal
    items: tuple[GroupItem, ...]
    at: datetime


class DivergenceResolved(AccountAlert, frozen=True, kw_only=True):
    """A divergence is over; `how` says by what (back as expected, position closed, explained).

    It takes the place of the message that opened it, so it carries that one's figures.
    """

    episode_id: int
    finding: str
    subject: str
    symbol: str
    side: str
    volume: Decimal
    expected: str
    observed: str
    slippage_pips: Decimal | None
    how: str
    opened_at: datetime
    resolved_at: datetime


# --- drawdown guard -----------------------------------------------------------------------------


class DrawdownWarning(AccountAlert, frozen=True, kw_only=True):
    """Drawdown passed the warning level; `headroom` is what may still be lost before closing."""

    drawdown_percent: Decimal
    warn_percent: Decimal
    limit_percent: Decimal
    equity: Decimal
    peak_equity: Decimal
    headroom: Decimal
    at: datetime


class DrawdownEased(AccountAlert, frozen=True, kw_only=True):
    """The warning is over: drawdown is below the warning level again."""

    drawdown_percent: Decimal
    warn_percent: Decimal
    equity: Decimal
    warned_at: datetime
    at: datetime


class GuardBreached(AccountAlert, frozen=True, kw_only=True):
    """The guard closes everything, at `deadline_at` or, where that is None, at once.

    `rule`: drawdown, minimum_equity, or a rule of the account's profile; of that `title`, and the
    `floor` that its `figure` broke, as `measure` has them. `skip_reason`: why there is no
    countdown. `obstacles`: what the close will meet as it is. Without positions and orders the
    account is only latched. `over_at`: when it was proved flat or, where only latched, released;
    None before.
    """

    job_id: int
    rule: str
    drawdown_percent: Decimal
    limit_percent: Decimal
    equity: Decimal
    peak_equity: Decimal | None
    minimum_equity: Decimal | None
    positions_count: int
    orders_count: int
    deadline_at: datetime | None
    skip_reason: str
    at: datetime
    obstacles: tuple[str, ...] = ()
    title: str = ""
    measure: str = ""
    figure: Decimal | None = None
    floor: Decimal | None = None
    over_at: datetime | None = None


class CloseConfirmed(AccountAlert, frozen=True, kw_only=True):
    """Confirmed flat (law 7): the scope holds no position and no order, read twice.

    `reason`: drawdown, minimum_equity, latched, market_gap, market_spread. `latched` where nothing
    may be opened before a release. `results_missing` where the broker has not shown all deals yet:
    `total_pnl` is not the whole; `completed` where this is the report that follows once it has.
    `triggered_at` is when closing was decided, with the figures of that reading; it began at
    `started_at`, before `deadline_at` where a countdown was cut short. `drawdown_after_percent` is
    the drawdown that is left; `decision` is a market warning's.
    """

    job_id: int
    reason: str
    scope: str
    results: tuple[TicketResult, ...]
    total_pnl: Decimal
    equity: Decimal
    balance: Decimal
    triggered_at: datetime
    equity_at_trigger: Decimal | None
    drawdown_percent: Decimal | None
    limit_percent: Decimal | None
    started_at: datetime
    flat_at: datetime
    latched: bool
    results_missing: bool = False
    completed: bool = False
    deadline_at: datetime | None = None
    drawdown_after_percent: Decimal | None = None
    decision: Decision | None = None


class CloseTrouble(AccountAlert, frozen=True, kw_only=True):
    """A close job is held up; it goes on trying. `trouble` is a word, `detail` the server's.

    `retcode` is the last answer's code in the order outcome table, None where it had none.
    `opens_at` is when a closed market usually opens, None where nobody can say.
    Troubles: market_closed, autotrading_off, rejected, unknown_outcome, unavailable, cannot_trade,
    terminal_blocked.
    """

    job_id: int
    scope: str
    trouble: str
    detail: str
    open_positions: int
    open_orders: int
    next_try_at: datetime
    at: datetime
    retcode: int | None = None
    opens_at: datetime | None = None


class LatchedReappeared(AccountAlert, frozen=True, kw_only=True):
    """Something was opened or placed on a latched account, by whom each of `items` says.

    It is being closed again by the job `job_id`, unless that is 0: then it is only told of, as the
    account's setting is. `items` is at most the first so many, `more` counts the others. `over_at`:
    when it was proved flat again or, where only told of, released; None before.
    """

    job_id: int
    items: tuple[Appeared, ...] = ()
    more: int = 0
    at: datetime
    over_at: datetime | None = None


class ReleaseAsked(AccountAlert, frozen=True, kw_only=True):
    """A client asks for the latch to be released; an admin grants or refuses."""

    equity: Decimal
    peak_equity: Decimal | None
    minimum_equity: Decimal | None
    latch_reason: str
    latched_at: datetime
    at: datetime


class ReleaseAnswered(AccountAlert, frozen=True, kw_only=True):
    """The latch was released (`granted`, after the account was confirmed flat) or not.

    `state`: granted (waiting for the flat proof), released, refused.
    """

    state: str
    by: str
    asked_at: datetime
    equity: Decimal
    peak_equity: Decimal | None
    at: datetime


# --- market guard -------------------------------------------------------------------------------


class LimitsChanged(AccountAlert, frozen=True, kw_only=True):
    """Limits in force changed, or a looser one waits for its 24 h."""

    max_drawdown_percent: Decimal
    warn_drawdown_percent: Decimal
    min_equity_gbp: Decimal
    pending: bool
    effective_at: datetime | None
    at: datetime


class ChatUnreachable(AlertBase, frozen=True, kw_only=True):
    """A message could not be delivered to a chat: the person blocked the bot, or left.

    `alert` is the kind of what was lost first; `reason` Telegram's own words. Told once, until the
    chat can be reached again.
    """

    chat_id: int
    person: str
    alert: str
    reason: str
    at: datetime


Alert = (
    SignalOffered
    | OfferAnswered
    | TradeOpened
    | TradeNotPlaced
    | PositionClosed
    | PositionsClosed
    | DivergenceOpened
    | DivergencesOpened
    | DivergenceResolved
    | AdoptionAlert
    | TerminalAlert
    | DrawdownWarning
    | DrawdownEased
    | GuardBreached
    | CloseConfirmed
    | CloseTrouble
    | LatchedReappeared
    | ClosingAlert
    | ReleaseAsked
    | ReleaseAnswered
    | MoneyAlert
    | MarketWarning
    | MarketCloseAhead
    | RuleAlert
    | AppAlert
    | LimitsChanged
    | ChatUnreachable
    | DailyDigest
    | HeadsRecorded
    | PeopleAlert
    | AlertsOver
    | AlertsFolded
)
