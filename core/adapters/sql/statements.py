"""Records to rows and filters to SQL."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Generic

from msgspec.structs import asdict
from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Delete,
    Row,
    Table,
    Update,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.sql import Select

from core.adapters.sql.models import table_of
from core.ports import R
from core.records import RECORDS, AccountStateRow, Record

IN_VALUES_MAX = 10_000
"""Values of one IN filter. Both databases refuse statements with more than 32,766 variables."""

SHAPES_MAX = 2_000
"""Statements of one kind that are kept prepared; past it they are forgotten and made anew."""

Values = dict[str, Any]
"""What a prepared statement is executed with."""

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
        self._prepared: dict[tuple[Any, ...], Any] = {}

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

    # --- statements, prepared once for each shape -------------------------------------------------

    def find(
        self, where: Mapping[str, Any], order_by: str, *, limit: int | None
    ) -> tuple[Select[Any], Values]:
        """Select rows that match, in order, with what to execute it with."""
        conditions, values = self._filters(where)
        shape = ("find", self._shape(where), order_by, limit is not None)
        statement = self._prepared.get(shape)
        if statement is None:
            statement = self.select.where(*conditions()).order_by(*self.order(order_by))
            if limit is not None:
                statement = statement.limit(bindparam("limit"))
            self._keep(shape, statement)
        if limit is not None:
            values["limit"] = limit
        return statement, values

    def count(self, where: Mapping[str, Any]) -> tuple[Select[Any], Values]:
        """Count rows that match."""
        conditions, values = self._filters(where)
        shape = ("count", self._shape(where))
        statement = self._prepared.get(shape)
        if statement is None:
            statement = select(func.count()).select_from(self.table).where(*conditions())
            self._keep(shape, statement)
        return statement, values

    def update(self, where: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[Update, Values]:
        """Change rows that match. Raises AttributeError for a field that there is not."""
        columns = {name: self.column(name) for name in changes}
        conditions, values = self._filters(where)
        shape = ("update", self._shape(where), tuple(changes))
        statement = self._prepared.get(shape)
        if statement is None:
            new = {name: bindparam(f"new_{name}", type_=c.type) for name, c in columns.items()}
            statement = update(self.table).where(*conditions()).values(new)
            self._keep(shape, statement)
        values |= {f"new_{name}": value for name, value in changes.items()}
        return statement, values

    def delete(self, where: Mapping[str, Any]) -> tuple[Delete, Values]:
        """Remove rows that match."""
        conditions, values = self._filters(where)
        shape = ("delete", self._shape(where))
        statement = self._prepared.get(shape)
        if statement is None:
            statement = delete(self.table).where(*conditions())
            self._keep(shape, statement)
        return statement, values

    def _keep(self, shape: tuple[Any, ...], statement: Any) -> None:  # noqa: ANN401 - one of four
        if len(self._prepared) >= SHAPES_MAX:
            self._prepared.clear()
        self._prepared[shape] = statement

    @staticmethod
    def _shape(where: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        return tuple((key, _form(value)) for key, value in where.items())

    def _filters(
        self, where: Mapping[str, Any]
    ) -> tuple[Callable[[], list[ColumnElement[bool]]], Values]:
        """What makes the conditions of `core.ports.Transaction`'s filters, and their values.

        Raises AttributeError or ValueError for a filter that there is not.
        """
        values: Values = {}
        for key, value in where.items():
            self._check(key, value)
            if value is not None:
                values[f"is_{key}"] = _listed(value) if _form(value) == _MANY else value

        def conditions() -> list[ColumnElement[bool]]:
            return [self._condition(key, value) for key, value in where.items()]

        return conditions, values

    def _check(self, key: str, value: object) -> None:
        name, separator, comparison = key.rpartition("__")
        if not separator:
            self.column(key)
            return
        if comparison != "ne" and comparison not in _ORDERED:
            raise AttributeError(f"{self.record.__name__} has no field or filter {key!r}")
        self.column(name)
        if comparison != "ne" and _form(value) != _ONE:
            raise ValueError(f"{key} compares with one value")

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
        column = self.column(name if separator else key)
        form = _form(value)
        given: BindParameter[Any] = bindparam(
            f"is_{key}", type_=column.type, expanding=form == _MANY
        )
        if not separator:
            return _equal(column, given, form)
        if comparison == "ne":
            return _different(column, given, form)
        ordered: ColumnElement[bool] = _ORDERED[comparison](column, given)
        return ordered


_NONE, _ONE, _MANY = "none", "one", "many"


def _form(value: object) -> str:
    """What a filter's value makes of its condition: IS NULL, a comparison, or IN."""
    if value is None:
        return _NONE
    return _MANY if isinstance(value, list | tuple | set | frozenset) else _ONE


def _equal(column: Column[Any], given: BindParameter[Any], form: str) -> ColumnElement[bool]:
    if form == _NONE:
        return column.is_(None)
    if form == _MANY:
        return column.in_(given)
    same: ColumnElement[bool] = column == given
    return same


def _different(column: Column[Any], given: BindParameter[Any], form: str) -> ColumnElement[bool]:
    # A row without a value differs from every value, as in Python and unlike SQL's <>.
    if form == _NONE:
        return column.is_not(None)
    unequal: ColumnElement[bool] = column.not_in(given) if form == _MANY else column != given
    return or_(unequal, column.is_(None)) if column.nullable else unequal


def _listed(values: list[Any] | tuple[Any, ...] | set[Any] | frozenset[Any]) -> list[Any]:
    if len(values) > IN_VALUES_MAX:
        raise ValueError(f"a filter lists at most {IN_VALUES_MAX} values, not {len(values)}")
    return list(values)


_KINDS: dict[type[Record], Kind[Any]] = {record: Kind(record) for record in RECORDS}


def kind_of(record: type[R]) -> Kind[R]:
    """Give the prepared kind of a record class."""
    return _KINDS[record]
