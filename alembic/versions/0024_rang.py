"""Keep whether a message arrived with a sound: what did is told to be over, and nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of what was sent before, nobody knows."""
    op.add_column("outbox", sa.Column("rang", sa.Boolean))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("outbox", "rang")
