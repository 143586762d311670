"""How values are stored: exact amounts, UTC instants, JSON and 64-bit keys, on both databases."""

from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation

from sqlalchemy import JSON, BigInteger, Integer, String
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

DECIMALS = 8
"""Amounts are stored as integers scaled by 10 to this power (law 11)."""

STORED_MAX = 2**63 - 1
"""The largest scaled integer a column holds: 92,233,720,368.54775807 unscaled."""

_ADJUSTED_MAX = 10  # The exponent of the leading digit of STORED_MAX, unscaled.
_EXACT = Context(prec=64, traps=[Inexact, InvalidOperation])


def scale(value: Decimal | int) -> int:
    """Give the integer that stores an amount.

    Raises ValueError where it would not come back equal: a float, a NaN or infinity, more than
    eight decimals, or more than 63 bits.
    """
    if isinstance(value, int):
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise ValueError(f"an amount is a Decimal, not {type(value).__name__}")  # noqa: TRY004 - one error for every unstorable amount
    if not value.is_finite():
        raise ValueError(f"{value} is not an amount")
    if value and value.adjusted() > _ADJUSTED_MAX:
        raise ValueError(f"{value} does not fit 63 bits")
    try:
        shifted = value.scaleb(DECIMALS, context=_EXACT)
    except (Inexact, InvalidOperation):
        raise ValueError(f"{value} has more than {DECIMALS} decimals") from None
    stored = int(shifted)
    if stored != shifted:
        raise ValueError(f"{value} has more than {DECIMALS} decimals")
    if abs(stored) > STORED_MAX:
        raise ValueError(f"{value} does not fit 63 bits")
    return stored


def unscale(stored: int) -> Decimal:
    """Give the amount that a stored integer stands for."""
    return Decimal(stored).scaleb(-DECIMALS, context=_EXACT)


class Scaled(TypeDecorator[Decimal]):
    """An exact amount in a 64-bit integer column, scaled by 10^8."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Scale; ValueError where that is not exact."""
        return None if value is None else scale(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Unscale."""
        return None if value is None else unscale(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, UTC.

    TIMESTAMPTZ on PostgreSQL; on SQLite text of fixed width (`2026-01-31T23:59:59.000001`), whose
    order is the order of time.
    """

    impl = String(26)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime] | TypeEngine[str]:
        """Choose the column type of the database."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(String(26))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        """Store in UTC; ValueError for a naive instant, whose zone nobody knows."""
        if value is None:
            return None
        if not isinstance(value, datetime) or value.utcoffset() is None:
            raise ValueError(f"{value!r} is not an aware instant")
        moment = value.astimezone(UTC)
        if dialect.name == "postgresql":
            return moment
        return moment.replace(tzinfo=None).isoformat(timespec="microseconds")

    def process_result_value(
        self,
        value: datetime | str | None,
        dialect: Dialect,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> datetime | None:
        """Give the instant back, aware."""
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        return value.astimezone(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")
"""JSON text on SQLite, JSONB on PostgreSQL."""

BigId = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit key. SQLite numbers rows by itself only in a column declared INTEGER."""
