"""Keep the questions which trade a position is, and trades that no signal called for."""

import re

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, Json, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CALLED_FOR = ("approval_id", "signal_id")
"""Columns of a trade that one made of a position does not have."""


def upgrade() -> None:
    """Make room for questions, and let a trade be without a signal."""
    op.create_table(
        "questions",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("position_id", sa.BigInteger, nullable=False),
        sa.Column("episode_id", BigId, sa.ForeignKey("episodes.id")),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("candidates", Json, nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.Column("declined_about", sa.Text),
        sa.Column("declined_candidates", Json),
        sa.Column("answered_by", sa.BigInteger),
        sa.Column("answered_at", UtcDateTime),
        sa.Column("trade_id", BigId, sa.ForeignKey("trades.id")),
        sa.Column("status_before", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("changed_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("account_id", "position_id"),
        sa.CheckConstraint(
            "state IN ('open', 'declined', 'adopted', 'over')", name=op.f("ck_questions_state")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_questions_state", "questions", ["state"])
    _let_be_missing(missing=True)


def downgrade() -> None:
    """Forget the questions, and the trades that no signal called for."""
    op.drop_table("questions")
    op.execute(
        "UPDATE episodes SET trade_id = NULL WHERE trade_id IN"
        " (SELECT id FROM trades WHERE approval_id IS NULL)"
    )
    op.execute("DELETE FROM trades WHERE approval_id IS NULL")
    _let_be_missing(missing=False)


def _let_be_missing(*, missing: bool) -> None:
    if op.get_bind().dialect.name != "sqlite":
        for column in CALLED_FOR:
            op.alter_column("trades", column, nullable=missing)
        return
    # A copy of the table cannot replace it while other tables' keys point at it. SQLite's manual
    # (Making Other Kinds Of Table Schema Changes) has this way for a NOT NULL that comes or goes.
    connection, end = op.get_bind(), "" if missing else " NOT NULL"
    made = "FROM sqlite_master WHERE type = 'table' AND name = 'trades'"
    definition = connection.execute(sa.text(f"SELECT sql {made}")).scalar_one()
    for column in CALLED_FOR:
        definition = re.sub(rf"\b({column} \w+)( NOT NULL)?,", rf"\1{end},", definition, count=1)
    version = connection.execute(sa.text("PRAGMA schema_version")).scalar_one()
    op.execute("PRAGMA writable_schema = ON")
    connection.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = 'trades'"),
        {"sql": definition},
    )
    op.execute(f"PRAGMA schema_version = {version + 1}")
    op.execute("PRAGMA writable_schema = OFF")
