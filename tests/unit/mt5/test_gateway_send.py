"""A send is done, refused, or unknown; a doubt is never taken for a refusal."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.adapters.mt5.channel import LostHow
from core.domain.broker import Side
from core.ports import (
    AnsweredElsewhere,
    CancelRequest,
    CloseRequest,
    NotSent,
    OutcomeUnknown,
    SendResult,
    StaleEpoch,
    TerminalState,
    WrongAccount,
)
from tests.fakes.agents import LOGIN, SERVER, Act, Gate, answering, losing, refusing
from tests.unit.mt5.bench import LIMITS, Bench

CLOSE = CloseRequest(
    login=LOGIN,
    server=SERVER,
    ticket=11,
    symbol="EURUSD.r",
    position_side=Side.SELL,
    volume=Decimal("0.01"),
    price=Decimal("1.10104"),
    deviation_points=20,
    filling=1,
    comment="RQ1",
)
CANCEL = CancelRequest(login=LOGIN, server=SERVER, ticket=12, symbol="EURUSD.r")
MT5 = {"call": "order_send"}


def sent(bench: Bench) -> list[dict[str, Any]]:
    return [each for each in bench.agents.said if each["verb"] == "send"]


async def test_a_close_is_sent_once_and_answered(bench: Bench) -> None:
    await bench.read()

    result = await bench.gateway.send(CLOSE)

    assert result == SendResult(
        retcode=10009,
        deal=7,
        order=8,
        volume=Decimal("0.1"),
        price=Decimal("1.10099"),
        comment="done",
    )
    (message,) = sent(bench)
    assert message["request"] == {
        "action": 1,
        "position": 11,
        "symbol": "EURUSD.r",
        "volume": 0.01,
        "price": 1.10104,
        "type": 0,
        "deviation": 20,
        "type_filling": 1,
        "comment": "RQ1",
    }
    assert message["deadline_ms"] == 19_000


async def test_a_removal_is_sent(bench: Bench) -> None:
    await bench.gateway.send(CANCEL)

    (message,) = sent(bench)
    assert message["request"] == {"action": 8, "order": 12, "symbol": "EURUSD.r"}


@pytest.mark.parametrize(
    ("act", "failure", "state"),
    [
        # Kinds of docs/agent-protocol.md, column "did a send leave?": no.
        (refusing("bad_request", "request.volume"), NotSent, TerminalState.UP),
        (refusing("stale_epoch", "epoch 8"), StaleEpoch, TerminalState.RESTING),
        (refusing("terminal_locked"), NotSent, TerminalState.RESTING),
        (refusing("not_connected"), NotSent, TerminalState.RESTING),
        (refusing("module_missing"), NotSent, TerminalState.RESTING),
        (refusing("wrong_account", login=5), WrongAccount, TerminalState.RESTING),
        (refusing("refused", "there is no position 11"), NotSent, TerminalState.UP),
        (refusing("internal", "KeyError"), NotSent, TerminalState.UP),
        # Unknown.
        (refusing("timeout"), OutcomeUnknown, TerminalState.RESTING),
        (refusing("child_died"), OutcomeUnknown, TerminalState.RESTING),
        (refusing("after_send"), OutcomeUnknown, TerminalState.UP),
        (refusing("something_new"), OutcomeUnknown, TerminalState.RESTING),
        # By the outcome table (facts: mt5, 1.3).
        (
            refusing("mt5", "Terminal: Call failed", code=-1, **MT5),
            OutcomeUnknown,
            TerminalState.UP,
        ),
        (refusing("mt5", 'Invalid "comment" argument', code=-2, **MT5), NotSent, TerminalState.UP),
        (refusing("mt5", "Terminal: Not found", code=-4, **MT5), NotSent, TerminalState.UP),
        (refusing("mt5", "disabled", code=-8, **MT5), NotSent, TerminalState.UP),
        (
            refusing("mt5", "IPC call failed", code=-10000, **MT5),
            OutcomeUnknown,
            TerminalState.RESTING,
        ),
        (
            refusing("mt5", "IPC send failed", code=-10001, **MT5),
            OutcomeUnknown,
            TerminalState.RESTING,
        ),
        (
            refusing("mt5", "IPC recv failed", code=-10002, **MT5),
            OutcomeUnknown,
            TerminalState.RESTING,
        ),
        (refusing("mt5", "No IPC connection", code=-10004, **MT5), NotSent, TerminalState.RESTING),
        (refusing("mt5", "nobody knows", code=-77, **MT5), OutcomeUnknown, TerminalState.UP),
        (refusing("mt5", "nobody knows"), OutcomeUnknown, TerminalState.RESTING),
        # A call before order_send has failed: nothing was handed over, whatever the code.
        (
            refusing("mt5", "recv", code=-10002, call="positions_get"),
            NotSent,
            TerminalState.RESTING,
        ),
        (refusing("mt5", "failed", code=-1, call="account_info"), NotSent, TerminalState.UP),
        # The agent is lost after the line was written.
        (losing(LostHow.FROZEN), OutcomeUnknown, TerminalState.RESTING),
        (losing(LostHow.DIED), OutcomeUnknown, TerminalState.RESTING),
        (losing(LostHow.MALFORMED), OutcomeUnknown, TerminalState.RESTING),
        # An answer that says nothing, or speaks of another account.
        (answering(lambda answer: answer.pop("result")), OutcomeUnknown, TerminalState.RESTING),
        (
            answering(lambda answer: answer.update(result=None)),
            OutcomeUnknown,
            TerminalState.RESTING,
        ),
        (
            answering(lambda answer: answer["result"].update(retcode="10009")),
            OutcomeUnknown,
            TerminalState.RESTING,
        ),
        (answering(lambda answer: answer.pop("login")), OutcomeUnknown, TerminalState.RESTING),
        (
            answering(lambda answer: answer.update(login=5)),
            AnsweredElsewhere,
            TerminalState.RESTING,
        ),
        (
            answering(lambda answer: answer.update(server="X")),
            AnsweredElsewhere,
            TerminalState.RESTING,
        ),
        (refusing("after_send", login=5), AnsweredElsewhere, TerminalState.RESTING),
        (refusing("timeout", server="X"), AnsweredElsewhere, TerminalState.RESTING),
        (refusing("refused", login=5), WrongAccount, TerminalState.RESTING),
    ],
)
async def test_what_became_of_a_send(
    bench: Bench, act: Act, failure: type[Exception], state: TerminalState
) -> None:
    await bench.read()
    bench.agents.will("send", act)

    with pytest.raises(Exception) as raised:
        await bench.gateway.send(CLOSE)

    assert raised.type is failure
    assert bench.health().state is state
    assert len(sent(bench)) == 1


async def test_the_code_of_a_failed_send_is_told(bench: Bench) -> None:
    bench.agents.will("send", refusing("mt5", "IPC recv failed", code=-10002, **MT5))
    with pytest.raises(OutcomeUnknown, match="order_send failed: IPC recv failed") as unknown:
        await bench.gateway.send(CLOSE)
    assert unknown.value.code == -10002


@pytest.mark.parametrize(
    "act",
    [
        answering(lambda answer: answer.update(login=5)),
        refusing("after_send", login=5),
    ],
)
async def test_after_a_send_answered_by_another_account_readings_say_so(
    bench: Bench, act: Act
) -> None:
    """The send is settled by looking; the wrong account must be told, or nobody stops trading."""
    await bench.read()
    bench.agents.will("send", act)
    with pytest.raises(OutcomeUnknown):
        await bench.gateway.send(CLOSE)

    bench.clock.move(-1)  # it rests, however short the rest is
    with pytest.raises(WrongAccount):
        await bench.read()
    assert bench.counted("wrong_account") == 1
    with pytest.raises(WrongAccount):
        await bench.gateway.send(CLOSE)
    assert len(sent(bench)) == 1


@pytest.mark.parametrize(
    "request_",
    [replace(CLOSE, ticket=0), replace(CLOSE, comment="x" * 30)],
    ids=["no position", "long comment"],
)
async def test_what_may_not_be_sent_is_not_sent(bench: Bench, request_: CloseRequest) -> None:
    with pytest.raises(NotSent):
        await bench.gateway.send(request_)

    assert sent(bench) == []


async def test_nothing_is_sent_while_the_terminal_is_not_up(bench: Bench) -> None:
    bench.agents.will("connect", refusing("mt5", "no", code=-6))

    with pytest.raises(NotSent, match="the terminal is resting"):
        await bench.gateway.send(CLOSE)

    assert sent(bench) == []


async def test_nothing_is_sent_to_an_agent_that_ended_before(bench: Bench) -> None:
    await bench.read()
    bench.agents.opened[0].usable = False

    with pytest.raises(NotSent):
        await bench.gateway.send(CLOSE)

    assert sent(bench) == []


async def test_a_send_given_up_is_not_called_anything(bench: Bench) -> None:
    """It stays an open intent; the agent is gone, and the next reading is a new one's."""
    await bench.read()
    gate = Gate()
    bench.agents.will("send", gate.act)
    sending = asyncio.create_task(bench.gateway.send(CLOSE))
    async with asyncio.timeout(10):
        while not gate.waiting:
            await asyncio.sleep(0)
    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending
    assert not bench.agents.opened[0].usable
    await bench.read_after_rest()
    assert len(bench.agents.opened) == 2


async def test_a_send_behind_a_long_request_gives_up_before_it_is_sent() -> None:
    bench = Bench(limits=replace(LIMITS, send_s=0.05))
    await bench.read()
    gate = Gate()
    bench.agents.will("snapshot", gate.act)
    reading = asyncio.create_task(bench.read())
    async with asyncio.timeout(10):
        while not gate.waiting:
            await asyncio.sleep(0)

    with pytest.raises(NotSent, match="busy"):
        await bench.gateway.send(CLOSE)

    gate.open()
    await reading
    assert sent(bench) == []
    await bench.close()
