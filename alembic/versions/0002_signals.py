"""Keep signals."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, Scaled, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep signals."""
    _create_signals()


def downgrade() -> None:
    """Forget signals."""
    op.drop_table("signals")


def _create_signals() -> None:
    op.create_table(
        "signals",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("author_user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("volume", Scaled, nullable=False),
        sa.Column("stop_loss", Scaled),
        sa.Column("take_profit", Scaled),
        sa.Column("source_key", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("source_key"),
        sa.CheckConstraint("side IN ('buy', 'sell')", name=op.f("ck_signals_side")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_signals_status_expires_at", "signals", ["status", "expires_at"])
