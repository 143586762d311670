"""Make the product wrong on purpose, line by line: `python -m tests.mutations [WORD ...]`.

Each bug goes into a copy of the checkout, and the tests named beside it must fail there. First the
same tests must pass without it. Exit status 1 where a bug stays unnoticed, 2 where one is stale.
"""

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.mutations.bugs import Bug, StaleBug, chosen, read_bugs, spoiled

ROOT: Final = Path(__file__).resolve().parents[2]
JOBS_DEFAULT: Final = 2
BUG_TIMEOUT_S: Final = 180
"""Tests that take longer do not end: the bug was noticed, as a suite that hangs is."""
BASELINE_TIMEOUT_S: Final = 600
TAIL_LINES: Final = 12
QUIET: Final = ("-q", "-x", "-n", "0", "-p", "no:cacheprovider", "--tb=line", "--no-header")


class Outcome(Struct, frozen=True):
    """What became of one bug."""

    bug: Bug
    noticed: bool
    how: str
    seconds: float


def main(argv: Sequence[str] | None = None) -> int:
    """Check them all; answers the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=__doc__)
    parser.add_argument("words", nargs="*", help="only bugs of this area, or with this in the name")
    parser.add_argument("--jobs", type=int, default=JOBS_DEFAULT, metavar="N", help="at once (2)")
    parser.add_argument("--list", action="store_true", help="name the bugs and stop")
    options = parser.parse_args(argv)
    bugs = chosen(read_bugs(), options.words)
    if not bugs:
        print(f"no bug is named {' or '.join(options.words)}", file=sys.stderr)
        return 2
    if options.list:
        for bug in bugs:
            print(f"{bug.area:9} {bug.name}")
        return 0
    stale = _stale(bugs)
    if stale:
        print("\n".join(stale), file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        copies = [_copy(Path(folder) / str(number)) for number in range(max(1, options.jobs))]
        sick = _baseline(copies[0], bugs)
        if sick:
            print(f"these fail without any bug:\n{sick}", file=sys.stderr)
            return 2
        outcomes = _all(bugs, copies)
    missed = [o for o in outcomes if not o.noticed]
    print(f"{len(outcomes) - len(missed)} of {len(outcomes)} bugs were noticed")
    for outcome in missed:
        print(f"NOT NOTICED: {outcome.bug.area}: {outcome.bug.name} ({outcome.bug.file})")
    return 1 if missed else 0


def _stale(bugs: Sequence[Bug]) -> list[str]:
    stale: list[str] = []
    for bug in bugs:
        try:
            spoiled(bug, (ROOT / bug.file).read_text("utf-8"))
        except (StaleBug, FileNotFoundError) as error:
            stale.append(str(error))
    return stale


def _copy(folder: Path) -> Path:
    """The checkout's files as they are now, without what git ignores."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder


def _pytest(
    copy: Path, tests: Sequence[str], timeout_s: int
) -> subprocess.CompletedProcess[str] | None:
    """Run tests of a copy; None where they did not end."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(
            [sys.executable, "-m", "pytest", *QUIET, *tests],
            cwd=copy,
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return None


def _baseline(copy: Path, bugs: Sequence[Bug]) -> str:
    """Run every named test without a bug; answers what failed, empty where all pass."""
    names = sorted({test for bug in bugs for test in bug.tests})
    ran = _pytest(copy, names, BASELINE_TIMEOUT_S)
    if ran is not None and ran.returncode == 0:
        return ""
    return "they did not end" if ran is None else _tail(ran.stdout or ran.stderr)


def _all(bugs: Sequence[Bug], copies: Sequence[Path]) -> list[Outcome]:
    """Every bug, as many at once as there are copies; each is printed when it is known."""
    todo: queue.SimpleQueue[Bug] = queue.SimpleQueue()
    for bug in bugs:
        todo.put(bug)
    outcomes: list[Outcome] = []

    def work(copy: Path) -> None:
        while True:
            try:
                bug = todo.get_nowait()
            except queue.Empty:
                return
            outcome = _one(bug, copy)
            outcomes.append(outcome)
            word = "noticed" if outcome.noticed else "NOT NOTICED"
            print(
                f"{word:11} {outcome.seconds:5.1f} s  {bug.area}: {bug.name}; {outcome.how}",
                flush=True,
            )

    workers = [threading.Thread(target=work, args=(copy,)) for copy in copies]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return outcomes


def _one(bug: Bug, copy: Path) -> Outcome:
    file = copy / bug.file
    sound = file.read_text("utf-8")
    began = time.monotonic()
    file.write_text(spoiled(bug, sound), "utf-8")
    try:
        ran = _pytest(copy, bug.tests, BUG_TIMEOUT_S)
    finally:
        file.write_text(sound, "utf-8")
    seconds = time.monotonic() - began
    if ran is None:
        return Outcome(bug, noticed=True, how="the tests did not end", seconds=seconds)
    if ran.returncode == 1:
        return Outcome(bug, noticed=True, how=_first_failure(ran.stdout), seconds=seconds)
    if ran.returncode == 0:
        return Outcome(bug, noticed=False, how="every test passed", seconds=seconds)
    # An error while tests are collected says that the line is no bug but nonsense.
    how = f"pytest ended with {ran.returncode}: {_tail(ran.stdout or ran.stderr)}"
    return Outcome(bug, noticed=False, how=how, seconds=seconds)


def _first_failure(output: str) -> str:
    found = (line for line in output.splitlines() if line.startswith(("FAILED ", "ERROR ")))
    return next(found, "a test failed").split(" - ")[0].removeprefix("FAILED ")


def _tail(output: str) -> str:
    return "\n".join(output.splitlines()[-TAIL_LINES:])


if __name__ == "__main__":
    sys.exit(main())
