"""The tracked files of this repository, for tests that read them."""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("alembic", "bot", "core", "scheduler.py", "tests")


@cache
def tracked() -> tuple[Path, ...]:
    """Answer the files git knows or would take, as they are now; without git, the code on disk."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    else:
        paths = [path for part in CODE for path in (ROOT / part).rglob("*")]
    return tuple(sorted(path for path in paths if path.is_file()))


def python_files(*tops: str) -> list[Path]:
    """Answer the tracked Python files below these top-level names, all of them where none given."""
    return [
        path
        for path in tracked()
        if path.suffix == ".py" and (not tops or path.relative_to(ROOT).parts[0] in tops)
    ]


def tree(path: Path) -> ast.Module:
    """Parse a file. The trees of all files together are a burden: nobody keeps them."""
    return ast.parse(path.read_text("utf-8"), str(path))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the conventions ask of a file, each with its lines."""

    has_docstring: bool
    classes: frozenset[str]
    imports: tuple[str, ...]
    functions: tuple[tuple[str, int], ...]
    """The functions' names and lengths in lines."""
    broad_excepts: tuple[int, ...]
    task_starts: tuple[int, ...]
    """A method too: `loop.create_task`, `group.create_task`, which ruff does not see."""
    awaits: tuple[int, ...]
    floats: tuple[int, ...]
    """Those aside that a name ending in `_s` holds, takes or answers: time may be rounded."""


@cache
def facts(path: Path) -> Facts:
    """Parse and walk a file once."""
    module = tree(path)
    nodes = tuple(ast.walk(module))
    seconds = set(_floats_of_seconds(nodes))
    awaits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    return Facts(
        has_docstring=bool(ast.get_docstring(module)),
        classes=frozenset(node.name for node in nodes if isinstance(node, ast.ClassDef)),
        imports=tuple(name for node in nodes for name in _imported(node)),
        functions=tuple(
            (node.name, (node.end_lineno or 0) - node.lineno + 1)
            for node in nodes
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ),
        broad_excepts=tuple(
            node.lineno for node in nodes if isinstance(node, ast.ExceptHandler) and _is_broad(node)
        ),
        task_starts=tuple(
            node.lineno
            for node in nodes
            if isinstance(node, ast.Attribute) and node.attr in {"create_task", "ensure_future"}
        ),
        awaits=tuple(node.lineno for node in nodes if isinstance(node, awaits)),
        floats=tuple(
            getattr(node, "lineno", 0) for node in nodes if _is_float(node) and node not in seconds
        ),
    )


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def _is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    goes_on = isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None
    return not goes_on and any(
        name is None or (isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"})
        for name in names
    )


def _is_float(node: ast.AST) -> bool:
    return (isinstance(node, ast.Constant) and isinstance(node.value, float)) or (
        isinstance(node, ast.Name) and node.id == "float"
    )


def _floats_of_seconds(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
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


def name_of(path: Path) -> str:
    """Answer the path as a person writes it."""
    return path.relative_to(ROOT).as_posix()
