"""What is said to people, in the language of whoever reads it.

The English text is the key. `bot/locale/<language>.po` is one language; a file more is a language
more. Views say `t` and `tn`; the shell says whose language it is, with `speaking`, around them.
Figures, prices and commands are the same in every language: what a terminal shows and what a
command takes must not differ by a decimal comma (docs/adr/0009).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ENGLISH: Final = "en"
LOCALE_DIR: Final = Path(__file__).parent / "locale"
_speaking: ContextVar[str] = ContextVar("speaking", default=ENGLISH)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """The codes of the languages there are, English first."""
    return (ENGLISH, *sorted(file.stem for file in LOCALE_DIR.glob("*.po")))


@cache
def _catalog(language: str) -> NullTranslations:
    if language not in languages() or language == ENGLISH:
        return NullTranslations()
    with (LOCALE_DIR / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return GNUTranslations(compiled)


def language_name(language: str) -> str:
    """What its speakers call it: `English`, `Español`."""
    return (Locale.parse(language).get_display_name(language) or language).capitalize()


def load() -> None:
    """Read every language now: the first message in one must not wait for its file.

    Raises OSError or babel's PoFileError where a file cannot be read.
    """
    for language in languages():
        _catalog(language)


def chosen(*wishes: str) -> str:
    """The first wish that there is a language for; a regional one (`es-MX`) counts as its base."""
    for wish in wishes:
        base = wish.replace("_", "-").split("-", 1)[0].lower()
        if base in languages():
            return base
    return ENGLISH


def spoken() -> str:
    """The language that is being spoken."""
    return _speaking.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Everything said inside is in this language."""
    token = _speaking.set(language)
    try:
        yield
    finally:
        _speaking.reset(token)


def t(text: str, /, **values: object) -> str:
    """The text in the language being spoken, its `{names}` filled in."""
    said = _catalog(_speaking.get()).gettext(text) if text else ""
    return said.format(**values) if values else said


def tn(one: str, many: str, n: int, /, **values: object) -> str:
    """The text for a count: `tn("{n} position", "{n} positions", 3)`."""
    return _catalog(_speaking.get()).ngettext(one, many, n).format(n=n, **values)


def later(text: str) -> str:
    """A text of a table or a constant, for the catalog: it is said with `t` when it is used."""
    return text
