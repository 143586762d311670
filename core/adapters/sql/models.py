"""All models in one place: importing this module fills the metadata."""

from sqlalchemy import Table

from core.adapters.sql.base import Base
from core.adapters.sql.models_accounts import Account, AccountState, Terminal, User
from core.adapters.sql.models_api import ApiRequest, ApiToken
from core.adapters.sql.models_closing import (
    CloseJob,
    CloseOrder,
    MarketQuote,
    MarketWarning,
    Override,
)
from core.adapters.sql.models_hearing import Alarm, Card, Preference
from core.adapters.sql.models_links import LinkRequest
from core.adapters.sql.models_ops import Audit, Chat, Lease, Outbox, Press
from core.adapters.sql.models_pauses import Pause
from core.adapters.sql.models_people import AccessRequest, Confirmation, Invitation
from core.adapters.sql.models_reconciliation import (
    CashFlow,
    Deal,
    DrawdownAlert,
    Episode,
    PositionSnapshot,
    Question,
    ReconciliationLog,
)
from core.adapters.sql.models_rules import RuleEvent
from core.adapters.sql.models_trading import Approval, Signal, Trade
from core.records import Record

__all__ = [
    "AccessRequest",
    "Account",
    "AccountState",
    "Alarm",
    "ApiRequest",
    "ApiToken",
    "Approval",
    "Audit",
    "Base",
    "Card",
    "CashFlow",
    "Chat",
    "CloseJob",
    "CloseOrder",
    "Confirmation",
    "Deal",
    "DrawdownAlert",
    "Episode",
    "Invitation",
    "Lease",
    "LinkRequest",
    "MarketQuote",
    "MarketWarning",
    "Outbox",
    "Override",
    "Pause",
    "PositionSnapshot",
    "Preference",
    "Press",
    "Question",
    "ReconciliationLog",
    "RuleEvent",
    "Signal",
    "Terminal",
    "Trade",
    "User",
    "metadata",
    "table_of",
]

metadata = Base.metadata


def table_of(kind: type[Record]) -> Table:
    """Give the table that keeps records of this kind."""
    return metadata.tables[kind.table]
