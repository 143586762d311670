"""Migrations go up and down, step by step, and end where the models are."""

import logging
import re
import time
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from core.adapters.sql import migrate
from core.adapters.sql.engine import one_connection
from core.adapters.sql.models import metadata
from core.ports import StoreUnavailable

REVISIONS = [f"{number:04}" for number in range(1, 27)]


async def move(url: str, verb: str, revision: str) -> None:
    def run(connection: Connection) -> None:
        connection.begin()
        getattr(command, verb)(migrate.config(connection), revision)
        connection.commit()

    async with one_connection(url) as connection:
        await connection.run_sync(run)


def parts(definition: str | None) -> list[str]:
    """The comma-separated parts of a definition: a column added later stands behind constraints."""
    return sorted(re.split(r",\s+|\s*\n\s*|\)$", definition or ""))


def described(connection: Connection) -> dict[str, Any]:
    inspector = inspect(connection)
    tables = {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)],
            sorted(map(str, inspector.get_foreign_keys(table))),
            sorted(map(str, inspector.get_unique_constraints(table))),
            sorted((str(c["name"]), c["sqltext"]) for c in inspector.get_check_constraints(table)),
        )
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'table')"
    else:
        query = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    written = {
        name: parts(definition)
        for name, definition in connection.execute(text(query)).all()
        if "alembic_version" not in name and name != "sqlite_sequence"
    }
    return {"tables": tables, "written": written}


async def schema(url: str) -> dict[str, Any]:
    """Everything the database says of its tables, but the migration's own."""
    async with one_connection(url) as connection:
        return await connection.run_sync(described)


async def test_each_step_goes_up_down_and_up_again(empty_url: str) -> None:
    after = await schema(empty_url)
    for revision in REVISIONS:
        before = after
        await move(empty_url, "upgrade", revision)
        after = await schema(empty_url)
        assert after != before
        assert await migrate.current(empty_url) == revision

        await move(empty_url, "downgrade", "-1")
        assert await schema(empty_url) == before

        await move(empty_url, "upgrade", revision)
        assert await schema(empty_url) == after


