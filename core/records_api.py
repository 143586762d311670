"""The rows of the HTTP API (`core.records`)."""

from datetime import datetime
from typing import ClassVar

from core.record_base import Record


class ApiTokenRow(Record, frozen=True, kw_only=True):
    """A bearer token of the HTTP API: only its SHA-256 is kept."""

    table: ClassVar[str] = "api_tokens"
    user_id: int
    digest: str
    label: str
    created_at: datetime
    revoked_at: datetime | None = None


class ApiRequestRow(Record, frozen=True, kw_only=True):
    """A signed request that was taken, by its signature: the same one again is a replay."""

    table: ClassVar[str] = "api_requests"
    signature: str
    created_at: datetime
