"""For whom alone a message is, where `ephemeral_message_parameters` say so, and why not.

The rules are those of core.telegram.org/bots/api#ephemeral-messages-and-commands: a bot that
administrates the group writes to any member at any time, any other within 15 seconds of a press,
naming it. Commands that only the bot sees (`is_ephemeral`) are not served here.
"""

from typing import Any, Final

from bot.sandbox.telegram import limits
from bot.sandbox.telegram.call import Call
from bot.sandbox.telegram.chats import BOT_USER, Chat, Message, public, user_json
from bot.sandbox.telegram.errors import QUERY_TOO_OLD, bad_request
from bot.sandbox.telegram.groups import ADMINISTRATING
from bot.sandbox.telegram.state import TelegramState

PARAMETERS: Final = "ephemeral_message_parameters"
ABSENT: Final = ("left", "kicked")


def receiver_of(state: TelegramState, call: Call, chat: Chat) -> dict[str, Any] | None:
    """Read for whom alone a message is, as fields of it; None where it is for everybody.

    Raises ApiError 400: a private chat, no member, no right to, a press that is too old.
    """
    asked = call.nested(PARAMETERS, dict)
    if asked is None:
        return None
    user_id = asked.get("receiver_user_id")
    if not isinstance(user_id, int):
        raise bad_request('can\'t parse EphemeralMessageParameters: field "receiver_user_id"')
    if chat.private:
        raise bad_request("BOT_NOT_ADMIN")
    query = _press(state, asked, chat, user_id)
    if query is None and state.book.status(chat, BOT_USER["id"]) not in ADMINISTRATING:
        raise bad_request("BOT_NOT_ADMIN")
    person = state.book.people.get(user_id)
    if person is None or state.book.status(chat, user_id) in ABSENT:
        raise bad_request("USER_NOT_PARTICIPANT")
    fields: dict[str, Any] = {
        "receiver_user": user_json(person),
        "_after": chat.next_message_id - 1,
    }
    if asked.get("replace_callback_query_message"):
        if query is None or not query.get("message_id"):
            raise bad_request("MESSAGE_ID_INVALID")
        fields |= {"_after": query["message_id"], "_replaces": query["message_id"]}
    return fields


def _press(
    state: TelegramState, asked: dict[str, Any], chat: Chat, user_id: int
) -> dict[str, Any] | None:
    """The press it answers; None where it names none."""
    if not asked.get("callback_query_id"):
        return None
    query = state.queries.find(str(asked["callback_query_id"]))
    known = query is not None and (query["user_id"], query["chat_id"]) == (user_id, chat.id)
    if query is None or not known or state.now_s() - query["at"] > limits.EPHEMERAL_ANSWER_S:
        raise bad_request(QUERY_TOO_OLD)
    return query


def seen_by(state: TelegramState, chat: Chat, user_id: int | None) -> list[Message]:
    """List what a chat shows somebody, oldest first; without a person what it shows everybody."""
    own = [] if user_id is None else state.ephemerals.of(chat.id, user_id)
    hidden = {message.get("_replaces") for message in own}
    shared = state.book.messages.get(chat.id, {}).values()
    both = [*(one for one in shared if one["message_id"] not in hidden), *own]
    return sorted(both, key=lambda message: message.get("_after", message["message_id"]))


def deliver(state: TelegramState, chat: Chat, content: dict[str, Any]) -> Message:
    """Show the bot's message to its receiver, or to everybody where it names none."""
    if "receiver_user" not in content:
        return public(state.book.post(chat, BOT_USER, content))
    message = {
        "from": BOT_USER,
        "chat": state.book.chat_json(chat),
        "date": int(state.now_s()),
        **content,
    }
    kept = state.ephemerals.post(message)
    state.book.touch(chat)
    return public(kept)
