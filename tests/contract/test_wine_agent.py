"""What deploy/wine-agent does before it becomes Wine; stand-ins play Wine and its server."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.wine import STARTER, WITHIN_S, until

SERVER = """#!/bin/sh
echo "server $*" >>"$TOLD/log"
[ ! -e "$TOLD/running" ] || exit 2
: >"$TOLD/running"
"""
WINE = """#!/bin/sh
session() { set -- $(cut -d ")" -f 2 /proc/$$/stat); echo "$4"; }
case $1 in
cmd)
  echo "boots in $(session)" >>"$TOLD/log"
  read -r _ <"$TOLD/gate"
  echo booted >>"$TOLD/log" ;;
*) echo "$1 in $(session)"; echo aside >&2 ;;
esac
"""


class Stage:
    """A Wine home, and stand-ins that write down how they are called."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "log"
        self._log.touch()
        for name, text in (("wine64", WINE), ("wineserver", SERVER)):
            (folder / name).write_text(text, "utf-8")
            (folder / name).chmod(0o700)
        os.mkfifo(folder / "gate")
        self._agents: list[subprocess.Popen[str]] = []

    def start(self, name: str, **more: str) -> subprocess.Popen[str]:
        """Start an agent of that name."""
        own = {"WINE": f"{self._folder}/wine64", "WINEPREFIX": f"{self._folder}/home"}
        agent = subprocess.Popen(
            [str(STARTER), name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **own, "TOLD": str(self._folder), **more},
            start_new_session=True,
            text=True,
        )
        self._agents.append(agent)
        return agent

    def log(self) -> list[str]:
        """What Wine and its server were called for."""
        return self._log.read_text("utf-8").splitlines()

    def is_booting(self) -> bool:
        """Whether the boot has begun."""
        return any(line.startswith("boots in") for line in self.log())

    def let_boot(self) -> None:
        """Let the boot end."""
        (self._folder / "gate").write_text("\n", "utf-8")

    def end(self) -> None:
        """Leave nothing behind."""
        for agent in self._agents:
            if agent.poll() is None:
                os.killpg(agent.pid, signal.SIGKILL)
            agent.communicate(timeout=WITHIN_S)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    yield made
    made.end()


def test_wine_boots_in_a_session_of_its_own_before_the_first_agent_runs(stage: Stage) -> None:
    agent = stage.start("agent.py")
    until(stage.is_booting, WITHIN_S)
    assert agent.poll() is None
    stage.let_boot()
    answers, aside = agent.communicate(timeout=WITHIN_S)
    assert (answers, aside) == (f"agent.py in {agent.pid}\n", "aside\n")
    server, boots, booted = stage.log()
    assert (server, booted) == ("server -p", "booted")
    assert boots != f"boots in {agent.pid}"


def test_where_the_server_runs_already_nothing_boots(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "running").touch()
    assert stage.start("agent.py").communicate(timeout=WITHIN_S)[0].startswith("agent.py in")
    assert stage.log() == ["server -p"]


def test_the_server_stays_as_long_as_it_is_told_to(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "running").touch()
    stage.start("agent.py", WINE_STAYS_S="60").communicate(timeout=WITHIN_S)
    assert stage.log() == ["server -p60"]


def test_a_boot_outlives_the_agent_that_began_it_and_the_next_waits_for_its_end(
    stage: Stage,
) -> None:
    first = stage.start("first")
    until(stage.is_booting, WITHIN_S)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait(WITHIN_S)
    second = stage.start("second")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(0.2)
    assert len(stage.log()) == 2  # it has not even asked for the server
    stage.let_boot()
    assert second.communicate(timeout=WITHIN_S)[0].startswith("second in")
    assert stage.log()[2:] == ["booted", "server -p"]


def test_a_wine_without_its_server_is_told_as_such(stage: Stage) -> None:
    agent = stage.start("agent.py", WINESERVER="/nowhere/wineserver")
    _, aside = agent.communicate(timeout=WITHIN_S)
    assert agent.returncode == 1
    assert aside == "wine-agent: no /nowhere/wineserver: set WINESERVER\n"
