"""The gateway starts agents, reads accounts, and says why where it cannot."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from core.adapters.mt5.channel import LostHow
from core.ports import (
    BrokerUnavailable,
    LoginRefused,
    StaleEpoch,
    StoreUnavailable,
    TerminalStarting,
    TerminalState,
    WrongAccount,
)
from tests.fakes.agents import LOGIN, SERVER, Act, Edit, Gate, answering, losing, refusing
from tests.unit.mt5.bench import PASSWORD, Bench


async def test_the_first_reading_starts_the_agent(bench: Bench) -> None:
    assert bench.gateway.health(LOGIN, SERVER) is None

    snapshot = await bench.read()

    assert bench.agents.verbs() == ["hello", "connect", "symbols", "snapshot"]
    assert (snapshot.state.login, snapshot.state.balance) == (LOGIN, Decimal("941.54"))
    assert bench.health().state is TerminalState.UP


async def test_the_next_reading_asks_once(bench: Bench) -> None:
    await bench.read()
    await bench.read()

    assert bench.agents.verbs()[3:] == ["snapshot", "snapshot"]
    assert len(bench.agents.opened) == 1


async def test_every_question_bears_the_epoch_its_bearer_and_a_deadline_before_ours(
    bench: Bench,
) -> None:
    await bench.read()

    assert {(each["epoch"], each["owner"]) for each in bench.agents.said} == {(7, "here:1")}
    deadlines = {each["verb"]: each["deadline_ms"] for each in bench.agents.said}
    assert deadlines == {
        "hello": 29_000,
        "connect": 119_000,
        "symbols": 119_000,
        "snapshot": 9_000,
    }


async def test_the_password_is_in_the_first_message_and_nowhere_else(bench: Bench) -> None:
    await bench.read()

    hello, *rest = bench.agents.said
    assert hello["password"] == PASSWORD
    assert hello["terminal"] == {"path": "C:/mt5/terminal64.exe", "portable": False}
    assert hello["timeout_ms"] == 60_000
    assert PASSWORD not in repr(rest)


async def test_no_failure_shows_the_password(bench: Bench) -> None:
    bench.agents.will("connect", refusing("mt5", f"cannot log in with {PASSWORD}", code=-6))

    with pytest.raises(LoginRefused) as failure:
        await bench.read()

    assert "cannot log in with ***" in str(failure.value)
    assert PASSWORD not in str(failure.value) + bench.health().reason


async def test_an_account_without_a_terminal_is_told_so_and_looked_up_again(bench: Bench) -> None:
    link = bench.directory.links.pop((LOGIN, SERVER))
    with pytest.raises(BrokerUnavailable, match="no terminal is linked"):
        await bench.read()
    unlinked_at = bench.clock.now()
    bench.clock.move(5)
    with pytest.raises(BrokerUnavailable, match="no terminal is linked"):
        await bench.read()
    assert bench.health().state is TerminalState.UNLINKED
    assert bench.health().since == unlinked_at

    bench.directory.links[(LOGIN, SERVER)] = link
    bench.clock.move(4.9)
    with pytest.raises(BrokerUnavailable, match="no terminal is linked"):
        await bench.read()
    bench.clock.move(0.1)
    assert (await bench.read()).state.login == LOGIN


# --- starting and resting ------------------------------------------------------------------------


async def test_a_reading_waits_a_moment_for_a_start_and_no_longer(impatient: Bench) -> None:
    gate = Gate()
    impatient.agents.will("connect", gate.act)

    with pytest.raises(TerminalStarting, match="the terminal is starting"):
        await impatient.read()
    assert impatient.health().state is TerminalState.STARTING
    with pytest.raises(TerminalStarting, match="starting: the terminal starts and logs in"):
        await _until(impatient, lambda: gate.waiting == 1)

    gate.open()
    await impatient.settle()
    assert (await impatient.read()).state.login == LOGIN


async def _until(bench: Bench, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0)
    await bench.read()


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (FileNotFoundError(2, "No such file or directory", "wine64"), "No such file.*wine64"),
        (StoreUnavailable("the disk is full"), "the disk is full"),
        (BrokerUnavailable("the password cannot be decrypted"), "cannot be decrypted"),
    ],
)
async def test_a_start_that_fails_is_told_with_its_reason_and_tried_again(
    bench: Bench, failure: Exception, told: str
) -> None:
    failing = bench.agents.failures if isinstance(failure, OSError) else bench.directory.failures
    failing.append(failure)

    with pytest.raises(TerminalStarting, match=f"resting: .*{told}.*next try at .* UTC"):
        await bench.read()
    assert bench.health().failures == 1

    assert (await bench.read_after_rest()).state.login == LOGIN


@pytest.mark.parametrize("verb", ["hello", "connect", "symbols"])
@pytest.mark.parametrize(
    ("act", "counted"),
    [
        (refusing("terminal_locked", "held by 4711"), ""),
        (refusing("module_missing", "No module named 'MetaTrader5'"), ""),
        (refusing("mt5", "Terminal: Authorization failed", code=-6, call="initialize"), ""),
        (refusing("timeout", "the deadline passed"), "timeout"),
        (refusing("child_died", "exit status 3"), "died"),
        (refusing("internal", "KeyError"), ""),
        (refusing("something_new"), "malformed"),
        (losing(LostHow.FROZEN), "frozen"),
        (losing(LostHow.DIED), "died"),
        (losing(LostHow.MALFORMED), "malformed"),
    ],
)
async def test_whatever_fails_while_starting_ends_that_agent_and_begins_with_a_new_one(
    bench: Bench, verb: str, act: Act, counted: str
) -> None:
    bench.agents.will(verb, act)

    with pytest.raises((TerminalStarting, LoginRefused)):
        await bench.read()

    assert bench.health().state is TerminalState.RESTING
    assert not bench.agents.opened[0].usable
    assert bench.metrics.counts == ({("restarted", counted): 1} if counted else {})
    assert (await bench.read_after_rest()).state.login == LOGIN
    assert len(bench.agents.opened) == 2


async def test_while_it_rests_nobody_asks(bench: Bench) -> None:
    bench.agents.will("connect", *[refusing("mt5", "no", code=-6)] * 20)
    for failures in range(1, 11):
        with pytest.raises(LoginRefused):
            await bench.read()
        health = bench.health()
        assert health.failures == failures
        assert health.next_try_at is not None
        tries = bench.agents.verbs().count("connect")
        assert tries == failures
        bench.clock.at = health.next_try_at - timedelta(milliseconds=1)
        with pytest.raises(LoginRefused):
            await bench.read()
        assert bench.agents.verbs().count("connect") == tries
        bench.clock.at = health.next_try_at


async def test_the_last_words_of_an_agent_that_dies_are_told(bench: Bench) -> None:
    await bench.read()
    bench.agents.opened[0].words = "Segmentation fault"
    bench.agents.opened[0].usable = False

    with pytest.raises(TerminalStarting, match="the agent has ended: Segmentation fault"):
        await bench.read()
    assert bench.counted("died") == 1


# --- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "counted", "same_agent"),
    [
        (refusing("timeout", "the deadline passed"), "timeout", True),
        (refusing("child_died", "exit status 3"), "died", True),
        (refusing("not_connected", "say connect first"), "", True),
        (refusing("mt5", "IPC recv failed", code=-10002, call="positions_get"), "", True),
        (refusing("mt5", "No IPC connection", code=-10004, call="account_info"), "", True),
        (refusing("something_new"), "malformed", False),
        (losing(LostHow.FROZEN), "frozen", False),
        (losing(LostHow.DIED), "died", False),
        (losing(LostHow.MALFORMED), "malformed", False),
        (answering(lambda answer: answer.pop("login")), "malformed", False),
    ],
)
async def test_a_reading_that_shows_the_terminal_lost_is_no_reading_and_brings_it_back(
    bench: Bench, act: Act, counted: str, *, same_agent: bool
) -> None:
    await bench.read()
    bench.agents.will("snapshot", act)

    with pytest.raises(BrokerUnavailable):
        await bench.read()

    assert bench.health().state is TerminalState.RESTING
    assert bench.metrics.counts == ({("restarted", counted): 1} if counted else {})
    await bench.settle()
    assert bench.agents.opened[0].usable == same_agent
    assert (await bench.read_after_rest()).state.login == LOGIN
    assert len(bench.agents.opened) == (1 if same_agent else 2)
    assert bench.agents.verbs().count("connect") == 2


@pytest.mark.parametrize(
    "act",
    [
        refusing("unstable", "the account changed during each of 4 reads"),
        refusing("bad_request", "symbols must be a list"),
        refusing("mt5", "Terminal: Call failed", code=-1, call="positions_get"),
        refusing("internal", "KeyError"),
    ],
)
async def test_a_reading_that_merely_fails_leaves_the_terminal_up(bench: Bench, act: Act) -> None:
    await bench.read()
    bench.agents.will("snapshot", act)

    with pytest.raises(BrokerUnavailable):
        await bench.read()

    assert bench.health().state is TerminalState.UP
    assert (await bench.read()).state.login == LOGIN


async def test_the_third_failed_reading_in_a_row_connects_anew(bench: Bench) -> None:
    failed = refusing("mt5", "Terminal: Call failed", code=-1, call="positions_get")
    await bench.read()
    bench.agents.will("snapshot", failed, failed)
    for _ in range(2):
        with pytest.raises(BrokerUnavailable):
            await bench.read()
    await bench.read()
    bench.agents.will("snapshot", failed, failed, failed)
    for state in (TerminalState.UP, TerminalState.UP, TerminalState.RESTING):
        with pytest.raises(BrokerUnavailable, match="positions_get failed"):
            await bench.read()
        assert bench.health().state is state


@pytest.mark.parametrize(
    "edit",
    [
        lambda answer: answer.update(positions={}),
        lambda answer: answer.update(deals=None),
        lambda answer: answer.update(account=[]),
        lambda answer: answer.update(ticks={"EURUSD.r": 1}),
        lambda answer: answer["ticks"]["EURUSD.r"].update(time_msc=10**18),
        lambda answer: answer.update(symbols=[]),
        lambda answer: answer.pop("orders"),
        lambda answer: answer["terminal"].update(connected=False),
        lambda answer: answer["account"].update(margin=12.5),
    ],
)
async def test_what_is_not_whole_is_no_reading(bench: Bench, edit: Edit) -> None:
    await bench.read()
    bench.agents.will("snapshot", answering(edit))

    with pytest.raises(BrokerUnavailable):
        await bench.read()


async def test_two_readings_at_once_are_asked_in_turn(bench: Bench) -> None:
    await bench.read()
    gate = Gate()
    bench.agents.will("snapshot", gate.act, gate.act)

    both = [asyncio.create_task(bench.read()) for _ in range(2)]
    async with asyncio.timeout(10):
        while not gate.waiting:
            await asyncio.sleep(0)
    gate.open()
    await asyncio.gather(*both)

    assert gate.waiting_max == 1


async def test_a_reading_given_up_ends_the_agent_whose_answer_would_come_too_late(
    bench: Bench,
) -> None:
    await bench.read()
    gate = Gate()
    bench.agents.will("snapshot", gate.act)
    reading = asyncio.create_task(bench.read())
    async with asyncio.timeout(10):
        while not gate.waiting:
            await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    assert bench.health().state is TerminalState.RESTING
    await bench.read_after_rest()
    assert len(bench.agents.opened) == 2


# --- whose account it is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "act"),
    [
        (
            "snapshot",
            refusing("wrong_account", "the terminal has 5 at X", login=5, server="X"),
        ),
        ("snapshot", refusing("mt5", "no", code=-1, call="orders_get", login=5)),
        ("snapshot", answering(lambda answer: answer.update(login=5))),
        ("snapshot", answering(lambda answer: answer.update(server="Broker-Demo"))),
        ("snapshot", answering(lambda answer: answer["account"].update(login=5))),
        ("snapshot", answering(lambda answer: answer["account"].update(server="Broker-Demo"))),
        ("connect", refusing("wrong_account", "the terminal has 5 at X", login=5, server="X")),
        ("connect", answering(lambda answer: answer.update(login=5))),
        ("symbols", answering(lambda answer: answer.update(login=5))),
        ("symbols", answering(lambda answer: answer.update(server="Broker-Demo"))),
    ],
)
async def test_an_answer_for_another_account_is_discarded_and_told_until_it_is_right_again(
    bench: Bench, verb: str, act: Act
) -> None:
    if verb == "snapshot":
        await bench.read()
    bench.agents.will(verb, act)

    for _ in range(3):
        with pytest.raises(WrongAccount):
            await bench.read()
        bench.clock.at -= timedelta(seconds=1)  # it rests, however short the rest is

    assert bench.counted("wrong_account") == 1
    await bench.settle()
    assert not bench.agents.opened[0].usable
    bench.clock.move(5)
    assert (await bench.read()).state.login == LOGIN


@pytest.mark.parametrize("verb", ["hello", "connect", "symbols", "snapshot"])
async def test_a_newer_owner_is_told_until_the_terminal_is_ours_again(
    bench: Bench, verb: str
) -> None:
    """An operator may take the other one's epoch away; whether to go on at all is not ours to say.

    Between tries nobody is asked.
    """
    bench.agents.will(verb, refusing("stale_epoch", "epoch 8 has been seen"))

    for _ in range(3):
        with pytest.raises(StaleEpoch, match="epoch 8 has been seen"):
            await bench.read()
    assert bench.agents.verbs().count(verb) == 1

    bench.clock.move(3600)
    assert (await bench.read()).state.login == LOGIN
