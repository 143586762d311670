"""Bot API methods that ask, answer taps and set things up."""

from typing import Any, Final

from bot.sandbox.telegram import limits
from bot.sandbox.telegram.call import Call
from bot.sandbox.telegram.chats import BOT_USER, public
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.html import utf16_len
from bot.sandbox.telegram.state import TelegramState

GIFTS: Final = {
    "unlimited_gifts": False,
    "limited_gifts": False,
    "unique_gifts": False,
    "premium_subscription": False,
    "gifts_from_channels": False,
}


def get_me(_state: TelegramState, _call: Call) -> dict[str, Any]:
    """Serve `getMe`."""
    return BOT_USER | {
        "can_join_groups": True,
        "can_read_all_group_messages": True,
        "supports_inline_queries": False,
    }


def get_chat(state: TelegramState, call: Call) -> dict[str, Any]:
    """Serve `getChat`."""
    chat = state.chat_of(call)
    full: dict[str, Any] = state.book.chat_json(chat) | {
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": GIFTS,
    }
    pinned = state.book.find(chat, chat.pinned[-1]) if chat.pinned else None
    if pinned is not None:
        full["pinned_message"] = public(pinned)
    return full


def get_file(state: TelegramState, call: Call) -> dict[str, Any]:
    """Serve `getFile`; the path is good for `/file/bot<token>/<path>`."""
    return state.files.describe(call.text("file_id"))


def answer_callback_query(state: TelegramState, call: Call) -> bool:
    """Serve `answerCallbackQuery`: once per tap; the person sees a toast or an alert."""
    text = call.text("text")
    if utf16_len(text) > limits.ALERT_UNITS_MAX:
        raise bad_request("MESSAGE_TOO_LONG")
    answer = {"text": text, "show_alert": call.flag("show_alert"), "url": call.text("url")}
    now_s = state.now_s()
    query = state.queries.answer(call.text("callback_query_id"), answer, now_s)
    chat = state.book.chats[query["chat_id"]]
    state.book.toast(
        chat,
        {
            "callback_query_id": query["id"],
            "user_id": query["user_id"],
            "label": query["label"],
            "text": text,
            "show_alert": answer["show_alert"],
            "at": now_s,
        },
    )
    return True


def set_my_commands(state: TelegramState, call: Call) -> bool:
    """Serve `setMyCommands`."""
    return state.menu.set(call)


def get_my_commands(state: TelegramState, call: Call) -> list[dict[str, Any]]:
    """Serve `getMyCommands`."""
    return state.menu.get(call)


def delete_my_commands(state: TelegramState, call: Call) -> bool:
    """Serve `deleteMyCommands`."""
    return state.menu.delete(call)


def set_webhook(state: TelegramState, call: Call) -> bool:
    """Serve `setWebhook`: remembered, so that polling is refused; nothing is ever delivered."""
    url = call.text("url")
    if url and not url.startswith("https://"):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if call.flag("drop_pending_updates"):
        state.updates.forget()
    allowed = call.nested("allowed_updates", list)
    if allowed is not None:
        state.updates.allow(allowed)
    state.updates.set_webhook({"url": url} if url else {})
    return True


def delete_webhook(state: TelegramState, call: Call) -> bool:
    """Serve `deleteWebhook`."""
    if call.flag("drop_pending_updates"):
        state.updates.forget()
    state.updates.set_webhook({})
    return True


def get_webhook_info(state: TelegramState, _call: Call) -> dict[str, Any]:
    """Serve `getWebhookInfo`."""
    info: dict[str, Any] = {
        "url": state.updates.webhook.get("url", ""),
        "has_custom_certificate": False,
        "pending_update_count": len(state.updates),
    }
    if state.updates.allowed:
        info["allowed_updates"] = state.updates.allowed
    return info


def yes(_state: TelegramState, _call: Call) -> bool:
    """Serve `logOut` and `close`, which mean nothing to a server of one bot."""
    return True
