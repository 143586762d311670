"""Keep what admins paused, until when and why."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nothing is paused."""
    op.create_table(
        "pauses",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("until", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("ended_by", BigId, sa.ForeignKey("users.id")),
        sa.CheckConstraint("what IN ('market', 'signals')", name=op.f("ck_pauses_what")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_pauses_what_until"), "pauses", ["what", "until"])


def downgrade() -> None:
    """Forget it: what was paused goes on."""
    op.drop_table("pauses")
