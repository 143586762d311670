"""Keep what reconciliation, guards and closes know, and what they did."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, Json, Scaled, UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

UNRESOLVED = sa.text("resolved_at IS NULL")


def upgrade() -> None:
    """Keep what reconciliation, guards and closes know, and what they did."""
    _create_account_state()
    _create_deals()
    _create_cash_flows()
    _create_episodes()
    _create_reconciliation_logs()
    _create_position_snapshots()
    _create_close_jobs()
    _create_close_orders()
    _create_drawdown_alerts()
    _create_market_warnings()
    _create_overrides()


def downgrade() -> None:
    """Forget them, dependants first."""
    op.drop_table("overrides")
    op.drop_table("market_warnings")
    op.drop_table("drawdown_alerts")
    op.drop_table("close_orders")
    op.drop_table("close_jobs")
    op.drop_table("position_snapshots")
    op.drop_table("reconciliation_logs")
    op.drop_table("episodes")
    op.drop_table("cash_flows")
    op.drop_table("deals")
    op.drop_table("account_state")


def _create_account_state() -> None:
    op.create_table(
        "account_state",
        sa.Column("id", BigId, sa.ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
        sa.Column("observed_at", UtcDateTime),
        sa.Column("unavailable_since", UtcDateTime),
        sa.Column("unavailable_reason", sa.Text),
        sa.Column("balance", Scaled),
        sa.Column("credit", Scaled),
        sa.Column("equity", Scaled),
        sa.Column("profit", Scaled),
        sa.Column("margin", Scaled),
        sa.Column("margin_level_percent", Scaled),
        sa.Column("positions_count", sa.BigInteger, nullable=False),
        sa.Column("autotrading", sa.Boolean, nullable=False),
        sa.Column("can_trade", sa.Boolean, nullable=False),
        sa.Column("server_offset_s", sa.BigInteger, nullable=False),
        sa.Column("gbp_rate", Scaled),
        sa.Column("gbp_rate_at", UtcDateTime),
        sa.Column("armed_at", UtcDateTime),
        sa.Column("peak_equity", Scaled),
        sa.Column("peak_at", UtcDateTime),
        sa.Column("drawdown_percent", Scaled),
        sa.Column("warned_at", UtcDateTime),
        sa.Column("latched_at", UtcDateTime),
        sa.Column("latch_reason", sa.Text),
        sa.Column("release_requested_at", UtcDateTime),
        sa.Column("release_granted_at", UtcDateTime),
        sa.Column("release_granted_by", sa.BigInteger),
        sa.Column("withdrawal_exempt", sa.Boolean, nullable=False),
        sa.Column("ledger_balance", Scaled),
        sa.Column("written_off", Scaled, nullable=False),
        sa.Column("unexplained_since", UtcDateTime),
        sa.Column("pending_flow", Scaled, nullable=False),
        sa.Column("deals_cursor_at", UtcDateTime),
        sa.Column("snapshot_row_at", UtcDateTime),
        postgresql_with={"fillfactor": 50},
    )


def _create_deals() -> None:
    op.create_table(
        "deals",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("ticket", sa.BigInteger, nullable=False),
        sa.Column("position_id", sa.BigInteger, nullable=False),
        sa.Column("deal_type", sa.BigInteger, nullable=False),
        sa.Column("entry", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.BigInteger, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("volume", Scaled, nullable=False),
        sa.Column("price", Scaled, nullable=False),
        sa.Column("profit", Scaled, nullable=False),
        sa.Column("commission", Scaled, nullable=False),
        sa.Column("swap", Scaled, nullable=False),
        sa.Column("fee", Scaled, nullable=False),
        sa.Column("magic", sa.BigInteger, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("executed_at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("account_id", "ticket"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deals_account_id_position_id", "deals", ["account_id", "position_id"])


def _create_cash_flows() -> None:
    op.create_table(
        "cash_flows",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("deal_ticket", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("amount", Scaled, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("peak_before", Scaled),
        sa.Column("peak_after", Scaled),
        sa.Column("executed_at", UtcDateTime, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("account_id", "deal_ticket"),
        sqlite_autoincrement=True,
    )


def _create_episodes() -> None:
    op.create_table(
        "episodes",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("trade_id", BigId, sa.ForeignKey("trades.id")),
        sa.Column("material", sa.Text, nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.Column("resolved_at", UtcDateTime),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_episodes_unresolved",
        "episodes",
        ["account_id", "kind", "subject"],
        unique=True,
        postgresql_where=UNRESOLVED,
        sqlite_where=UNRESOLVED,
    )


def _create_reconciliation_logs() -> None:
    op.create_table(
        "reconciliation_logs",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("signal_id", BigId, sa.ForeignKey("signals.id")),
        sa.Column("approval_id", BigId, sa.ForeignKey("approvals.id")),
        sa.Column("mt5_position_id", sa.BigInteger),
        sa.Column("symbol", sa.Text),
        sa.Column("direction", sa.Text),
        sa.Column("volume", Scaled),
        sa.Column("entry_price", Scaled),
        sa.Column("current_price", Scaled),
        sa.Column("exit_price", Scaled),
        sa.Column("take_profit", Scaled),
        sa.Column("stop_loss", Scaled),
        sa.Column("matched", sa.Boolean, nullable=False),
        sa.Column("divergence_reason", sa.Text),
        sa.Column("slippage_pips", Scaled),
        sa.Column("close_reason", sa.Text),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("pnl", Scaled),
        sa.Column("pnl_gbp", Scaled),
        sa.Column("pnl_percent", Scaled),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("error_message", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("updated_at", UtcDateTime, nullable=False),
        sa.CheckConstraint(
            "direction IN ('buy', 'sell')", name=op.f("ck_reconciliation_logs_direction")
        ),
        sa.CheckConstraint(
            "event_type IN ('sync', 'close', 'guard_trigger', 'warning')",
            name=op.f("ck_reconciliation_logs_event_type"),
        ),
        sa.CheckConstraint(
            "status IN ('success', 'partial', 'failed', 'warning')",
            name=op.f("ck_reconciliation_logs_status"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_reconciliation_logs_approval_id", "reconciliation_logs", ["approval_id"])
    op.create_index("ix_reconciliation_logs_event_type", "reconciliation_logs", ["event_type"])
    op.create_index("ix_reconciliation_logs_signal_id", "reconciliation_logs", ["signal_id"])
    op.create_index("ix_reconciliation_logs_status", "reconciliation_logs", ["status"])
    op.create_index(
        "ix_reconciliation_logs_symbol_created_at", "reconciliation_logs", ["symbol", "created_at"]
    )
    op.create_index("ix_reconciliation_logs_user_id", "reconciliation_logs", ["user_id"])
    op.create_index(
        "ix_reconciliation_logs_user_id_created_at",
        "reconciliation_logs",
        ["user_id", "created_at"],
    )


def _create_position_snapshots() -> None:
    op.create_table(
        "position_snapshots",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("equity", Scaled),
        sa.Column("balance", Scaled),
        sa.Column("peak_equity", Scaled),
        sa.Column("equity_gbp", Scaled),
        sa.Column("balance_gbp", Scaled),
        sa.Column("peak_equity_gbp", Scaled),
        sa.Column("gbp_rate", Scaled),
        sa.Column("gbp_rate_at", UtcDateTime),
        sa.Column("drawdown_percent", Scaled),
        sa.Column("open_positions_count", sa.BigInteger),
        sa.Column("total_volume_lots", Scaled),
        sa.Column("open_pnl", Scaled),
        sa.Column("open_pnl_gbp", Scaled),
        sa.Column("margin_used_percent", Scaled),
        sa.Column("last_sync_at", UtcDateTime),
        sa.Column("sync_error", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_position_snapshots_user_id", "position_snapshots", ["user_id"])
    op.create_index(
        "ix_position_snapshots_user_id_created_at", "position_snapshots", ["user_id", "created_at"]
    )
    op.create_index(
        "ix_position_snapshots_user_id_created_at_desc",
        "position_snapshots",
        ["user_id", sa.text("created_at DESC")],
    )


def _create_close_jobs() -> None:
    op.create_table(
        "close_jobs",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("trigger_key", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("deadline_at", UtcDateTime, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("equity_at_trigger", Scaled),
        sa.Column("drawdown_percent", Scaled),
        sa.Column("limit_percent", Scaled),
        sa.Column("trouble", sa.Text),
        sa.Column("flat_read_at", UtcDateTime),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("started_at", UtcDateTime),
        sa.Column("finished_at", UtcDateTime),
        sa.UniqueConstraint("account_id", "trigger_key"),
        sa.CheckConstraint(
            "state IN ('countdown', 'closing', 'flat', 'superseded')",
            name=op.f("ck_close_jobs_state"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_close_jobs_state", "close_jobs", ["state"])


def _create_close_orders() -> None:
    op.create_table(
        "close_orders",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("job_id", BigId, sa.ForeignKey("close_jobs.id"), nullable=False),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("ticket", sa.BigInteger, nullable=False),
        sa.Column("position_id", sa.BigInteger, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("volume", Scaled, nullable=False),
        sa.Column("filling", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("retcode", sa.BigInteger),
        sa.Column("deal", sa.BigInteger),
        sa.Column("price", Scaled),
        sa.Column("profit", Scaled),
        sa.Column("error", sa.Text),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("answered_at", UtcDateTime),
        sa.Column("settled_at", UtcDateTime),
        sa.UniqueConstraint("job_id", "ticket", "attempt"),
        sa.CheckConstraint("action IN ('close', 'cancel')", name=op.f("ck_close_orders_action")),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_close_orders_side")),
        sa.CheckConstraint(
            "state IN ('intended', 'done', 'refused', 'unknown', 'settled')",
            name=op.f("ck_close_orders_state"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_close_orders_job_id", "close_orders", ["job_id"])


def _create_drawdown_alerts() -> None:
    op.create_table(
        "drawdown_alerts",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("job_id", BigId, sa.ForeignKey("close_jobs.id")),
        sa.Column("alert_type", sa.Text, nullable=False),
        sa.Column("drawdown_percent", Scaled, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("equity", Scaled, nullable=False),
        sa.Column("equity_gbp", Scaled),
        sa.Column("threshold_percent", Scaled, nullable=False),
        sa.Column("action_taken", sa.Text, nullable=False),
        sa.Column("positions_closed_count", sa.BigInteger, nullable=False),
        sa.Column("total_loss", Scaled),
        sa.Column("total_loss_gbp", Scaled),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("executed_at", UtcDateTime),
        sa.CheckConstraint(
            "alert_type IN ('warning', 'execution')", name=op.f("ck_drawdown_alerts_alert_type")
        ),
        sa.CheckConstraint(
            "action_taken IN ('warning_sent', 'positions_closed', 'failed')",
            name=op.f("ck_drawdown_alerts_action_taken"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_drawdown_alerts_alert_type", "drawdown_alerts", ["alert_type"])
    op.create_index("ix_drawdown_alerts_status", "drawdown_alerts", ["status"])
    op.create_index("ix_drawdown_alerts_user_id", "drawdown_alerts", ["user_id"])
    op.create_index(
        "ix_drawdown_alerts_user_id_created_at", "drawdown_alerts", ["user_id", "created_at"]
    )


def _create_market_warnings() -> None:
    op.create_table(
        "market_warnings",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("figure", Scaled, nullable=False),
        sa.Column("limit", Scaled, nullable=False),
        sa.Column("worst", Scaled, nullable=False),
        sa.Column("account_ids", Json, nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("deadline_at", UtcDateTime, nullable=False),
        sa.Column("hold_until", UtcDateTime),
        sa.Column("answered_by", sa.BigInteger),
        sa.Column("answered_at", UtcDateTime),
        sa.Column("resolved_at", UtcDateTime),
        sa.CheckConstraint(
            "state IN ('open', 'held', 'dismissed', 'closing', 'resolved')",
            name=op.f("ck_market_warnings_state"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_market_warnings_unresolved",
        "market_warnings",
        ["server", "symbol", "kind"],
        unique=True,
        postgresql_where=UNRESOLVED,
        sqlite_where=UNRESOLVED,
    )


def _create_overrides() -> None:
    op.create_table(
        "overrides",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("warning_id", BigId, sa.ForeignKey("market_warnings.id"), nullable=False),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("verb", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_overrides_warning_id", "overrides", ["warning_id"])
