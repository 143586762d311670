"""The agent on Windows' own Python with the official wheel, under Wine (docs/wine.md).

There is no MetaTrader terminal here: what needs one answers as it does without. What needs calls
that hang uses the stand-in module of tests/fakes on the same Windows Python.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.adapters.mt5.channel import AgentProcess
from tests.contract.wheel import RECORDED, ROOT, locked_version
from tests.contract.wine import (
    AGENT,
    STARTER,
    STUB,
    WITHIN_S,
    WineAgent,
    children_of,
    environment,
    hello,
    is_running,
    own_home,
    run,
    until,
    windows_python,
)

pytestmark = pytest.mark.wine

LINE_BYTES_MAX = 16 * 1024 * 1024
GONE_S = 1.0
"""docs/agent-protocol.md: both processes are gone within a second."""

Start = Callable[..., WineAgent]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start agents that share a state directory."""
    agents: list[WineAgent] = []

    def started(module: str = "MetaTrader5", faults: dict[str, str] | None = None) -> WineAgent:
        (tmp_path / "faults.json").write_text(json.dumps(faults or {}), "utf-8")
        agents.append(WineAgent(tmp_path / "state", module=module, STUB_DIRECTORY=str(tmp_path)))
        return agents[-1]

    yield started
    for agent in agents:
        agent.end()


def stubbed(start: Start, **faults: str) -> WineAgent:
    """An agent connected to the stand-in."""
    agent = start(STUB, faults)
    assert agent.ask("hello", **hello())["ok"]
    assert agent.ask("connect")["ok"]
    return agent


def test_the_wheel_takes_arguments_as_it_was_recorded() -> None:
    script = Path(__file__).with_name("ask_arguments.py").relative_to(ROOT)
    assert run(str(script), "MetaTrader5").splitlines() == RECORDED.read_text("utf-8").splitlines()


def test_the_agent_answers_for_the_official_wheel(start: Start) -> None:
    agent = start()
    answer = agent.ask("hello", **hello())
    assert (answer["ok"], answer["platform"], answer["module"]) == (True, "win32", "MetaTrader5")
    assert answer["python"].startswith("3.11.")

    refused = agent.ask("connect")
    path = r"C:\MT5\terminal64.exe"
    assert refused["error"] == {
        "kind": "mt5",
        "text": f"IPC initialize failed, Process create failed '{path}'",
        "code": -10003,
        "call": "initialize",
    }
    for verb, fields in (("snapshot", {"deals_from_s": 0, "symbols": []}), ("symbols", {})):
        assert agent.ask(verb, **fields)["error"]["kind"] == "not_connected"
    close = {"action": 1, "position": 5, "symbol": "X", "volume": 0.1, "type": 0}
    misspelt = {**close, "positon": 5}
    assert agent.ask("send", request=misspelt)["error"]["kind"] == "bad_request"
    assert agent.ask("send", request=close)["error"]["kind"] == "not_connected"
    assert agent.ask("shutdown")["ok"]
    assert agent.process.wait(10) == 0


def test_the_wheel_is_the_locked_release() -> None:
    printed = run("-c", "import MetaTrader5; print(MetaTrader5.__version__)")
    assert printed.strip() == locked_version("metatrader5")


async def test_the_gateways_own_channel_speaks_with_it(tmp_path: Path) -> None:
    """It keeps standard error in a file, with which a Python under Wine 8 would not start."""
    command = (str(STARTER), str(windows_python()), str(AGENT), "--state-dir", str(tmp_path))
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment().items():
            patched.setenv(name, value)
        agent = await AgentProcess.start(command, tmp_path / "agent.log")
    try:
        head = {"epoch": 1, "owner": "test:1", "deadline_ms": 30_000}
        answer = await agent.ask({"verb": "hello", **head, **hello()}, WITHIN_S)
        assert (answer["ok"], answer["platform"]) == (True, "win32")
    finally:
        await agent.kill()
    assert not agent.usable


def test_a_call_that_hangs_is_killed_at_its_deadline_and_the_next_child_works(
    start: Start, tmp_path: Path
) -> None:
    agent = stubbed(start, positions_total="hang")
    child = agent.ask("deals", position=7)["child_pid"]
    late = agent.ask("snapshot", deals_from_s=0, symbols=[], deadline_ms=500)
    assert late["error"]["kind"] == "timeout"
    assert late["child_pid"] is None
    until(lambda: not children_of(tmp_path / "state"), GONE_S)
    (tmp_path / "faults.json").write_text("{}", "utf-8")
    again = agent.ask("connect")
    assert (again["ok"], again["login"]) == (True, 1001)
    assert again["child_pid"] != child


