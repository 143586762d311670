"""Reply markup: what may be attached to a message, and the refusals for what may not."""

from typing import Any, Final

from bot.sandbox.telegram import limits
from bot.sandbox.telegram.call import Call
from bot.sandbox.telegram.errors import bad_request

Markup = dict[str, Any]
ACTIONS: Final = (
    "callback_data",
    "url",
    "copy_text",
    "disabled",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "web_app",
    "login_url",
    "pay",
)
OTHER_MARKUPS: Final = ("keyboard", "remove_keyboard", "force_reply")


def read_markup(call: Call) -> Markup | None:
    """Read and check `reply_markup`; an inline keyboard without buttons is no keyboard."""
    markup = call.nested("reply_markup", dict)
    if markup is None:
        return None
    if "inline_keyboard" not in markup:
        if any(name in markup for name in OTHER_MARKUPS):
            return markup
        raise bad_request("object expected as reply markup")
    rows = markup["inline_keyboard"]
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" must be of type Array of Arrays')
    kept = [[_button(button) for button in row] for row in rows if row]
    if sum(len(row) for row in kept) > limits.BUTTONS_MAX:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def _button(button: object) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: InlineKeyboardButton must be Object")
    if not button.get("text"):
        raise bad_request(
            'can\'t parse inline keyboard button: field "text" must be a non-empty String'
        )
    if not any(name in button for name in ACTIONS):
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if "callback_data" in button:
        size = len(str(button["callback_data"]).encode())
        if not 0 < size <= limits.CALLBACK_DATA_BYTES_MAX:
            raise bad_request("BUTTON_DATA_INVALID")
    url = button.get("url")
    if url is not None and not str(url).startswith(("http://", "https://", "tg://")):
        raise bad_request("BUTTON_URL_INVALID")
    return button


def inline_rows(message: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Answer the inline keyboard of a message, no rows when it has none."""
    markup = message.get("reply_markup") or {}
    rows: list[list[dict[str, Any]]] = markup.get("inline_keyboard", [])
    return rows
