"""The service that lets people in, as a fake."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from core.domain.access import AccessDecision, Requester
from core.domain.invitations import Redeemed
from core.domain.people import Person, Role
from core.domain.standing import Preview, UserLine, UsersPage
from tests.fakes.clock import START


class FakeAccess:
    """Remembers who asked and who answered."""

    def __init__(self, asked: Callable[..., None]) -> None:
        self._asked = asked

    async def ask(self, asker: Requester) -> None:
        self._asked("ask_access", asker)

    async def answer(self, actor: Person, request_id: int, *, approve: bool) -> AccessDecision:
        self._asked("answer_access", actor.telegram_id, request_id, approve)
        return AccessDecision(telegram_id=903, name="Sam", approved=approve, at=START)


class FakeInvitations:
    """Remembers which codes were brought; `good` are those that groups may void."""

    def __init__(self, asked: Callable[..., None]) -> None:
        self._asked = asked
        self.good: set[str] = set()

    async def __call__(self, who: Requester, code: str) -> Redeemed:
        self._asked("use_invitation", who.telegram_id, code)
        return Redeemed(login=50001, name=who.name, is_new=True)

    async def void(self, code: str, telegram_id: int) -> bool:
        if code in self.good:
            self._asked("void", code, telegram_id)
        return code in self.good


def user_line(**changes: Any) -> UserLine:
    """Ann, a client with one account, whom the people file lists."""
    facts: dict[str, Any] = {
        "user_id": 1,
        "telegram_id": 900,
        "name": "Ann <b>Smith</b>",
        "role": Role.CLIENT,
        "file_role": Role.CLIENT,
        "logins": (50001,),
        "seen_at": START,
        "blocked_at": None,
        "request_id": None,
    }
    return UserLine(**{**facts, **changes})


class FakeUsers:
    """Remembers what it was asked; shows Ann."""

    def __init__(self, asked: Callable[..., None]) -> None:
        self._asked = asked
        self.line = user_line()

    async def page(self, actor: Person, page: int) -> UsersPage:
        self._asked("users", actor.telegram_id, page)
        counts = {role.value: int(role is self.line.role) for role in Role}
        return UsersPage(lines=(self.line,), page=page, pages=3, counts=counts)

    async def one(self, actor: Person, user_id: int) -> UserLine:
        self._asked("user", actor.telegram_id, user_id)
        return self.line

    async def preview_block(self, actor: Person, user_id: int) -> Preview:
        self._asked("preview_block", actor.telegram_id, user_id)
        return Preview(confirmation_id=4, line=self.line, expires_at=START + timedelta(seconds=60))

    async def confirm(self, actor: Person, confirmation_id: int) -> UserLine:
        self._asked("confirm", actor.telegram_id, confirmation_id)
        return user_line(role=Role.BLOCKED, blocked_at=START)

    async def cancel(self, actor: Person, confirmation_id: int) -> UserLine:
        self._asked("cancel", actor.telegram_id, confirmation_id)
        return self.line

    async def unblock(self, actor: Person, user_id: int) -> UserLine:
        self._asked("unblock", actor.telegram_id, user_id)
        return self.line