@pytest.mark.parametrize("how", ["its input ends", "it is killed"])
def test_when_the_agent_goes_a_child_that_hangs_is_gone_within_a_second(
    how: str, start: Start, tmp_path: Path
) -> None:
    """Its job object ends it: the call holds the interpreter lock, so no thread of it could."""
    agent = stubbed(start, positions_total="hang")
    agent.tell("snapshot", deals_from_s=0, symbols=[])
    calls = tmp_path / "calls.log"
    until(lambda: "positions_total" in calls.read_text("utf-8"), 10)
    assert len(children_of(tmp_path / "state")) == 1
    agent.close_stdin() if how == "its input ends" else agent.kill()
    until(lambda: not children_of(tmp_path / "state"), GONE_S)
    assert agent.process.wait(GONE_S) == (0 if how == "its input ends" else -9)


def test_the_terminal_is_fenced_and_taken_over_by_a_higher_epoch(
    start: Start, tmp_path: Path
) -> None:
    first = stubbed(start)
    first.tell("deals", position=7)
    first.hear()
    second = start(STUB)
    other = second.ask("hello", owner="another", **hello())
    assert other["error"]["kind"] == "stale_epoch"
    taken = second.ask("hello", epoch=2, owner="another", **hello())
    assert (taken["ok"], taken["epoch_max"]) == (True, 2)
    first.process.wait(GONE_S)
    assert len(children_of(tmp_path / "state")) == 1
    third = start(STUB)
    refused = third.ask("hello", **hello())
    assert (refused["error"]["kind"], refused["epoch_max"]) == ("stale_epoch", 2)


def test_the_epoch_is_remembered_when_all_are_gone(start: Start) -> None:
    first = start(STUB)
    assert first.ask("hello", epoch=7, **hello())["ok"]
    first.kill()
    assert start(STUB).ask("hello", epoch=6, **hello())["error"]["kind"] == "stale_epoch"
    assert start(STUB).ask("hello", epoch=8, **hello())["ok"]


def test_text_of_any_script_goes_both_ways(start: Start) -> None:
    """Windows' own code page never comes between."""
    owner = "Zürich \N{GRINNING FACE} Жук"
    first = start(STUB)
    assert first.ask("hello", owner=owner, epoch=3, **hello())["ok"]
    told = first.ask("deals", owner="another", epoch=3, position=7)
    assert owner in told["error"]["text"]
    close = {"action": 1, "position": 7, "symbol": "Жук", "volume": 0.1, "type": 1}
    assert first.ask("connect", owner=owner, epoch=3)["ok"]
    refused = first.ask("send", owner=owner, epoch=3, request=close)
    assert refused["error"]["kind"] == "refused"


@pytest.mark.parametrize(("size", "fits"), [(LINE_BYTES_MAX, True), (LINE_BYTES_MAX + 1, False)])
def test_a_line_of_sixteen_mebibytes_is_read_and_a_longer_one_refused(
    *, size: int, fits: bool, start: Start
) -> None:
    agent = start(STUB)
    request: dict[str, Any] = {"id": 1, "verb": "hello", "epoch": 1, "owner": "t", **hello()}
    line = json.dumps({**request, "deadline_ms": 60_000}).encode()
    agent.say(line.ljust(size) + b"\n")
    answer = agent.hear()
    assert answer["ok"] is fits
    if not fits:
        assert answer["error"]["kind"] == "bad_request"


def test_an_answer_of_many_megabytes_arrives_whole_or_is_refused(start: Start) -> None:
    agent = stubbed(start, positions_get="huge")
    answer = agent.ask("snapshot", deals_from_s=0, symbols=[])
    assert answer["error"]["kind"] == "internal"
    assert "too many for a line" in answer["error"]["text"]


def test_an_agent_killed_while_wine_boots_does_not_keep_the_next_from_starting(
    tmp_path: Path,
) -> None:
    """The boot is not the agent's: half a boot would leave all others waiting for its end."""
    windows_python()  # or the test is skipped, before there is a home to copy
    (tmp_path / "faults.json").write_text("{}", "utf-8")
    with own_home() as home:
        told = {"STUB_DIRECTORY": str(tmp_path), "WINEPREFIX": str(home)}
        first = WineAgent(tmp_path / "first", module=STUB, **told)
        until(lambda: is_running("services.exe", home), WITHIN_S)
        first.end()
        second = WineAgent(tmp_path / "second", module=STUB, **told)
        try:
            assert second.ask("hello", **hello())["ok"]
        finally:
            second.end()


def test_an_agent_that_ends_at_its_start_is_told_with_its_status_and_reason(
    tmp_path: Path,
) -> None:
    agent = WineAgent(tmp_path / "state", WINESERVER="/nowhere/wineserver")
    try:
        with pytest.raises(AssertionError, match=r"status 1, .*no /nowhere/wineserver"):
            agent.hear()
    finally:
        agent.end()


def test_what_the_module_prints_never_reaches_standard_output(start: Start) -> None:
    agent = stubbed(start, symbols_get="noise")
    refused = agent.ask("symbols")
    assert (refused["error"]["kind"], refused["error"]["code"]) == ("mt5", -10002)
    until(lambda: "noise" in agent.diagnostics(), 10)
