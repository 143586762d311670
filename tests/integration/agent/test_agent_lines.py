"""What goes in and out line by line, whatever the module or the caller does."""

import ast
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.adapters.mt5 import agent as agent_file
from tests.fakes import metatrader5_stub
from tests.fakes.metatrader5_stub import PASSWORD
from tests.integration.agent.agents import (
    CALLS,
    FILE,
    GONE_S,
    HELLO,
    ROOT,
    AgentProcess,
)

LINE_BYTES_MAX = 16 * 1024 * 1024
WAITING_MAX = 8
NO_REQUESTS = [
    b"",
    b"hello",
    b"[1, 2]",
    b"\xff\xfe\x00",
    b'{"id": 1',
    b'{"id": NaN}',
    b"{}",
    b'{"id": "1", "verb": 5}',
    b'{"id": 1, "id": 1}',
]
SPELLINGS = {
    PASSWORD.encode(),
    PASSWORD.encode("latin-1"),
    repr(PASSWORD)[1:-1].encode(),
    ascii(PASSWORD)[1:-1].encode(),
    json.dumps(PASSWORD)[1:-1].encode(),
}


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentProcess]:
    with AgentProcess(tmp_path / "agent") as agent:
        yield agent


def test_a_line_that_is_no_request_is_refused_without_an_id(agent: AgentProcess) -> None:
    for line in NO_REQUESTS:
        agent.say(line + b"\n")
        answer = agent.hear()
        assert (answer["id"], answer["verb"]) == (None, None), line
        assert answer["error"]["kind"] == "bad_request"
    assert agent.kind("snapshot") == "not_connected", "it goes on"


def test_a_request_that_can_be_told_apart_bears_its_id(agent: AgentProcess) -> None:
    agent.say(b'{"id": 41, "verb": "eval"}\n{"id": 42, "verb": "send"}\n')
    first, second = agent.hear(), agent.hear()
    assert (first["id"], first["verb"]) == (41, None)
    assert (second["id"], second["verb"]) == (42, "send")
    assert {first["error"]["kind"], second["error"]["kind"]} == {"bad_request"}


def padded(size: int) -> bytes:
    """A request of so many bytes, its end not counted."""
    head = (
        b'{"id": 5, "verb": "deals", "epoch": 1, "owner": "a", "deadline_ms": 9000, "position": 7'
    )
    return head + b" " * (size - len(head) - 1) + b"}\n"


def test_a_line_has_at_most_16_mib(agent: AgentProcess) -> None:
    agent.start()
    agent.say(padded(LINE_BYTES_MAX))
    assert agent.hear()["ok"]
    agent.say(padded(LINE_BYTES_MAX + 1))
    answer = agent.hear()
    assert (answer["id"], answer["error"]["kind"]) == (None, "bad_request")
    assert str(LINE_BYTES_MAX) in answer["error"]["text"]
    agent.say(b"x" * (LINE_BYTES_MAX * 2) + b"\n")
    assert agent.hear()["error"]["kind"] == "bad_request"
    assert agent.ask("deals")["ok"], "it goes on, with the same child"


@pytest.mark.parametrize(("verb", "kind"), [("snapshot", "internal"), ("send", "after_send")])
def test_an_answer_that_does_not_fit_a_line_is_an_error(
    agent: AgentProcess, verb: str, kind: str
) -> None:
    agent.start()
    agent.fault(**{CALLS[verb]: "huge"})
    error = agent.error(verb)
    assert error["kind"] == kind
    agent.fault()
    assert agent.ask("snapshot")["ok"], "it goes on, with the same child"


def test_requests_may_wait_in_line_up_to_a_bound(agent: AgentProcess) -> None:
    agent.start()
    agent.fault(positions_get="wait")
    agent.request("snapshot", deals_from_s=1, symbols=[], deadline_ms=300)
    agent.wait_for_call("positions_get")
    for _ in range(WAITING_MAX):
        agent.request("deals", position=7)
    kinds = [agent.hear()["error"]["kind"] for _ in range(1 + WAITING_MAX)]
    assert kinds == ["timeout"] + ["not_connected"] * WAITING_MAX


def test_whoever_sends_more_ahead_does_not_speak_the_protocol(agent: AgentProcess) -> None:
    child = agent.start()
    agent.fault(positions_get="hang")
    agent.request("snapshot", deals_from_s=1, symbols=[])
    agent.wait_for_call("positions_get")
    agent.say(b"{}\n" * (WAITING_MAX + 1))
    assert agent.process.wait(GONE_S) == 0
    assert child.is_gone(GONE_S)


def test_what_the_module_prints_is_a_diagnostic(agent: AgentProcess) -> None:
    agent.start()
    agent.fault(positions_get="noise")
    assert agent.error("snapshot")["code"] == -10002
    agent.fault()
    assert agent.ask("snapshot")["ok"]
    agent.ask("shutdown")
    agent.__exit__()
    assert b"noise" not in agent.heard
    assert agent.diagnostics.count(b"noise") == 2
    assert b'"noise": "***"' in agent.diagnostics


