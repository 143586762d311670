"""Keep where each account's terminal is, its password (encrypted), and what holds up trading."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, Json, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add terminals, and to each account's state what keeps it from being closed."""
    op.create_table(
        "terminals",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("login", sa.BigInteger, nullable=False),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("portable", sa.Boolean, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("password_token", sa.Text),
        sa.Column("server_offset_s", sa.BigInteger),
        sa.Column("offset_at", UtcDateTime),
        sa.Column("linked_at", UtcDateTime, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("login", "server"),
        sqlite_autoincrement=True,
    )
    # One by one: SQLite then alters the table in place instead of copying it.
    op.add_column("account_state", sa.Column("terminal_blocked_at", UtcDateTime))
    op.add_column("account_state", sa.Column("terminal_blocked_reason", sa.Text))
    op.add_column("account_state", sa.Column("obstacles", Json))
    op.add_column("account_state", sa.Column("obstacles_since", UtcDateTime))
    op.add_column("account_state", sa.Column("obstacles_told_at", UtcDateTime))


def downgrade() -> None:
    """Forget terminals and obstacles."""
    op.drop_column("account_state", "obstacles_told_at")
    op.drop_column("account_state", "obstacles_since")
    op.drop_column("account_state", "obstacles")
    op.drop_column("account_state", "terminal_blocked_reason")
    op.drop_column("account_state", "terminal_blocked_at")
    op.drop_table("terminals")
