"""Keep each account's guard rules, what they remember, and what they did or would have done."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, Json, Scaled, UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the rules to accounts, their memory to the states, and the log of their events."""
    op.create_table(
        "rule_events",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("account_id", BigId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("figure", Scaled, nullable=False),
        sa.Column("floor", Scaled, nullable=False),
        sa.Column("equity", Scaled, nullable=False),
        sa.Column("worst_equity", Scaled),
        sa.Column("result", Scaled),
        sa.Column("opened_at", UtcDateTime, nullable=False),
        sa.Column("resolved_at", UtcDateTime),
        sa.CheckConstraint("mode IN ('observe', 'advise', 'enforce')", name="mode"),
        sa.CheckConstraint("severity IN ('close_all', 'pause_day', 'warn')", name="severity"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_rule_events_account_id_opened_at", "rule_events", ["account_id", "opened_at"]
    )
    # One by one: SQLite then alters the table in place instead of copying it.
    op.add_column("accounts", sa.Column("rules", Json))
    op.add_column("accounts", sa.Column("pending_rules", Json))
    op.add_column("accounts", sa.Column("pending_rules_effective_at", UtcDateTime))
    op.add_column("account_state", sa.Column("trusted_at", UtcDateTime))
    op.add_column("account_state", sa.Column("trusted_equity", Scaled))
    op.add_column("account_state", sa.Column("trusted_balance", Scaled))
    op.add_column("account_state", sa.Column("rule_memory", Json))
    op.add_column("account_state", sa.Column("blind_since", UtcDateTime))


def downgrade() -> None:
    """Forget them."""
    for name in ("blind_since", "rule_memory", "trusted_balance", "trusted_equity", "trusted_at"):
        op.drop_column("account_state", name)
    for name in ("pending_rules_effective_at", "pending_rules", "rules"):
        op.drop_column("accounts", name)
    op.drop_table("rule_events")
