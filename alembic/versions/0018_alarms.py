"""Keep which alerts wait for somebody to have them, and which message a later one is about."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the column."""
    op.add_column("outbox", sa.Column("about_id", sa.BigInteger))
    op.create_table(
        "alarms",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("outbox_id", BigId, sa.ForeignKey("outbox.id"), nullable=False),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("thread", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("told_at", UtcDateTime),
        sa.Column("repeats", sa.BigInteger, nullable=False),
        sa.Column("taken_by", sa.Text),
        sa.Column("taken_at", UtcDateTime),
        sa.Column("over_at", UtcDateTime),
        sa.UniqueConstraint("outbox_id"),
        sqlite_autoincrement=True,
    )
    for column in ("told_at", "thread", "account_id"):
        op.create_index(f"ix_alarms_{column}", "alarms", [column])


def downgrade() -> None:
    """Forget them."""
    op.drop_table("alarms")
    op.drop_column("outbox", "about_id")
