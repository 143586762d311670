"""Signals that another program posts: signed, fresh, taken once."""

import hashlib
import hmac
import re
from datetime import datetime, timedelta

from core.domain.answers import SignalPosted
from core.domain.signals import SignalDraft
from core.ports import Clock, Store
from core.records import ApiRequestRow, SignalRow, UserRow
from core.services.api_tokens import active_person_of
from core.services.errors import Refused
from core.services.signals import API_KEYS, PostSignal

HEX_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
WINDOW = timedelta(minutes=5)
"""How far a request's own time may stand from ours, before or after."""
KEPT = 2 * WINDOW
"""How long a signature is remembered: past this no request that bears it is fresh."""


class ApiSignals:
    """Take a signed signal and post it as the admin on whose behalf it is signed."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        post_signal: PostSignal,
        secret: str,
        author_telegram_id: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._post = post_signal
        self._secret = secret.encode()
        self._author = author_telegram_id

    def check(self, signature: str, at: datetime, body: bytes) -> None:
        """Check who signed and when. Raises Refused: bad_signature, not_fresh.

        The signature is the HMAC-SHA256, in hex, of the timestamp in whole seconds since 1970, a
        full stop, and the body as it was sent.
        """
        if not HEX_DIGEST.fullmatch(signature):
            raise Refused("bad_signature")
        signed = f"{int(at.timestamp())}.".encode() + body
        expected = hmac.new(self._secret, signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.lower().encode()):
            raise Refused("bad_signature")
        if abs(self._clock.now() - at) > WINDOW:
            raise Refused("not_fresh", seconds=int(WINDOW.total_seconds()))

    async def __call__(self, signature: str, key: str, draft: SignalDraft) -> SignalPosted:
        """Post it once per `key`; a key used before answers with the first result.

        Raises Refused: replayed (the very same request came before), key_used (for another signal),
        not_admin (the author is none any more), and what `PostSignal` raises.
        """
        source_key = f"{API_KEYS}{key}"
        async with self._store.reading() as tx:
            author = await tx.first(UserRow, telegram_id=self._author)
            actor = await active_person_of(tx, author)
            first = await tx.first(SignalRow, source_key=source_key)
        if actor is None:
            raise Refused("not_admin")
        await self._remember(signature.lower())
        if first is not None and not _same(first, draft):
            raise Refused("key_used", signal=first.id)
        return await self._post(actor, draft, source_key)

    async def _remember(self, signature: str) -> None:
        now = self._clock.now()
        async with self._store.writing() as tx:
            await tx.delete(ApiRequestRow, created_at__lt=now - KEPT)
            row = ApiRequestRow(signature=signature, created_at=now)
            if await tx.insert_new(row) is None:
                raise Refused("replayed")


def _same(row: SignalRow, draft: SignalDraft) -> bool:
    kept = (row.symbol, row.side, row.volume, row.stop_loss, row.take_profit)
    asked = (draft.symbol, draft.side.value, draft.volume, draft.stop_loss, draft.take_profit)
    return kept == asked
