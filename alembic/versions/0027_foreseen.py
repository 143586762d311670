"""Keep what positions that are gone without a deal had shown as profit."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import Json

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column: nothing is foreseen so far."""
    op.add_column("account_state", sa.Column("foreseen", Json))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("account_state", "foreseen")
