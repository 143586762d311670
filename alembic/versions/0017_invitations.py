"""Keep invitations, by the digests of their codes, and whom the people file says an account is."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and a column to accounts."""
    op.create_table(
        "invitations",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", UtcDateTime, nullable=False),
        sa.Column("expires_at", UtcDateTime, nullable=False),
        sa.Column("ended_at", UtcDateTime),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id")),
        sa.CheckConstraint("state IN ('open', 'used', 'void')", name="state"),
        sa.UniqueConstraint("digest"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_invitations_account_id", "invitations", ["account_id"])
    op.add_column("accounts", sa.Column("file_owner", BigId))


def downgrade() -> None:
    """Forget them."""
    op.drop_column("accounts", "file_owner")
    op.drop_table("invitations")
