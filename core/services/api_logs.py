"""A person's reconciliation log, page by page, newest first."""

from typing import Any

from core.domain.people import Person
from core.ports import Store
from core.records import ReconciliationLogRow, UserRow
from core.services.errors import Refused

PAGE_MAX = 200


class LogPages:
    """Read the log of one person."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(
        self, actor: Person, user_id: int, *, limit: int, before_id: int | None
    ) -> list[ReconciliationLogRow]:
        """At most `limit` rows, those before a row's id. Raises Refused: not_yours, not_found.

        Somebody else's number and nobody's are the same to a client.
        """
        if not 1 <= limit <= PAGE_MAX:
            raise ValueError(f"limit: expected 1 to {PAGE_MAX}")
        if actor.user_id != user_id and not actor.is_admin:
            raise Refused("not_yours")
        where: dict[str, Any] = {} if before_id is None else {"id__lt": before_id}
        if not actor.is_admin:  # of an account that is theirs no more they read nothing
            where["account_id"] = actor.account_ids
        async with self._store.reading() as tx:
            if await tx.get(UserRow, user_id) is None:
                raise Refused("not_found")
            return await tx.find(
                ReconciliationLogRow, user_id=user_id, order_by="-id", limit=limit, **where
            )
