"""Chats and the people in them: messages as they are now, pins, blocks, toasts."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from bot.sandbox.people import (
    ADMIN_CHAT_ID,
    ADMIN_CHAT_TITLE,
    BOT_ID,
    BOT_NAME,
    BOT_USERNAME,
    People,
    Person,
)
from bot.sandbox.store import WorldStore
from bot.sandbox.telegram import limits
from bot.sandbox.telegram.errors import PersonError

Message = dict[str, Any]
"""A Bot API Message; keys that begin with "_" are this server's own and never leave it as such."""

CHAT: Final = "tg.chat"
MESSAGE: Final = "tg.message"
PERSON: Final = "tg.person"

BOT_USER: Final[dict[str, Any]] = {
    "id": BOT_ID,
    "is_bot": True,
    "first_name": BOT_NAME,
    "username": BOT_USERNAME,
}


def user_json(person: Person) -> dict[str, Any]:
    """Render a person as a Bot API User."""
    return {
        "id": person.user_id,
        "is_bot": False,
        "first_name": person.first_name,
        "username": person.username,
        "language_code": "en",
    }


def public(message: Message) -> Message:
    """Render a message without this server's own fields."""
    return {name: value for name, value in message.items() if not name.startswith("_")}


@dataclass(slots=True)
class Chat:
    """One chat. ``version`` grows with every visible change, so that a page can ask cheaply."""

    id: int
    title: str
    members: list[int]
    open_to_bot: bool
    """Whether the bot may write: a person must have written (or pressed Start) first."""
    blocked: bool = False
    next_message_id: int = 1
    version: int = 1
    pinned: list[int] = field(default_factory=list)
    toasts: list[dict[str, Any]] = field(default_factory=list)
    typing_until_s: float = 0.0
    forum: bool = False
    """Whether messages stand in topics."""
    topics: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Topics by the id of the message that opened each."""
    roles: dict[str, str] = field(default_factory=dict)
    """Who is in the group as what, by user id, where that is not what the demo began with."""
    basic: bool = False
    """A small group, which Telegram may make a supergroup with another id."""
    moved_to: int | None = None

    @property
    def private(self) -> bool:
        """Whether this is a person's own chat with the bot."""
        return self.id > 0


