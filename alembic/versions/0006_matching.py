"""Keep every position of a trade, whether its levels ever stood, and who adopted it."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import Json, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add to trades what matching remembers of them."""
    # One by one: SQLite then alters the table in place instead of copying it.
    op.add_column("trades", sa.Column("other_position_ids", Json))
    op.add_column("trades", sa.Column("stop_seen", sa.Boolean))
    op.add_column("trades", sa.Column("target_seen", sa.Boolean))
    op.add_column("trades", sa.Column("adopted_by", sa.BigInteger))
    op.add_column("trades", sa.Column("adopted_at", UtcDateTime))


def downgrade() -> None:
    """Forget them."""
    for name in ("adopted_at", "adopted_by", "target_seen", "stop_seen", "other_position_ids"):
        op.drop_column("trades", name)
