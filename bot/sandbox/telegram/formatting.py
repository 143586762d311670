"""Text of a call -> plain text and entities, within Telegram's lengths."""

from dataclasses import dataclass
from typing import Any

from bot.sandbox.telegram import html, limits
from bot.sandbox.telegram.call import Call
from bot.sandbox.telegram.errors import bad_request


@dataclass(frozen=True, slots=True)
class Formatted:
    """Text as shown, its entities, and the HTML it came from ("" when it came without)."""

    text: str
    entities: list[html.Entity]
    source: str = ""


def format_text(text: str, parse_mode: str, entities: list[Any] | None) -> Formatted:
    """Parse ``text``. Given entities win over a parse mode, as with Telegram."""
    if entities:
        return Formatted(*html.trimmed(text, [_checked(entity) for entity in entities]))
    if not parse_mode:
        return Formatted(*html.trimmed(text, []))
    if parse_mode.lower() != "html":
        # Markdown exists at Telegram and not here: nobody in this project sends it.
        raise bad_request("unsupported parse_mode")
    shown, found = html.trimmed(*html.parse(text))
    return Formatted(shown, found[: limits.ENTITIES_MAX], text)


def _checked(entity: object) -> html.Entity:
    if not isinstance(entity, dict) or not isinstance(entity.get("type"), str):
        raise bad_request('can\'t parse MessageEntity: Field "type" must be of type String')
    for name in ("offset", "length"):
        if not isinstance(entity.get(name), int):
            raise bad_request(f'can\'t parse MessageEntity: Field "{name}" must be of type Number')
    return entity


def message_text(call: Call) -> Formatted:
    """Read `text`, 1 to 4096 units. Raises ApiError: empty, too long, unparsable."""
    formatted = format_text(
        call.text("text"), call.text("parse_mode"), call.nested("entities", list)
    )
    if not formatted.text:
        raise bad_request("message text is empty")
    if html.utf16_len(formatted.text) > limits.TEXT_UNITS_MAX:
        raise bad_request("message is too long")
    return formatted


def caption_of(text: str, parse_mode: str, entities: list[Any] | None) -> Formatted:
    """Read a caption, 0 to 1024 units. Raises ApiError: too long, unparsable."""
    formatted = format_text(text, parse_mode, entities)
    if html.utf16_len(formatted.text) > limits.CAPTION_UNITS_MAX:
        raise bad_request("message caption is too long")
    return formatted


def call_caption(call: Call) -> Formatted:
    """Read the caption of a call that carries one medium."""
    return caption_of(
        call.text("caption"), call.text("parse_mode"), call.nested("caption_entities", list)
    )
