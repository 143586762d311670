"""`.env.example` is the settings' only list for operators: complete, and with the real defaults."""

import re
from itertools import pairwise
from pathlib import Path

from dotenv import dotenv_values

from core.config import Settings, load

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def test_it_lists_every_setting_once_and_nothing_else() -> None:
    names = re.findall(r"^([A-Z][A-Z0-9_]*)=", EXAMPLE.read_text(), re.MULTILINE)
    assert sorted(names) == sorted(name.upper() for name in Settings.model_fields)


def test_copied_as_it_stands_it_changes_nothing() -> None:
    assert load({}, dotenv=EXAMPLE) == load({}, dotenv=None)


def test_every_default_is_written_out() -> None:
    """Only what has no default, or one that derives from another setting's, may be empty."""
    empty = {name for name, value in dotenv_values(EXAMPLE).items() if not value}
    for name, field in Settings.model_fields.items():
        has_none = field.default in {None, ""} or name == "database_url"
        assert (name.upper() in empty) == has_none, name


def test_every_setting_has_its_comment() -> None:
    lines = EXAMPLE.read_text().splitlines()
    for above, line in pairwise(lines):
        if re.match(r"[A-Z][A-Z0-9_]*=", line):
            assert above.startswith("# "), line
