"""The declarative base: names of constraints, Python types to column types, shared pieces."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, Boolean, CheckConstraint, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, mapped_column

from core.adapters.sql.types import BigId, Json, Scaled, UtcDateTime

CONVENTION: Mapping[str, str] = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""Every constraint has a name, so that a later migration can drop it on either database."""

NUMBERED: dict[str, Any] = {"sqlite_autoincrement": True}
"""Ids are never given out twice, even after rows were removed: buttons in old messages carry them.

PostgreSQL's sequences promise that; SQLite does only with AUTOINCREMENT.
"""

Id = Annotated[int, mapped_column(BigId, primary_key=True)]


class Base(DeclarativeBase):
    """The models' base. The store itself uses their tables through Core only."""

    metadata = MetaData(naming_convention=dict(CONVENTION))
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        bool: Boolean,
        int: BigInteger,
        str: Text,
        Decimal: Scaled,
        datetime: UtcDateTime,
        dict[str, Any]: Json,
        list[int]: Json,
        list[str]: Json,
    }


def words(column: str, *allowed: str) -> CheckConstraint:
    """Constrain a text column to the words of an enumeration."""
    listed = ", ".join(f"'{word}'" for word in allowed)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
