"""Bot API methods that add messages. Refusals come before the rates are counted."""

from typing import Any, Final

from bot.sandbox.telegram import limits
from bot.sandbox.telegram.call import Call, Upload
from bot.sandbox.telegram.chats import Chat, Message, public
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.formatting import Formatted, call_caption, caption_of, message_text
from bot.sandbox.telegram.groups import topic_of
from bot.sandbox.telegram.keyboard import read_markup
from bot.sandbox.telegram.receiving import PARAMETERS, deliver, receiver_of
from bot.sandbox.telegram.state import TelegramState

MEDIA_KINDS: Final = ("photo", "document")
CHAT_ACTIONS: Final = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
COPIED: Final[tuple[str, ...]] = (
    "text",
    "entities",
    "caption",
    "caption_entities",
    "photo",
    "document",
    "_html",
)


def text_content(formatted: Formatted) -> dict[str, Any]:
    """Render text as fields of a message."""
    content: dict[str, Any] = {"text": formatted.text}
    if formatted.entities:
        content["entities"] = formatted.entities
    if formatted.source:
        content["_html"] = formatted.source
    return content


def caption_content(formatted: Formatted) -> dict[str, Any]:
    """Render a caption as fields of a message; nothing for no caption."""
    content: dict[str, Any] = {}
    if formatted.text:
        content["caption"] = formatted.text
    if formatted.entities:
        content["caption_entities"] = formatted.entities
    if formatted.source:
        content["_html"] = formatted.source
    return content


def media_content(state: TelegramState, call: Call, kind: str, value: str) -> dict[str, Any]:
    """Take a medium: an upload (`attach://` or the part of that name) or a file id seen before."""
    upload: Upload | None = call.uploads.get(value.removeprefix("attach://") if value else kind)
    if upload is None and value.startswith("attach://"):
        raise bad_request("wrong file identifier/HTTP URL specified")
    if upload is None and not value:
        raise bad_request(f"there is no {kind} in the request")
    if upload is None:
        return {kind: state.files.again(value, kind)}
    if kind == "photo":
        return {kind: state.files.store_photo(upload)}
    return {kind: state.files.store_document(upload)}


def _around(state: TelegramState, call: Call, chat: Chat) -> dict[str, Any]:
    """Read what goes with any message: the keyboard, the reply, protection, the thread."""
    around: dict[str, Any] = {}
    markup = read_markup(call)
    if markup is not None:
        around["reply_markup"] = markup
    reply = call.nested("reply_parameters", dict) or {}
    if reply.get("ephemeral_message_id"):  # nobody can send the bot one
        raise bad_request("message to be replied not found")
    replied_id = reply.get("message_id") or call.integer("reply_to_message_id")
    if replied_id is not None:
        replied = state.book.find(chat, int(replied_id))
        tolerant = reply.get("allow_sending_without_reply") or call.flag(
            "allow_sending_without_reply"
        )
        if replied is None and (not tolerant or PARAMETERS in call.params):
            raise bad_request("message to be replied not found")
        if replied is not None:
            around["reply_to_message"] = {
                name: value for name, value in public(replied).items() if name != "reply_to_message"
            }
    around |= thread_place(chat, call.integer("message_thread_id"), around.get("reply_to_message"))
    if call.flag("protect_content"):
        around["has_protected_content"] = True
    if call.flag("disable_notification"):
        around["_silent"] = True
    return around


def thread_place(chat: Chat, thread_id: int | None, replied: Message | None) -> dict[str, Any]:
    """The topic a message stands in: the one named, else that of the message it answers.

    Raises ApiError 400 where there is no such topic, or it is closed.
    """
    if thread_id is None and replied is not None:
        thread_id = replied.get("message_thread_id")
    if thread_id is None:
        return {}
    if topic_of(chat, thread_id)["closed"]:
        raise bad_request("TOPIC_CLOSED")
    return {"message_thread_id": thread_id, "is_topic_message": True}


