"""Everything the local Telegram knows, put together over one store."""

import time
from typing import Any

from bot.sandbox.people import BOT_ID, People
from bot.sandbox.store import WorldStore
from bot.sandbox.telegram.call import Call
from bot.sandbox.telegram.chats import BOT_USER, Chat, ChatBook, Message, user_json
from bot.sandbox.telegram.ephemerals import Ephemerals
from bot.sandbox.telegram.errors import bad_request, forbidden, migrated
from bot.sandbox.telegram.faults import Faults
from bot.sandbox.telegram.files import FileCabinet
from bot.sandbox.telegram.flood import FloodGate
from bot.sandbox.telegram.menu import CommandMenu
from bot.sandbox.telegram.outbox import Outbox
from bot.sandbox.telegram.queries import QueryDesk
from bot.sandbox.telegram.updates import UpdateQueue


class TelegramState:
    """The parts, and the checks every method shares. Nothing here awaits: calls are atomic."""

    def __init__(self, store: WorldStore, people: People, *, flood_limits: bool) -> None:
        self.store = store
        self.people = people
        self.now_s = time.time
        self.book = ChatBook(store, people, self.now_s)
        self.ephemerals = Ephemerals()
        self.updates = UpdateQueue(store)
        self.queries = QueryDesk(store)
        self.files = FileCabinet(store)
        self.menu = CommandMenu(store, self.book)
        self.outbox = Outbox(store)
        self.faults = Faults(store)
        self.flood = FloodGate(time.monotonic, enforced=flood_limits)

    def chat_of(self, call: Call, name: str = "chat_id") -> Chat:
        """Find the chat a call names. Raises ApiError 400: empty, not found."""
        given = call.text(name)
        if not given:
            raise bad_request(f"{name} is empty")
        try:
            chat = self.book.chats.get(int(given))
        except ValueError:
            chat = None
        if chat is None or not chat.open_to_bot:
            raise bad_request("chat not found")
        if chat.moved_to is not None:
            raise migrated(chat.moved_to)
        return chat

    def chat_to_write(self, call: Call) -> Chat:
        """Find the chat a call writes to. Raises ApiError 400 (empty, not found, moved) or 403.

        The latter where the person blocked the bot, or the bot is not in the group any more.
        """
        chat = self.chat_of(call)
        if chat.blocked:
            raise forbidden("bot was blocked by the user")
        kind = "group" if chat.basic else "supergroup"
        match self.book.status(chat, BOT_ID):
            case "kicked":
                raise forbidden(f"bot was kicked from the {kind} chat")
            case "left":
                raise forbidden(f"bot is not a member of the {kind} chat")
            case _:
                return chat

    def own_message(self, call: Call, chat: Chat, missing: str) -> Message:
        """Find the bot's own message a call names; ``missing`` words the 400 when there is none."""
        message = self.book.find(chat, call.integer("message_id"))
        if message is None:
            raise bad_request(missing)
        if message["from"]["id"] != BOT_ID:
            raise bad_request("message can't be edited")
        return message

    def set_blocked(self, user_id: int, *, blocked: bool) -> None:
        """Block or unblock the bot, as the person would; the bot hears of it (my_chat_member)."""
        person = self.book.meet(user_id)
        chat = self.book.chats[user_id]
        if chat.blocked == blocked:
            return
        chat.blocked = blocked
        self.book.touch(chat)
        self.updates.create(
            "my_chat_member",
            {
                "chat": self.book.chat_json(chat),
                "from": user_json(person),
                "date": int(self.now_s()),
                "old_chat_member": _membership(blocked=not blocked),
                "new_chat_member": _membership(blocked=blocked),
            },
        )

    def reset(self) -> None:
        """Empty chats, outbox and faults; what waits to be heard or answered goes with them."""
        self.book.clear()
        self.ephemerals.clear()
        self.updates.forget()
        self.queries.clear()
        self.outbox.clear()
        self.faults.clear()
        self.flood.forget()


def _membership(*, blocked: bool) -> dict[str, Any]:
    if blocked:
        return {"status": "kicked", "user": BOT_USER, "until_date": 0}
    return {"status": "member", "user": BOT_USER}
