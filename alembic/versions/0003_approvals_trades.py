"""Keep the answers to signals and the trades they make us expect."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, Scaled, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep the answers to signals and the trades they make us expect."""
    _create_approvals()
    _create_trades()


def downgrade() -> None:
    """Forget approvals and trades."""
    op.drop_table("trades")
    op.drop_table("approvals")


def _create_approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("signal_id", BigId, sa.ForeignKey("signals.id"), nullable=False),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("decided_at", UtcDateTime),
        sa.UniqueConstraint("signal_id", "user_id", "account_id"),
        sa.CheckConstraint(
            "status IN ('offered', 'approved', 'rejected', 'expired')",
            name=op.f("ck_approvals_status"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_approvals_account_id_status", "approvals", ["account_id", "status"])


def _create_trades() -> None:
    op.create_table(
        "trades",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("approval_id", BigId, sa.ForeignKey("approvals.id"), nullable=False),
        sa.Column("signal_id", BigId, sa.ForeignKey("signals.id"), nullable=False),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("volume", Scaled, nullable=False),
        sa.Column("stop_loss", Scaled),
        sa.Column("take_profit", Scaled),
        sa.Column("expected_entry", Scaled, nullable=False),
        sa.Column("expected_at", UtcDateTime, nullable=False),
        sa.Column("magic", sa.BigInteger, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("deadline_at", UtcDateTime, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("position_id", sa.BigInteger),
        sa.Column("entry_price", Scaled),
        sa.Column("observed_volume", Scaled),
        sa.Column("opened_at", UtcDateTime),
        sa.Column("closed_at", UtcDateTime),
        sa.Column("exit_price", Scaled),
        sa.Column("close_reason", sa.Text),
        sa.Column("pnl", Scaled),
        sa.Column("missing_since", UtcDateTime),
        sa.Column("missing_count", sa.BigInteger, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("approval_id"),
        sa.UniqueConstraint("magic"),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_trades_side")),
        sa.CheckConstraint(
            "status IN ('pending', 'open', 'closed', 'cancelled', 'expired')",
            name=op.f("ck_trades_status"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_trades_account_id_status", "trades", ["account_id", "status"])
