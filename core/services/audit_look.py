"""/audit: an admin looks at one chain without a shell on Reckoner's machine."""

from typing import Final

from core.domain.answers import AuditSeen
from core.domain.audit import SYSTEM
from core.domain.audit_check import HEAD_DIGITS
from core.domain.people import Person
from core.ports import Store
from core.records import AuditRow
from core.services.audit_verify import VerifyAudit
from core.services.errors import Refused
from core.services.owning import account_with

LINKS_MAX: Final = 20_000
"""Links of a chain that is verified from a chat: some seconds. A longer one from a shell."""
TOLD_MAX: Final = 10
SYSTEM_NAME: Final = "system"


class AuditLook:
    """Verifies with the store's own key; changes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, actor: Person, login: int | None) -> AuditSeen:
        """Verify an account's chain, the system's without a login.

        Raises Refused: not_admin, not_found (login), same_login (login), audit_long (most).
        """
        if not actor.is_admin:
            raise Refused("not_admin")
        async with self._store.reading() as tx:
            account_id = SYSTEM if login is None else (await account_with(tx, actor, login)).id
            keys = tx.audit_keys
            if await tx.count(AuditRow, account_id=account_id) > LINKS_MAX:
                raise Refused("audit_long", most=LINKS_MAX)
        found = await VerifyAudit(self._store, keys).chain(account_id, {})
        name = SYSTEM_NAME if login is None else str(login)
        return AuditSeen(
            name=name,
            links=found.links,
            head=f"{name}:{found.head.sequence}:{found.head.hash[:HEAD_DIGITS]}",
            findings=found.findings[:TOLD_MAX],
            left_out=found.left_out + len(found.findings[TOLD_MAX:]),
        )
