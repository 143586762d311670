"""Taps on buttons that wait for the bot's answer, each answered once and soon."""

import asyncio
from typing import Any, Final

from bot.sandbox.store import WorldStore
from bot.sandbox.telegram import limits
from bot.sandbox.telegram.errors import QUERY_TOO_OLD, bad_request

QUERY: Final = "tg.query"
META: Final = "tg.query_meta"
FIRST_ID: Final = 4_000_000_000_000_001
"""Ids look like Telegram's: long numbers, sent as strings."""


class QueryDesk:
    """Callback queries by id, durable. Times are Unix seconds."""

    def __init__(self, store: WorldStore) -> None:
        self._store = store
        stored = store.load(QUERY)
        self._queries = {key: stored[key] for key in sorted(stored, key=int)}
        self._next_id: int = store.load(META).get("next", {}).get("id", FIRST_ID)
        self._answered = asyncio.Event()
        self._stopped = False

    def open(self, *, user_id: int, chat_id: int, message_id: int, label: str, at_s: float) -> str:
        """Begin to wait for an answer and give the tap its id, never used before.

        The oldest beyond `QUERIES_MAX` is forgotten.
        """
        query_id = str(self._next_id)
        self._next_id += 1
        self._store.put(META, "next", {"id": self._next_id})
        self._keep(
            query_id,
            {
                "id": query_id,
                "user_id": user_id,
                "chat_id": chat_id,
                "message_id": message_id,
                "label": label,
                "at": at_s,
                "answer": None,
            },
        )
        while len(self._queries) > limits.QUERIES_MAX:
            self._forget(next(iter(self._queries)))
        return query_id

    def answer(self, query_id: str, answer: dict[str, Any], now_s: float) -> dict[str, Any]:
        """Take the bot's one answer. Raises ApiError 400: unknown, too old, or answered before."""
        query = self._queries.get(query_id)
        too_late = query is not None and now_s - query["at"] > limits.QUERY_LIFE_S
        if query is None or too_late or query["answer"] is not None:
            raise bad_request(QUERY_TOO_OLD)
        self._keep(query_id, {**query, "answer": answer})
        self._answered.set()
        self._answered = asyncio.Event()
        return self._queries[query_id]

    def find(self, query_id: str) -> dict[str, Any] | None:
        """Look up a tap."""
        return self._queries.get(query_id)

    def given(self, query_id: str) -> dict[str, Any] | None:
        """Look up the answer given to a tap, None while there is none."""
        query = self._queries.get(query_id)
        answer: dict[str, Any] | None = query["answer"] if query else None
        return answer

    async def wait(self, query_id: str, wait_s: float) -> dict[str, Any] | None:
        """Wait up to ``wait_s`` for the answer; None when it did not come."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + wait_s
        while self.given(query_id) is None and (left_s := deadline_s - loop.time()) > 0:
            if self._stopped:
                break
            answered = self._answered
            try:
                await asyncio.wait_for(answered.wait(), left_s)
            except TimeoutError:
                break
        return self.given(query_id)

    def stop(self) -> None:
        """End every wait at once."""
        self._stopped = True
        self._answered.set()

    def _keep(self, query_id: str, query: dict[str, Any]) -> None:
        self._queries[query_id] = query
        self._store.put(QUERY, query_id, query)

    def _forget(self, query_id: str) -> None:
        del self._queries[query_id]
        self._store.delete(QUERY, query_id)

    def clear(self) -> None:
        """Forget every tap."""
        for query_id in list(self._queries):
            self._forget(query_id)
