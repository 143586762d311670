"""What the bot has yet to hear: updates in order until an offset confirms them, and one poller."""

import asyncio
from typing import Any, Final

from bot.sandbox.store import WorldStore
from bot.sandbox.telegram import limits
from bot.sandbox.telegram.errors import OTHER_POLLER, WEBHOOK_ACTIVE, ApiError

UPDATE: Final = "tg.update"
META: Final = "tg.meta"
META_KEY: Final = "updates"
NOT_BY_DEFAULT: Final = frozenset({"chat_member", "message_reaction", "message_reaction_count"})

Update = dict[str, Any]


class UpdateQueue:
    """Pending updates, durable. Ids only grow, also across a reset and a restart."""

    def __init__(self, store: WorldStore) -> None:
        self._store = store
        meta = store.load(META).get(META_KEY, {})
        self._next_id: int = meta.get("next_id", 1)
        self._allowed: list[str] = meta.get("allowed", [])
        self.webhook: dict[str, Any] = meta.get("webhook", {})
        stored = store.load(UPDATE)
        self._pending: dict[int, Update] = {
            int(key): stored[key] for key in sorted(stored, key=int)
        }
        self._changed = asyncio.Event()
        self._poll = 0
        self._stopped = False

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def allowed(self) -> list[str]:
        """The update types the bot last asked for, [] for the default."""
        return list(self._allowed)

    def _keep_meta(self) -> None:
        meta = {"next_id": self._next_id, "allowed": self._allowed, "webhook": self.webhook}
        self._store.put(META, META_KEY, meta)

    def allow(self, kinds: list[Any]) -> None:
        """Remember the types asked for; updates created before are not touched."""
        self._allowed = [str(kind) for kind in kinds]
        self._keep_meta()

    def set_webhook(self, webhook: dict[str, Any]) -> None:
        """Remember the webhook ({} for none); while there is one, polling is refused."""
        self.webhook = webhook
        self._keep_meta()
        self._wake()

    def create(self, kind: str, body: dict[str, Any]) -> int | None:
        """Queue an update and answer its id; None when the bot does not want its type."""
        wanted = kind in self._allowed if self._allowed else kind not in NOT_BY_DEFAULT
        if not wanted:
            return None
        update_id = self._next_id
        self._next_id += 1
        self._pending[update_id] = {"update_id": update_id, kind: body}
        self._store.put(UPDATE, update_id, self._pending[update_id])
        self._keep_meta()
        while len(self._pending) > limits.UPDATES_PENDING_MAX:
            self._drop(next(iter(self._pending)))
        self._wake()
        return update_id

    def _drop(self, update_id: int) -> None:
        del self._pending[update_id]
        self._store.delete(UPDATE, update_id)

    def forget(self) -> None:
        """Drop everything pending."""
        for update_id in list(self._pending):
            self._drop(update_id)

    def confirm(self, offset: int) -> None:
        """Forget updates below ``offset``; a negative one keeps that many from the end."""
        ids = list(self._pending)
        gone = [n for n in ids if n < offset] if offset >= 0 else ids[:offset]
        for update_id in gone:
            self._drop(update_id)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def stop(self) -> None:
        """End every waiting poll at once, with what there is."""
        self._stopped = True
        self._wake()

    async def poll(self, limit: int, timeout_s: float) -> list[Update]:
        """Answer the oldest updates, waiting up to ``timeout_s`` for a first one.

        Raises ApiError 409 as soon as a second poll arrives, or a webhook is set.
        """
        self._poll += 1
        mine = self._poll
        self._wake()  # the older poller learns of us
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + timeout_s
        while True:
            if self.webhook:
                raise ApiError(409, WEBHOOK_ACTIVE)
            if mine != self._poll:
                raise ApiError(409, OTHER_POLLER)
            left_s = deadline_s - loop.time()
            if self._pending or self._stopped or left_s <= 0:
                return list(self._pending.values())[:limit]
            changed = self._changed
            try:
                await asyncio.wait_for(changed.wait(), left_s)
            except TimeoutError:
                continue
