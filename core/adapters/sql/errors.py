"""The database's failures in the words of `core.ports`."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.ports import DuplicateRow, StoreUnavailable

_SQLITE_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})
_POSTGRES_UNIQUE = "23505"


class InvalidRow(ValueError):
    """The row breaks a rule of the schema: an unknown word, a missing value or a missing parent."""


class TransactionFailed(StoreUnavailable):
    """The transaction goes on after one of its statements failed; nothing of it was committed."""


class ReadOnly(RuntimeError):
    """A write was asked of a transaction that only reads."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn what SQLAlchemy and the drivers raise into the errors of `core.ports`.

    DuplicateRow for a unique key, InvalidRow for any other constraint, ValueError for a value that
    its column cannot hold, StoreUnavailable for the rest.
    """
    try:
        yield
    except IntegrityError as error:
        if _is_duplicate(error):
            raise DuplicateRow(str(error.orig)) from error
        raise InvalidRow(str(error.orig)) from error
    except (DBAPIError, PoolTimeout) as error:
        raise StoreUnavailable(str(error)) from error
    except StatementError as error:
        # A value that its column type refused; the driver was not asked.
        if error.orig is None:
            raise
        raise ValueError(str(error.orig)) from error
    except (OSError, sqlite3.Error, TimeoutError) as error:
        raise StoreUnavailable(str(error) or type(error).__name__) from error


def _is_duplicate(error: IntegrityError) -> bool:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return cause.sqlite_errorcode in _SQLITE_UNIQUE
    return getattr(cause, "sqlstate", None) == _POSTGRES_UNIQUE
