"""Pinned cards: one message per client, edited when what it shows has changed, and no oftener.

A card is no alert: it never rings, takes what the alerts and answers leave, and what cannot be
edited now is edited at a later look, with newer figures.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from msgspec import Struct

from bot.delivery import Fate, Outcome, Parcel, deliver
from bot.i18n import chosen, speaking, spoken, t
from bot.limits import SendLimits
from bot.views import card as views
from bot.views.message import Message, Voice
from core.domain.alerts import Priority
from core.domain.board import AccountBoard
from core.domain.card import CardShown, accounts_of, has_changed
from core.domain.hearing import Group, Level
from core.domain.people import Person, Role
from core.ports import Clock, Store
from core.records import AccountRow, CardRow, OutboxRow, PreferenceRow, UserRow
from core.services.hearing import hearing_from
from core.services.persons import person_from

RENEW_S: Final = 900.0
"""So often a card that did not change is given a new time: an older one is nobody's."""
UNREACHABLE_S: Final = 3600.0
"""A chat that cannot be reached is tried again after this long."""
OTHERS_FREE: Final = 15
"""So many of the sends that Telegram allows in a second must be free: an alert comes first."""
EDITS_A_LOOK_MAX: Final = 10
CLIENTS_A_LOOK_MAX: Final = 100
"""A look takes so many clients and the next one goes on there: none holds the loop up for long."""
ROLES: Final = (Role.CLIENT.value, Role.ADMIN.value, Role.OWNER.value)
NOT_PINNED: Final = "card_not_pinned"
log = structlog.get_logger(__name__)


class Client(Struct, frozen=True):
    """Somebody with accounts, their card so far, and whether they want one."""

    person: Person
    card: CardRow | None
    wanted: bool


