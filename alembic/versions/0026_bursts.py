"""Find what a chat was told lately: whether a burst is under way is asked of every message."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_outbox_chat_id_created_at", "outbox", ["chat_id", "created_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_outbox_chat_id_created_at", "outbox")
