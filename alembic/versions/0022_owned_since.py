"""Keep since when an account is its owner's: what was before is not theirs to see."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; whoever owns an account now has owned it all along, as far as is known."""
    op.add_column("accounts", sa.Column("owned_since", UtcDateTime))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("accounts", "owned_since")
