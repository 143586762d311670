"""Telegram's HTML: text with tags -> plain text and entities, refused in Telegram's words.

Offsets and lengths of entities are UTF-16 units of the resulting text; offsets in errors are bytes
of the source in UTF-8, both as Telegram counts.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from bot.sandbox.telegram.errors import ApiError, bad_request

Entity = dict[str, Any]

SIMPLE_TAGS: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "a": "text_link",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE: Final = re.compile(r"&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(lt|gt|amp|quot));?")
_SPACES: Final = re.compile(r"\s*")
_TAG_NAME: Final = re.compile(r"[^\s>]*")
_ATTRIBUTE_NAME: Final = re.compile(r"[^\s=>]*")
_BARE_VALUE: Final = re.compile(r"[0-9A-Za-z.\-]*")
_LAST_CODE_POINT: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)


def utf16_len(text: str) -> int:
    """Count UTF-16 units, which is how Telegram measures text."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def _decoded(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name is not None:
        return _NAMED[name]
    code = int(decimal) if decimal is not None else int(hexadecimal, 16)
    valid = 0 < code <= _LAST_CODE_POINT and code not in _SURROGATES
    return chr(code) if valid else match.group()


@dataclass(slots=True)
class _Open:
    tag: str
    entity: Entity


@dataclass(slots=True)
class _Parser:
    source: str
    at: int = 0
    units: int = 0
    pieces: list[str] = field(default_factory=list)
    nested: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def run(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.source):
            start = self.source.find("<", self.at)
            end = len(self.source) if start < 0 else start
            self._text(_REFERENCE.sub(_decoded, self.source[self.at : end]))
            self.at = end
            if end == len(self.source):
                break
            if self.source.startswith("</", end):
                self._end_tag(end)
            else:
                self._start_tag(end)
        if self.nested:
            raise _unparsable(
                f'Can\'t find end tag corresponding to start tag "{self.nested[-1].tag}"'
            )
        return "".join(self.pieces), _ordered(self.entities)

    def _text(self, text: str) -> None:
        self.pieces.append(text)
        self.units += utf16_len(text)

    def _byte(self, at: int) -> int:
        return len(self.source[:at].encode())

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.source, self.at)
        if match is None:  # the patterns match the empty string, so this cannot be
            return ""
        self.at = match.end()
        return match.group()

    def _peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def _start_tag(self, begin: int) -> None:
        self.at = begin + 1
        tag = self._take(_TAG_NAME).lower()
        if not self._peek():
            raise _unparsable(f"Unclosed start tag at byte offset {self._byte(begin)}")
        if tag not in SIMPLE_TAGS:
            raise _unparsable(f'Unsupported start tag "{tag}" at byte offset {self._byte(begin)}')
        attributes = self._attributes(tag, begin)
        self.at += 1
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise _unparsable(
                f'Tag "span" must have class "tg-spoiler" at byte offset {self._byte(begin)}'
            )
        entity: Entity = {"type": SIMPLE_TAGS[tag], "offset": self.units}
        entity.update(_extras(tag, attributes))
        self.nested.append(_Open(tag, entity))

    def _attributes(self, tag: str, begin: int) -> dict[str, str]:
        found: dict[str, str] = {}
        while True:
            self._take(_SPACES)
            if self._peek() == ">":
                return found
            name = self._take(_ATTRIBUTE_NAME).lower()
            if not name and self._peek():
                raise _unparsable(
                    f'Empty attribute name in the tag "{tag}" at byte offset {self._byte(begin)}'
                )
            self._take(_SPACES)
            found[name] = self._value(tag, begin) if self._peek() == "=" else ""
            if not self._peek():
                raise _unparsable(f'Unclosed start tag "{tag}" at byte offset {self._byte(begin)}')

    def _value(self, tag: str, begin: int) -> str:
        self.at += 1
        self._take(_SPACES)
        quote = self._peek()
        if quote and quote in "'\"":
            end = self.source.find(quote, self.at + 1)
            if end < 0:
                raise _unparsable(f'Unclosed start tag "{tag}" at byte offset {self._byte(begin)}')
            raw = self.source[self.at + 1 : end]
            self.at = end + 1
            return _REFERENCE.sub(_decoded, raw)
        token_at = self.at
        value = self._take(_BARE_VALUE).lower()
        if self._peek() and self._peek() != ">" and not self._peek().isspace():
            raise _unparsable(f"Unexpected end of name token at byte offset {self._byte(token_at)}")
        return value

    def _end_tag(self, begin: int) -> None:
        if not self.nested:
            raise _unparsable(f"Unexpected end tag at byte offset {self._byte(begin)}")
        self.at = begin + 2
        name = self._take(_TAG_NAME).lower()
        self._take(_SPACES)
        if self._peek() != ">":
            raise _unparsable(f"Unclosed end tag at byte offset {self._byte(begin)}")
        self.at += 1
        opened = self.nested.pop()
        if name and name != opened.tag:
            raise _unparsable(
                f"Unmatched end tag at byte offset {self._byte(begin)}, "
                f'expected "</{opened.tag}>", found "</{name}>"'
            )
        entity = opened.entity
        length = self.units - entity["offset"]
        linked = entity["type"] != "text_link" or entity.get("url")
        if length > 0 and linked:
            self._close({**entity, "length": length})

    def _close(self, entity: Entity) -> None:
        last = self.entities[-1] if self.entities else None
        if entity["type"] == "pre" and last is not None and last["type"] == "code":
            inner = (last["offset"], last["length"])
            if inner == (entity["offset"], entity["length"]):
                # <pre><code class="language-x"> is one block of code
                self.entities.pop()
                language = last.get("language")
                entity |= {"language": language} if language else {}
        self.entities.append(entity)


def _extras(tag: str, attributes: dict[str, str]) -> Entity:
    if tag == "a":
        return {"url": attributes.get("href", "")}
    if tag == "code" and attributes.get("class", "").startswith("language-"):
        return {"language": attributes["class"].removeprefix("language-")}
    if tag == "tg-emoji":
        return {"custom_emoji_id": attributes.get("emoji-id", "")}
    if tag == "blockquote" and "expandable" in attributes:
        return {"type": "expandable_blockquote"}
    if tag == "tg-time":
        return _time_extras(attributes)
    return {}


def _time_extras(attributes: dict[str, str]) -> Entity:
    unix = attributes.get("unix", "")
    if not unix.isdecimal():
        raise _unparsable('Tag "tg-time" must have a valid "unix" attribute')
    extras: Entity = {"unix_time": int(unix)}
    if attributes.get("format"):
        extras["date_time_format"] = attributes["format"]
    return extras


def _ordered(entities: list[Entity]) -> list[Entity]:
    for entity in entities:
        if entity["type"] == "code":
            entity.pop("language", None)
    return sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def _unparsable(why: str) -> ApiError:
    return bad_request(f"can't parse entities: {why}")


def parse(source: str) -> tuple[str, list[Entity]]:
    """Parse Telegram HTML. Raises ApiError 400 "can't parse entities: ..."."""
    return _Parser(source).run()


def trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Cut white space at both ends, as Telegram does, and move the entities along."""
    body = text.strip()
    lead = utf16_len(text[: len(text) - len(text.lstrip())])
    units = utf16_len(body)
    kept: list[Entity] = []
    for entity in entities:
        begin = max(0, entity["offset"] - lead)
        end = min(units, entity["offset"] + entity["length"] - lead)
        if end > begin:
            kept.append({**entity, "offset": begin, "length": end - begin})
    return body, kept
