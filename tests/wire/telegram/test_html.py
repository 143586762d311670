"""Telegram's HTML: what it becomes, and the words of its refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.telegram.errors import ApiError
from bot.sandbox.telegram.html import parse, trimmed, utf16_len

Row = tuple[str, str, list[dict[str, object]]]


def entity(kind: str, offset: int, length: int, **extra: object) -> dict[str, object]:
    return {"type": kind, "offset": offset, "length": length, **extra}


PARSED: list[Row] = [
    ("plain", "plain", []),
    ("<b>a</b><strong>b</strong>", "ab", [entity("bold", 0, 1), entity("bold", 1, 1)]),
    ("<i>a</i><em>b</em>", "ab", [entity("italic", 0, 1), entity("italic", 1, 1)]),
    ("<u>a</u><ins>b</ins>", "ab", [entity("underline", 0, 1), entity("underline", 1, 1)]),
    ("<s>a</s><del>b</del>", "ab", [entity("strikethrough", 0, 1), entity("strikethrough", 1, 1)]),
    ("<tg-spoiler>a</tg-spoiler>", "a", [entity("spoiler", 0, 1)]),
    ('<span class="tg-spoiler">a</span>', "a", [entity("spoiler", 0, 1)]),
    ("<blockquote>a</blockquote>", "a", [entity("blockquote", 0, 1)]),
    ("<blockquote expandable>a</blockquote>", "a", [entity("expandable_blockquote", 0, 1)]),
    ("<pre>a</pre>", "a", [entity("pre", 0, 1)]),
    (
        '<pre><code class="language-python">a</code></pre>',
        "a",
        [entity("pre", 0, 1, language="python")],
    ),
    (
        '<a href="http://x/?a=1&amp;b">y</a>',
        "y",
        [entity("text_link", 0, 1, url="http://x/?a=1&b")],
    ),
    ("<a>y</a>", "y", []),
    (
        '<tg-time unix="1795344000" format="wDT">now</tg-time>',
        "now",
        [entity("date_time", 0, 3, unix_time=1795344000, date_time_format="wDT")],
    ),
    ("🔴<b>é🔴</b>", "🔴é🔴", [entity("bold", 2, 3)]),
    ("<b>a<i>b</i></b>", "ab", [entity("bold", 0, 2), entity("italic", 1, 1)]),
    ("&lt;&gt;&amp;&quot;&#33;&#x21;&copy;&", '<>&"!!&copy;&', []),
    ("<B>a</b>", "a", [entity("bold", 0, 1)]),
    ("<b></b>x", "x", []),
]


@pytest.mark.parametrize(("source", "text", "entities"), PARSED, ids=[row[0] for row in PARSED])
def test_parsed(source: str, text: str, entities: list[dict[str, object]]) -> None:
    assert parse(source) == (text, entities)


REFUSED = [
    ("<b>a", 'Can\'t find end tag corresponding to start tag "b"'),
    ("a<", "Unclosed start tag at byte offset 1"),
    ("é<IC & Co>", 'Unsupported start tag "ic" at byte offset 2'),
    ("<script>1</script>", 'Unsupported start tag "script" at byte offset 0'),
    ("a</b>", "Unexpected end tag at byte offset 1"),
    ("<b>a</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
    ("<b>a</b", "Unclosed end tag at byte offset 4"),
    ("<span>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ('<a href="x', 'Unclosed start tag "a" at byte offset 0'),
    ("<a =x>", 'Empty attribute name in the tag "a" at byte offset 0'),
    ("<a href=x/y>z</a>", "Unexpected end of name token at byte offset 8"),
]


@pytest.mark.parametrize(("source", "words"), REFUSED, ids=[row[0] for row in REFUSED])
def test_refused(source: str, words: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse(source)
    assert refused.value.description == f"Bad Request: can't parse entities: {words}"


def test_white_space_at_the_ends_goes_and_entities_follow() -> None:
    assert trimmed(*parse(" \n<b> a </b>\n")) == ("a", [entity("bold", 0, 1)])


def test_utf16_units_are_counted_as_telegram_does() -> None:
    assert [utf16_len(text) for text in ("a", "é", "🔴", "")] == [1, 1, 2, 0]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_escaped_text_survives_whatever_it_is(text: str) -> None:
    assert parse(f"<b>{_escaped(text)}</b>")[0] == text


@given(st.text(st.sampled_from("<>/ab =\"'&;#1x\n")))
def test_any_source_is_parsed_or_refused_in_telegrams_words(source: str) -> None:
    try:
        text, entities = parse(source)
    except ApiError as refused:
        text, entities = "", []
        words = refused.description
    else:
        words = "Bad Request: can't parse entities: "
    assert words.startswith("Bad Request: can't parse entities: ")
    assert all(0 <= e["offset"] < e["offset"] + e["length"] <= utf16_len(text) for e in entities)
