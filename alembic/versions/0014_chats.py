"""Keep which chats messages do not reach, and where groups have moved to."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nobody is known to be out of reach."""
    op.create_table(
        "chats",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("chat_id", sa.BigInteger, nullable=False),
        sa.Column("unreachable_since", UtcDateTime),
        sa.Column("missed", sa.BigInteger, nullable=False),
        sa.Column("moved_to", sa.BigInteger),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("chat_id"),
        sa.CheckConstraint("missed >= 0", name=op.f("ck_chats_missed")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_table("chats")
