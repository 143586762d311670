"""What alerts are made of: what each has, and the lines of those that list several things."""

from datetime import datetime
from decimal import Decimal

from msgspec import Struct


class AlertBase(Struct, frozen=True, kw_only=True, tag=True):
    """What every alert has."""


class AccountAlert(AlertBase, frozen=True, kw_only=True):
    """An alert about one account."""

    account_id: int
    login: int
    client: str
    currency: str


class DifferenceAlert(AccountAlert, frozen=True, kw_only=True):
    """One or many differences: new, `changed` since they were told, or told before and the same.

    The last have lasted, the oldest of them, since `lasting_since`.
    """

    changed: bool = False
    lasting_since: datetime | None = None


class GroupItem(Struct, frozen=True, kw_only=True):
    """One line of a message about many; `finding` where they are of several kinds."""

    subject: str
    symbol: str
    side: str
    volume: Decimal
    pnl: Decimal | None = None
    finding: str = ""


class TicketResult(Struct, frozen=True, kw_only=True):
    """What became of one ticket of a close job; `outcome`: closed, cancelled, gone or open.

    `how` it went where it is gone: a `CloseReason`, empty where no deal says. `attempts` is 0 where
    Reckoner sent nothing for it, because it ended before its turn.
    """

    ticket: int
    symbol: str
    side: str
    volume: Decimal
    outcome: str
    price: Decimal | None = None
    profit: Decimal | None = None
    attempts: int = 1
    retcode: int | None = None
    how: str = ""


class Blocked(Struct, frozen=True, kw_only=True):
    """What keeps one ticket from being closed; without a ticket, what keeps the whole job.

    `word`: a trouble of `core.domain.closing`, or not_tried, lingers, figures, unreadable; in a
    rehearsal also an obstacle's of `core.domain.permissions`, closing_now or check_failed. `code`
    is the last answer's where it tells, `detail` its text, `tries` the requests made so far.
    """

    word: str
    ticket: int = 0
    symbol: str = ""
    side: str = ""
    volume: Decimal = Decimal(0)
    is_order: bool = False
    code: int | None = None
    detail: str = ""
    tries: int = 0


class Appeared(Struct, frozen=True, kw_only=True):
    """A position or pending order found on a latched account, and who made it.

    `opened_by` is MetaTrader's reason code, None where it is not told; `trade_id` is the signal's
    trade whose number it bears.
    """

    ticket: int
    symbol: str
    side: str
    volume: Decimal
    is_order: bool
    opened_by: int | None
    magic: int
    trade_id: int | None = None


class Decision(Struct, frozen=True, kw_only=True):
    """How a market warning came to close: since when it stood, who pressed Close now, and why.

    `by` and `why` are empty where nobody answered.
    """

    caused_at: datetime
    by: str = ""
    why: str = ""


class Exposure(Struct, frozen=True, kw_only=True):
    """What one account holds of a symbol on one side: lots, and its result so far in `currency`.

    `profit` is None where it is not known at the newest price.
    """

    account: str
    side: str
    volume: Decimal
    profit: Decimal | None
    currency: str


class Unguarded(Struct, frozen=True):
    """An account that is not guarded: it cannot be read for a `reason`, or it has `obstacles`."""

    login: int
    reason: str
    obstacles: tuple[str, ...] = ()
