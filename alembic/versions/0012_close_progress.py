"""Keep what each close attempt was made with, and since when a close makes no progress."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import Json, Scaled, UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to jobs, attempts and account states what closing remembers."""
    # One by one: SQLite then alters the table in place instead of copying it.
    op.add_column("close_jobs", sa.Column("progress_at", UtcDateTime))
    op.add_column("close_jobs", sa.Column("stalled_told_at", UtcDateTime))
    op.add_column("close_jobs", sa.Column("opens_at", UtcDateTime))
    op.add_column("close_orders", sa.Column("held", Scaled))
    op.add_column("close_orders", sa.Column("deviation_points", sa.BigInteger))
    op.add_column("account_state", sa.Column("reappeared", Json))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("account_state", "reappeared")
    op.drop_column("close_orders", "deviation_points")
    op.drop_column("close_orders", "held")
    op.drop_column("close_jobs", "opens_at")
    op.drop_column("close_jobs", "stalled_told_at")
    op.drop_column("close_jobs", "progress_at")
