"""What the linters cannot say: sizes, floats, who starts tasks, what scheduler.py may import."""

from pathlib import Path

from tests.tidy.sources import ROOT, facts, name_of, python_files

FILE_LINES_MAX = 450
LONGER_FILES = {
    "core/records.py": 680,  # one list of rows: the database at one glance
    "core/adapters/mt5/agent.py": 1200,  # copied alone to a terminal's host: it may import nothing
}
FUNCTION_LINES_MAX = 60
FUNCTION_LINES_MAX_IN_TESTS = 90

BROAD_EXCEPT = {
    # file: why it may catch everything
    "core/adapters/mt5/agent.py": "the module may raise anything; it is answered, and told apart",
    "scheduler.py": "a job that fails is counted and tried again at its next turn",
    "bot/middlewares/errors.py": "the error router: a handler that fails is answered and logged",
    "bot/notifier.py": "a message that fails is logged and kept; the others still go out",
    "bot/polling.py": "an update that fails is settled as failed; the next one is still handled",
}
TASK_STARTERS = {"bot/app.py", "bot/sandbox/world.py"}
SCHEDULER_MAY_IMPORT = {"apscheduler", "core.domain", "core.ports", "core.records", "core.services"}
CODE = python_files("alembic", "bot", "core", "scheduler.py")
ALL = python_files()
DOMAIN = [path for path in CODE if "core/domain/" in name_of(path)]


def test_there_is_code_to_look_at() -> None:
    names = {name_of(path) for path in ALL}
    assert {"core/config.py", "bot/__main__.py", "tests/tidy/test_code.py"} <= names
    assert DOMAIN


def test_a_file_is_short() -> None:
    lines = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in ALL}
    assert not {
        name: length
        for name, length in lines.items()
        if length > LONGER_FILES.get(name, FILE_LINES_MAX)
    }


def test_a_module_begins_with_what_it_is_for() -> None:
    assert not [name_of(path) for path in ALL if not facts(path).has_docstring]


def _longest(path: Path) -> int:
    is_test = path.relative_to(ROOT).parts[0] == "tests"
    return FUNCTION_LINES_MAX_IN_TESTS if is_test else FUNCTION_LINES_MAX


def test_a_function_fits_on_a_screen() -> None:
    assert not [
        f"{name_of(path)}: {name} has {lines} lines"
        for path in ALL
        for name, lines in facts(path).functions
        if lines > _longest(path)
    ]


def test_only_the_outermost_wrappers_catch_everything() -> None:
    broad = {name_of(path): facts(path).broad_excepts for path in CODE}
    assert {name for name, lines in broad.items() if lines} == set(BROAD_EXCEPT), broad


def test_only_the_composition_roots_start_tasks() -> None:
    starts = {name_of(path): facts(path).task_starts for path in CODE}
    assert {name for name, lines in starts.items() if lines} == TASK_STARTERS, starts


def test_the_domain_counts_exactly() -> None:
    floats = {name_of(path): facts(path).floats for path in DOMAIN if facts(path).floats}
    assert not floats, "only seconds (`..._s`) may be float; all else is Decimal or scaled integers"


def test_the_domain_waits_for_nothing() -> None:
    assert not {name_of(path): facts(path).awaits for path in DOMAIN if facts(path).awaits}


def test_the_scheduler_knows_services_and_nothing_behind_them() -> None:
    """import-linter takes packages only, and scheduler.py is one file."""
    imports = facts(ROOT / "scheduler.py").imports
    ours = [name for name in imports if name.split(".")[0] in {"bot", "core", "aiogram"}]
    outside = [
        name
        for name in ours
        if not any(name == may or name.startswith(f"{may}.") for may in SCHEDULER_MAY_IMPORT)
    ]
    assert not outside


def test_migrations_do_not_shadow_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
