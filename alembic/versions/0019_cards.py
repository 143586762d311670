"""Keep each client's pinned card: which message it is, and what it shows."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "cards",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("message_id", sa.BigInteger),
        sa.Column("pinned_id", sa.BigInteger),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("edited_at", UtcDateTime),
        sa.Column("next_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("user_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Forget them: a new one is sent to everybody after the next upgrade."""
    op.drop_table("cards")
