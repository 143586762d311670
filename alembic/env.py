"""Run migrations on the connection that `core.adapters.sql.migrate` hands over.

From the command line, name the database:

    alembic -x url=sqlite+aiosqlite:///reckoner.db upgrade head

Logging is left as the caller has set it.
"""

import asyncio

from alembic import context
from sqlalchemy import Connection

from core.adapters.sql.engine import one_connection
from core.adapters.sql.models import metadata


def migrate(connection: Connection) -> None:
    """Run what was asked for in one transaction: a migration that fails leaves nothing behind."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


async def migrate_by_url(url: str) -> None:
    """Open the database of the command line and run what was asked for."""
    async with one_connection(url) as connection:
        await connection.run_sync(migrate)
        await connection.commit()


def main() -> None:
    """Choose between the two ways in."""
    handed_over = context.config.attributes.get("connection")
    if handed_over is not None:
        migrate(handed_over)
        return
    url = context.get_x_argument(as_dictionary=True).get("url")
    if not url:
        message = "name the database: alembic -x url=sqlite+aiosqlite:///reckoner.db ..."
        raise SystemExit(message)
    asyncio.run(migrate_by_url(url))


main()
