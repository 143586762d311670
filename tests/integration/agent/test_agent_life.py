"""Both processes end when they must, and nothing that hangs outlives its deadline."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.agent.agents import (
    BODIES,
    CALLS,
    FILE,
    GONE_S,
    HELLO,
    PATIENCE_S,
    ROOT,
    AgentProcess,
    Watched,
    wait_until,
)

CALLING = [verb for verb in CALLS if verb != "shutdown"]
HANGS = ["hang", "wait"]
"""With the interpreter lock held, as the wheel does, and without."""


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    with AgentProcess(tmp_path / "agent") as agent:
        yield agent


@pytest.mark.parametrize("hang", HANGS)
def test_a_supervisor_that_is_killed_takes_its_child_along(agent: AgentProcess, hang: str) -> None:
    child = agent.start()
    agent.fault(order_send=hang)
    agent.request("send", **BODIES["send"])
    agent.wait_for_call("order_send")
    agent.process.kill()
    assert child.is_gone(GONE_S)


@pytest.mark.parametrize("hang", HANGS)
def test_both_are_gone_when_standard_input_ends_during_a_call(
    agent: AgentProcess, hang: str
) -> None:
    child = agent.start()
    agent.fault(positions_get=hang)
    agent.request("snapshot", **BODIES["snapshot"])
    agent.wait_for_call("positions_get")
    agent.close_input()
    assert Watched(agent.process.pid).is_gone(GONE_S)
    assert child.is_gone(GONE_S)
    assert agent.process.wait(GONE_S) == 0


def test_both_are_gone_when_standard_input_ends_while_the_module_loads(
    agent: AgentProcess,
) -> None:
    agent.fault(load="hang")
    agent.request("hello", **HELLO)
    agent.wait_for_call("load")
    ((pid, _),) = agent.calls()
    child = Watched(pid)
    agent.close_input()
    assert child.is_gone(GONE_S)
    assert agent.process.wait(GONE_S) == 0


def test_the_supervisor_is_gone_when_standard_input_ends_while_it_waits_for_a_lock(
    agent: AgentProcess,
) -> None:
    child = agent.start()
    (lock,) = agent.state.glob("*.child.lock")
    os.kill(agent.ask("deals")["child_pid"], signal.SIGKILL)
    assert child.is_gone(GONE_S)
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as a child would that cannot be killed
        agent.request("connect")
        agent.close_input()
        assert agent.process.wait(GONE_S) == 0


def test_an_idle_agent_ends_with_its_standard_input(agent: AgentProcess) -> None:
    child = agent.start()
    agent.close_input()
    assert agent.process.wait(GONE_S) == 0
    assert child.is_gone(GONE_S)


def test_shutdown_answers_and_ends_with_status_0(agent: AgentProcess) -> None:
    child = agent.start()
    assert agent.ask("shutdown")["ok"]
    assert agent.process.wait(GONE_S) == 0
    assert child.is_gone(GONE_S)
    assert [call for _, call in agent.calls()][-1] == "shutdown"


def test_shutdown_before_hello_ends_with_status_0(agent: AgentProcess) -> None:
    assert agent.ask("shutdown")["ok"]
    assert agent.process.wait(GONE_S) == 0


@pytest.mark.parametrize(
    ("fault", "kind"), [("hang", "timeout"), ("die", "child_died"), ("raise", "internal")]
)
def test_a_shutdown_that_fails_ends_with_status_0_too(
    agent: AgentProcess, fault: str, kind: str
) -> None:
    child = agent.start()
    agent.fault(shutdown=fault)
    assert agent.kind("shutdown", deadline_ms=60) == kind
    assert agent.process.wait(GONE_S) == 0
    assert child.is_gone(GONE_S)


def test_past_the_deadline_of_each_verb_the_child_is_killed(agent: AgentProcess) -> None:
    agent.start()
    for verb in CALLING:
        for hang in HANGS:
            child = agent.watched[-1]
            agent.fault(**{CALLS[verb]: hang})
            answer = agent.ask(verb, deadline_ms=60)
            assert answer["error"]["kind"] == "timeout", (verb, hang)
            assert child.is_gone(), "before it is answered"
            assert answer["child_pid"] is None
            assert "login" not in answer, "nobody knows which account it is now"
            assert agent.kind("snapshot") == "not_connected"
            agent.fault()
            assert agent.ask("connect")["ok"]


def test_a_module_that_hangs_while_it_loads_is_killed_at_the_deadline(agent: AgentProcess) -> None:
    agent.fault(load="hang")
    assert agent.hello(deadline_ms=1000)["error"]["kind"] == "timeout"
    ((pid, _),) = agent.calls()
    assert not Path(f"/proc/{pid}").exists()
    agent.fault()
    assert agent.ask("connect")["ok"], "the credentials are known"


@pytest.mark.parametrize("fault", ["die", "exit"])
def test_a_child_that_ends_during_a_verb_is_told(agent: AgentProcess, fault: str) -> None:
    """Killed from outside, or ended by the module itself: what it did is unknown."""
    agent.start()
    for verb in CALLING:
        agent.fault(**{CALLS[verb]: fault})
        answer = agent.ask(verb)
        assert answer["error"]["kind"] == "child_died", verb
        assert answer["child_pid"] is None
        assert agent.kind("deals") == "not_connected"
        agent.fault()
        assert agent.ask("connect")["ok"]


def test_a_child_that_ended_between_requests_was_given_nothing(agent: AgentProcess) -> None:
    child = agent.start()
    os.kill(agent.ask("deals")["child_pid"], signal.SIGKILL)
    assert child.is_gone(GONE_S)
    calls = len(agent.calls())
    assert agent.kind("send") == "not_connected"
    assert len(agent.calls()) == calls
    assert agent.ask("connect")["ok"]


def test_a_child_that_speaks_out_of_turn_is_not_believed(agent: AgentProcess) -> None:
    child = agent.start()
    for verb in ("send", "snapshot"):
        child = agent.watched[-1]
        agent.fault(**{CALLS[verb]: "forge"})
        assert agent.kind(verb) == "child_died"
        assert child.is_gone()
        agent.fault()
        assert agent.ask("connect")["ok"]


def test_hello_again_replaces_child_and_credentials(agent: AgentProcess) -> None:
    child = agent.start()
    answer = agent.hello(login=2002)
    assert answer["ok"]
    assert child.is_gone()
    assert "login" not in answer
    wrong = agent.ask("connect")
    assert wrong["error"]["kind"] == "wrong_account"
    assert wrong["login"] == 1001, "what was found"
    agent.start()
    assert agent.ask("snapshot")["ok"]


def test_every_answer_of_a_connected_agent_tells_whose_it_is(agent: AgentProcess) -> None:
    agent.start()
    for verb in [*CALLING, "shutdown"]:
        answer = agent.ask(verb)
        assert (answer["login"], answer["server"], answer["build"]) == (1001, "Stub-Demo", 5640)
        assert answer["freshest_tick_ms"] == (None if verb == "connect" else 1_764_000_000_000)
        assert answer["epoch_max"] == 1


def test_children_that_went_leave_nothing_behind(agent: AgentProcess) -> None:
    """Neither a thread nor a pipe, whether they ended idle, in a call, or by themselves."""

    def held() -> tuple[int, int]:
        own = Path(f"/proc/{agent.process.pid}")
        return len(list((own / "task").iterdir())), len(list((own / "fd").iterdir()))

    agent.start()
    before = held()
    for fault in ["hang", "die", "forge"]:
        agent.fault(order_send=fault)
        assert agent.kind("send", deadline_ms=200) in {"timeout", "child_died"}
        agent.fault()
        agent.start()
        assert agent.ask("snapshot")["ok"]
    wait_until(lambda: held() == before)


@contextmanager
def child_alone(parent_pid: int, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A child without a supervisor, as others see it."""
    with subprocess.Popen(
        [sys.executable, str(FILE), "--child", str(parent_pid)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "STUB_DIRECTORY": str(directory)},
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def test_a_child_whose_supervisor_was_gone_before_it_began_ends_at_once(
    tmp_path: Path,
) -> None:
    """The kernel's signal comes to who asked for it in time; this one came too late."""
    with child_alone(1, tmp_path) as child:
        assert child.wait(PATIENCE_S) == 0
        assert child.stdout
        assert child.stdout.read() == b""


def test_a_child_ends_with_its_input_also_where_no_signal_comes(tmp_path: Path) -> None:
    """While a call lets other threads run: the one way that every system has."""
    with AgentProcess(tmp_path / "agent") as agent:
        agent.fault(order_send="wait")
    with child_alone(os.getpid(), agent.directory) as child:
        assert child.stdin
        assert child.stdout
        config = {**HELLO, "module": "tests.fakes.metatrader5_stub"}
        config["lock"] = str(tmp_path / "child.lock")
        for number, message in enumerate([config, *SENDING]):
            child.stdin.write(json.dumps({"seq": number, **message}).encode() + b"\n")
            child.stdin.flush()
            if message is not SENDING[-1]:
                assert json.loads(child.stdout.readline())["body"]
        agent.wait_for_call("order_send")
        child.stdin.close()
        assert child.wait(GONE_S) == 0


SENDING: list[dict[str, Any]] = [{"verb": "connect"}, {"verb": "send", **BODIES["send"]}]
