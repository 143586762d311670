"""Accounts reached as real ones are: an agent beside each terminal, which hangs and is killed."""

import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.wire.stage import ADMIN_CHAT, QUICK, Stage, Zygote, alive

ADA, ALICE, BEN, DAI = 11, 101, 102, 104
IMPATIENT = QUICK | {"READ_TIMEOUT_S": "1.5", "SEND_TIMEOUT_S": "1.5"}
WORDS = ("--market", "manual", "--headless", "--agents")
LOTS = {50001: 2.2, 50002: 2.0, 50004: 2.0}
"""Lots of gold with which a fall from 1970.00 to 1957.00 costs each account more than 22 %."""
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A world, and an app that reaches it through agents; each test has an account of its own."""
    folder = tmp_path_factory.mktemp("agents")
    async with Stage(zygote, folder, words=WORDS, env=IMPATIENT, free_sending=True) as made:
        await made.start_world()
        await made.start_app()
        await made.ready()
        await made.comes(lambda: _all_read(made), "the first reading of every account")
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def stage(shared: Stage) -> AsyncIterator[Stage]:
    """The stage with gold at 1970.00."""
    await shared.price("XAUUSD", 1970.0, 1970.3)
    yield shared
    await shared.price("XAUUSD", 1970.0, 1970.3)


def agents(stage: Stage) -> dict[int, list[int]]:
    """The supervisors of this stage's app, and the children of each."""
    found: dict[int, list[int]] = {}
    children: dict[int, list[int]] = {}
    state_dir = str(stage.data_dir / "agents").encode()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state_dir in words:
            found[int(folder.name)] = []
        if b"--child" in words:
            children.setdefault(parent, []).append(int(folder.name))
    return {pid: children.get(pid, []) for pid in found}


async def holds_gold(stage: Stage, login: int, user: int, count: int) -> list[int]:
    """Somebody buys gold; answers the tickets."""
    each = round(LOTS[login] / count, 2)
    tickets = [await stage.opens(login, "XAUUSD", "buy", each) for _ in range(count)]
    await stage.hears(user, "Unknown position")
    return tickets


async def gold_falls(stage: Stage) -> None:
    """Past the limit of whoever holds it, and past every countdown."""
    await stage.price("XAUUSD", 1957.0, 1957.3)


async def closed_once(stage: Stage, login: int, tickets: list[int]) -> None:
    """The account is flat, and each position was closed by one deal of its whole volume."""
    account = await stage.account(login)
    assert account["positions"] == []
    exits = [deal for deal in account["deals"] if deal["entry"] == 1]
    assert sorted(deal["position_id"] for deal in exits) == sorted(tickets)
    each = round(LOTS[login] / len(tickets), 2)
    assert {round(deal["volume"], 2) for deal in exits} == {each}


async def test_calls_that_hang_and_agents_that_are_killed_only_delay_a_close(
    stage: Stage,
) -> None:
    tickets = await holds_gold(stage, 50002, BEN, 4)
    before = agents(stage)
    assert len(before) == 4
    assert all(len(children) == 1 for children in before.values())

    # The first close is executed and then hangs, with the interpreter's lock held.
    await stage.fault(50002, "hang", verb="order_send", when="after", times=1)
    await gold_falls(stage)
    await stage.comes(lambda: _less_than(stage, 50002, 4), "the first close")
    # While it hangs, all agents are shot; their children must not outlive them.
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    await stage.until(
        lambda: not any(alive(child) for each in before.values() for child in each),
        "the end of the children",
    )

    await stage.hears(BEN, "50002 is flat - confirmed by two reads")
    await closed_once(stage, 50002, tickets)
    assert not set(agents(stage)) & set(before)


async def test_a_terminal_of_another_account_is_not_traded_through_until_an_admin_clears_it(
    stage: Stage,
) -> None:
    tickets = await holds_gold(stage, 50004, DAI, 2)
    await stage.fault(50004, "wrong_login")
    told = await stage.hears_after(ADMIN_CHAT, 0, "Wrong account behind 50004")
    assert [[b["label"] for b in row] for row in told["buttons"]] == [
        ["Unblock 50004"],
        ["I have it"],
    ]
    await gold_falls(stage)
    await stage.mend(50004)
    await stage.hears(ADMIN_CHAT, "50004 is itself again - still blocked")
    await stage.hears(ADMIN_CHAT, "Cannot close 50004 yet - blocked")

    assert len((await stage.account(50004))["positions"]) == 2, "traded while blocked"

    await stage.says(ADA, "/unblock 50004", chat_id=ADMIN_CHAT)
    await stage.hears(DAI, "50004 is flat - confirmed by two reads")
    await closed_once(stage, 50004, tickets)


async def test_an_app_that_is_shot_takes_its_agents_with_it_and_the_next_one_goes_on(
    stage: Stage,
) -> None:
    tickets = await holds_gold(stage, 50001, ALICE, 4)
    before = agents(stage)
    await stage.fault(50001, "hang", verb="order_send", when="after", times=1)
    await gold_falls(stage)
    await stage.comes(lambda: _less_than(stage, 50001, 4), "the first close")

    await stage.kill_app()
    everybody = [*before, *(child for each in before.values() for child in each)]
    await stage.until(lambda: not any(alive(pid) for pid in everybody), "the end of the agents")
    assert not await stage.is_flat(50001)

    await stage.start_app()
    await stage.hears(ALICE, "50001 is flat - confirmed by two reads")
    await closed_once(stage, 50001, tickets)


async def _all_read(stage: Stage) -> bool:
    """The broker's clock is told by prices, which takes a first start some seconds."""
    (read,) = (await stage.rows("SELECT count(observed_at) FROM account_state"))[0]
    return bool(read == 4)


async def _less_than(stage: Stage, login: int, count: int) -> bool:
    return len((await stage.account(login))["positions"]) < count
