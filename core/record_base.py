"""What every row has (`core.records`)."""

from typing import Any, ClassVar

from msgspec import Struct

JsonObject = dict[str, Any]


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """A row of one table."""

    table: ClassVar[str]
    id: int = 0
