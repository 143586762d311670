"""One owner at a time: locks, epochs and take-over between real agents."""

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.adapters.mt5.agent import Place
from tests.integration.agent.agents import (
    BODIES,
    CALLS,
    GONE_S,
    HELLO,
    AgentProcess,
    Watched,
)

PATH = HELLO["terminal"]["path"]
FALLEN = b'{"epoch": 4, "owner": "a"}'
UNREADABLE = [
    b"",
    b"\x00\x00\x00",
    b"5\n",
    b'{"epoch": 5}',
    b'{"epoch": "5", "owner": "a"}',
    b'{"epoch": -1, "owner": "a"}',
    b'{"epoch": 5, "owner": null}',
    b'{"epoch": 5, "owner": "a"',
    FALLEN,
    None,
]
VERBS = [verb for verb in CALLS if verb != "shutdown"]


@pytest.fixture
def old(tmp_path: Path) -> Iterator[AgentProcess]:
    """An agent that is connected, epoch 5 of owner `a`."""
    with AgentProcess(tmp_path / "old", state=tmp_path / "state") as agent:
        agent.start(epoch=5)
        yield agent


@pytest.fixture
def new(tmp_path: Path) -> Iterator[AgentProcess]:
    """Another beside it, that has said nothing yet."""
    with AgentProcess(tmp_path / "new", state=tmp_path / "state") as agent:
        yield agent


def kept(agent: AgentProcess) -> dict[str, object]:
    (path,) = agent.state.glob("*.epoch")
    found: dict[str, object] = json.loads(path.read_text())
    return found


def test_a_terminal_that_is_held_is_refused_to_who_is_no_newer(
    old: AgentProcess, new: AgentProcess
) -> None:
    for epoch, owner, kind in [
        (5, "b", "stale_epoch"),
        (5, "", "stale_epoch"),
        (4, "a", "stale_epoch"),
    ]:
        answer = new.hello(epoch=epoch, owner=owner)
        assert answer["error"]["kind"] == kind
        assert answer["epoch_max"] == 5
        assert new.kind("snapshot", epoch=epoch) == "not_connected"
    assert old.ask("snapshot", epoch=5)["ok"], "the holder goes on"
    assert new.calls() == []


@pytest.mark.parametrize("hang", ["idle", "freeze"])
def test_an_owner_is_not_kept_out_by_an_agent_that_it_has_lost(
    old: AgentProcess, new: AgentProcess, hang: str
) -> None:
    """Over ssh that broke off, the lost agent lives on, and nobody will ever speak to it again."""
    child = old.watched[-1]
    if hang == "freeze":
        os.kill(old.process.pid, signal.SIGSTOP)
    answer = new.hello(epoch=5, owner="a")
    assert child.is_gone(), "already"
    assert Watched(old.process.pid).is_gone(), "already"
    assert answer["ok"]
    assert new.ask("connect", epoch=5)["ok"]


def test_of_two_without_a_name_the_second_is_locked_out(tmp_path: Path, new: AgentProcess) -> None:
    with AgentProcess(tmp_path / "first", state=tmp_path / "state") as first:
        assert first.hello(epoch=5, owner="")["ok"]
        assert new.hello(epoch=5, owner="")["error"]["kind"] == "terminal_locked"
        assert first.ask("connect", epoch=5, owner="")["ok"], "the holder goes on"


def test_another_terminal_is_not_concerned(old: AgentProcess, new: AgentProcess) -> None:
    terminal = {"path": "C:\\Other\\terminal64.exe", "portable": False}
    assert new.hello(epoch=1, terminal=terminal)["ok"]
    assert old.ask("snapshot", epoch=5)["ok"]


@pytest.mark.parametrize("hang", ["hang", "freeze", "idle"])
def test_a_higher_epoch_takes_the_terminal_over(
    old: AgentProcess, new: AgentProcess, hang: str
) -> None:
    """Nothing of the old child runs once the new agent has answered, whatever it was about to do.

    Frozen, it is just before `order_send`; going on, it would send.
    """
    child = old.watched[-1]
    if hang != "idle":
        old.fault(positions_get=hang)
        old.request("send", epoch=5, **BODIES["send"])
        old.wait_for_call("positions_get")
    if hang == "freeze":
        os.kill(old.process.pid, signal.SIGSTOP)
    answer = new.hello(epoch=6, owner="b")
    assert child.is_gone(), "already"
    assert Watched(old.process.pid).is_gone(), "already"
    assert answer["ok"]
    assert kept(new) == {"epoch": 6, "owner": "b"}
    assert new.ask("connect", epoch=6, owner="b")["ok"]
    assert "order_send" not in [call for _, call in old.calls()]


def test_an_epoch_that_cannot_be_written_takes_nothing_over(
    old: AgentProcess, new: AgentProcess
) -> None:
    """It is durable before it is acted on."""
    (epoch,) = old.state.glob("*.epoch")
    epoch.with_suffix(".new").mkdir()
    assert new.hello(epoch=6, owner="b")["error"]["kind"] == "internal"
    assert kept(old) == {"epoch": 5, "owner": "a"}
    assert old.ask("snapshot", epoch=5)["ok"]
    assert old.kind("snapshot", epoch=7) == "internal"
    assert old.ask("snapshot", epoch=5)["ok"], "its child lives"


