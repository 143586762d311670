"""Every declared dependency is used: what is installed for nothing can still be broken into."""

import re
import tomllib
from itertools import chain
from typing import Any

from tests.tidy.sources import ROOT, facts, python_files

USED_WITHOUT_AN_IMPORT = {
    "aiosqlite": "named by the database's address",
    "asyncpg": "named by the database's address",
    "metatrader5": "for Windows only, where terminals run; its adapter comes later",
    "tzdata": "read by zoneinfo where the system has no time zones",
}


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def _imported() -> set[str]:
    paths = python_files("alembic", "bot", "core", "scheduler.py")
    return {module.partition(".")[0] for path in paths for module in facts(path).imports}


def test_every_dependency_is_imported_or_says_how_it_is_used() -> None:
    project = _project()
    lines = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    declared = {re.split(r"[^\w-]", line, maxsplit=1)[0].lower() for line in lines}
    imported = _imported()
    unused = {name for name in declared if name.replace("-", "_") not in imported}
    assert unused == set(USED_WITHOUT_AN_IMPORT)