async def test_the_way_down_leaves_nothing(url: str, engine_name: str) -> None:
    await move(url, "downgrade", "base")

    if engine_name == "sqlite":
        query = (
            "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
            " AND name NOT LIKE '%alembic_version%'"
        )
    else:
        query = (
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relname NOT LIKE 'alembic_version%' UNION ALL"
            " SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
    async with one_connection(url) as connection:
        assert (await connection.execute(text(query))).all() == []
    assert await migrate.current(url) is None


async def test_the_way_down_works_with_rows(filled_url: str) -> None:
    await move(filled_url, "downgrade", "base")

    assert (await schema(filled_url))["tables"] == {}


async def test_the_models_are_what_the_migrations_make(url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with one_connection(url) as connection:
        assert await connection.run_sync(differences) == []


async def test_a_schema_made_from_the_models_is_the_same_to_the_letter(
    url: str, engine_name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Unlike Alembic's comparison this sees CHECK words, partial keys, DESC, AUTOINCREMENT."""
    if engine_name == "sqlite":
        made = f"sqlite+aiosqlite:///{tmp_path / 'made.db'}"
    else:
        server = request.getfixturevalue("postgres")
        made = await server.new()
    async with one_connection(made) as connection:
        await connection.run_sync(metadata.create_all)
        await connection.commit()

    assert await schema(url) == await schema(made)


async def test_the_newest_snapshot_first_is_an_index_of_its_own(url: str) -> None:
    """SQLite's reflection does not see a lost DESC, so the definitions are read."""
    name = "ix_position_snapshots_user_id_created_at_desc"

    definition = (await schema(url))["written"][name]

    assert "created_at DESC" in definition


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
async def test_an_empty_file_is_migrated_at_once_and_silently(
    empty_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    root = logging.getLogger()
    logging_before = (root.level, list(root.handlers), logging.getLogger("alembic").level)
    begun_s = time.perf_counter()

    await migrate.upgrade(empty_url)

    assert time.perf_counter() - begun_s < 1
    assert capfd.readouterr() == ("", "")
    assert (root.level, list(root.handlers), logging.getLogger("alembic").level) == logging_before
    assert await migrate.current(empty_url) == REVISIONS[-1]


async def test_the_ledger_takes_the_credit_in_and_flows_get_their_names(filled_url: str) -> None:
    """Booked 10,000.00 beside a credit of 250.00; a withdrawal, a bonus and a deposit."""
    asked = "SELECT (SELECT max(ledger_balance) FROM account_state), kind FROM cash_flows"
    await move(filled_url, "downgrade", "0006")
    async with one_connection(filled_url) as connection:
        state = (
            "INSERT INTO account_state (id, positions_count, autotrading, can_trade,"
            " server_offset_s, withdrawal_exempt, written_off, pending_flow, credit,"
            " ledger_balance) VALUES (1, 0, true, true, 0, false, 0, 0, 25000000000, 1000000000000)"
        )
        another = (
            "INSERT INTO cash_flows (account_id, deal_ticket, kind, amount, currency, executed_at,"
            " created_at) SELECT account_id, max(deal_ticket) + 1, 'balance', 5, currency,"
            " executed_at, created_at FROM cash_flows GROUP BY account_id, currency, executed_at,"
            " created_at"
        )
        bonus = "UPDATE deals SET deal_type = 6, ticket = 78, account_id = 1"
        for statement in ("DELETE FROM account_state", state, another, another, bonus):
            await connection.execute(text(statement))
        await connection.commit()

    await move(filled_url, "upgrade", "0007")

    async with one_connection(filled_url) as connection:
        rows = (await connection.execute(text(f"{asked} ORDER BY deal_ticket"))).all()
    assert [tuple(row) for row in rows] == [
        (1025000000000, "withdrawal"),
        (1025000000000, "bonus"),
        (1025000000000, "deposit"),
    ]

    await move(filled_url, "downgrade", "0006")

    async with one_connection(filled_url) as connection:
        rows = (await connection.execute(text(asked))).all()
    assert [tuple(row) for row in rows] == [(1000000000000, "balance")] * 3


async def test_trades_that_no_signal_called_for_go_with_the_way_down(filled_url: str) -> None:
    """And the columns they were without are required again, the other trades kept."""
    count = "SELECT count(*), count(approval_id) FROM trades"
    async with one_connection(filled_url) as connection:
        await connection.execute(text("UPDATE trades SET approval_id = NULL, signal_id = NULL"))
        await connection.execute(
            text("UPDATE episodes SET trade_id = (SELECT min(id) FROM trades)")
        )
        await connection.commit()
        assert tuple((await connection.execute(text(count))).one()) == (1, 0)

    await move(filled_url, "downgrade", "0010")

    async with one_connection(filled_url) as connection:
        assert tuple((await connection.execute(text(count))).one()) == (0, 0)
        kept = await connection.execute(text("SELECT count(*), count(trade_id) FROM episodes"))
        assert tuple(kept.one()) == (1, 0)
        if connection.dialect.name == "sqlite":
            sound = (await connection.execute(text("PRAGMA integrity_check"))).scalar_one()
            assert sound == "ok"


async def test_migrating_again_changes_nothing(url: str) -> None:
    before = await schema(url)

    await migrate.upgrade(url)

    assert await schema(url) == before


async def test_a_migration_that_fails_leaves_the_database_as_it_was(empty_url: str) -> None:
    await move(empty_url, "upgrade", "0003")
    async with one_connection(empty_url) as connection:
        # In the way of the last table of 0004, when all the others are made.
        await connection.execute(text("CREATE TABLE overrides (id INTEGER)"))
        await connection.commit()
    before = await schema(empty_url)

    with pytest.raises(StoreUnavailable, match="overrides"):
        await migrate.upgrade(empty_url)

    assert await schema(empty_url) == before
    assert await migrate.current(empty_url) == "0003"


async def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await migrate.upgrade(f"sqlite+aiosqlite:///{tmp_path / 'no' / 'such' / 'dir.db'}")


def test_there_is_one_line_of_revisions() -> None:
    scripts = ScriptDirectory.from_config(migrate.config())

    assert [each.revision for each in scripts.walk_revisions()] == REVISIONS[::-1]
