"""What the linters cannot say: sizes, floats, who starts tasks, what scheduler.py may import."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.sources import ROOT, name_of, nodes, python_files, tree

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


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _imports(path: Path) -> Iterator[str]:
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


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
    assert not [name_of(path) for path in ALL if not ast.get_docstring(tree(path))]


def _longest(path: Path) -> int:
    is_test = path.relative_to(ROOT).parts[0] == "tests"
    return FUNCTION_LINES_MAX_IN_TESTS if is_test else FUNCTION_LINES_MAX


def test_a_function_fits_on_a_screen() -> None:
    assert not {
        f"{name_of(path)}: {function.name}": length
        for path in ALL
        for function in _functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > _longest(path)
    }


def _is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    goes_on = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    return not goes_on and any(
        name is None or (isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"})
        for name in names
    )


def test_only_the_outermost_wrappers_catch_everything() -> None:
    assert not [
        f"{name_of(path)}:{node.lineno}"
        for path in CODE
        if name_of(path) not in BROAD_EXCEPT
        for node in nodes(path)
        if isinstance(node, ast.ExceptHandler) and _is_broad(node)
    ]


def test_only_the_composition_roots_start_tasks() -> None:
    """A method too: `loop.create_task`, `group.create_task`, which ruff does not see."""
    assert not [
        f"{name_of(path)}:{node.lineno}"
        for path in CODE
        if name_of(path) not in TASK_STARTERS
        for node in nodes(path)
        if isinstance(node, ast.Attribute) and node.attr in {"create_task", "ensure_future"}
    ]


def _is_float(node: ast.AST) -> bool:
    return (isinstance(node, ast.Constant) and isinstance(node.value, float)) or (
        isinstance(node, ast.Name) and node.id == "float"
    )


def _floats_of_seconds(path: Path) -> Iterator[ast.AST]:
    """The floats that a name ending in `_s` holds, takes or answers: time may be rounded."""
    for node in nodes(path):
        match node:
            case (
                ast.AnnAssign(target=ast.Name(id=name))
                | ast.Assign(targets=[ast.Name(id=name)])
                | ast.arg(arg=name)
            ):
                holder: ast.AST | None = node
            case ast.FunctionDef(name=name, returns=holder):
                pass
            case _:
                continue
        if name.lower().endswith("_s") and holder is not None:
            yield from (inner for inner in ast.walk(holder) if _is_float(inner))


def test_the_domain_counts_exactly() -> None:
    seconds = {node for path in DOMAIN for node in _floats_of_seconds(path)}
    floats = [
        f"{name_of(path)}:{getattr(node, 'lineno', 0)}"
        for path in DOMAIN
        for node in nodes(path)
        if _is_float(node) and node not in seconds
    ]
    assert not floats, "only seconds (`..._s`) may be float; all else is Decimal or scaled integers"


def test_the_domain_waits_for_nothing() -> None:
    awaits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [
        f"{name_of(path)}:{node.lineno}"
        for path in DOMAIN
        for node in nodes(path)
        if isinstance(node, awaits)
    ]


def test_the_scheduler_knows_services_and_nothing_behind_them() -> None:
    """import-linter takes packages only, and scheduler.py is one file."""
    path = ROOT / "scheduler.py"
    ours = [name for name in _imports(path) if name.split(".")[0] in {"bot", "core", "aiogram"}]
    outside = [
        name
        for name in ours
        if not any(name == may or name.startswith(f"{may}.") for may in SCHEDULER_MAY_IMPORT)
    ]
    assert not outside


def test_migrations_do_not_shadow_the_library() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
