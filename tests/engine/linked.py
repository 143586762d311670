"""The services that link accounts in the chat, over a house, with a broker that does as told."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.adapters.vault import Vault
from core.domain.broker import MarginMode
from core.domain.link_heard import Ask, Heard
from core.domain.linking import (
    LinkPolicy,
    LinkState,
    LoggedIn,
    Place,
    Places,
)
from core.ports import Secret, TerminalLink
from core.records import AccountRow, AuditRow, OutboxRow, TerminalRow
from core.records_links import LinkRequestRow
from core.services.errors import Refused
from core.services.link_checks import CheckLinks
from core.services.link_damage import SoundRequests
from core.services.link_desk import LinkDesk
from core.services.link_hearing import Said
from core.services.link_talks import LinkTalks
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, SERVER, House

PASSWORD = "S3cret-of-Alice"
NEW = 50005
KEYS = ("A" * 43 + "=", "B" * 43 + "=")
TAKEN, REMOVED = Heard(is_ours=True), Heard(is_ours=True, remove=True)
PLACES = Places(spare=(Place(path="C:/1/t.exe"), Place(path="C:/2/t.exe", portable=True)))
POLICY = LinkPolicy(servers=(SERVER, "Other-Live"), places=PLACES)


class Broker:
    """Lets accounts in as told; `asked` is with what, `meanwhile` happens once while it is."""

    def __init__(self) -> None:
        self.asked: list[TerminalLink] = []
        self.answers: list[Exception] = []
        self.may_trade = True
        self.currency, self.margin_mode = "USD", MarginMode.NETTING
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def __call__(self, link: TerminalLink) -> LoggedIn:
        self.asked.append(link)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            await meanwhile()
        if self.answers:
            raise self.answers.pop(0)
        return LoggedIn(
            currency=self.currency, margin_mode=self.margin_mode, may_trade=self.may_trade
        )


class Linked:
    """The services over a house."""

    def __init__(self, house: House, policy: LinkPolicy = POLICY) -> None:
        self.house = house
        self.keys: Callable[[], tuple[str, ...]] = lambda: KEYS[:1]
        self.vault = Vault(self._read_keys)
        self.broker = Broker()
        self.added: list[int] = []
        over: dict[str, Any] = {"store": house.store, "clock": house.clock, "policy": policy}
        self.requests = SoundRequests(
            store=house.store, clock=house.clock, admin_chat_id=ADMIN_CHAT
        )
        self.talks = LinkTalks(
            **over, vault=self.vault, requests=self.requests, admin_chat_id=ADMIN_CHAT
        )
        self.desk = LinkDesk(**over, admin_chat_id=ADMIN_CHAT)
        self.checks = CheckLinks(
            **over,
            vault=self.vault,
            requests=self.requests,
            engine_policy=house.engine.policy,
            log_in=self.broker,
            added=self._added,
        )

    def _read_keys(self) -> tuple[str, ...]:
        return self.keys()

    async def _added(self, account_id: int) -> None:
        self.added.append(account_id)
        self.house.due[account_id] = self.house.clock.now()

    async def hear(
        self,
        who: int,
        text: str | None,
        ask: Ask = Ask.WORDS,
        *,
        private: bool = True,
        written_at: datetime | None = None,
    ) -> Heard:
        """Somebody writes."""
        at = written_at or self.house.clock.now()
        async with self.house.store.writing() as tx:
            words = None if text is None else Secret(text)
            said = Said(telegram_id=who, ask=ask, text=words, private=private, written_at=at)
            return await self.talks.hear(tx, said)

    async def begin(self, who: int = ALICE) -> Heard:
        """`/link`."""
        return await self.hear(who, "/link", Ask.BEGIN)

    def over(self, policy: LinkPolicy) -> "Linked":
        """The same, as another operator has set it."""
        return Linked(self.house, policy)

    async def ask(
        self, who: int = ALICE, login: int = NEW, password: str = PASSWORD, server: str = SERVER
    ) -> int:
        """The whole conversation; answers the request's number."""
        await self.begin(who)
        assert await self.hear(who, server) == TAKEN
        assert await self.hear(who, str(login)) == TAKEN
        assert await self.hear(who, password) == REMOVED
        return (await self.row()).id

    async def row(self) -> LinkRequestRow:
        """The newest request of all."""
        rows = await self.house.rows(LinkRequestRow)
        newest: LinkRequestRow = rows[-1]
        return newest

    async def state(self) -> LinkState:
        """Where it stands."""
        return LinkState((await self.row()).state)

    async def answer(self, request: int, *, approve: bool = True, by: int = ADMIN) -> None:
        """An admin decides."""
        await self.desk.answer(await self.house.person(by), request, approve=approve)

    async def refusal(self, request: int, *, by: int = ADMIN) -> str:
        """Why an approval is refused."""
        with pytest.raises(Refused) as caught:
            await self.answer(request, by=by)
        return caught.value.code

    def after(self, span: timedelta) -> None:
        """Time passes."""
        self.house.clock.instant += span


async def everything(house: House) -> str:
    """Every row that can have words in it."""
    kinds = (LinkRequestRow, OutboxRow, AuditRow, TerminalRow, AccountRow)
    return "\n".join([str(row) for kind in kinds for row in await house.rows(kind)])