def test_what_is_no_number_is_named(agent: AgentProcess) -> None:
    agent.start()
    agent.fault(account_info="nan")
    error = agent.error("snapshot")
    assert error["kind"] == "internal"
    assert "account.balance" in error["text"]


def test_a_password_is_nowhere(tmp_path: Path) -> None:
    """Neither in answers and diagnostics, through every way to fail, nor in what `ps` shows."""
    with AgentProcess(tmp_path / "agent") as agent:
        wrong: list[dict[str, Any]] = [
            {"login": 0},
            {"terminal": {}},
            {"epoch": PASSWORD},
            {"owner": PASSWORD, "server": 1},
            {"timeout_ms": PASSWORD},
        ]
        for change in wrong:
            agent.request("hello", **{**HELLO, **change})
            assert agent.hear()["error"]["kind"] == "bad_request"
        agent.start()
        for pid in (agent.process.pid, agent.ask("deals")["child_pid"]):
            for name in ("cmdline", "environ"):
                shown = Path(f"/proc/{pid}/{name}").read_bytes()
                assert not [each for each in SPELLINGS if each in shown]
        told = 0
        for call in CALLS.values():
            for fault in ("none", "raise", "noise", "exit"):
                agent.fault(**{call: fault})
                verb = next(verb for verb, made in CALLS.items() if made == call)
                if verb == "shutdown":
                    continue
                told += "***" in agent.error(verb)["text"]
                agent.fault()
                assert agent.ask("connect")["ok"]
        assert told == 12, "six verbs, by what they raise and by why they answer none"
        agent.fault(load="raise")
        error = agent.hello()["error"]
        assert error["kind"] == "module_missing"
        assert "***" in error["text"]
        agent.fault(load="exit")
        assert agent.hello()["error"]["kind"] == "child_died"
    assert agent.diagnostics.count(b"***") >= 7
    for said in (agent.heard, agent.diagnostics):
        assert not [each for each in SPELLINGS if each in said]
    kept = b"".join(path.read_bytes() for path in agent.state.iterdir())
    assert not [each for each in SPELLINGS if each in kept]


def test_a_module_that_is_not_there_is_told(tmp_path: Path) -> None:
    with AgentProcess(tmp_path / "agent", module="tests.fakes.no_such_module") as agent:
        error = agent.hello()["error"]
        assert error["kind"] == "module_missing"
        assert "no_such_module" in error["text"]
        assert agent.kind("connect") == "module_missing"
        assert agent.kind("snapshot") == "not_connected"


def traps(directory: Path) -> None:
    """Files that would be taken for the library's, and for MetaTrader5."""
    tree = ast.parse(FILE.read_text("utf-8"))
    names = [
        (name.name if isinstance(node, ast.Import) else node.module or "").partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    ]
    assert {"json", "pathlib", "queue"} <= set(names)
    for name in {*names, "MetaTrader5", "signal", "enum"} - {"__future__"}:
        (directory / f"{name}.py").write_text(f"raise SystemExit('{name} beside the agent')\n")


def test_the_file_works_where_it_was_copied_alone(tmp_path: Path) -> None:
    """Its neighbours are not imported, and the current directory is another."""
    host, site, home = (tmp_path / name for name in ("host", "site", "home"))
    for directory in (host, site, home):
        directory.mkdir()
    shutil.copy(FILE, host / "agent.py")
    shutil.copy(metatrader5_stub.__file__, site / "MetaTrader5.py")
    traps(host)
    environment = {"PYTHONPATH": str(site), "HOME": str(home), "XDG_STATE_HOME": ""}
    with AgentProcess(
        tmp_path / "agent",
        module=None,
        file=host / "agent.py",
        cwd=home,
        environment=environment,
    ) as agent:
        assert agent.hello()["module"] == "MetaTrader5"
        assert agent.ask("connect")["ok"]
        assert agent.ask("snapshot")["ok"]
        agent.ask("shutdown")
    assert list((home / ".local" / "state" / "reckoner" / "agents").glob("*.epoch"))
    assert not list(host.glob("__pycache__")), "nothing beside it was loaded"


def test_isolated_it_sees_nothing_of_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with AgentProcess(
        tmp_path / "agent",
        module=None,
        cwd=ROOT,
        flags=("-I",),
        environment={"XDG_STATE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)},
    ) as agent:
        error = agent.hello()["error"]
        assert error["kind"] == "module_missing"
        assert "MetaTrader5" in error["text"]
    assert list((tmp_path / "home" / "reckoner" / "agents").glob("*.epoch"))


def test_the_bounds_are_those_of_the_protocol() -> None:
    assert agent_file.LINE_BYTES_MAX == LINE_BYTES_MAX
    assert agent_file.LINES_WAITING_MAX == WAITING_MAX
