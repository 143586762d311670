"""Telegram's HTML rules, written down again for tests: known tags, balanced, references only."""

import html
import re
from html.parser import HTMLParser

TAGS = frozenset({"b", "i", "u", "s", "code", "pre", "a", "blockquote", "tg-time", "tg-spoiler"})
REFERENCE = re.compile(r"&(#\d+|#x[0-9a-fA-F]+|lt|gt|amp|quot);")


class _Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, f"<{tag}> is not Telegram's"
        if tag == "tg-time":
            assert dict(attrs)["unix"] is not None
            assert str(dict(attrs)["unix"]).isdecimal()
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def words(markup: str) -> str:
    """The text a person sees. Raises AssertionError where Telegram would refuse the markup."""
    bare = re.sub(r"<[^<>]*>", "", markup)
    assert "<" not in bare, f"a bare < in {bare!r}"
    assert "&" not in REFERENCE.sub("", bare), f"a bare & in {bare!r}"
    checker = _Checker()
    checker.feed(markup)
    checker.close()
    assert not checker.open, f"never closed: {checker.open}"
    text = "".join(checker.text)
    assert text == html.unescape(bare)
    return text


def units(text: str) -> int:
    """UTF-16 units, independently of the code under test."""
    return len(text.encode("utf-16-le")) // 2
