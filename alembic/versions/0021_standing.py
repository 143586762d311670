"""Keep when each person was last seen, and what waits to be confirmed."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and a column to people."""
    op.create_table(
        "confirmations",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("asker_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.CheckConstraint("state IN ('open', 'done', 'cancelled')", name="state"),
        sqlite_autoincrement=True,
    )
    op.add_column("users", sa.Column("seen_at", UtcDateTime))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("users", "seen_at")
    op.drop_table("confirmations")
