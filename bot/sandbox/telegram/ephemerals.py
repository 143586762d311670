"""Messages that one person of a group sees, held for as long as this world runs.

They are in no store: Telegram too promises neither that they arrive nor that they stay ("may
disappear automatically after some time, or if the app is restarted"). The log of calls has the
call that made one, as it has every call.
"""

from typing import Any

from bot.sandbox.telegram import limits
from bot.sandbox.telegram.chats import Message


class Ephemerals:
    """What each person sees in each chat that others do not; the oldest beyond a bound goes."""

    def __init__(self) -> None:
        self._held: dict[tuple[int, int], dict[int, Message]] = {}
        self._next_id = 1

    def post(self, message: Message) -> Message:
        """Hold a new one for its `receiver_user`, under an id of its own."""
        kept: dict[str, Any] = {**message, "message_id": 0, "ephemeral_message_id": self._next_id}
        self._next_id += 1
        self.save(kept)
        held = self._held[kept["chat"]["id"], kept["receiver_user"]["id"]]
        while len(held) > limits.EPHEMERALS_PER_PERSON_MAX:
            del held[next(iter(held))]
        return kept

    def save(self, message: Message) -> None:
        """Hold a new or changed one."""
        place = message["chat"]["id"], message["receiver_user"]["id"]
        self._held.setdefault(place, {})[message["ephemeral_message_id"]] = message

    def of(self, chat_id: int, user_id: int) -> list[Message]:
        """List what one person has in a chat, oldest first."""
        return list(self._held.get((chat_id, user_id), {}).values())

    def find(self, chat_id: int, user_id: int, ephemeral_id: int) -> Message | None:
        """Find one of somebody's as it is now."""
        return self._held.get((chat_id, user_id), {}).get(ephemeral_id)

    def remove(self, message: Message) -> None:
        """Delete one."""
        place = message["chat"]["id"], message["receiver_user"]["id"]
        self._held[place].pop(message["ephemeral_message_id"], None)

    def clear(self) -> None:
        """Forget all; ids go on growing."""
        self._held.clear()
