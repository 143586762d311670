"""Keep who asks to be let in, what the people file says of each person, and who was blocked."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the requests, and two columns to people."""
    op.create_table(
        "access_requests",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("asked_at", UtcDateTime, nullable=False),
        sa.Column("decided_at", UtcDateTime),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'blocked')", name="state"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_access_requests_state", "access_requests", ["state"])
    op.create_index("ix_access_requests_user_id", "access_requests", ["user_id"])
    op.add_column("users", sa.Column("file_role", sa.Text))
    op.add_column("users", sa.Column("blocked_at", UtcDateTime))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("users", "blocked_at")
    op.drop_column("users", "file_role")
    op.drop_table("access_requests")
