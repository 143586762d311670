"""What people do: write, tap, read, block. Judging who may do what is the bot's work, not ours.

So anyone may speak in the group (who does is a member from then on) and a tap is let through from
anyone, as from a forged client: a bot that trusts the chat instead of the person must be found out.
"""

import re
from typing import Any, Final

import msgspec

from bot.sandbox.telegram import limits
from bot.sandbox.telegram.chats import Chat, Message, public, user_json
from bot.sandbox.telegram.errors import PersonError
from bot.sandbox.telegram.html import utf16_len
from bot.sandbox.telegram.keyboard import inline_rows
from bot.sandbox.telegram.state import TelegramState
from bot.sandbox.telegram.transcript import labels

_COMMAND: Final = re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(@\w+)?")


class Saying(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /sim/message`."""

    user_id: int
    text: str
    chat_id: int | None = None
    reply_to_message_id: int | None = None
    message_thread_id: int | None = None


class Tap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /sim/callback`: a button by its visible label, or by its data.

    Data with a message id needs no such button there: a stale screen, or a forged client, sends it.
    A message that only `user_id` sees has an `ephemeral_message_id`, and is pressed by nobody else.
    """

    user_id: int
    chat_id: int
    label: str | None = None
    data: str | None = None
    message_id: int | None = None
    ephemeral_message_id: int | None = None
    wait_s: float = 0.0


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /sim/block`."""

    user_id: int
    blocked: bool = True


def chat_named(state: TelegramState, chat_id: int) -> Chat:
    """Find a chat. Raises PersonError 404 listing those there are."""
    chat = state.book.chats.get(chat_id)
    if chat is None:
        raise PersonError(
            404, f"chat_id {chat_id} does not exist", chat_ids=sorted(state.book.chats)
        )
    return chat


def say(state: TelegramState, saying: Saying) -> Message:
    """Write as a person; writing to the bot opens the chat to it, and unblocks it.

    Raises PersonError naming what is wrong.
    """
    if not saying.text.strip():
        raise PersonError(400, "text must not be empty")
    if utf16_len(saying.text) > limits.SIM_TEXT_UNITS_MAX:
        raise PersonError(400, f"text must have at most {limits.SIM_TEXT_UNITS_MAX} UTF-16 units")
    person = state.book.meet(saying.user_id)
    chat_id = saying.user_id if saying.chat_id is None else saying.chat_id
    chat = chat_named(state, chat_id)
    if chat.private and chat.id != person.user_id:
        raise PersonError(
            400, f"chat_id {chat.id} is {chat.title}'s private chat; user_id cannot write there"
        )
    if person.user_id not in chat.members:
        chat.members.append(person.user_id)
    if chat.private and chat.blocked:
        state.set_blocked(person.user_id, blocked=False)
    chat.open_to_bot = True
    content = {"text": saying.text} | _commands_in(saying.text) | _around(state, saying, chat)
    message = state.book.post(chat, user_json(person), content)
    state.updates.create("message", public(message))
    return message


def _around(state: TelegramState, saying: Saying, chat: Chat) -> dict[str, Any]:
    """What it answers, and the topic it stands in. Raises PersonError 404 for neither there."""
    around: dict[str, Any] = {}
    replied = state.book.find(chat, saying.reply_to_message_id)
    if saying.reply_to_message_id is not None and replied is None:
        raise PersonError(404, f"reply_to_message_id {saying.reply_to_message_id} does not exist")
    thread_id = saying.message_thread_id
    if thread_id is not None and str(thread_id) not in chat.topics:
        raise PersonError(404, f"message_thread_id {thread_id} is no topic of this chat")
    if replied is not None:
        around["reply_to_message"] = public(replied)
        thread_id = thread_id or replied.get("message_thread_id")
    if thread_id is not None:
        around |= {"message_thread_id": thread_id, "is_topic_message": True}
    return around


def _commands_in(text: str) -> dict[str, Any]:
    found = _commands(text)
    return {"entities": found} if found else {}


def _commands(text: str) -> list[dict[str, Any]]:
    return [
        {
            "type": "bot_command",
            "offset": utf16_len(text[: found.start()]),
            "length": utf16_len(found.group()),
        }
        for found in _COMMAND.finditer(text)
    ]


def _wanted(tap: Tap, button: dict[str, Any]) -> bool:
    if tap.label is not None:
        return bool(button["text"] == tap.label)
    return bool(button.get("callback_data") == tap.data)


def _candidates(state: TelegramState, tap: Tap, chat: Chat) -> list[Message]:
    """The messages whose button it may be, newest first. Raises PersonError 404 for none."""
    own = state.ephemerals.of(chat.id, tap.user_id)[::-1]
    shared = state.book.newest_first(chat)
    if tap.ephemeral_message_id is not None:
        name, wanted = "ephemeral_message_id", tap.ephemeral_message_id
    elif tap.message_id is not None:
        name, wanted, own = "message_id", tap.message_id, []
    else:
        return [*own, *shared]
    found = [m for m in (*own, *shared) if m.get(name) == wanted]
    if not found:
        raise PersonError(404, f"{name} {wanted} does not exist in this chat")
    return found


def _find_button(state: TelegramState, tap: Tap, chat: Chat) -> tuple[Message, dict[str, Any]]:
    if (tap.label is None) == (tap.data is None):
        raise PersonError(400, "give exactly one of label and data")
    candidates = _candidates(state, tap, chat)
    for message in candidates:
        for row in inline_rows(message):
            for button in row:
                if _wanted(tap, button):
                    return message, button
    if tap.data is not None and tap.message_id is not None:
        return candidates[0], {"text": "", "callback_data": tap.data}
    there = [{"message_id": m["message_id"], "labels": labels(m)} for m in candidates if labels(m)]
    what = f"label {tap.label!r}" if tap.label is not None else f"data {tap.data!r}"
    raise PersonError(
        404,
        f"no button with {what}" + ("" if there else "; there is no keyboard"),
        labels=[label for keyboard in there for label in keyboard["labels"]],
        keyboards=there,
    )


def tap_button(state: TelegramState, tap: Tap) -> dict[str, Any]:
    """Tap a button; the query carries its message as it is now. Raises PersonError."""
    if not 0 <= tap.wait_s <= limits.WAIT_S_MAX:
        raise PersonError(400, f"wait_s must be 0..{limits.WAIT_S_MAX:g}, was {tap.wait_s:g}")
    chat = chat_named(state, tap.chat_id)
    person = state.book.meet(tap.user_id)
    message, button = _find_button(state, tap, chat)
    if "callback_data" not in button or "disabled" in button:
        raise PersonError(409, f"button {button['text']!r} does not call the bot when pressed")
    query_id = state.queries.open(
        user_id=person.user_id,
        chat_id=chat.id,
        message_id=message["message_id"],
        label=button["text"],
        at_s=state.now_s(),
    )
    state.updates.create(
        "callback_query",
        {
            "id": query_id,
            "from": user_json(person),
            "message": public(message),
            "chat_instance": str(7_000_000_000_000 + abs(chat.id)),
            "data": button["callback_data"],
        },
    )
    return {
        "callback_query_id": query_id,
        "message_id": message["message_id"],
        "label": button["text"],
        "data": button["callback_data"],
    }
