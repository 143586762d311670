"""The lock and the epoch of a terminal: who is killed for them, and who is not."""

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.adapters.mt5 import agent
from core.adapters.mt5.agent import EPOCH_WAIT_S, Failure, FileLock, Place, seize, started_at

TERMINAL = "C:\\MT5\\terminal64.exe"
HOLDER = """
import sys
from pathlib import Path
from core.adapters.mt5.agent import FileLock
lock = FileLock(Path(sys.argv[1]))
assert lock.acquire()
if sys.argv[2] == "signed":
    lock.sign()
print("held", flush=True)
sys.stdin.read()
"""
SHORT_S = 0.1


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, TERMINAL)


@pytest.fixture
def holder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the terminal's lock; it has signed unless told otherwise."""
    path = tmp_path / f"{Place(tmp_path, TERMINAL).name}.lock"
    signed = getattr(request, "param", "signed")
    command = [sys.executable, "-c", HOLDER, str(path), signed]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def soon() -> float:
    return time.monotonic() + SHORT_S


def kind(caught: pytest.ExceptionInfo[Failure]) -> str:
    return caught.value.kind


def test_a_lower_holder_is_killed_for_the_terminal(
    place: Place, holder: subprocess.Popen[bytes]
) -> None:
    place.take(6, "b", time.monotonic() + 10)
    assert holder.wait(10) == -9


@pytest.mark.parametrize("holder", ["unsigned"], indirect=True)
def test_who_has_not_signed_is_not_killed_by_guess(
    place: Place, holder: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    with pytest.raises(Failure, match="cannot be killed") as caught:
        place.take(6, "b", soon())
    assert kind(caught) == "terminal_locked"
    assert holder.poll() is None


@pytest.mark.parametrize("holder", ["unsigned"], indirect=True)
@pytest.mark.parametrize("text", ["{pid} 1", "{pid}", "{pid} ", "", "x y", "-1 5", "0 0"])
def test_a_pid_that_is_used_again_is_not_killed(
    place: Place, holder: subprocess.Popen[bytes], tmp_path: Path, text: str
) -> None:
    """Only together with its start a number means the process that signed."""
    (tmp_path / f"{place.name}.lock").write_text(text.format(pid=holder.pid))
    with pytest.raises(Failure) as caught:
        place.take(6, "b", soon())
    assert kind(caught) == "terminal_locked"
    assert holder.poll() is None


@pytest.mark.parametrize("holder", ["unsigned"], indirect=True)
def test_a_holder_that_signs_late_is_killed_then(
    place: Place, holder: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    text = f"{holder.pid} {started_at(holder.pid)}\n"
    (tmp_path / f"{place.name}.lock").write_text(text)
    place.take(6, "b", time.monotonic() + 10)
    assert holder.wait(10) == -9


def test_who_is_overtaken_while_taking_over_kills_nobody(
    place: Place, holder: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """Epoch 9 came, and holds the terminal by now."""

    def may_kill() -> None:
        Place(tmp_path, TERMINAL).admit(9, "c")
        place.admit(6, "b")

    place.admit(6, "b")
    with pytest.raises(Failure) as caught:
        seize(place.lock, time.monotonic() + 10, may_kill)
    assert kind(caught) == "stale_epoch"
    assert place.newest == (9, "c")
    assert holder.poll() is None


def test_who_is_overtaken_at_the_last_moment_lets_go(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Place(tmp_path, TERMINAL)
    sync = Path.replace

    def overtaken(self: Path, target: Path) -> Path:
        """Another owner comes right after our epoch is in place."""
        done = sync(self, target)
        monkeypatch.setattr(Path, "replace", sync)
        target.write_text('{"epoch": 9, "owner": "c"}')
        return done

    monkeypatch.setattr(Path, "replace", overtaken)
    with pytest.raises(Failure) as caught:
        place.take(6, "b", time.monotonic() + 10)
    assert kind(caught) == "stale_epoch"
    assert other.lock.acquire()
    other.lock.release()


def test_an_epoch_that_another_does_not_end_to_write_is_not_waited_for_without_end(
    place: Place, tmp_path: Path
) -> None:
    busy = FileLock(tmp_path / f"{place.name}.epoch.lock")
    assert busy.acquire()
    began_s = time.monotonic()
    with pytest.raises(Failure) as caught:
        place.admit(6, "b")
    assert kind(caught) == "internal"
    assert EPOCH_WAIT_S <= time.monotonic() - began_s < EPOCH_WAIT_S + 5
    busy.release()
    assert place.admit(6, "b")


def test_a_lock_is_held_by_one_and_freed_by_its_release(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire()
    assert first.acquire(), "held is held"
    assert not second.acquire()
    assert second.holder() is None, "nobody signed"
    first.release()
    assert second.acquire()
    second.release()


def test_terminals_are_told_apart_by_path(tmp_path: Path) -> None:
    assert Place(tmp_path, "C:\\A\\terminal64.exe").name != Place(tmp_path, TERMINAL).name
    assert Place(tmp_path, TERMINAL).name == Place(tmp_path / "b", TERMINAL).name


def test_what_is_remembered_is_private(tmp_path: Path) -> None:
    place = Place(tmp_path / "state", TERMINAL)
    place.take(1, "a", soon())
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_size < 100 for path in (tmp_path / "state").iterdir())
    place.lock.release()


def test_an_epoch_is_on_the_disk_before_it_is_known(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new file is flushed, then takes the place of the old one, then the directory is."""
    done: list[str] = []
    sync, rename = os.fsync, Path.replace

    def fsync(handle: int) -> None:
        done.append("flush " + ("directory" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"))
        sync(handle)

    def replace(self: Path, target: Path) -> Path:
        done.append("rename")
        assert place.newest == (0, "")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    assert place.admit(6, "b")
    assert done == ["flush file", "rename", "flush directory"]
    assert not place.admit(6, "b")
    assert len(done) == 3, "what is known is not written again"


def test_a_child_imports_nothing_while_an_older_one_lives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "LOCK_WAIT_S", SHORT_S)
    older = FileLock(tmp_path / "child.lock")
    assert older.acquire()
    with pytest.raises(Failure) as caught:
        agent.load("tests.fakes.no_such_module", FileLock(tmp_path / "child.lock"))
    assert kind(caught) == "terminal_locked"
    older.release()
    with pytest.raises(Failure) as caught:
        agent.load("tests.fakes.no_such_module", FileLock(tmp_path / "child.lock"))
    assert kind(caught) == "module_missing"
