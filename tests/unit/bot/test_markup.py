"""A long message is cut between rows, never in a tag, and nothing of it is lost."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.markup import bold, code, esc, pages, plain, utf16_length
from bot.sandbox.telegram import html

ROW = st.one_of(
    st.text("abc &<>\u00e9\U0001f534", max_size=30).map(esc),
    st.text("xyz", min_size=1, max_size=30).map(code),
    st.lists(st.text("01.", min_size=1, max_size=12), min_size=1, max_size=4).map(
        lambda rows: "<pre>" + "\n".join(rows) + "</pre>"
    ),
)


def test_what_fits_is_one_message_as_it_was() -> None:
    assert pages("a\n<b>b</b>", units_max=3) == ["a\n<b>b</b>"]


def test_one_unit_more_is_two_cut_between_the_rows() -> None:
    assert pages("a\n<b>b</b>", units_max=2) == ["a", "<b>b</b>"]
    assert pages("aa\nbb\ncc", units_max=5) == ["aa\nbb", "cc"]


def test_a_tag_open_at_the_cut_is_closed_and_opened_again_as_it_was() -> None:
    assert pages("<blockquote expandable>a\n<b>b\nc</b></blockquote>\nd", units_max=3) == [
        "<blockquote expandable>a\n<b>b</b></blockquote>",
        "<blockquote expandable><b>c</b></blockquote>\nd",
    ]


def test_a_row_too_long_for_a_message_is_cut_between_characters_and_stays_harmless() -> None:
    assert pages(bold("a&lt;b"), units_max=2) == ["<b>a&lt;</b>", "<b>b</b>"]
    assert pages("\U0001f534\U0001f534", units_max=3) == ["\U0001f534", "\U0001f534"]


@given(rows=st.lists(ROW, max_size=20), units_max=st.integers(8, 60))
def test_every_page_fits_parses_and_together_they_say_everything(
    rows: list[str], units_max: int
) -> None:
    markup = bold("title") + "\n" + "\n".join(rows)
    made = pages(markup, units_max)
    for page in made:
        text, _ = html.parse(page)
        assert utf16_length(text) <= units_max
    said = re.sub(r"\n", "", "".join(plain(page) for page in made))
    assert said == re.sub(r"\n", "", plain(markup))
