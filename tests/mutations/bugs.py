"""The deliberate bugs: one line each, and the tests that must notice it."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct, ValidationError, convert

BUGS_FILE: Final = Path(__file__).with_name("bugs.toml")
BUGS_MIN: Final = 25
"""Fewer than this many would prove little."""


class Bug(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of `file` made wrong.

    `old` stands in the file exactly once; `new` takes its place. `tests` are what pytest is given:
    one of them must fail. `area` is what it is about, such as guard, delivery or people.
    """

    name: str
    area: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


class StaleBug(Exception):
    """A bug whose line is no longer there, or there more than once."""


def read_bugs(file: Path = BUGS_FILE) -> tuple[Bug, ...]:
    """The bugs of a file. Raises ValueError where it is malformed."""
    try:
        found = convert(tomllib.loads(file.read_text("utf-8"))["bug"], tuple[Bug, ...])
    except (tomllib.TOMLDecodeError, KeyError, ValidationError) as error:
        raise ValueError(f"{file.name}: {error}") from error
    names = [bug.name for bug in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{file.name}: named twice: {', '.join(twice)}")
    return found


def spoiled(bug: Bug, source: str) -> str:
    """The source with the bug in it. Raises StaleBug where its line is not there exactly once."""
    count = source.count(bug.old)
    if count != 1:
        raise StaleBug(f"{bug.name}: {bug.file} has {count} times {bug.old.strip()!r}, not once")
    return source.replace(bug.old, bug.new)


def chosen(bugs: Sequence[Bug], words: Sequence[str]) -> tuple[Bug, ...]:
    """The bugs whose area or name bears one of the words; all where there are none."""
    if not words:
        return tuple(bugs)
    return tuple(b for b in bugs if any(w == b.area or w in b.name for w in words))
