"""Rows as values: what the store keeps, one frozen struct per table.

Field names are the column names. Amounts are `Decimal` (stored as integers scaled by 10^8), prices
in quote currency, volumes in lots, instants UTC. `id` is 0 before the row is inserted. Text columns
called `state`, `kind`, `status` hold the words of the `StrEnum`s in `core.domain`.
"""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

from core.record_base import JsonObject as JsonObject  # noqa: PLC0414 - given on from here
from core.record_base import Record as Record  # noqa: PLC0414 - given on from here
from core.records_api import ApiRequestRow as ApiRequestRow  # noqa: PLC0414 - given on from here
from core.records_api import ApiTokenRow as ApiTokenRow  # noqa: PLC0414 - given on from here
from core.records_hearing import AlarmRow as AlarmRow  # noqa: PLC0414 - given on from here
from core.records_hearing import CardRow as CardRow  # noqa: PLC0414 - given on from here
from core.records_hearing import PreferenceRow as PreferenceRow  # noqa: PLC0414 - given on from here
from core.records_links import LINK_RECORDS
from core.records_pauses import PauseRow as PauseRow  # noqa: PLC0414 - given on from here
from core.records_people import PEOPLE_RECORDS
from core.records_rules import RuleEventRow as RuleEventRow  # noqa: PLC0414 - given on from here


class UserRow(Record, frozen=True, kw_only=True):
    """A person. `role`: client, admin, owner, pending or blocked.

    `file_role` is the people file's, None where it lists them not; `blocked_at` an admin's block.
    `language` is what they chose to be spoken to in, `app_language` what their Telegram speaks;
    None or empty where it is not known.
    """

    table: ClassVar[str] = "users"
    telegram_id: int
    name: str
    role: str
    time_zone: str = "UTC"
    created_at: datetime
    file_role: str | None = None
    blocked_at: datetime | None = None
    seen_at: datetime | None = None
    language: str | None = None
    app_language: str | None = None


class AccountRow(Record, frozen=True, kw_only=True):
    """A client's trading account with the limits in force for it (law 8).

    `pending_*` are looser limits asked for and not yet in force; None where nothing is pending.
    `file_owner` is its owner by the people file (a Telegram id), None where that was not read yet.
    `owned_since`: when it became its owner's, None where it was from the beginning.
    `rules` are its guard rules in force (`core.domain.rules.RuleSet`), None where it has none.
    """

    table: ClassVar[str] = "accounts"
    user_id: int
    login: int
    server: str
    name: str
    currency: str
    margin_mode: str
    enabled: bool = True
    max_drawdown_percent: Decimal
    warn_drawdown_percent: Decimal
    min_equity_gbp: Decimal
    countdown_s: int
    pending_max_drawdown_percent: Decimal | None = None
    pending_warn_drawdown_percent: Decimal | None = None
    pending_min_equity_gbp: Decimal | None = None
    pending_effective_at: datetime | None = None
    token_hash: str | None = None
    created_at: datetime
    rules: JsonObject | None = None
    pending_rules: JsonObject | None = None
    pending_rules_effective_at: datetime | None = None
    file_owner: int | None = None
    owned_since: datetime | None = None


class SignalRow(Record, frozen=True, kw_only=True):
    """A trading signal. `source_key` makes a repeated command post it once."""

    table: ClassVar[str] = "signals"
    author_user_id: int
    symbol: str
    side: str
    volume: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    source_key: str
    status: str = "open"
    created_at: datetime
    expires_at: datetime


class ApprovalRow(Record, frozen=True, kw_only=True):
    """An account's answer to a signal: offered, approved, rejected or expired.

    Unique per (signal, user, account).
    """

    table: ClassVar[str] = "approvals"
    signal_id: int
    user_id: int
    account_id: int
    status: str = "offered"
    created_at: datetime
    decided_at: datetime | None = None


