"""Take balance and credit as one sum, and call each cash flow by what it is."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Count credit into what the ledger has booked, and find deals by when they were executed."""
    op.create_index("ix_deals_account_id_executed_at", "deals", ["account_id", "executed_at"])
    op.execute("UPDATE account_state SET ledger_balance = ledger_balance + coalesce(credit, 0)")
    op.execute(
        "UPDATE cash_flows SET kind = 'bonus' WHERE kind = 'balance' AND EXISTS ("
        " SELECT 1 FROM deals WHERE deals.account_id = cash_flows.account_id"
        " AND deals.ticket = cash_flows.deal_ticket AND deals.deal_type = 6)"
    )
    op.execute("UPDATE cash_flows SET kind = 'deposit' WHERE kind = 'balance' AND amount >= 0")
    op.execute("UPDATE cash_flows SET kind = 'withdrawal' WHERE kind = 'balance'")


def downgrade() -> None:
    """Leave credit out of the ledger again."""
    op.execute(
        "UPDATE cash_flows SET kind = 'balance' WHERE kind IN ('bonus', 'deposit', 'withdrawal')"
    )
    op.execute("UPDATE account_state SET ledger_balance = ledger_balance - coalesce(credit, 0)")
    op.drop_index("ix_deals_account_id_executed_at", "deals")
