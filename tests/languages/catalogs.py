"""Every text the views say, taken from their source, beside what a language's catalog has."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po

from bot.i18n import LOCALE_DIR

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "bot"
KEYWORDS = {"t": 1, "later": 1, "tn": 2}
"""What is called with texts, and with how many."""
TAG = re.compile(r"</?[a-z-]+[^>]*>")
COMMAND = re.compile(r"(?<![\w/<])/[a-z]+")

Said = str | tuple[str, str]
"""A text, or one and many of a counted one."""


@cache
def extracted() -> dict[Said, str]:
    """Each text the views say -> the file that says it first."""
    found: dict[Said, str] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        for said in said_in(path.read_text(encoding="utf-8")):
            found.setdefault(said, str(path.relative_to(ROOT)))
    return found


def said_in(source: str) -> Iterator[Said]:
    """The texts of a module: of every call, also of one within another or within an f-string.

    (Babel reads tokens and misses both.) A call with anything but texts, such as a table's entry,
    says what is marked elsewhere.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        texts = [
            each.value
            for each in node.args[: KEYWORDS.get(node.func.id, 0)]
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value
        ]
        if node.func.id in KEYWORDS and len(texts) == KEYWORDS[node.func.id]:
            yield texts[0] if len(texts) == 1 else (texts[0], texts[1])


def read(language: str) -> Catalog:
    """A language's catalog; an empty one where there is none yet. Raises PoFileError."""
    path = LOCALE_DIR / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def write(language: str, catalog: Catalog) -> None:
    """Write it, sorted, without anything that differs from day to day."""
    LOCALE_DIR.mkdir(exist_ok=True)
    with (LOCALE_DIR / f"{language}.po").open("wb") as file:
        write_po(file, catalog, width=98, sort_output=True, no_location=True, omit_header=False)


def messages(catalog: Catalog) -> Iterator[Message]:
    """Its messages without the header."""
    return (message for message in catalog if message.id)


@dataclass(frozen=True)
class Pair:
    """A text and what a language says for it."""

    said: str
    translated: str

    def wrong(self) -> str | None:
        """What is amiss with it: names, tags, commands or edges that differ; None where nothing."""
        checks = {
            "names": (_names(self.said), _names(self.translated)),
            "tags": (sorted(TAG.findall(self.said)), sorted(TAG.findall(self.translated))),
            "commands": (_commands(self.said), _commands(self.translated)),
            "edges": (_edges(self.said), _edges(self.translated)),
            "lines": (self.said.count("\n"), self.translated.count("\n")),
        }
        for what, (here, there) in checks.items():
            if here != there:
                return f"{what}: {here} here, {there} there"
        return None


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def _commands(text: str) -> set[str]:
    return set(COMMAND.findall(TAG.sub("", text)))


def _edges(text: str) -> tuple[bool, bool]:
    """Whether it begins and ends with a space: pieces of sentences are put together by these."""
    return text[:1] == " ", text[-1:] == " "


def problems(said: Said, strings: tuple[str, ...]) -> list[str]:
    """What is amiss with one entry of a catalog; empty where nothing is."""
    if not all(strings):
        return [f"{said!r} has no translation"]
    if isinstance(said, str):
        pairs = [Pair(said, strings[0])]
    else:
        one, many = said
        pairs = [Pair(one if at == 0 else many, each) for at, each in enumerate(strings)]
        if "{n}" not in one:
            pairs[0] = Pair(one, strings[0])
    return [f"{pair.said!r}: {why}" for pair in pairs if (why := pair.wrong()) is not None]


def strings_of(message: Message) -> tuple[str, ...]:
    """The translations of an entry, one for each plural form."""
    given = message.string
    return tuple(given) if isinstance(given, list | tuple) else (str(given or ""),)


def said_of(message: Message) -> Said:
    """The text of an entry."""
    given = message.id
    return (given[0], given[1]) if isinstance(given, list | tuple) else str(given)
