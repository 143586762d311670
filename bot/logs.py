"""Structured logs on standard error, with secrets taken out."""

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import datetime
from typing import Any, Final

import structlog

_BOT_TOKEN: Final = re.compile(r"\d{3,20}:[A-Za-z0-9_-]{20,}|/bot\d+:[^/\s]+")
_SECRET_KEYS: Final = frozenset({"password", "token", "secret", "authorization"})
HIDDEN: Final = "***"


def configure(level: str, style: str) -> None:
    """Send everything, the libraries' records included, through one renderer."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
        instants,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=False)
        if style == "console"
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    # Two INFO records per run of a job that runs twenty times a second (facts: scale, section 1).
    # What it warns of (missed and overlapping runs) is counted by the scheduler itself.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(max(logging.WARNING, root.level))
    logging.getLogger("aiogram.event").setLevel(logging.WARNING)


def instants(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write instants as ISO text, as the record's own; the renderers would write code."""
    for key, value in event.items():
        if isinstance(value, datetime):
            event[key] = value.isoformat()
    return event


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take tokens and passwords out of every value of a record."""
    for key, value in event.items():
        if key.lower() in _SECRET_KEYS:
            event[key] = HIDDEN
        elif isinstance(value, str):
            event[key] = _BOT_TOKEN.sub(HIDDEN, value)
    return event
