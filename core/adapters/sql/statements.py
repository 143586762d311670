"""Records to rows and filters to SQL."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Generic

from msgspec.structs import asdict
from sqlalchemy import Column, ColumnElement, Row, Table, or_, select
from sqlalchemy.sql import Select

from core.adapters.sql.models import table_of
from core.ports import R
from core.records import RECORDS, AccountStateRow, Record

IN_VALUES_MAX = 10_000
"""Values of one IN filter. Both databases refuse statements with more than 32,766 variables."""

_ORDERED: Mapping[str, Callable[[Any, Any], Any]] = {
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}


class Kind(Generic[R]):
    """One kind of record with its table, prepared."""

    def __init__(self, record: type[R]) -> None:
        self.record = record
        self.table: Table = table_of(record)
        self.fields = record.__struct_fields__
        self.columns: dict[str, Column[Any]] = {c.name: c for c in self.table.columns}
        self.select: Select[Any] = select(*(self.columns[name] for name in self.fields))

    def read(self, row: Row[Any]) -> R:
        """Build the record of a row that `select` gave."""
        return self.record(**dict(zip(self.fields, row, strict=True)))

    def values(self, record: Record) -> dict[str, Any]:
        """Give the column values of a record; `id` 0 is left for the database to choose.

        Raises ValueError for an account's state without the account's id.
        """
        values = asdict(record)
        if values["id"] == 0:
            if isinstance(record, AccountStateRow):
                raise ValueError("the id of an account's state is the account's")
            del values["id"]
        return values

    def column(self, name: str) -> Column[Any]:
        """Find a column. Raises AttributeError where the record has no such field."""
        try:
            return self.columns[name]
        except KeyError:
            raise AttributeError(f"{self.record.__name__} has no field {name!r}") from None

    def conditions(self, where: Mapping[str, Any]) -> list[ColumnElement[bool]]:
        """Turn filters of `core.ports.Transaction` into conditions."""
        return [self._condition(key, value) for key, value in where.items()]

    def order(self, order_by: str) -> list[ColumnElement[Any]]:
        """Turn `column` or `-column` into an order: None is lowest, equals are ordered by id.

        PostgreSQL on its own would put None highest.
        """
        descending = order_by.startswith("-")
        names = dict.fromkeys((order_by.removeprefix("-"), "id"))
        ordered: list[ColumnElement[Any]] = []
        for name in names:
            column = self.column(name)
            element = column.desc() if descending else column.asc()
            if column.nullable:
                element = element.nulls_last() if descending else element.nulls_first()
            ordered.append(element)
        return ordered

    def _condition(self, key: str, value: object) -> ColumnElement[bool]:
        name, separator, comparison = key.rpartition("__")
        if not separator:
            return _equal(self.column(key), value)
        if comparison == "ne":
            return _different(self.column(name), value)
        if comparison not in _ORDERED:
            raise AttributeError(f"{self.record.__name__} has no field or filter {key!r}")
        column = self.column(name)
        if value is None or isinstance(value, list | tuple | set | frozenset):
            raise ValueError(f"{key} compares with one value")
        ordered: ColumnElement[bool] = _ORDERED[comparison](column, value)
        return ordered


def _equal(column: Column[Any], value: object) -> ColumnElement[bool]:
    if value is None:
        return column.is_(None)
    if isinstance(value, list | tuple | set | frozenset):
        return column.in_(_listed(value))
    same: ColumnElement[bool] = column == value
    return same


def _different(column: Column[Any], value: object) -> ColumnElement[bool]:
    # A row without a value differs from every value, as in Python and unlike SQL's <>.
    if value is None:
        return column.is_not(None)
    if isinstance(value, list | tuple | set | frozenset):
        unequal: ColumnElement[bool] = column.not_in(_listed(value))
    else:
        unequal = column != value
    return or_(unequal, column.is_(None)) if column.nullable else unequal


def _listed(values: list[Any] | tuple[Any, ...] | set[Any] | frozenset[Any]) -> list[Any]:
    if len(values) > IN_VALUES_MAX:
        raise ValueError(f"a filter lists at most {IN_VALUES_MAX} values, not {len(values)}")
    return list(values)


_KINDS: dict[type[Record], Kind[Any]] = {record: Kind(record) for record in RECORDS}


def kind_of(record: type[R]) -> Kind[R]:
    """Give the prepared kind of a record class."""
    return _KINDS[record]
