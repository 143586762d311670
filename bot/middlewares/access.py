"""Who may talk to the bot, and what each may use where. Everything not allowed here is refused.

A group is a delivery address, not a right: whoever sees a button or a command there is checked like
anybody else, and nobody's figures are shown there but to admins in the admin chat.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.dispatcher.flags import get_flag
from aiogram.types import CallbackQuery, Chat, Message, TelegramObject, User

from bot.i18n import chosen, speaking, t
from bot.limits import Recently
from bot.markup import plain
from bot.middlewares.context import Answerer, Handler, Toast
from bot.middlewares.door import Door
from bot.middlewares.errors import what
from bot.services import People
from bot.speaker import Speaker
from bot.veil import is_removal
from bot.views import people, refusals
from bot.views.message import Message as Said
from bot.views.message import Voice
from core.domain.people import Person

CLIENT, ADMIN = "client", "admin"
GROUP_REFUSAL_SPAN_S = 60.0
GROUP_REFUSALS_MAX = 1_000
"""People in groups whose last refusal is remembered."""


class AccessMiddleware(BaseMiddleware):
    """Outer, on messages and presses: knows the person, or ends it here.

    In private they are spoken to in their own time zone.
    """

    def __init__(self, people: People, voice: Voice, door: Door) -> None:
        self._people = people
        self._voice = voice
        self._door = door

    async def __call__(
        self, handler: Handler, event: TelegramObject, data: dict[str, Any]
    ) -> object:
        """Let known people through as `person`."""
        if not isinstance(event, Message | CallbackQuery):
            return None
        user = event.from_user
        is_spent = await self._door.void(event, data)
        is_ours = not is_spent and await _is_for_us(event, data["bot"])
        if user is None or user.is_bot or not is_ours or await self._is_warned(event, data):
            await _end(event, data, "")
            return None
        person = await self._people.identify(user.id)
        if person is None or not person.is_active:
            with speaking(self._language(event, user)):
                await self._door.turn_away(event, data, person, user.id)
            return None
        chat = chat_of(event)
        if chat is None:
            await _end(event, data, t(refusals.OLD_BUTTON))
            return None
        if chat.type == "private" and chat.id != user.id:
            await self._people.refuse(user.id, f"foreign: {what(event)}")
            await _end(event, data, t(refusals.FOREIGN))
            return None
        await self._people.seen(person, user.language_code or "")
        given = {**data, "person": person}
        if chat.type == "private":  # in a group others read along, each in their own zone
            given["voice"] = self._voice.to_person(person)
        with speaking(given["voice"].language):
            return await handler(event, given)

    async def _is_warned(self, event: Message | CallbackQuery, data: dict[str, Any]) -> bool:
        """Whether it was words behind `/link` in a group; whoever wrote them is told what to do."""
        if not isinstance(event, Message) or event.chat.type == "private" or not is_removal(event):
            return False
        with speaking(self._voice.language):
            await self._door.warn(event, data)
        return True

    def _language(self, event: Message | CallbackQuery, user: User) -> str:
        """What somebody without rights is spoken to in: their app's, in a group the group's."""
        chat = chat_of(event)
        in_private = chat is None or chat.type == "private"
        return chosen(user.language_code or "") if in_private else self._voice.language


class RoleMiddleware(BaseMiddleware):
    """Inner: the handler's `role` flag against the person and the place.

    `moved` is which group has which new id.
    """

    def __init__(self, people: People, admin_chat_id: int, moved: Mapping[int, int]) -> None:
        self._people = people
        self._admin_chat_id = admin_chat_id
        self._moved = moved
        self._refused = Recently(GROUP_REFUSAL_SPAN_S, GROUP_REFUSALS_MAX)

    async def __call__(
        self, handler: Handler, event: TelegramObject, data: dict[str, Any]
    ) -> object:
        """Handle, or refuse and audit. In a group somebody is refused once a minute at most.

        A group's messages are few: answers to what may not be asked would go before its alerts.
        What is answered there only the one who asked sees, where Telegram does that.
        """
        if not isinstance(event, Message | CallbackQuery):
            return None
        person: Person = data["person"]
        refusal = self._refusal(event, data, person)
        if refusal is None:
            return await handler(event, data)
        if refusal not in {refusals.PRIVATE_ONLY, refusals.ADMIN_HAS_NONE}:
            await self._people.refuse(person.telegram_id, f"not allowed: {what(event)}")
        if isinstance(event, Message) and event.chat.type != "private":
            key = (event.chat.id, person.telegram_id, refusal)
            if not self._refused.first(key, asyncio.get_running_loop().time()):
                return None
        if refusal == refusals.PRIVATE_ONLY and isinstance(event, Message):
            speaker: Speaker = data["speaker"]
            username = (await data["bot"].me()).username or ""
            await speaker.say_to_asker(event, people.private_only(username))
            return None
        await _end(event, data, t(refusal))
        return None

    def _refusal(
        self, event: Message | CallbackQuery, data: dict[str, Any], person: Person
    ) -> str | None:
        role = get_flag(data, "role")
        chat = chat_of(event)
        private = chat is not None and chat.type == "private"
        admin = self._moved.get(self._admin_chat_id, self._admin_chat_id)
        admin_chat = chat is not None and chat.id == admin
        if role == ADMIN:
            if not person.is_admin:
                return refusals.ADMINS_ONLY
            return None if private or admin_chat else refusals.ADMIN_PLACE
        if role != CLIENT:
            return refusals.NO_ROLE
        shared = admin_chat and person.is_admin and bool(get_flag(data, "shared"))
        if private or shared:
            return None
        none_own = person.is_admin and not person.account_ids and not get_flag(data, "personal")
        return refusals.ADMIN_HAS_NONE if none_own else refusals.PRIVATE_ONLY


def chat_of(event: Message | CallbackQuery) -> Chat | None:
    """Where it happened; None for a press on a message Telegram does not show any more."""
    if isinstance(event, Message):
        return event.chat
    return None if event.message is None else event.message.chat


async def _is_for_us(event: Message | CallbackQuery, bot: Bot) -> bool:
    """In a group only commands count, and only those that name no other bot."""
    if isinstance(event, CallbackQuery):
        return True
    if event.sender_chat is not None:
        return False
    if event.chat.type == "private":
        return True
    text = event.text or ""
    command = text.split(maxsplit=1)[0] if text.startswith("/") else ""
    _, _, mention = command.partition("@")
    if not command or not mention:
        return bool(command)
    return mention.lower() == ((await bot.me()).username or "").lower()


async def _end(event: Message | CallbackQuery, data: dict[str, Any], text: str) -> None:
    if isinstance(event, CallbackQuery):
        answerer: Answerer = data["answerer"]
        await answerer.once(Toast(plain(text), alert=bool(text)))
    elif text:
        speaker: Speaker = data["speaker"]
        await speaker.say_to_asker(event, Said(html=text))