class TradeRow(Record, frozen=True, kw_only=True):
    """An expected trade: what the account should hold because its client approved a signal.

    `status`: pending (handed out, not placed), open, closed, cancelled or expired. `position_id` is
    the broker's position identifier once matched. `missing_*` count complete reads without it.
    `volume` is what was approved; `observed_volume` the most that was ever held of it, and
    `entry_price` the mean price of that. `other_position_ids` are further positions of a split
    fill. `stop_seen` and `target_seen` say whether a level ever stood there (None: not known).
    `adopted_*`: who (a user's id) said that a position is this trade, and when. Without a signal
    and an approval it was made of a position by adoption.
    """

    table: ClassVar[str] = "trades"
    approval_id: int | None
    signal_id: int | None
    user_id: int
    account_id: int
    symbol: str
    side: str
    volume: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    expected_entry: Decimal
    expected_at: datetime
    magic: int
    comment: str
    deadline_at: datetime
    status: str = "pending"
    position_id: int | None = None
    entry_price: Decimal | None = None
    observed_volume: Decimal | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    exit_price: Decimal | None = None
    close_reason: str | None = None
    pnl: Decimal | None = None
    missing_since: datetime | None = None
    missing_count: int = 0
    created_at: datetime
    other_position_ids: list[int] | None = None
    stop_seen: bool | None = None
    target_seen: bool | None = None
    adopted_by: int | None = None
    adopted_at: datetime | None = None


class ReconciliationLogRow(Record, frozen=True, kw_only=True):
    """One event of reconciliation: a first match, a divergence's change, a close, a trigger."""

    table: ClassVar[str] = "reconciliation_logs"
    user_id: int
    account_id: int
    signal_id: int | None = None
    approval_id: int | None = None
    mt5_position_id: int | None = None
    symbol: str | None = None
    direction: str | None = None
    volume: Decimal | None = None
    entry_price: Decimal | None = None
    current_price: Decimal | None = None
    exit_price: Decimal | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    matched: bool
    divergence_reason: str | None = None
    slippage_pips: Decimal | None = None
    close_reason: str | None = None
    currency: str
    pnl: Decimal | None = None
    pnl_gbp: Decimal | None = None
    pnl_percent: Decimal | None = None
    event_type: str
    status: str
    error_message: str | None = None
    created_at: datetime
    updated_at: datetime


class PositionSnapshotRow(Record, frozen=True, kw_only=True):
    """A sampled reading of an account, or one outage (`sync_error` set, figures None)."""

    table: ClassVar[str] = "position_snapshots"
    user_id: int
    account_id: int
    currency: str
    equity: Decimal | None = None
    balance: Decimal | None = None
    peak_equity: Decimal | None = None
    equity_gbp: Decimal | None = None
    balance_gbp: Decimal | None = None
    peak_equity_gbp: Decimal | None = None
    gbp_rate: Decimal | None = None
    gbp_rate_at: datetime | None = None
    drawdown_percent: Decimal | None = None
    open_positions_count: int | None = None
    total_volume_lots: Decimal | None = None
    open_pnl: Decimal | None = None
    open_pnl_gbp: Decimal | None = None
    margin_used_percent: Decimal | None = None
    last_sync_at: datetime | None = None
    sync_error: str | None = None
    created_at: datetime


class DrawdownAlertRow(Record, frozen=True, kw_only=True):
    """A drawdown warning or execution; an execution's row is one row, updated."""

    table: ClassVar[str] = "drawdown_alerts"
    user_id: int
    account_id: int
    job_id: int | None = None
    alert_type: str
    drawdown_percent: Decimal
    currency: str
    equity: Decimal
    equity_gbp: Decimal | None = None
    threshold_percent: Decimal
    action_taken: str
    positions_closed_count: int = 0
    total_loss: Decimal | None = None
    total_loss_gbp: Decimal | None = None
    status: str
    created_at: datetime
    executed_at: datetime | None = None


