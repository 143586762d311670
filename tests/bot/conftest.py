"""Log lines are kept for the test to read, not printed."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[Any]]:
    """What was logged during the test."""
    with structlog.testing.capture_logs() as lines:
        yield lines
