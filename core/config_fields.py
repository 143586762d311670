"""Fields of settings: each says what it means, in which bounds, and what it accepts in words."""

from decimal import Decimal
from typing import Any, Final

from pydantic import Field

DAY_S: Final = 86_400
INTERVAL_S_MIN: Final = 0.1
INTERVAL_S_MAX: Final = 300


def between(default: float | Decimal, low: object, high: object, unit: str, meaning: str) -> Any:  # noqa: ANN401 - a field's default has the field's type
    """A bounded figure; both bounds are allowed values."""
    accepts = _range(default, low, high, unit)
    bounds: dict[str, Any] = {"ge": low, "le": high}
    return Field(
        default=default, description=meaning, json_schema_extra={"accepts": accepts}, **bounds
    )


def at_most(default_s: float, ceiling: str, meaning: str) -> Any:  # noqa: ANN401 - as above
    """An interval that follows another one down unless it is given itself."""
    return Field(
        default_factory=lambda data: min(default_s, data[ceiling]),
        ge=INTERVAL_S_MIN,
        le=INTERVAL_S_MAX,
        description=meaning,
        json_schema_extra={"accepts": _range(default_s, INTERVAL_S_MIN, INTERVAL_S_MAX, "seconds")},
    )


def _range(default: object, low: object, high: object, unit: str) -> str:
    noun = "a whole number" if isinstance(default, int) else "a number"
    return f"{noun} from {low} to {high} ({unit})"


def text(default: object, accepts: str, meaning: str, **limits: Any) -> Any:  # noqa: ANN401 - as above
    """Anything else, with what it accepts in words."""
    return Field(
        default=default, description=meaning, json_schema_extra={"accepts": accepts}, **limits
    )
