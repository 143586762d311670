"""Keep accounts that clients link in the chat, from the first question to the end."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

STATES = (
    "'server', 'login', 'password', 'waiting', 'approved', 'linked', 'refused', 'failed', "
    "'cancelled', 'expired'"
)


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "link_requests",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("login", sa.BigInteger, nullable=False),
        sa.Column("password_token", sa.Text),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("wrong", sa.BigInteger, nullable=False),
        sa.Column("late", sa.BigInteger, nullable=False),
        sa.Column("checks", sa.BigInteger, nullable=False),
        sa.Column("begun_at", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("asked_at", UtcDateTime),
        sa.Column("decided_at", UtcDateTime),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("failure", sa.Text, nullable=False),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id")),
        sa.CheckConstraint(f"state IN ({STATES})", name="state"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_link_requests_user_id", "link_requests", ["user_id"])
    op.create_index("ix_link_requests_state", "link_requests", ["state"])


def downgrade() -> None:
    """Forget them."""
    op.drop_table("link_requests")
