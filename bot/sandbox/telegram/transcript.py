"""A chat as a person sees it now: JSON for scripts and the page, greppable text for people."""

from datetime import UTC, datetime
from typing import Any, Final

from bot.sandbox.people import BOT_ID
from bot.sandbox.telegram.chats import Chat, Message
from bot.sandbox.telegram.keyboard import inline_rows
from bot.sandbox.telegram.receiving import seen_by
from bot.sandbox.telegram.state import TelegramState

NOTES: Final = {
    "forum_topic_created": "opened the topic",
    "forum_topic_edited": "renamed the topic to",
    "forum_topic_closed": "closed the topic",
    "forum_topic_reopened": "opened the topic again",
    "migrate_to_chat_id": "made this group the supergroup",
    "migrate_from_chat_id": "went on here from the group",
}


def _at(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat()


def _who(message: Message) -> str:
    return "bot" if message["from"]["id"] == BOT_ID else str(message["from"]["first_name"])


def _button(button: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"label": button["text"], "data": button.get("callback_data")}
    for name in ("url", "style", "disabled", "copy_text"):
        if name in button:
            shown[name] = button[name]
    return shown


def buttons(message: Message) -> list[list[dict[str, Any]]]:
    """List the rows of buttons under a message, as label and data."""
    return [[_button(button) for button in row] for row in inline_rows(message)]


def labels(message: Message) -> list[str]:
    """List the visible labels under a message."""
    return [button["text"] for row in inline_rows(message) for button in row]


def shown(chat: Chat, message: Message) -> dict[str, Any]:
    """Render one message. ``text`` is the text or the caption, ``entities`` belong to it.

    What one person sees alone has an ``ephemeral_id`` instead of an id, ``only_for`` names them,
    and ``after`` is the message it stands behind.
    """
    view: dict[str, Any] = {
        "id": message["message_id"],
        "from": _who(message),
        "from_id": message["from"]["id"],
        "at": _at(message["date"]),
        "text": message.get("text", message.get("caption", "")),
        "entities": message.get("entities", message.get("caption_entities", [])),
        "buttons": buttons(message),
        "edited": bool(message.get("_edited")),
        "pinned": message["message_id"] in chat.pinned,
    }
    if "receiver_user" in message:
        view["ephemeral_id"] = message["ephemeral_message_id"]
        view["after"] = message["_after"]
        view["only_for"] = message["receiver_user"]["first_name"]
    if "_html" in message:
        view["html"] = message["_html"]
    if "photo" in message:
        largest = message["photo"][-1]
        view["photo"] = largest["file_id"]
        view["photo_size"] = [largest["width"], largest["height"]]
    if "document" in message:
        view["document"] = message["document"]["file_id"]
        view["document_name"] = message["document"].get("file_name", "")
    if "message_thread_id" in message:
        view["topic_id"] = message["message_thread_id"]
        view["topic"] = chat.topics.get(str(message["message_thread_id"]), {}).get("name", "")
    view["text"] = view["text"] or _note(message)
    if "reply_to_message" in message:
        view["reply_to"] = message["reply_to_message"]["message_id"]
    for name in ("_silent", "_reactions"):
        if message.get(name):
            view[name.removeprefix("_")] = message[name]
    return view


def _note(message: Message) -> str:
    """What a service message says to people, "" for any other."""
    for name, words in NOTES.items():
        if name in message:
            found = message[name]
            about = found.get("name", "") if isinstance(found, dict) else found
            return f"{words} {about}".rstrip()
    return ""


def as_json(state: TelegramState, chat: Chat, viewer: int | None = None) -> dict[str, Any]:
    """Render the whole chat; ``toasts`` are the last callback answers, by who tapped.

    What somebody sees alone is in it for them as ``viewer``.
    """
    toasts: dict[str, list[dict[str, Any]]] = {}
    for toast in chat.toasts:
        toasts.setdefault(str(toast["user_id"]), []).append(toast | {"at": _at(toast["at"])})
    messages = seen_by(state, chat, viewer)
    return {
        "chat_id": chat.id,
        "title": chat.title,
        "version": chat.version,
        "blocked": chat.blocked,
        "forum": chat.forum,
        "topics": [{"id": int(key), **topic} for key, topic in chat.topics.items()],
        "typing": chat.typing_until_s > state.now_s(),
        "messages": [shown(chat, message) for message in messages],
        "toasts": toasts,
    }


def as_text(state: TelegramState, chat: Chat, viewer: int | None = None) -> str:
    """Render a transcript: `[2] bot: Pick one`, then indented media and `[Yes] [No]`."""
    lines: list[str] = []
    for message in seen_by(state, chat, viewer):
        view = shown(chat, message)
        marks = f" #{view['topic']}" if view.get("topic") else ""
        marks += "".join(f" ({mark})" for mark in ("edited", "pinned") if view[mark])
        marks += f" (only {view['only_for']} sees this)" if "only_for" in view else ""
        first, *rest = view["text"].split("\n")
        lines.append(f"[{view['id']}] {view['from']}{marks}: {first}".rstrip())
        lines += [f"    {line}".rstrip() for line in rest]
        if "photo" in view:
            lines.append(f"    <photo {view['photo']}>")
        if "document" in view:
            lines.append(f"    <document {view['document_name']} {view['document']}>")
        lines += [
            "    " + " ".join(f"[{button['label']}]" for button in row) for row in view["buttons"]
        ]
    return "".join(f"{line}\n" for line in lines)


def summary(state: TelegramState, chat: Chat) -> dict[str, Any]:
    """Render a chat for a list of chats: who may speak there, and its last line."""
    newest = state.book.newest_first(chat)[:1]
    last = shown(chat, newest[0]) if newest else None
    fallback = "Photo" if last and "photo" in last else "Document"
    return {
        "chat_id": chat.id,
        "title": chat.title,
        "type": state.book.chat_json(chat)["type"],
        "forum": chat.forum,
        "moved_to": chat.moved_to,
        "version": chat.version,
        "blocked": chat.blocked,
        "members": [
            {
                "user_id": user_id,
                "name": state.book.people[user_id].first_name,
                "role": state.book.people[user_id].role,
                "status": state.book.status(chat, user_id),
            }
            for user_id in chat.members
        ],
        "last": last
        and {
            "id": last["id"],
            "from": last["from"],
            "at": last["at"],
            "text": (last["text"].split("\n")[0] or fallback)[:120],
        },
    }