class ChatBook:
    """All chats, by id, durable. ``now_s`` is wall time, Unix seconds."""

    def __init__(self, store: WorldStore, people: People, now_s: Callable[[], float]) -> None:
        self._store = store
        self.now_s = now_s
        self.people: dict[int, Person] = {p.user_id: p for p in people.everyone()}
        self.admins = frozenset(admin.user_id for admin in people.admins)
        for key, body in store.load(PERSON).items():
            self.people.setdefault(int(key), Person(**body))
        self.chats: dict[int, Chat] = {
            int(key): Chat(**body) for key, body in store.load(CHAT).items()
        }
        self.messages: dict[int, dict[int, Message]] = {}
        stored = [(body["chat"]["id"], body) for body in store.load(MESSAGE).values()]
        for chat_id, body in sorted(stored, key=lambda pair: pair[1]["message_id"]):
            self.messages.setdefault(chat_id, {})[body["message_id"]] = body
        self._settle(people)

    def _settle(self, people: People) -> None:
        for person in people.everyone():
            if person.user_id not in self.chats:
                self._open(person)
        if ADMIN_CHAT_ID not in self.chats:
            self.keep(Chat(ADMIN_CHAT_ID, ADMIN_CHAT_TITLE, [*self.admins], open_to_bot=True))

    def _open(self, person: Person) -> Chat:
        chat = Chat(person.user_id, person.first_name, [person.user_id], person.known)
        self.keep(chat)
        return chat

    def keep(self, chat: Chat) -> None:
        """Put the chat into the store as it is now."""
        self.chats[chat.id] = chat
        self._store.put(CHAT, chat.id, asdict(chat))

    def touch(self, chat: Chat) -> None:
        """Say that what the chat shows has changed."""
        chat.version += 1
        self.keep(chat)

    def meet(self, user_id: int) -> Person:
        """Find the person of that id; a new one is a stranger.

        Raises PersonError for an impossible id, and past `PEOPLE_MAX`.
        """
        if user_id in self.people:
            return self.people[user_id]
        if user_id <= 0:
            raise PersonError(400, "user_id must be a positive whole number")
        if len(self.people) >= limits.PEOPLE_MAX:
            raise PersonError(400, f"user_id {user_id} is new and {limits.PEOPLE_MAX} people exist")
        person = Person(user_id, f"Stranger {user_id}", f"user{user_id}", "stranger")
        self.people[user_id] = person
        self._store.put(PERSON, user_id, asdict(person))
        self._open(person)
        return person

    def chat_json(self, chat: Chat) -> dict[str, Any]:
        """Render the chat as a Bot API Chat."""
        if not chat.private:
            kind = "group" if chat.basic else "supergroup"
            forum = {"is_forum": True} if chat.forum else {}
            return {"id": chat.id, "type": kind, "title": chat.title, **forum}
        person = self.people[chat.id]
        return {
            "id": chat.id,
            "type": "private",
            "first_name": person.first_name,
            "username": person.username,
        }

    def status(self, chat: Chat, user_id: int) -> str:
        """What somebody is in a chat, in Telegram's words."""
        told = chat.roles.get(str(user_id))
        if told is not None:
            return told
        if user_id == BOT_ID:
            return "member" if chat.private else "administrator"
        if user_id not in chat.members:
            return "left"
        if chat.id != ADMIN_CHAT_ID or user_id not in self.admins:
            return "member"
        return "creator" if user_id == min(self.admins) else "administrator"

    def find(self, chat: Chat, message_id: int | None) -> Message | None:
        """Find a message as it is now."""
        return None if message_id is None else self.messages.get(chat.id, {}).get(message_id)

    def newest_first(self, chat: Chat) -> list[Message]:
        """List the chat's messages, newest first."""
        return list(reversed(self.messages.get(chat.id, {}).values()))

    def post(self, chat: Chat, sender: dict[str, Any], content: dict[str, Any]) -> Message:
        """Add a message; the oldest beyond the bound is forgotten."""
        message: Message = {
            "message_id": chat.next_message_id,
            "from": sender,
            "chat": self.chat_json(chat),
            "date": int(self.now_s()),
            **content,
        }
        chat.next_message_id += 1
        chat.typing_until_s = 0.0
        held = self.messages.setdefault(chat.id, {})
        self.save(chat, message)
        while len(held) > limits.MESSAGES_PER_CHAT_MAX:
            self.remove(chat, next(iter(held)))
        return message

    def save(self, chat: Chat, message: Message) -> None:
        """Put a new or changed message into the store."""
        self.messages.setdefault(chat.id, {})[message["message_id"]] = message
        self._store.put(MESSAGE, f"{chat.id}:{message['message_id']}", message)
        self.touch(chat)

    def remove(self, chat: Chat, message_id: int) -> None:
        """Delete a message, and its pin."""
        self.messages.get(chat.id, {}).pop(message_id, None)
        self._store.delete(MESSAGE, f"{chat.id}:{message_id}")
        if message_id in chat.pinned:
            chat.pinned.remove(message_id)
        self.touch(chat)

    def toast(self, chat: Chat, toast: dict[str, Any]) -> None:
        """Show a callback answer to the person who tapped."""
        chat.toasts = [*chat.toasts, toast][-limits.TOASTS_PER_CHAT_MAX :]
        self.touch(chat)

    def clear(self) -> None:
        """Empty every chat. Ids and versions go on growing; blocks and members stay."""
        for chat in self.chats.values():
            for message_id in list(self.messages.get(chat.id, {})):
                self.remove(chat, message_id)
            chat.toasts = []
            chat.typing_until_s = 0.0
            self.touch(chat)
