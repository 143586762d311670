"""What no tracked file may say: loose ends, one machine's paths, a registry's address."""

import re
from pathlib import Path

from tests.tidy.sources import name_of, tracked

TEXT = [
    path
    for path in tracked()
    if path.suffix not in {".png", ".jpg", ".ico", ".zip", ".gz"} and path.name != "uv.lock"
]
# Written in pieces, so that this file does not say them.
FORBIDDEN = {
    "a loose end": re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
    "a path of one machine": re.compile(
        r"(?<![\w.])/(work" + r"|root" + r"|home/\w+" + r"|Users/\w+)/"
    ),
    "a scratch path": re.compile(r"(?<![\w.])/tm" + r"p/"),
    "a registry's address": re.compile(
        r"py" + r"pi\.org|files\.python" + r"hosted|index" + r"-url|/sim" + r"ple/"
    ),
    "a trailer": re.compile(r"(Co-authored" + r"-by:|Generated" + r" (by|with) )", re.IGNORECASE),
}


def test_a_file_says_nothing_that_does_not_belong_to_the_project() -> None:
    assert name_of(Path(__file__)) in {name_of(path) for path in TEXT}
    assert not [
        f"{name_of(path)}: {what}: {found.group()}"
        for path in TEXT
        for what, pattern in FORBIDDEN.items()
        if (found := pattern.search(path.read_text("utf-8")))
    ]


def test_each_pattern_finds_what_it_is_for() -> None:
    samples = {
        "a loose end": "# TO" + "DO: later",
        "a path of one machine": '"/ro' + 'ot/x"',
        "a scratch path": " /tm" + "p/x",
        "a registry's address": "https://py" + "pi.org/x",
        "a trailer": "Co-authored" + "-by: someone",
    }
    for what, sample in samples.items():
        assert FORBIDDEN[what].search(sample), what


def test_the_root_stays_bare() -> None:
    """A report is not documentation."""
    roots = {name_of(path) for path in tracked() if "/" not in name_of(path)}
    pages = {name for name in roots if name.endswith(".md")}
    assert pages <= {"README.md", "CHANGELOG.md", "CONTRIBUTING.md"}
