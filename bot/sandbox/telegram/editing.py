"""Bot API methods that change messages: edits, deletions, pins, reactions."""

from collections.abc import Callable
from typing import Any, Final

from bot.sandbox.people import BOT_ID
from bot.sandbox.telegram import limits
from bot.sandbox.telegram.call import Call
from bot.sandbox.telegram.chats import Chat, Message, public
from bot.sandbox.telegram.errors import NOT_MODIFIED, bad_request
from bot.sandbox.telegram.formatting import call_caption, message_text
from bot.sandbox.telegram.keyboard import read_markup
from bot.sandbox.telegram.sending import caption_content, input_media, text_content
from bot.sandbox.telegram.state import TelegramState

TO_EDIT: Final = "message to edit not found"
TEXT_FIELDS: Final = ("text", "entities", "_html")
CAPTION_FIELDS: Final = ("caption", "caption_entities", "_html")
MEDIA_FIELDS: Final = ("photo", "document", *CAPTION_FIELDS)


def _replaced(message: Message, fields: tuple[str, ...], content: dict[str, Any]) -> Message:
    kept = {name: value for name, value in message.items() if name not in fields}
    return kept | content


def _finish(
    state: TelegramState, call: Call, chat: Chat, before: Message, after: Message
) -> Message:
    """Put the edited message with the call's keyboard (none given: none left) in place."""
    _changed(state, call, chat, before, after)
    state.book.save(chat, after)
    return public(after)


def _changed(state: TelegramState, call: Call, chat: Chat, before: Message, after: Message) -> None:
    """Give the edited message the call's keyboard and its date; it counts as a send."""
    markup = read_markup(call)
    after.pop("reply_markup", None)
    if markup is not None:
        after["reply_markup"] = markup
    if _shown(after) == _shown(before):
        raise bad_request(NOT_MODIFIED)
    state.flood.take(chat.id)
    after["edit_date"] = int(state.now_s())


def _shown(message: Message) -> Message:
    shown = {name: value for name, value in public(message).items() if name != "edit_date"}
    if "photo" in shown:
        shown["photo"] = [size["file_unique_id"] for size in shown["photo"]]
    if "document" in shown:
        shown["document"] = shown["document"]["file_unique_id"]
    return shown


def with_text(_state: TelegramState, call: Call, message: Message) -> Message:
    """Give a message the call's text. Raises ApiError 400 where it has none."""
    if "text" not in message:
        raise bad_request("there is no text in the message to edit")
    return _replaced(message, TEXT_FIELDS, text_content(message_text(call))) | {"_edited": True}


def with_caption(_state: TelegramState, call: Call, message: Message) -> Message:
    """Give a message the call's caption; an empty one removes it. Raises ApiError 400."""
    if "text" in message:
        raise bad_request("there is no caption in the message to edit")
    content = caption_content(call_caption(call))
    return _replaced(message, CAPTION_FIELDS, content) | {"_edited": True}


def with_media(state: TelegramState, call: Call, message: Message) -> Message:
    """Give a message the call's medium. Raises ApiError 400 where it has none."""
    if "text" in message:
        raise bad_request("there is no media in the message to edit")
    content = input_media(state, call, call.nested("media", dict))
    return _replaced(message, MEDIA_FIELDS, content) | {"_edited": True}


def with_markup(_state: TelegramState, _call: Call, message: Message) -> Message:
    """Leave a message's content as it is."""
    return dict(message)


def edit_text(state: TelegramState, call: Call) -> Message:
    """Serve `editMessageText`."""
    chat = state.chat_to_write(call)
    message = state.own_message(call, chat, TO_EDIT)
    return _finish(state, call, chat, message, with_text(state, call, message))


def edit_caption(state: TelegramState, call: Call) -> Message:
    """Serve `editMessageCaption`; an empty caption removes it."""
    chat = state.chat_to_write(call)
    message = state.own_message(call, chat, TO_EDIT)
    return _finish(state, call, chat, message, with_caption(state, call, message))


def edit_media(state: TelegramState, call: Call) -> Message:
    """Serve `editMessageMedia`."""
    chat = state.chat_to_write(call)
    message = state.own_message(call, chat, TO_EDIT)
    return _finish(state, call, chat, message, with_media(state, call, message))


def edit_markup(state: TelegramState, call: Call) -> Message:
    """Serve `editMessageReplyMarkup`; the message is not marked as edited."""
    chat = state.chat_to_write(call)
    message = state.own_message(call, chat, TO_EDIT)
    return _finish(state, call, chat, message, with_markup(state, call, message))


