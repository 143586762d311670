"""Every language says everything the views say, with the same names, tags and commands."""

import pytest

from bot import i18n
from tests.languages import catalogs

LANGUAGES = [language for language in i18n.languages() if language != i18n.ENGLISH]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalog_says_all_of_it_and_nothing_that_is_said_no_more(language: str) -> None:
    has = {catalogs.said_of(message) for message in catalogs.messages(catalogs.read(language))}
    assert has == set(catalogs.extracted())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_names_tags_commands_edges_and_lines(language: str) -> None:
    found = [
        problem
        for message in catalogs.messages(catalogs.read(language))
        for problem in catalogs.problems(catalogs.said_of(message), catalogs.strings_of(message))
    ]
    assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_marked_as_doubtful(language: str) -> None:
    assert not [m.id for m in catalogs.messages(catalogs.read(language)) if m.fuzzy]


@pytest.mark.parametrize(
    ("said", "translated", "wrong"),
    [
        ("{room} left", "quedan {room}", None),
        ("{room} left", "quedan {sala}", "names"),
        ("<b>Now</b>", "<b>Ahora</b>", None),
        ("<b>Now</b>", "Ahora", "tags"),
        ("Send /help", "Envía /help", None),
        ("Send /help", "Envía /ayuda", "commands"),
        (" since", " desde", None),
        (" since", "desde", "edges"),
        ("a\nb", "a\nb", None),
        ("a\nb", "a b", "lines"),
    ],
)
def test_what_is_amiss_with_a_translation(said: str, translated: str, wrong: str | None) -> None:
    found = catalogs.Pair(said, translated).wrong()
    assert (found or "").partition(":")[0] == (wrong or "")


def test_a_counted_text_needs_each_of_its_forms() -> None:
    said = ("{n} alert", "{n} alerts")
    assert catalogs.problems(said, ("{n} aviso", "{n} avisos")) == []
    assert catalogs.problems(said, ("{n} aviso", "")) != []
    assert catalogs.problems(said, ("{n} aviso", "avisos")) != []


def test_the_views_say_hundreds_of_texts() -> None:
    """An extraction that finds nothing would let every catalog pass."""
    assert len(catalogs.extracted()) > 1000
    assert ("{n} position", "{n} positions") in catalogs.extracted()


def test_a_text_within_another_call_or_within_words_is_found_too() -> None:
    source = """
t("{why} and {what}", why=at(facts, later(" since {at}")), what=tn("{n} one", "{n} many", 2))
f"<b>{marked(voice, t('Paused') if held else t('Nothing'))}</b>"
t(TABLE[key]); t(""); other("no text")
"""
    assert set(catalogs.said_in(source)) == {
        "{why} and {what}",
        " since {at}",
        ("{n} one", "{n} many"),
        "Paused",
        "Nothing",
    }
