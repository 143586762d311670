"""The official MetaTrader5 wheel, read without installing or running it.

Its constants stand in `__init__.py`; its structures, functions and texts in the Windows library:
tables of pointers to names, as CPython's PyStructSequence_Desc and PyMethodDef lay them out.
"""

import ast
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import pytest

ROOT: Final = Path(__file__).parents[2]
WHEELS: Final = ROOT / ".cache" / "wheels"
FETCH: Final = ".ci/wheels"
RECORDED: Final = Path(__file__).with_name("wheel_arguments.txt")
"""What the wheel said to each call of ask_arguments.py, under Wine."""
FIELDS_MAX: Final = 200


def locked_version(name: str) -> str:
    """The release that requirements.lock names."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    found = re.search(rf"^{name}==(\S+)", lock, re.MULTILINE)
    assert found is not None, name
    return found[1]


def wheel_path(name: str) -> Path | None:
    """The fetched wheel of the locked release; None where it has not been fetched."""
    return next(WHEELS.glob(f"{name}-{locked_version(name)}-*win_amd64.whl"), None)


def find_wheel(name: str) -> Path:
    """The fetched wheel. Skips the test, saying why, where it has not been fetched."""
    path = wheel_path(name)
    if path is None:
        version = locked_version(name)
        pytest.skip(f"no {name} {version} in {WHEELS.relative_to(ROOT)}: run {FETCH}")
    return path


class Wheel:
    """The wheel's two files."""

    def __init__(self, path: Path) -> None:
        with ZipFile(path) as archive:
            names = archive.namelist()
            (library,) = [n for n in names if n.endswith(".pyd")]
            self.source = archive.read("MetaTrader5/__init__.py").decode()
            self._raw = archive.read(library)
        (header,) = struct.unpack_from("<I", self._raw, 0x3C)
        (count,) = struct.unpack_from("<H", self._raw, header + 6)
        (optional,) = struct.unpack_from("<H", self._raw, header + 20)
        (self._base,) = struct.unpack_from("<Q", self._raw, header + 48)
        first = header + 24 + optional
        self._sections = [
            struct.unpack_from("<IIII", self._raw, first + 40 * n + 8) for n in range(count)
        ]
        """Of each: size in memory, address, size in the file, place in the file."""

    @property
    def constants(self) -> dict[str, int]:
        """Every number that `__init__.py` gives a name in capitals."""
        found: dict[str, int] = {}
        for node in ast.parse(self.source).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = node.targets[0].id
                if name.isupper():
                    found[name] = _number(node.value)
        return found

    @property
    def version(self) -> str:
        """Its own `__version__`."""
        found = re.search(r"__version__\s*=\s*'([^']+)'", self.source)
        assert found is not None
        return found[1]

    def fields(self, structure: str) -> tuple[str, ...]:
        """The names of a structure's fields, in order."""
        for description in self._pointers_to(structure):
            fields, length = struct.unpack_from("<Qi", self._raw, description + 16)
            at = self._place(fields)
            if at is None or not 0 < length < FIELDS_MAX:
                continue
            names = [self._name(self._number(at + 16 * n)) for n in range(length)]
            ends = self._number(at + 16 * length) == 0
            if ends and all(names):
                return tuple(name for name in names if name)
        raise LookupError(structure)

    @property
    def functions(self) -> frozenset[str]:
        """The functions of its method table, which begins with `initialize`."""
        for start in self._pointers_to("initialize"):
            found: list[str] = []
            at = start
            while name := self._name(self._number(at)):
                found.append(name)
                at += 32
            if len(found) > 1:
                return frozenset(found)
        raise LookupError("initialize")

    def says(self, text: str) -> bool:
        """Whether the library holds this text."""
        return text.encode() in self._raw or text.encode("utf-16-le") in self._raw

    def _number(self, at: int) -> int:
        (number,) = struct.unpack_from("<Q", self._raw, at)
        return int(number)

    def _place(self, address: int) -> int | None:
        """Where in the file the byte at this address is."""
        relative = address - self._base
        for in_memory, begins, in_file, place in self._sections:
            if begins <= relative < begins + min(in_memory, in_file):
                return int(place + relative - begins)
        return None

    def _name(self, address: int) -> str | None:
        at = self._place(address)
        if at is None:
            return None
        text = self._raw[at : self._raw.index(b"\0", at)]
        return text.decode() if re.fullmatch(rb"\w+", text) else None

    def _pointers_to(self, text: str) -> Iterator[int]:
        """Places in the file that hold the address of exactly this text."""
        wanted = b"\0" + text.encode() + b"\0"
        at = self._raw.find(wanted)
        while at >= 0:
            for in_memory, begins, in_file, place in self._sections:
                if place <= at + 1 < place + min(in_memory, in_file):
                    address = self._base + begins + at + 1 - place
                    yield from self._occurrences(struct.pack("<Q", address))
            at = self._raw.find(wanted, at + 1)

    def _occurrences(self, wanted: bytes) -> Iterator[int]:
        at = self._raw.find(wanted)
        while at >= 0:
            yield at
            at = self._raw.find(wanted, at + 1)


def _number(node: ast.expr) -> int:
    """The value of `1`, `-1` or `1 | 0x4000`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _number(node.left) | _number(node.right)
    value = ast.literal_eval(node)
    assert isinstance(value, int)
    return value
