"""Rule 8: a press is never lost and never acts twice, whoever else presses and whatever dies."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.wire.stage import ADMIN_CHAT, QUICK, Stage, Zygote, alive

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, OMAR, ALICE, BEN = 11, 12, 101, 102
GOLD = "/signal XAUUSD buy 0.10"
PAST_63_BITS = 2**63


async def test_of_two_admins_who_press_at_once_one_acts_and_the_other_reads_who(
    stage: Stage,
) -> None:
    await stage.opens(50002, "EURUSD", "sell", 0.1)
    await stage.hears(BEN, "Unknown position: EURUSD sell 0.10 on 50002")
    await stage.price("EURUSD", 1.02, 1.0201)
    warned = await stage.hears_after(ADMIN_CHAT, 0, "Gap", "on EURUSD - closing at")
    await stage.taps(ADA, "Close now", ADMIN_CHAT, message_id=warned["id"])
    await stage.offers(ADMIN_CHAT, warned["id"], "Close now: news")
    (asked,) = [m for m in await stage.messages(ADMIN_CHAT) if m["id"] == warned["id"]]
    data = next(b["data"] for row in asked["buttons"] for b in row if b["label"].endswith("news"))
    presses = [stage.forges(who, data, ADMIN_CHAT, warned["id"]) for who in (ADA, OMAR)]
    answers = dict(zip(("Ada", "Omar"), await asyncio.gather(*presses), strict=True))
    did = [name for name, text in answers.items() if text.startswith("EURUSD: submitted.")]
    (acted,) = did
    (other,) = set(answers) - {acted}
    assert answers[other].startswith("Already handled:")
    assert f"by {acted}" in answers[other]
    await stage.hears(BEN, "EURUSD on 50002 is flat - confirmed by two reads")
    decided = await stage.rows("SELECT count(*) FROM overrides WHERE verb = 'close'")
    assert decided == [(1,)]


async def test_numbers_past_63_bits_in_a_button_or_a_command_trouble_nobody(stage: Stage) -> None:
    answer = await stage.asks(ADA, "/status", "Reckoner", chat_id=ADMIN_CHAT)
    for data in (
        f"ap1:{PAST_63_BITS}:yes",
        f"mw1:{PAST_63_BITS}:1:close",
        f"rg1:{PAST_63_BITS}:grant",
        f"ub2:{PAST_63_BITS}:0",
        f"hs1:p:{ADA}:{PAST_63_BITS}:all:0:0:0",
    ):
        told = await stage.forges(ADA, data, ADMIN_CHAT, answer["id"])
        assert told.startswith("This button is from an older version"), data
    for command in ("history", "report", "sync", "unblock", "adopt", "disown", "incident"):
        await stage.says(ADA, f"/{command} {PAST_63_BITS}", ADMIN_CHAT)
    await stage.says(ADA, f"/override {PAST_63_BITS} hold1h because", ADMIN_CHAT)
    await stage.asks(ADA, "/status", "Reckoner", chat_id=ADMIN_CHAT)  # answered in their order
    assert "went wrong" not in await stage.transcript(ADMIN_CHAT)
    assert await stage.rows("SELECT count(*) FROM presses WHERE state = 'failed'") == [(0,)]


async def test_a_press_survives_kill_9_before_and_after_it_acted_and_acts_once(
    zygote: Zygote, tmp_path: Path
) -> None:
    """Killed when it is journalled and not confirmed, when it acted, when it is settled."""
    async with Stage(zygote, tmp_path, env=QUICK, free_sending=True) as stage:
        await stage.start_world()
        await stage.start_app()
        await stage.ready()
        for number, moment in enumerate(("journalled", "decided", "settled"), start=1):
            seen = await stage.last_id(ALICE)
            await stage.asks(ADA, GOLD, "Offered to 4", chat_id=ADMIN_CHAT)
            offer = await stage.hears_after(ALICE, seen, "Signal", "Answer by")
            await stage.settled(ALICE, offer["id"])
            await _killed(stage)
            press = {"user_id": ALICE, "chat_id": ALICE, "label": "Approve"}
            pressed = await stage.post("/sim/callback", **press, message_id=offer["id"])
            await stage.start_app(crash_at=moment)
            await _gone(stage, moment)
            await stage.start_app()
            await stage.hears_after(ALICE, offer["id"], "Opened XAUUSD buy 0.10 on 50001")
            sends = (await stage.account(50001))["order_sends"]
            assert [send["source"] for send in sends] == ["executor"] * number, moment
            await _is_settled(stage, pressed["callback_query_id"])


async def _killed(stage: Stage) -> None:
    os.kill(stage.app_pid, signal.SIGKILL)
    await _gone(stage, "killed")


async def _gone(stage: Stage, moment: str) -> None:
    pid = stage.app_pid
    await stage.until(lambda: not alive(pid), f"the end of the app, {moment}")


async def _is_settled(stage: Stage, callback_id: str) -> None:
    """The button stopped turning, once, and the press is done with."""

    async def settled() -> bool:
        query = "SELECT state FROM presses WHERE callback_id = ?"
        return await stage.rows(query, callback_id) == [("handled",)]

    await stage.comes(settled, "the press as handled")
    calls = (await stage.get("/sim/outbox?method=answerCallbackQuery"))["calls"]
    of_it = [call for call in calls if call["params"]["callback_query_id"] == callback_id]
    assert [call["ok"] for call in of_it] == [True]
