"""A look at the audit, without one."""

from collections.abc import Callable

from core.domain.answers import AuditSeen
from core.domain.audit_check import TamperFinding
from core.domain.people import Person


class FakeAudits:
    """Finds what it is told to, and notes what was asked."""

    def __init__(self, asked: Callable[..., None]) -> None:
        self._asked = asked
        self.findings: tuple[TamperFinding, ...] = ()

    async def __call__(self, actor: Person, login: int | None) -> AuditSeen:
        """The chain of an account, or the system's."""
        self._asked("audit", actor.telegram_id, login)
        return AuditSeen(
            name=str(login or "system"),
            links=17,
            head=f"{login or 'system'}:17:0123456789abcdef",
            findings=self.findings,
            left_out=0,
        )
