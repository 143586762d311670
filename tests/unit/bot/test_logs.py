"""Log lines for machines: one JSON object each, and nothing in it that is code."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog

from bot import logs


@pytest.fixture
def err(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Where JSON lines at INFO go; what was set up before comes back."""
    root, alembic = logging.getLogger(), logging.getLogger("alembic")
    before = root.handlers, root.level, alembic.level
    with monkeypatch.context() as patched:
        lines = io.StringIO()
        patched.setattr(sys, "stderr", lines)
        logs.configure("INFO", "json")
    yield lines
    root.handlers, alembic.level = before[0], before[2]
    root.setLevel(before[1])
    structlog.reset_defaults()


def test_an_instant_is_iso_text(err: io.StringIO) -> None:
    at = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
    structlog.get_logger("x").info("terminal_resting", next_try_at=at)
    assert json.loads(err.getvalue())["next_try_at"] == "2026-03-04T10:00:00+00:00"


def test_migrations_are_silent_unless_something_is_wrong(err: io.StringIO) -> None:
    log = logging.getLogger("alembic.runtime.migration")
    log.info("Context impl SQLiteImpl.")
    assert not err.getvalue()
    log.warning("this is wrong")
    assert json.loads(err.getvalue())["event"] == "this is wrong"
