"""What the API takes and gives, field by field; the OpenAPI document is made from these.

Money, prices and volumes are decimal numbers in text, exact; instants are ISO 8601 in UTC.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from core.services.api_logs import PAGE_MAX

LOGIN_MAX: Final = 2**63 - 1
KEY: Final = r"^[A-Za-z0-9._:-]{1,64}$"
NUMBER: Final = r"^[0-9]{1,12}(\.[0-9]{1,8})?$"
LIMIT_DEFAULT: Final = 50

Amount = Annotated[
    Decimal, PlainSerializer(lambda value: f"{value:f}", return_type=str, when_used="json")
]
Login = Annotated[int, Field(ge=1, le=LOGIN_MAX)]
NumberText = Annotated[str, Field(pattern=NUMBER)]


class Given(BaseModel):
    """What is sent to the API: nothing unknown is passed over in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What the API answers."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class AccountQuery(Given):
    """Which account; all that the token may see without one."""

    login: Login | None = None


class LogQuery(Given):
    """Which part of a log, newest first."""

    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = LIMIT_DEFAULT
    before_id: Annotated[int, Field(ge=1, le=LOGIN_MAX)] | None = None


class UserPath(Given):
    """Whose log."""

    user_id: Annotated[int, Field(ge=1, le=LOGIN_MAX)]


class SyncBody(Given):
    """Which account is to be read now; every one without a login."""

    login: Login | None = None


class SignalBody(Given):
    """A signal. `id` is the sender's own: the same one again answers with the first result."""

    id: Annotated[str, Field(pattern=KEY)]
    symbol: Annotated[str, Field(pattern=r"^[A-Za-z0-9._#-]{1,29}$")]
    side: Literal["buy", "sell"]
    volume: NumberText
    stop_loss: NumberText | None = None
    take_profit: NumberText | None = None


class Problem(Answer):
    """Why not (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class AccountHead(Answer):
    """Which account, and how old what is said of it is.

    `unavailable_since` is set while the account cannot be read: figures are then those of
    `observed_at`, which is null before the first complete reading.
    """

    login: int
    server: str
    currency: str
    observed_at: datetime | None
    unavailable_since: datetime | None
    unavailable_reason: str | None


class AccountStatus(AccountHead):
    """One account's reconciliation."""

    positions_count: int | None
    open_divergences: int
    balance: Amount | None
    equity: Amount | None
    profit: Amount | None


class ReconciliationStatus(Answer):
    """Every account the token may see."""

    now: datetime
    accounts: list[AccountStatus]


class PositionAnswer(Answer):
    """An open position with the signal behind it, if any."""

    ticket: int
    symbol: str
    side: str
    volume: Amount
    price_open: Amount
    price_current: Amount
    stop_loss: Amount | None
    take_profit: Amount | None
    profit: Amount
    signal_id: int | None
    opened_at: datetime


class AccountPositions(AccountHead):
    """One account's open positions."""

    positions_count: int | None
    positions: list[PositionAnswer]


class Positions(Answer):
    """Every account the token may see."""

    now: datetime
    accounts: list[AccountPositions]


class GuardAnswer(AccountHead):
    """One account's drawdown guard; `floor` is the equity at which it closes."""

    guard: str
    guard_since: datetime | None
    guard_reason: str | None
    deadline_at: datetime | None
    equity: Amount | None
    peak_equity: Amount | None
    drawdown_percent: Amount | None
    warn_percent: Amount
    limit_percent: Amount
    minimum_equity: Amount | None
    floor: Amount | None
    headroom: Amount | None


class Guards(Answer):
    """Every account the token may see."""

    now: datetime
    accounts: list[GuardAnswer]


class LogLine(Answer):
    """One row of the reconciliation log."""

    id: int
    account_id: int
    signal_id: int | None
    approval_id: int | None
    mt5_position_id: int | None
    symbol: str | None
    direction: str | None
    volume: Amount | None
    entry_price: Amount | None
    exit_price: Amount | None
    matched: bool
    divergence_reason: str | None
    slippage_pips: Amount | None
    close_reason: str | None
    currency: str
    pnl: Amount | None
    event_type: str
    status: str
    error_message: str | None
    created_at: datetime


class LogPage(Answer):
    """Rows, newest first; `next_before_id` asks for those after them, null at the end."""

    rows: list[LogLine]
    next_before_id: int | None


class FailedSync(Answer):
    """An account that could not be read."""

    login: int
    reason: str


class LimitedSync(Answer):
    """An account that was read a moment ago."""

    login: int
    wait_s: int


class SyncAnswer(Answer):
    """What was read now."""

    synced: list[int]
    failed: list[FailedSync]
    limited: list[LimitedSync]


class SignalAnswer(Answer):
    """A signal that went out; `repeated` where the same id had posted it before."""

    signal_id: int
    offered: int
    skipped: list[str]
    expires_at: datetime
    repeated: bool


class ExpectedTrade(Answer):
    """A trade that the account's executor should place now."""

    trade_id: int
    symbol: str
    side: str
    volume: str
    stop_loss: str | None
    take_profit: str | None
    expected_entry: str
    magic: int
    comment: str
    deadline_at: datetime


class ExpectedTrades(Answer):
    """What is to be placed."""

    trades: list[ExpectedTrade]
