"""Whose language it is, and what is said in it."""

import asyncio

import pytest

from bot import i18n
from bot.i18n import speaking, spoken, t, tn


def test_english_is_said_as_it_is_written() -> None:
    assert t("{room} left", room="5.00 GBP") == "5.00 GBP left"
    assert t("Take {n} as it is") == "Take {n} as it is"
    assert t("") == ""
    assert [tn("{n} day", "{n} days", n) for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]


def test_a_value_is_never_taken_for_a_name() -> None:
    """Names of people and symbols come from outside: braces in them are only braces."""
    assert t("Client: {client}", client="{alert.login}") == "Client: {alert.login}"


async def test_each_task_speaks_its_own_language_and_what_was_spoken_before_comes_back() -> None:
    async def says(language: str) -> str:
        with speaking(language):
            await asyncio.sleep(0)
            return spoken()

    said = await asyncio.gather(says("es"), says("en"), says("es"))
    assert list(said) == ["es", "en", "es"]
    assert spoken() == i18n.ENGLISH


@pytest.mark.parametrize(
    ("wishes", "language"),
    [((), "en"), (("",), "en"), (("xx", "en"), "en"), (("en-GB",), "en"), (("xx",), "en")],
)
def test_a_language_nobody_translated_is_english(wishes: tuple[str, ...], language: str) -> None:
    assert i18n.chosen(*wishes) == language