class AccountStateRow(Record, frozen=True, kw_only=True):
    """The latest of one account: figures, guard memory and ledger memory. `id` is the account's.

    Guard memory: `peak_equity` (cash-flow adjusted, account currency), `warned_at` (an open 15 %
    warning), `latched_at` with its reason, `release_requested_at`, `withdrawal_exempt` (equity
    under the minimum because of a withdrawal, law 8).
    Ledger memory: `ledger_balance` (balance and credit at the first read and all deals since),
    `written_off` (a change of them that no deal explained within its wait, counted as loss),
    `unexplained_since`, `pending_flow` (money moved by deals seen with untrusted readings),
    `deals_cursor_at` (all deals executed before it are booked).
    Terminal memory: `terminal_blocked_*` (it answered for another account: nothing is traded until
    an operator clears it), `obstacles` (words of `core.domain.permissions`, None before the first
    read), `obstacles_since` (while there are any), `obstacles_told_at` (last told of while
    something was held), `reappeared` (tickets on a latched account that were told of and, as its
    setting is, not closed). `autotrading` and `can_trade` say the same of terminal and account, for
    whoever asks the database; nothing here is decided by them.
    Rule memory: `trusted_*` (the last reading that could be believed, which a day's base is taken
    from), `rule_memory` (a `core.domain.rule_floor.RuleMemory` per rule), `blind_since` (told of:
    no trustworthy reading since then, with positions open).
    """

    table: ClassVar[str] = "account_state"
    observed_at: datetime | None = None
    unavailable_since: datetime | None = None
    unavailable_reason: str | None = None
    balance: Decimal | None = None
    credit: Decimal | None = None
    equity: Decimal | None = None
    profit: Decimal | None = None
    margin: Decimal | None = None
    margin_level_percent: Decimal | None = None
    positions_count: int = 0
    """Of the last reading; nothing before the first: see `known_positions`."""
    autotrading: bool = True
    can_trade: bool = True
    server_offset_s: int = 0
    gbp_rate: Decimal | None = None
    gbp_rate_at: datetime | None = None
    armed_at: datetime | None = None
    peak_equity: Decimal | None = None
    peak_at: datetime | None = None
    drawdown_percent: Decimal | None = None
    warned_at: datetime | None = None
    latched_at: datetime | None = None
    latch_reason: str | None = None
    release_requested_at: datetime | None = None
    release_granted_at: datetime | None = None
    release_granted_by: int | None = None
    withdrawal_exempt: bool = False
    ledger_balance: Decimal | None = None
    written_off: Decimal = Decimal(0)
    unexplained_since: datetime | None = None
    pending_flow: Decimal = Decimal(0)
    deals_cursor_at: datetime | None = None
    snapshot_row_at: datetime | None = None
    terminal_blocked_at: datetime | None = None
    terminal_blocked_reason: str | None = None
    obstacles: list[str] | None = None
    obstacles_since: datetime | None = None
    obstacles_told_at: datetime | None = None
    reappeared: list[int] | None = None
    trusted_at: datetime | None = None
    trusted_equity: Decimal | None = None
    trusted_balance: Decimal | None = None
    rule_memory: JsonObject | None = None
    blind_since: datetime | None = None

    @property
    def known_positions(self) -> int | None:
        """How many were open when last read; None where the account was never read."""
        return None if self.observed_at is None else self.positions_count


class EpisodeRow(Record, frozen=True, kw_only=True):
    """A divergence's life: opened, changed materially, resolved. One open per key.

    Key: (account_id, kind, subject), `subject` being a position identifier or order ticket as text.
    `material` is what a change must change to be told again; `detail` the finding's figures.
    """

    table: ClassVar[str] = "episodes"
    account_id: int
    kind: str
    subject: str
    trade_id: int | None = None
    material: str
    detail: JsonObject
    opened_at: datetime
    changed_at: datetime
    resolved_at: datetime | None = None


class QuestionRow(Record, frozen=True, kw_only=True):
    """Which trade is this position? One per position that is nobody's, until a person says so.

    `state`: open, declined ("none of these"), adopted, over (the position is known or gone).
    `version` rises with every change; a button carries the one that was shown. `about` is its side
    and lots, `candidates` the trades it may be, `detail` what the message shows
    (`core.domain.adoption.Asked`), `episode_id` whose message it takes the place of. `declined_*`:
    what was declined. `answered_*`: who (a user's id), when. `trade_id`: what it was adopted as,
    `status_before` that trade's status before.
    """

    table: ClassVar[str] = "questions"
    account_id: int
    position_id: int
    episode_id: int | None = None
    state: str
    version: int = 1
    about: str
    candidates: list[int]
    detail: JsonObject
    declined_about: str | None = None
    declined_candidates: list[int] | None = None
    answered_by: int | None = None
    answered_at: datetime | None = None
    trade_id: int | None = None
    status_before: str | None = None
    created_at: datetime
    changed_at: datetime


class DealRow(Record, frozen=True, kw_only=True):
    """A deal read from the broker, once. Unique per (account, ticket)."""

    table: ClassVar[str] = "deals"
    account_id: int
    ticket: int
    position_id: int
    deal_type: int
    entry: int
    reason: int
    symbol: str
    volume: Decimal
    price: Decimal
    profit: Decimal
    commission: Decimal
    swap: Decimal
    fee: Decimal
    magic: int
    comment: str
    executed_at: datetime
    seen_at: datetime


