"""The tracked files of this repository, for tests that read them."""

import ast
import subprocess
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


@cache
def tree(path: Path) -> ast.Module:
    """Parse a file once."""
    return ast.parse(path.read_text("utf-8"), str(path))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Walk a file once."""
    return tuple(ast.walk(tree(path)))


def name_of(path: Path) -> str:
    """Answer the path as a person writes it."""
    return path.relative_to(ROOT).as_posix()
