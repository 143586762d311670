"""Say of each audit row under which key it was made; those before were made under none."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add version and key to the audit log; what is there is of version 1 and has no key."""
    op.add_column(
        "audit_log", sa.Column("version", sa.BigInteger, nullable=False, server_default="1")
    )
    op.add_column("audit_log", sa.Column("key_id", sa.Text))


def downgrade() -> None:
    """Forget them. Rows with a key stay and do not verify any more: their version is not known."""
    op.drop_column("audit_log", "key_id")
    op.drop_column("audit_log", "version")