class CashFlowRow(Record, frozen=True, kw_only=True):
    """Money that came in or went out, and what it did to the peak (law 9).

    `kind`: deposit, withdrawal, credit or bonus.
    """

    table: ClassVar[str] = "cash_flows"
    account_id: int
    deal_ticket: int
    kind: str
    amount: Decimal
    currency: str
    peak_before: Decimal | None
    peak_after: Decimal | None
    executed_at: datetime
    created_at: datetime


class CloseJobRow(Record, frozen=True, kw_only=True):
    """A decision to close, carried out until proved. Unique per (account, trigger_key).

    `scope`: `account`, or a symbol name. `state`: countdown, closing, flat, or superseded (the
    whole account's job has taken over). `deadline_at` is when closing begins. `flat_read_at` is the
    first of the two reads that prove it (law 7). `progress_at`: when a reading last showed less to
    close; `stalled_told_at`: when it was last told that none does; `opens_at`: when the closed
    market that holds it up usually opens.
    """

    table: ClassVar[str] = "close_jobs"
    account_id: int
    trigger_key: str
    reason: str
    scope: str
    state: str
    deadline_at: datetime
    epoch: int
    equity_at_trigger: Decimal | None = None
    drawdown_percent: Decimal | None = None
    limit_percent: Decimal | None = None
    trouble: str | None = None
    flat_read_at: datetime | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    progress_at: datetime | None = None
    stalled_told_at: datetime | None = None
    opens_at: datetime | None = None


class CloseOrderRow(Record, frozen=True, kw_only=True):
    """One attempt at one ticket of a close job. Unique per (job, ticket, attempt).

    `action`: close or cancel. `state`: intended (committed, perhaps sent), done (the server said
    so), refused (certainly not executed), unknown, settled (a later read shows it gone or smaller).
    `retcode` is the trade server's, or from 1 down the library's `last_error` (domain.retcodes).
    `held` is the ticket's volume when the attempt was made; the price might move by
    `deviation_points`.
    """

    table: ClassVar[str] = "close_orders"
    job_id: int
    account_id: int
    ticket: int
    position_id: int
    action: str
    attempt: int
    symbol: str
    side: str
    volume: Decimal
    filling: int
    state: str
    retcode: int | None = None
    deal: int | None = None
    price: Decimal | None = None
    profit: Decimal | None = None
    error: str | None = None
    epoch: int
    created_at: datetime
    answered_at: datetime | None = None
    settled_at: datetime | None = None
    held: Decimal | None = None
    deviation_points: int | None = None


class MarketWarningRow(Record, frozen=True, kw_only=True):
    """A fault of one symbol's market at one server. One open per (server, symbol, kind).

    `kind`: gap, spread, still. `rule`: limit or typical. `action`: warn, block, close. `state`:
    open, held, dismissed, closing, resolved. `version` rises with every change, so that a press on
    an old message is told so. `wait_until`: a close that is due waits for a narrower spread.
    """

    table: ClassVar[str] = "market_warnings"
    server: str
    symbol: str
    kind: str
    state: str
    version: int = 1
    figure: Decimal
    limit: Decimal
    worst: Decimal
    account_ids: list[int]
    opened_at: datetime
    deadline_at: datetime
    hold_until: datetime | None = None
    answered_by: int | None = None
    answered_at: datetime | None = None
    resolved_at: datetime | None = None
    rule: str = "limit"
    action: str = "warn"
    typical: Decimal | None = None
    price_before: Decimal | None = None
    price_after: Decimal | None = None
    before_at: datetime | None = None
    wait_until: datetime | None = None
    calm_since: datetime | None = None


class OverrideRow(Record, frozen=True, kw_only=True):
    """A human's decision over a market warning, with author, reason and expiry."""

    table: ClassVar[str] = "overrides"
    warning_id: int
    user_id: int
    verb: str
    reason: str
    created_at: datetime
    expires_at: datetime | None


class MarketQuoteRow(Record, frozen=True, kw_only=True):
    """What is remembered of a symbol at one server over a restart. Unique per (server, symbol).

    `moves` and `spreads` are the samples of `core.domain.usual`, spreads by hour of the broker's
    day. `seen_at`: when a reading last showed the quote.
    """

    table: ClassVar[str] = "market_quotes"
    server: str
    symbol: str
    bid: Decimal
    ask: Decimal
    quoted_at: datetime
    seen_at: datetime
    server_offset_s: int
    moves: list[int]
    spreads: JsonObject