def ephemeral_edit(
    change: Callable[[TelegramState, Call, Message], Message],
) -> Callable[[TelegramState, Call], bool]:
    """Serve one of `editEphemeralMessage...`: what it does to a message that one person sees."""

    def edit(state: TelegramState, call: Call) -> bool:
        chat = state.chat_to_write(call)
        message = _ephemeral(state, call, chat, TO_EDIT)
        after = change(state, call, message)
        _changed(state, call, chat, message, after)
        state.ephemerals.save(after)
        state.book.touch(chat)
        return True

    return edit


def delete_ephemeral(state: TelegramState, call: Call) -> bool:
    """Serve `deleteEphemeralMessage`."""
    chat = state.chat_of(call)
    state.ephemerals.remove(_ephemeral(state, call, chat, "message to delete not found"))
    state.book.touch(chat)
    return True


def _ephemeral(state: TelegramState, call: Call, chat: Chat, missing: str) -> Message:
    user_id, ephemeral_id = call.integer("receiver_user_id"), call.integer("ephemeral_message_id")
    message = state.ephemerals.find(chat.id, user_id or 0, ephemeral_id or 0)
    if message is None:
        raise bad_request(missing)
    return message


def delete_message(state: TelegramState, call: Call) -> bool:
    """Serve `deleteMessage`."""
    chat = state.chat_of(call)
    message = state.book.find(chat, call.integer("message_id"))
    if message is None:
        raise bad_request("message to delete not found")
    refusal = _kept_because(state, chat, message)
    if refusal:
        raise bad_request(refusal)
    state.book.remove(chat, message["message_id"])
    return True


def _kept_because(state: TelegramState, chat: Chat, message: Message) -> str:
    """Why the bot may not delete this message; empty where it may.

    An administrator of a group deletes any, others their own; and in a private chat both sides'.
    All of them within 48 hours, but administrators.
    """
    if not chat.private:
        if state.book.status(chat, BOT_ID) == "administrator":
            return ""
        if message["from"]["id"] != BOT_ID:
            return "message can't be deleted"
    is_old = state.now_s() - message["date"] >= limits.DELETE_AGE_S_MAX
    return "message can't be deleted for everyone" if is_old else ""


def delete_messages(state: TelegramState, call: Call) -> bool:
    """Serve `deleteMessages`; ids that are not there, or must stay, are skipped."""
    chat = state.chat_of(call)
    ids = call.nested("message_ids", list) or []
    if not ids:
        raise bad_request("message identifiers are not specified")
    if len(ids) > limits.DELETE_MANY_MAX:
        raise bad_request("too many message identifiers specified")
    for message_id in ids:
        message = state.book.find(chat, message_id) if isinstance(message_id, int) else None
        if message is not None and not _kept_because(state, chat, message):
            state.book.remove(chat, message["message_id"])
    return True


def pin(state: TelegramState, call: Call) -> bool:
    """Serve `pinChatMessage`."""
    chat = state.chat_of(call)
    message = state.book.find(chat, call.integer("message_id"))
    if message is None:
        raise bad_request("message to pin not found")
    message_id = message["message_id"]
    chat.pinned = [*(n for n in chat.pinned if n != message_id), message_id]
    state.book.touch(chat)
    return True


def unpin(state: TelegramState, call: Call) -> bool:
    """Serve `unpinChatMessage`: the one named, else the one pinned last."""
    chat = state.chat_of(call)
    message_id = call.integer("message_id")
    if message_id is None and chat.pinned:
        message_id = chat.pinned[-1]
    if message_id is None or state.book.find(chat, message_id) is None:
        raise bad_request("message to unpin not found")
    chat.pinned = [n for n in chat.pinned if n != message_id]
    state.book.touch(chat)
    return True


def unpin_all(state: TelegramState, call: Call) -> bool:
    """Serve `unpinAllChatMessages`."""
    chat = state.chat_of(call)
    chat.pinned = []
    state.book.touch(chat)
    return True


def react(state: TelegramState, call: Call) -> bool:
    """Serve `setMessageReaction`; no reaction given takes the bot's away."""
    chat = state.chat_of(call)
    message = state.book.find(chat, call.integer("message_id"))
    if message is None:
        raise bad_request("message to react not found")
    reactions = call.nested("reaction", list) or []
    emoji = [reaction.get("emoji") for reaction in reactions if isinstance(reaction, dict)]
    if len(emoji) > 1 or not all(isinstance(one, str) and one for one in emoji):
        raise bad_request("REACTION_INVALID")
    state.book.save(chat, {**message, "_reactions": emoji})
    return True
