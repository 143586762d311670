"""Amounts and instants come back as they went in, or are refused."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Dialect

from core.adapters.sql.types import UtcDateTime, scale, unscale

SQLITE: Dialect = registry.load("sqlite.aiosqlite")()
POSTGRES: Dialect = registry.load("postgresql.asyncpg")()
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - naive on purpose

# 2^63 - 1 = 9,223,372,036,854,775,807, so the largest amount is that with eight decimals.
LARGEST = Decimal("92233720368.54775807")

amounts = st.decimals(-LARGEST, LARGEST, places=8)


@given(amounts)
def test_an_amount_comes_back_exactly(amount: Decimal) -> None:
    assert unscale(scale(amount)) == amount


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_a_stored_integer_comes_back_exactly(stored: int) -> None:
    assert scale(unscale(stored)) == stored


@given(amounts, amounts)
def test_stored_amounts_order_like_amounts(one: Decimal, other: Decimal) -> None:
    assert (scale(one) < scale(other)) == (one < other)


@pytest.mark.parametrize(
    ("amount", "stored"),
    [
        (Decimal("0.00000001"), 1),
        (Decimal("-1.5"), -150_000_000),
        (Decimal("1E+3"), 100_000_000_000),
        (Decimal("1.100000000000"), 110_000_000),  # Zeros are not decimals.
        (Decimal("0E-400"), 0),
        (7, 700_000_000),
        (LARGEST, 2**63 - 1),
        (-LARGEST, 1 - 2**63),
    ],
)
def test_an_amount_is_stored_scaled_by_ten_to_the_eighth(amount: Decimal, stored: int) -> None:
    assert scale(amount) == stored


@pytest.mark.parametrize(
    "amount",
    [
        Decimal("0.000000001"),  # Nine decimals.
        Decimal("1E-400"),
        Decimal("1." + "0" * 70 + "1"),
        Decimal("92233720368.54775808"),  # One past the largest.
        Decimal("-92233720368.54775808"),
        Decimal("1E+999999"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Decimal("-Infinity"),
        cast("Decimal", 0.5),
        cast("Decimal", "1"),
    ],
)
def test_an_amount_that_would_change_is_refused(amount: Decimal) -> None:
    with pytest.raises(ValueError, match=r"amount|decimals|63 bits"):
        scale(amount)


def test_an_instant_is_fixed_width_text_in_utc_on_sqlite() -> None:
    tokyo = timezone(timedelta(hours=9))
    moment = datetime(2026, 1, 1, 8, 30, tzinfo=tokyo)

    stored = UtcDateTime().process_bind_param(moment, SQLITE)

    assert stored == "2025-12-31T23:30:00.000000"
    assert UtcDateTime().process_result_value(stored, SQLITE) == moment


@given(*[st.datetimes(timezones=st.just(UTC))] * 2)
def test_stored_instants_order_like_instants(one: datetime, other: datetime) -> None:
    bind = UtcDateTime().process_bind_param
    stored_one, stored_other = bind(one, SQLITE), bind(other, SQLITE)

    assert isinstance(stored_one, str)
    assert isinstance(stored_other, str)
    assert (stored_one < stored_other) == (one < other)
    assert UtcDateTime().process_result_value(stored_one, SQLITE) == one


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRES], ids=["sqlite", "postgresql"])
@pytest.mark.parametrize("value", [NAIVE, cast("datetime", "2026-01-01")])
def test_what_is_not_an_aware_instant_is_refused(dialect: Dialect, value: datetime) -> None:
    with pytest.raises(ValueError, match="not an aware instant"):
        UtcDateTime().process_bind_param(value, dialect)
