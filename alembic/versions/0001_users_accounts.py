"""Keep people, accounts, ownership, the journal of updates, the outbox and the audit log."""

import sqlalchemy as sa
from alembic import op

from core.adapters.sql.types import BigId, Json, Scaled, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep people, accounts, ownership, the journal of updates, the outbox and the audit log."""
    _create_users()
    _create_accounts()
    _create_leases()
    _create_presses()
    _create_outbox()
    _create_audit_log()
    _make_audit_log_append_only()


def downgrade() -> None:
    """Forget them. The audit log goes with its triggers, which only guard its rows."""
    op.drop_table("audit_log")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_log_refuse()")
    op.drop_table("outbox")
    op.drop_table("presses")
    op.drop_table("leases")
    op.drop_table("accounts")
    op.drop_table("users")


def _create_users() -> None:
    op.create_table(
        "users",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("telegram_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("telegram_id"),
        sa.CheckConstraint(
            "role IN ('client', 'admin', 'owner', 'pending', 'blocked')", name=op.f("ck_users_role")
        ),
        sqlite_autoincrement=True,
    )


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("user_id", BigId, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("login", sa.BigInteger, nullable=False),
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("margin_mode", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("max_drawdown_percent", Scaled, nullable=False),
        sa.Column("warn_drawdown_percent", Scaled, nullable=False),
        sa.Column("min_equity_gbp", Scaled, nullable=False),
        sa.Column("countdown_s", sa.BigInteger, nullable=False),
        sa.Column("pending_max_drawdown_percent", Scaled),
        sa.Column("pending_warn_drawdown_percent", Scaled),
        sa.Column("pending_min_equity_gbp", Scaled),
        sa.Column("pending_effective_at", UtcDateTime),
        sa.Column("token_hash", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.UniqueConstraint("login", "server"),
        sa.CheckConstraint(
            "margin_mode IN ('netting', 'exchange', 'hedging')",
            name=op.f("ck_accounts_margin_mode"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_accounts_user_id", "accounts", ["user_id"])


def _create_leases() -> None:
    op.create_table(
        "leases",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("shard", sa.BigInteger, nullable=False),
        sa.Column("host_group", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("expires_at", UtcDateTime),
        sa.UniqueConstraint("shard", "host_group"),
        sqlite_autoincrement=True,
    )


def _create_presses() -> None:
    op.create_table(
        "presses",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("update_id", sa.BigInteger, nullable=False),
        sa.Column("callback_id", sa.Text),
        sa.Column("telegram_id", sa.BigInteger),
        sa.Column("chat_id", sa.BigInteger),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("received_at", UtcDateTime, nullable=False),
        sa.Column("handled_at", UtcDateTime),
        sa.UniqueConstraint("update_id"),
        sa.UniqueConstraint("callback_id"),
        sa.CheckConstraint(
            "state IN ('received', 'handled', 'failed')", name=op.f("ck_presses_state")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_presses_state", "presses", ["state"])


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("dedupe_key", sa.Text, nullable=False),
        sa.Column("chat_id", sa.BigInteger, nullable=False),
        sa.Column("priority", sa.BigInteger, nullable=False),
        sa.Column("thread", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("message_id", sa.BigInteger),
        sa.Column("error", sa.Text),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("due_at", UtcDateTime, nullable=False),
        sa.Column("sent_at", UtcDateTime),
        sa.UniqueConstraint("dedupe_key"),
        sa.CheckConstraint("mode IN ('new', 'edit', 'reply')", name=op.f("ck_outbox_mode")),
        sa.CheckConstraint(
            "state IN ('due', 'sending', 'sent', 'failed')", name=op.f("ck_outbox_state")
        ),
        sa.CheckConstraint("priority BETWEEN 0 AND 2", name=op.f("ck_outbox_priority")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_chat_id_thread", "outbox", ["chat_id", "thread"])
    op.create_index("ix_outbox_state_due_at", "outbox", ["state", "due_at"])


def _create_audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", BigId, primary_key=True),
        sa.Column("account_id", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.Column("created_at", UtcDateTime, nullable=False),
        sa.Column("prev_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.UniqueConstraint("account_id", "sequence"),
        sa.CheckConstraint("sequence >= 1", name=op.f("ck_audit_log_sequence")),
        sqlite_autoincrement=True,
    )


def _make_audit_log_append_only() -> None:
    """Let the database itself refuse to change or remove an audit row."""
    if op.get_bind().dialect.name != "postgresql":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER audit_log_no_{verb} BEFORE {verb.upper()} ON audit_log "
                "BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'audit_log is append-only' "
        "USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()"
    )
