"""Command menus: what the bot lists behind the slash, by scope, and which list a viewer sees."""

import re
from typing import Any, Final

import msgspec

from bot.sandbox.store import WorldStore
from bot.sandbox.telegram import limits
from bot.sandbox.telegram.call import Call
from bot.sandbox.telegram.chats import Chat, ChatBook
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.html import utf16_len

COMMANDS: Final = "tg.commands"
_NAME: Final = re.compile(r"[a-z0-9_]{1,32}")
_FIELDS: Final = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}


class CommandMenu:
    """Command lists by scope and language, durable."""

    def __init__(self, store: WorldStore, book: ChatBook) -> None:
        self._store = store
        self._book = book
        self._lists: dict[str, list[dict[str, Any]]] = {
            key: body["commands"] for key, body in store.load(COMMANDS).items()
        }

    def _key(self, call: Call) -> str:
        scope = call.nested("scope", dict) or {"type": "default"}
        kind = scope.get("type")
        if kind not in _FIELDS:
            raise bad_request("unsupported scope type")
        parts = [str(kind)]
        for name in _FIELDS[kind]:
            try:
                parts.append(str(int(scope[name])))
            except (KeyError, TypeError, ValueError):
                raise bad_request(f'can\'t parse BotCommandScope: field "{name}"') from None
        if len(parts) > 1 and int(parts[1]) not in self._book.chats:
            raise bad_request("chat not found")
        return f"{':'.join(parts)}|{call.text('language_code')}"

    def set(self, call: Call) -> bool:
        """Serve `setMyCommands`."""
        commands = call.nested("commands", list) or []
        if len(commands) > limits.COMMANDS_MAX:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        key = self._key(call)
        self._lists[key] = [_command(command) for command in commands]
        self._store.put(COMMANDS, key, {"commands": self._lists[key]})
        return True

    def get(self, call: Call) -> list[dict[str, Any]]:
        """Serve `getMyCommands`: the list of exactly this scope."""
        return self._lists.get(self._key(call), [])

    def delete(self, call: Call) -> bool:
        """Serve `deleteMyCommands`."""
        key = self._key(call)
        self._lists.pop(key, None)
        self._store.delete(COMMANDS, key)
        return True

    def seen_by(self, chat: Chat, user_id: int) -> list[dict[str, Any]]:
        """Pick the list this viewer sees in this chat: Telegram's order, narrowest scope first."""
        if chat.private:
            order = [f"chat:{chat.id}", "all_private_chats", "default"]
        else:
            order = [f"chat_member:{chat.id}:{user_id}"]
            administrates = self._book.status(chat, user_id) in {"creator", "administrator"}
            if administrates:
                order += [f"chat_administrators:{chat.id}"]
            order += [f"chat:{chat.id}"]
            if administrates:
                order += ["all_chat_administrators"]
            order += ["all_group_chats", "default"]
        for scope in order:
            for language in ("en", ""):
                if found := self._lists.get(f"{scope}|{language}"):
                    return found
        return []


def _command(command: object) -> dict[str, Any]:
    if not isinstance(command, dict):
        raise bad_request("can't parse BotCommand: expected an Object")
    name, description = command.get("command"), command.get("description")
    if not isinstance(name, str) or not _NAME.fullmatch(name.removeprefix("/")):
        raise bad_request("BOT_COMMAND_INVALID")
    units = utf16_len(description) if isinstance(description, str) else 0
    if not 0 < units <= limits.COMMAND_DESCRIPTION_UNITS_MAX:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    kept: dict[str, Any] = msgspec.to_builtins(command)
    return {**kept, "command": name.removeprefix("/")}