class Cards:
    """Keeps every client's card current.

    `interval_s` is the least time between two edits of one; with 0 there are no cards.
    """

    def __init__(  # noqa: PLR0913 - each part is named once
        self,
        *,
        bot: Bot,
        store: Store,
        clock: Clock,
        boards_of: Callable[[Person], Awaitable[list[AccountBoard]]],
        voice: Voice,
        rates: SendLimits,
        interval_s: float,
    ) -> None:
        self._bot = bot
        self._store = store
        self._clock = clock
        self._boards_of = boards_of
        self._voice = voice
        self._rates = rates
        self._interval_s = interval_s
        self._after = 0

    async def look(self) -> int:
        """Edit the cards that have to be, as far as there is room; answers how many were.

        Raises StoreUnavailable.
        """
        done = 0
        if not self._interval_s:
            return done
        for client in await self._next():
            if done >= EDITS_A_LOOK_MAX:
                self._after = client.person.user_id - 1
                break
            done += await self._one(client)
        return done

    async def _next(self) -> list[Client]:
        """The next clients in turn whose card may be edited now."""
        now = self._clock.now()
        async with self._store.reading() as tx:
            users = await tx.find(UserRow, role=ROLES, id__gt=self._after, limit=CLIENTS_A_LOOK_MAX)
            ids = tuple(user.id for user in users)
            accounts = await tx.find(AccountRow, user_id=ids, enabled=True)
            cards = {card.user_id: card for card in await tx.find(CardRow, user_id=ids)}
            chosen = {row.user_id: row for row in await tx.find(PreferenceRow, user_id=ids)}
        self._after = ids[-1] if len(ids) == CLIENTS_A_LOOK_MAX else 0
        own: dict[int, list[int]] = {}
        for account in accounts:
            own.setdefault(account.user_id, []).append(account.id)
        found = []
        for user in users:
            card = cards.get(user.id)
            stands = card is not None and card.message_id is not None
            if (user.id in own or stands) and (card is None or card.next_at <= now):
                level = hearing_from(user, chosen.get(user.id)).level(Group.CARD)
                person = person_from(user, own.get(user.id, ()))
                found.append(Client(person, card, level is not Level.OFF))
        return found

    async def _one(self, client: Client) -> int:
        """Bring one card up to date where it has to be and there is room."""
        with speaking(chosen(client.person.language)):
            return await self._up_to_date(client)

    async def _up_to_date(self, client: Client) -> int:
        card = client.card
        if not client.wanted or not client.person.account_ids:
            return await self._switch_off(client) if card and card.message_id else 0
        boards = await self._boards_of(client.person)
        now = self._clock.now()
        zone = client.person.time_zone
        shown = CardShown(language=spoken(), time_zone=zone, accounts=accounts_of(boards, now))
        if not self._must_edit(card, shown, now) or not await self._has_room(client):
            return 0
        voice = self._voice.to(zone)
        message = views.card(shown.accounts, boards, voice, now, int(RENEW_S // 60))
        await self._send(client, message, msgspec.json.encode(shown).decode())
        return 1

    @staticmethod
    def _must_edit(card: CardRow | None, shown: CardShown, now: datetime) -> bool:
        if card is None or card.message_id is None or card.edited_at is None:
            # Nothing is said of accounts that were never read yet: at a start that is all of them.
            return any(account.equity is not None for account in shown.accounts)
        if now - card.edited_at >= timedelta(seconds=RENEW_S):
            return True
        try:
            before = msgspec.json.decode(card.shown, type=CardShown)
        except msgspec.ValidationError:  # as an older version kept it, without the language
            return True
        return has_changed(before, shown)

    async def _has_room(self, client: Client) -> bool:
        """Whether nothing else wants to be sent: not to this chat, nor much to others."""
        chat_id, now_s = client.person.telegram_id, asyncio.get_running_loop().time()
        if self._rates.overall_left(now_s) < OTHERS_FREE:
            return False
        if self._rates.wait_s(chat_id, now_s, Priority.INFO) > 0:
            return False
        async with self._store.reading() as tx:
            waiting = await tx.first(OutboxRow, chat_id=chat_id, state=("due", "sending"))
        return waiting is None

    async def _switch_off(self, client: Client) -> int:
        """Say so on the card that stands, once, and forget it."""
        if not await self._has_room(client):
            return 0
        said = t(views.OFF) if client.person.account_ids else t(views.GONE)
        outcome = await self._call(client, Message(html=said, silent=True))
        if outcome.fate in {Fate.SENT, Fate.REFUSED}:  # refused: there is no such message
            await self._keep(client, message_id=None, shown="[]")
        else:
            await self._not_sent(client, outcome)
        return 1

    async def _send(self, client: Client, message: Message, shown: str) -> None:
        outcome = await self._call(client, message)
        if outcome.fate is not Fate.SENT:
            await self._not_sent(client, outcome)
            return
        await self._keep(
            client,
            message_id=outcome.message_id,
            shown=shown,
            edited_at=self._clock.now(),
            wait_s=self._interval_s,
        )
        await self._pin(client, outcome.message_id)

    async def _not_sent(self, client: Client, outcome: Outcome) -> None:
        """Try again later: what stands in the chat is not what is so."""
        wait_s = self._interval_s
        match outcome.fate:
            case Fate.WAIT:
                now_s = asyncio.get_running_loop().time()
                self._rates.told_to_wait(client.person.telegram_id, now_s, outcome.wait_s)
                wait_s = max(wait_s, outcome.wait_s)
            case Fate.UNREACHABLE:
                wait_s = UNREACHABLE_S
            case _:
                pass
        log.info("card_not_sent", fate=outcome.fate.value, error=outcome.error)
        await self._keep(client, wait_s=wait_s)

    async def _call(self, client: Client, message: Message) -> Outcome:
        chat_id = client.person.telegram_id
        self._rates.take(chat_id, asyncio.get_running_loop().time())
        edit_id = client.card.message_id if client.card else None
        return await deliver(self._bot, Parcel(chat_id=chat_id, message=message, edit_id=edit_id))

    async def _pin(self, client: Client, message_id: int | None) -> None:
        """Pin a new card, once; whoever takes it down is not asked again."""
        if message_id is None or (client.card and client.card.pinned_id == message_id):
            return
        chat_id = client.person.telegram_id
        self._rates.take(chat_id, asyncio.get_running_loop().time())
        try:
            await self._bot.pin_chat_message(chat_id, message_id, disable_notification=True)
        except (AiogramError, TimeoutError, OSError) as error:
            log.info(NOT_PINNED, error=str(error))
            return
        await self._keep(client, pinned_id=message_id, wait_s=self._interval_s)

    async def _keep(self, client: Client, *, wait_s: float = 0.0, **changes: Any) -> None:
        next_at = self._clock.now() + timedelta(seconds=wait_s)
        user_id = client.person.user_id
        async with self._store.writing() as tx:
            row = await tx.first(CardRow, user_id=user_id)
            if row is None:
                await tx.insert(CardRow(user_id=user_id, next_at=next_at))
            elif client.card is not None and row.next_at != client.card.next_at:
                next_at = row.next_at  # the guard did something while the card was being edited
            await tx.update(CardRow, {"user_id": user_id}, next_at=next_at, **changes)
