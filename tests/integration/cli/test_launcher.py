"""The launcher: app stops before world, a dead one stays dead, a failed start is one line."""

import asyncio
import os
import shlex
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

STUB = Path(__file__).with_name("stub_launcher.py")
ROOT = Path(__file__).parents[3]
EFFECT_S_MAX = 15.0


@dataclass
class Running:
    """A launcher under way, and what it and its children have said."""

    process: asyncio.subprocess.Process
    data_dir: Path

    def events(self) -> list[str]:
        """Answer the children's traces, oldest first, process ids taken off."""
        return [line.rpartition(" ")[0] for line in self._traces()]

    def pid(self, part: str) -> int:
        """Answer the process id of a part."""
        line = next(line for line in self._traces() if line.startswith(f"{part} started"))
        return int(line.rpartition(" ")[2])

    def _traces(self) -> list[str]:
        path = self.data_dir / "events"
        return path.read_text().splitlines() if path.exists() else []

    async def line(self, stream: asyncio.StreamReader | None, words: str) -> str:
        """Read on until a line holds these words."""
        assert stream is not None
        async with asyncio.timeout(EFFECT_S_MAX):
            while line := await stream.readline():
                if words in line.decode():
                    return line.decode()
        raise AssertionError(f"never said {words!r}")

    async def end(self, number: signal.Signals | None = None) -> tuple[int, str]:
        """Signal it, if given, and answer its status and what was left of its error output."""
        if number is not None:
            self.process.send_signal(number)
        async with asyncio.timeout(EFFECT_S_MAX):
            _, said = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()

    async def ready(self) -> str:
        """Answer the line that says so, once the app is there too.

        The world makes the launcher speak: on a busy machine the app may not be there yet.
        """
        line = await self.line(self.process.stdout, "ready after")
        async with asyncio.timeout(EFFECT_S_MAX):
            while "app started" not in self.events():
                await asyncio.sleep(0.02)
        return line


@asynccontextmanager
async def launched(
    data_dir: Path, *words: str, port: int = 0, cwd: Path | None = None
) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(STUB),
        str(data_dir),
        str(port),
        *words,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    running = Running(process, data_dir)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_it_prints_the_page_and_stops_the_app_before_the_world(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with launched(tmp_path) as run:
        line = await run.ready()
        assert "http://127.0.0.1:" in line
        status, said = await run.end(number)
    assert (status, said) == (0, "")
    stops = [event for event in run.events() if "started" not in event]
    assert stops == ["app asked to stop", "app stopped", "world asked to stop", "world stopped"]
    assert "app speaks" in (tmp_path / "app.log").read_text()


async def test_ctrl_c_of_a_terminal_reaches_the_launcher_only(tmp_path: Path) -> None:
    """A terminal sends it to the whole process group; the app must still stop first."""
    async with launched(tmp_path) as run:
        await run.ready()
        os.killpg(run.process.pid, signal.SIGINT)
        assert await run.end() == (0, "")
    stops = [event for event in run.events() if event.endswith(" stopped")]
    assert stops == ["app stopped", "world stopped"]


async def test_headless_repeats_what_both_say(tmp_path: Path) -> None:
    async with launched(tmp_path, "headless") as run:
        await run.line(run.process.stdout, "world | world speaks")
        assert (await run.end(signal.SIGTERM))[0] == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full, as Linux has it")
async def test_a_full_disk_is_told_once_and_the_app_is_still_drained(tmp_path: Path) -> None:
    """A pipe holds 64 KiB; the app says 400 kB, all of it repeated, none of it kept."""
    (tmp_path / "app.log").symlink_to("/dev/full")
    async with launched(tmp_path, "headless", "app:chatty") as run:
        await run.line(run.process.stderr, "app.log cannot be written: No space left on device")
        said = 0
        while said < 4_000:
            await run.line(run.process.stdout, f"  app | {'x' * 99}")
            said += 1
        assert await run.end(signal.SIGTERM) == (0, "")
    assert "app said it all" in run.events()


async def test_a_dead_app_is_told_of_and_left_dead_and_the_world_lives(tmp_path: Path) -> None:
    async with launched(tmp_path) as run:
        await run.ready()
        os.kill(run.pid("app"), signal.SIGKILL)
        await run.line(run.process.stderr, "the app died: killed by SIGKILL")
        await run.line(run.process.stderr, "start the app again with:")
        command = await run.line(run.process.stderr, "stub_part.py")
        assert command.split()[3:5] == [sys.executable, str(STUB.with_name("stub_part.py"))]
        os.kill(run.pid("world"), 0)
        assert run.process.returncode is None
        assert (await run.end(signal.SIGTERM))[0] == 0
    assert run.events().count("app started") == 1


async def test_the_command_that_starts_it_again_runs_from_anywhere(tmp_path: Path) -> None:
    """It is pasted into another terminal, whose directory is not the checkout."""
    home = tmp_path / "a checkout"
    home.mkdir()
    async with launched(tmp_path, cwd=home) as run:
        await run.ready()
        os.kill(run.pid("app"), signal.SIGKILL)
        command = await run.line(run.process.stderr, "stub_part.py")
        assert (await run.end(signal.SIGTERM))[0] == 0
    words = shlex.split(command)
    assert words[:4] == ["cd", str(home), "&&", sys.executable]


async def test_a_dead_world_leaves_the_app_alone(tmp_path: Path) -> None:
    async with launched(tmp_path) as run:
        await run.ready()
        os.kill(run.pid("world"), signal.SIGKILL)
        await run.line(run.process.stderr, "the world died: killed by SIGKILL")
        os.kill(run.pid("app"), 0)
        assert (await run.end(signal.SIGTERM))[0] == 0
    assert "app stopped" in run.events()


async def test_it_fails_once_both_died_by_themselves(tmp_path: Path) -> None:
    async with launched(tmp_path, "app:dies", "world:dies") as run:
        status, said = await run.end()
    assert status == 1
    assert "the world died: exit status 3" in said
    assert "app | something broke" in said


async def test_one_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    async with launched(tmp_path, "app:deaf") as run:
        await run.ready()
        app = run.pid("app")
        assert (await run.end(signal.SIGTERM))[0] == 0
    with pytest.raises(ProcessLookupError):
        os.kill(app, 0)
    assert "world stopped" in run.events()


async def test_a_part_that_refuses_its_words_ends_the_start(tmp_path: Path) -> None:
    async with launched(tmp_path, "world:refuses") as run:
        status, said = await run.end()
    assert status == 2
    assert "--port 1: Permission denied" in said


async def test_a_taken_port_is_one_line_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with launched(tmp_path, port=port) as run:
            status, said = await run.end()
    assert status == 2
    assert said.startswith(f"--port {port}: Address already in use on 127.0.0.1")
    assert len(said.splitlines()) == 1
    assert run.events() == []


async def test_a_second_demo_on_the_same_data_is_one_line(tmp_path: Path) -> None:
    async with launched(tmp_path) as first:
        await first.ready()
        async with launched(tmp_path) as second:
            status, said = await second.end()
        assert status == 2
        assert "a demo already runs there" in said
        assert sorted(first.events()) == ["app started", "world started"]
        assert (await first.end(signal.SIGTERM))[0] == 0
