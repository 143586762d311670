"""Keep what each person wants to hear, and when."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, Json, UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "preferences",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("levels", Json, nullable=False),
        sa.Column("quiet_start_min", sa.BigInteger),
        sa.Column("quiet_end_min", sa.BigInteger),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("user_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Forget it: everybody hears everything again."""
    op.drop_table("preferences")
