"""Bring a database to the current schema when the app starts."""

from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from core.adapters.sql.engine import one_connection
from core.adapters.sql.errors import translated

SCRIPTS = Path(__file__).resolve().parents[3] / "alembic"


def config(connection: Connection | None = None) -> Config:
    """Configure Alembic from code: no file, no working directory, no output."""
    made = Config(stdout=StringIO(), output_buffer=StringIO())
    made.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = connection
    return made


def newest() -> str | None:
    """Give the revision that this version of the program needs."""
    return ScriptDirectory.from_config(config()).get_current_head()


async def upgrade(url: str) -> None:
    """Migrate to the newest revision, all in one transaction.

    Two processes that start together migrate one after the other. Raises StoreUnavailable where
    the database cannot be opened or written.
    """

    def run(connection: Connection) -> None:
        # The write lock first, so that what the revision is now is read under it.
        connection.begin()
        command.upgrade(config(connection), "head")
        connection.commit()

    with translated():
        async with one_connection(url) as connection:
            await connection.run_sync(run)


async def current(url: str) -> str | None:
    """Give the revision the database is at; None for an empty one.

    Raises StoreUnavailable where the database cannot be opened.
    """

    def read(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    with translated():
        async with one_connection(url) as connection:
            return await connection.run_sync(read)
