"""Every Bot API call, refused ones too, in the order in which they were answered."""

from datetime import UTC, datetime
from typing import Any, Final

from bot.sandbox.store import WorldStore
from bot.sandbox.telegram import limits
from bot.sandbox.telegram.call import Call

OUTBOX: Final = "tg.outbox"
OUTBOX_META: Final = "tg.outbox_meta"


class Outbox:
    """The log of calls, durable, trimmed to `OUTBOX_MAX`."""

    def __init__(self, store: WorldStore) -> None:
        self._store = store
        self._floor: int = store.load(OUTBOX_META).get("floor", {}).get("id", 0)

    def note(
        self, call: Call, status: int | str, answer: dict[str, Any] | None, at_s: float
    ) -> int:
        """Log one call; ``status`` is the HTTP status, or the fault that ate the answer."""
        entry: dict[str, Any] = {
            "at": datetime.fromtimestamp(at_s, UTC).isoformat(),
            "method": call.method,
            "params": call.logged(limits.OUTBOX_VALUE_CHARS_MAX),
            "status": status,
            "ok": bool(answer and answer.get("ok")),
        }
        if answer and not answer["ok"]:
            entry["error_code"] = answer["error_code"]
            entry["description"] = answer["description"]
            entry |= {"parameters": answer["parameters"]} if "parameters" in answer else {}
        elif answer:
            entry["result"] = _brief(answer["result"])
        entry_id = self._store.append(OUTBOX, entry)
        if entry_id - self._floor > limits.OUTBOX_MAX:
            self._store.trim(OUTBOX, limits.OUTBOX_MAX)
        return entry_id

    def read(self, method: str, since: int) -> list[dict[str, Any]]:
        """Read the newest calls after ``since``, oldest first, all or of one method."""
        found = [
            {"id": entry_id, **entry}
            for entry_id, entry in self._store.log(OUTBOX, max(since, self._floor))
            if not method or entry["method"].lower() == method.lower()
        ]
        return found[-limits.OUTBOX_READ_MAX :]

    @property
    def head(self) -> int:
        """The id of the newest call."""
        return self._store.head(OUTBOX)

    def clear(self) -> None:
        """Forget every call; ids go on growing."""
        self._floor = self.head
        self._store.put(OUTBOX_META, "floor", {"id": self._floor})
        self._store.trim(OUTBOX, 0)


def _brief(result: Any) -> Any:  # noqa: ANN401 - a Bot API result is any JSON
    """Shorten a result: of a list how many, of a message its ids."""
    if isinstance(result, list):
        return {"count": len(result)}
    if isinstance(result, dict) and "message_id" in result:
        chat = result.get("chat") or {}
        return {"message_id": result["message_id"], "chat_id": chat.get("id")}
    return result
