"""Say what a market warning does and why, and keep quotes over a restart."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, Json, Scaled, UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ADDED = (
    "rule",
    "action",
    "typical",
    "price_before",
    "price_after",
    "before_at",
    "wait_until",
    "calm_since",
)


def upgrade() -> None:
    """Add to warnings their rule, action and figures; make the table of quotes."""
    # One by one: SQLite then alters the table in place instead of copying it.
    op.add_column(
        "market_warnings", sa.Column("rule", sa.Text, nullable=False, server_default="limit")
    )
    op.add_column(
        "market_warnings", sa.Column("action", sa.Text, nullable=False, server_default="warn")
    )
    for name in ("typical", "price_before", "price_after"):
        op.add_column("market_warnings", sa.Column(name, Scaled))
    for name in ("before_at", "wait_until", "calm_since"):
        op.add_column("market_warnings", sa.Column(name, UtcDateTime))
    # Until now every gap closed at its deadline, and nothing else did.
    op.execute("UPDATE market_warnings SET action = 'close' WHERE kind = 'gap'")
    op.create_table(
        "market_quotes",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("symbol", sa.Text, nullable=False),
        sa.Column("bid", Scaled, nullable=False),
        sa.Column("ask", Scaled, nullable=False),
        sa.Column("quoted_at", UtcDateTime, nullable=False),
        sa.Column("seen_at", UtcDateTime, nullable=False),
        sa.Column("server_offset_s", sa.BigInteger, nullable=False),
        sa.Column("moves", Json, nullable=False),
        sa.Column("spreads", Json, nullable=False),
        sa.UniqueConstraint("server", "symbol", name=op.f("uq_market_quotes_server_symbol")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Forget them; a still price is no warning any more."""
    op.drop_table("market_quotes")
    op.execute(
        "UPDATE market_warnings SET state = 'resolved', resolved_at = deadline_at"
        " WHERE kind = 'still' AND resolved_at IS NULL"
    )
    for name in reversed(ADDED):
        op.drop_column("market_warnings", name)