def send_message(state: TelegramState, call: Call) -> Message:
    """Serve `sendMessage`."""
    chat = state.chat_to_write(call)
    content = text_content(message_text(call)) | _around(state, call, chat)
    content |= receiver_of(state, call, chat) or {}
    state.flood.take(chat.id)
    return deliver(state, chat, content)


def _send_media(state: TelegramState, call: Call, kind: str) -> Message:
    chat = state.chat_to_write(call)
    content = caption_content(call_caption(call)) | _around(state, call, chat)
    content |= receiver_of(state, call, chat) or {}
    state.flood.take(chat.id)
    return deliver(state, chat, media_content(state, call, kind, call.text(kind)) | content)


def send_photo(state: TelegramState, call: Call) -> Message:
    """Serve `sendPhoto`."""
    return _send_media(state, call, "photo")


def send_document(state: TelegramState, call: Call) -> Message:
    """Serve `sendDocument`."""
    return _send_media(state, call, "document")


def input_media(state: TelegramState, call: Call, media: object) -> dict[str, Any]:
    """Read an InputMedia (photo or document) into fields of a message."""
    if not isinstance(media, dict) or media.get("type") not in MEDIA_KINDS:
        raise bad_request("wrong type of the InputMedia specified")
    caption = caption_of(
        str(media.get("caption") or ""),
        str(media.get("parse_mode") or ""),
        media.get("caption_entities"),
    )
    kind = str(media["type"])
    content = media_content(state, call, kind, str(media.get("media") or ""))
    return content | caption_content(caption)


def send_media_group(state: TelegramState, call: Call) -> list[Message]:
    """Serve `sendMediaGroup`; it counts as many sends as it holds."""
    chat = state.chat_to_write(call)
    group = call.nested("media", list) or []
    if not group:
        raise bad_request("there are no messages to send")
    if len(group) < limits.MEDIA_GROUP_MIN:
        raise bad_request("too few messages to send as an album")
    if len(group) > limits.MEDIA_GROUP_MAX:
        raise bad_request("too many messages to send as an album")
    around = _around(state, call, chat)
    state.flood.take(chat.id, len(group))
    contents = [input_media(state, call, media) for media in group]
    album = {"media_group_id": str(chat.next_message_id)}
    return [deliver(state, chat, content | around | album) for content in contents]


def _source_of(state: TelegramState, call: Call, verb: str) -> Message:
    source = state.chat_of(call, "from_chat_id")
    message = state.book.find(source, call.integer("message_id"))
    if message is None:
        raise bad_request(f"message to {verb} not found")
    return message


def forward_message(state: TelegramState, call: Call) -> Message:
    """Serve `forwardMessage`."""
    chat = state.chat_to_write(call)
    message = _source_of(state, call, "forward")
    origin = {"type": "user", "sender_user": message["from"], "date": message["date"]}
    state.flood.take(chat.id)
    copied = {name: message[name] for name in COPIED if name in message}
    return deliver(state, chat, copied | {"forward_origin": origin})


def copy_message(state: TelegramState, call: Call) -> dict[str, int]:
    """Serve `copyMessage`."""
    chat = state.chat_to_write(call)
    message = _source_of(state, call, "copy")
    copied = {name: message[name] for name in COPIED if name in message}
    if "caption" in call.params and "text" not in copied:
        for name in ("caption", "caption_entities"):
            copied.pop(name, None)
        copied |= caption_content(call_caption(call))
    content = copied | _around(state, call, chat)
    state.flood.take(chat.id)
    return {"message_id": deliver(state, chat, content)["message_id"]}


def send_chat_action(state: TelegramState, call: Call) -> bool:
    """Serve `sendChatAction`: shown for five seconds, or until the next message."""
    chat = state.chat_to_write(call)
    if call.text("action") not in CHAT_ACTIONS:
        raise bad_request("wrong parameter action in request")
    chat.typing_until_s = state.now_s() + limits.TYPING_LIFE_S
    state.book.touch(chat)
    return True