class AuditRow(Record, frozen=True, kw_only=True):
    """One link of the account's audit chain (account 0: the system's). Never changed or pruned.

    `hash` covers `prev_hash` and every other field but `id`; `sequence` counts per account from 1.
    `version`: 1 without a key, as rows were before there was one, 2 with the key of `key_id`.
    """

    table: ClassVar[str] = "audit_log"
    account_id: int
    sequence: int
    actor: str
    action: str
    detail: JsonObject
    created_at: datetime
    prev_hash: str
    hash: str
    version: int = 1
    key_id: str | None = None


class OutboxRow(Record, frozen=True, kw_only=True):
    """A message to one chat, committed with the state it tells of.

    `priority`: 0 critical, 1 warning, 2 info. `thread` names what the message is about: later rows
    of the same thread and chat edit (`mode` edit) or answer (`mode` reply) the first message;
    `mode` new always sends. `state`: due, sending, sent, failed (why, says `error`:
    beginning with "muted", its reader switched such messages off; with "folded", a summary counts
    it). `about_id` is the row whose message this one edits or answers, None where the thread says
    it. `rang`: whether it arrived with a sound, None where it has not arrived.
    """

    table: ClassVar[str] = "outbox"
    dedupe_key: str
    chat_id: int
    priority: int
    thread: str
    mode: str
    kind: str
    payload: str
    state: str = "due"
    attempts: int = 0
    message_id: int | None = None
    error: str | None = None
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None = None
    about_id: int | None = None
    rang: bool | None = None


class ChatRow(Record, frozen=True, kw_only=True):
    """A chat as an address: whether messages reach it, and where it has moved to.

    `unreachable_since` is when Telegram first refused one, None while none is refused; `missed` are
    the messages given up since. `moved_to` is the supergroup that a group has become.
    """

    table: ClassVar[str] = "chats"
    chat_id: int
    unreachable_since: datetime | None = None
    missed: int = 0
    moved_to: int | None = None
    changed_at: datetime


class PressRow(Record, frozen=True, kw_only=True):
    """One Telegram update, journalled before confirmed. `state`: received, handled, failed."""

    table: ClassVar[str] = "presses"
    update_id: int
    callback_id: str | None
    telegram_id: int | None
    chat_id: int | None
    body: str
    state: str = "received"
    error: str | None = None
    received_at: datetime
    handled_at: datetime | None = None


class TerminalRow(Record, frozen=True, kw_only=True):
    """Where an account's MetaTrader 5 terminal is. Unique per (login, server).

    `host` fills `{host}` of MT5_AGENT_COMMAND, "" where that has none. `password_token` is
    encrypted, None where the terminal remembers its own login. `server_offset_s` is the broker's
    clock minus UTC as last inferred, None before that.
    """

    table: ClassVar[str] = "terminals"
    login: int
    server: str
    path: str
    portable: bool = False
    host: str = ""
    password_token: str | None = None
    server_offset_s: int | None = None
    offset_at: datetime | None = None
    linked_at: datetime
    changed_at: datetime


class LeaseRow(Record, frozen=True, kw_only=True):
    """Who owns a shard of accounts, and since which epoch (the fencing token)."""

    table: ClassVar[str] = "leases"
    shard: int
    host_group: str
    owner: str
    epoch: int
    expires_at: datetime | None


RECORDS: tuple[type[Record], ...] = (
    UserRow,
    AccountRow,
    SignalRow,
    ApprovalRow,
    TradeRow,
    ReconciliationLogRow,
    PositionSnapshotRow,
    DrawdownAlertRow,
    AccountStateRow,
    EpisodeRow,
    QuestionRow,
    DealRow,
    CashFlowRow,
    CloseJobRow,
    CloseOrderRow,
    MarketWarningRow,
    OverrideRow,
    MarketQuoteRow,
    AuditRow,
    OutboxRow,
    ChatRow,
    PressRow,
    TerminalRow,
    LeaseRow,
    ApiTokenRow,
    ApiRequestRow,
    RuleEventRow,
    PreferenceRow,
    AlarmRow,
    CardRow,
    PauseRow,
    *PEOPLE_RECORDS,
    *LINK_RECORDS,
)