def test_epochs_outlive_the_agents(tmp_path: Path) -> None:
    for epoch, owner, kind in [
        (7, "a", None),
        (6, "a", "stale_epoch"),
        (7, "b", "stale_epoch"),
        (7, "", "stale_epoch"),
        (7, "a", None),
        (8, "", None),
        (8, "b", None),
        (8, "a", "stale_epoch"),
        (2**63 - 1, "c", None),
        (8, "b", "stale_epoch"),
    ]:
        with AgentProcess(tmp_path / "agent") as agent:
            answer = agent.hello(epoch=epoch, owner=owner)
            assert answer.get("error", {"kind": None})["kind"] == kind, (epoch, owner)


def test_who_is_not_the_newest_is_refused_at_every_verb_reads_included(old: AgentProcess) -> None:
    calls = len(old.calls())
    for epoch, owner in [(4, "a"), (5, "b"), (5, ""), (0, "a")]:
        for verb in [*CALLS, "hello"]:
            body = HELLO if verb == "hello" else {}
            answer = old.ask(verb, epoch=epoch, owner=owner, **body)
            assert answer["error"]["kind"] == "stale_epoch", (verb, epoch, owner)
            assert answer["epoch_max"] == 5
    assert len(old.calls()) == calls, "nothing was called"
    assert old.ask("snapshot", epoch=5)["ok"], "and the newest owner is still served"


def test_a_higher_epoch_on_the_same_input_finds_no_child(old: AgentProcess) -> None:
    for epoch, verb in enumerate([*VERBS, "shutdown"], 6):
        child = old.watched[-1]
        calls = len(old.calls())
        answer = old.ask(verb, epoch=epoch, owner="b")
        assert child.is_gone(), "before it is answered"
        assert kept(old) == {"epoch": epoch, "owner": "b"}
        assert answer["epoch_max"] == epoch
        if verb in {"connect", "shutdown"}:
            assert answer["ok"]
            continue
        assert answer["error"]["kind"] == "not_connected"
        assert len(old.calls()) == calls
        assert old.kind("snapshot", epoch=epoch - 1) == "stale_epoch"
        assert old.ask("connect", epoch=epoch, owner="b")["ok"]
    assert old.process.wait(GONE_S) == 0


def test_a_name_for_the_unnamed_owner_keeps_the_child(tmp_path: Path) -> None:
    with AgentProcess(tmp_path / "agent") as agent:
        agent.start(epoch=5, owner="")
        assert agent.ask("snapshot", epoch=5, owner="b")["ok"]
        assert kept(agent) == {"epoch": 5, "owner": "b"}
        assert agent.kind("snapshot", epoch=5, owner="") == "stale_epoch"
        assert len({pid for pid, _ in agent.calls()}) == 1


def test_an_agent_that_finds_a_newer_owner_gives_the_terminal_up(old: AgentProcess) -> None:
    """As where the newer agent was not allowed to kill it."""
    for epoch, verb in enumerate(VERBS, 5):
        child = old.watched[-1]
        calls = len(old.calls())
        place = Place(old.state, PATH)
        place.admit(epoch + 1, "a")
        answer = old.ask(verb, epoch=epoch)
        assert (answer["error"]["kind"], answer["epoch_max"]) == ("stale_epoch", epoch + 1)
        assert child.is_gone(), "before it is answered"
        assert len(old.calls()) == calls
        assert place.lock.acquire()
        place.lock.release()
        assert old.kind(verb, epoch=epoch + 1) == "not_connected", "until it says hello"
        old.start(epoch=epoch + 1)


def test_an_epoch_that_cannot_be_read_is_never_taken_for_0(
    old: AgentProcess, new: AgentProcess
) -> None:
    """Nor is one that vanished, or fell, while the agent lived."""
    (path,) = old.state.glob("*.epoch")
    good = path.read_bytes()
    calls = len(old.calls())
    for text in UNREADABLE:
        path.unlink()
        if text is not None:
            path.write_bytes(text)
        for verb in VERBS:
            error = old.error(verb, epoch=9)
            assert error["kind"] == "internal", (verb, text)
            assert "epoch" in error["text"]
        if text not in {None, FALLEN}:
            assert new.hello(epoch=9)["error"]["kind"] == "internal"
    assert len(old.calls()) == calls
    path.write_bytes(good)
    assert old.ask("snapshot", epoch=5)["ok"]


def test_a_child_that_cannot_be_killed_keeps_others_out(tmp_path: Path) -> None:
    """The deadline of a hello or connect bounds the wait for it."""
    with AgentProcess(tmp_path / "agent") as agent:
        child = agent.start()
        os.kill(agent.ask("deals")["child_pid"], signal.SIGKILL)
        assert child.is_gone(GONE_S)
        (lock,) = agent.state.glob("*.child.lock")
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            assert agent.kind("connect", deadline_ms=50) == "terminal_locked"
            assert agent.hello(deadline_ms=50)["error"]["kind"] == "terminal_locked"
        assert agent.ask("connect")["ok"]


def test_hello_for_another_terminal_gives_the_first_one_up(
    old: AgentProcess, new: AgentProcess
) -> None:
    child = old.watched[-1]
    terminal = {"path": "C:\\Other\\terminal64.exe", "portable": False}
    answer = old.hello(epoch=2, terminal=terminal)
    assert answer["ok"]
    assert answer["epoch_max"] == 2, "each terminal has its own"
    assert child.is_gone()
    assert new.hello(epoch=5)["ok"]


def test_a_hello_that_is_refused_changes_nothing(old: AgentProcess, new: AgentProcess) -> None:
    terminal = {"path": "C:\\Other\\terminal64.exe", "portable": False}
    assert new.hello(epoch=9, terminal=terminal)["ok"]
    answer = old.hello(epoch=8, terminal=terminal)
    assert (answer["error"]["kind"], answer["epoch_max"]) == ("stale_epoch", 9)
    assert old.ask("snapshot", epoch=5)["ok"]
