"""The service that lets people in, as a fake."""

from collections.abc import Callable

from core.domain.access import AccessDecision, Requester
from core.domain.invitations import Redeemed
from core.domain.people import Person
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
