"""Keep which language each person chose, and which their Telegram speaks."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
COLUMNS = ("language", "app_language")


def upgrade() -> None:
    """Add both columns; nobody's is known yet."""
    for name in COLUMNS:
        op.add_column("users", sa.Column(name, sa.Text))


def downgrade() -> None:
    """Forget them."""
    for name in COLUMNS:
        op.drop_column("users", name)
