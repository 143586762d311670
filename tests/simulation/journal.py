"""The simulated broker's memory without a file: the broker outlives every crash of ours."""

from typing import Any

from core.sim.ledger import Body


class MemoryJournal:
    """`core.sim.ledger.Journal` in memory."""

    def __init__(self) -> None:
        self._records: dict[str, dict[str, Body]] = {}
        self._logs: dict[str, list[tuple[int, Body]]] = {}

    def put(self, kind: str, key: str | int, body: Body) -> None:
        """Keep a record."""
        self._records.setdefault(kind, {})[str(key)] = body

    def delete(self, kind: str, key: str | int) -> None:
        """Forget it."""
        self._records.get(kind, {}).pop(str(key), None)

    def append(self, kind: str, body: Body) -> int:
        """Add to a log."""
        log = self._logs.setdefault(kind, [])
        log.append((len(log) + 1, body))
        return len(log)

    def head(self, kind: str) -> int:
        """The newest id."""
        return len(self._logs.get(kind, ()))

    def commit(self) -> None:
        """Nothing is lost here."""

    def load(self, kind: str) -> dict[str, Body]:
        """Every record of a kind."""
        return dict(self._records.get(kind, {}))

    def log(self, kind: str, since: int = 0, limit: int = 10_000) -> list[tuple[int, Any]]:
        """The oldest entries after an id."""
        return self._logs.get(kind, [])[since : since + limit]
