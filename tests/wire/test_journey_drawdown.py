"""The drawdown guard through the wire: warned, counted down, flat, locked, released."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage, Zygote, staged

ADA, OMAR, ALICE, BEN, CARLA, DAI = 11, 12, 101, 102, 103, 104
# Ben's 2.00 lots (200 oz) of gold bought at 1970.30 with 12,000 USD: 15 % is a fall of 9.00 to
# 1961.30, 20 % one of 12.00 to 1958.30, 22 % (no countdown) one of 13.20 to 1957.10.
CALM, WARNED, BREACHED, FAR = 1970.0, 1961.0, 1958.2, 1957.0
LOTS = {50001: 2.2, 50002: 2.0, 50003: 1.5, 50004: 2.0}
"""Lots of gold with which a fall to FAR costs each account more than 22 %."""
OWNERS = {50001: ALICE, 50002: BEN, 50003: CARLA, 50004: DAI}


async def gold(stage: Stage, bid: float) -> None:
    """Gold moves, its spread unchanged."""
    await stage.price("XAUUSD", bid, round(bid + 0.3, 2))


def closed_once(account: dict[str, object]) -> None:
    """Every position's exits sum to what was opened: none closed twice, none half."""
    volumes: Counter[int] = Counter()
    for deal in account["deals"]:  # type: ignore[attr-defined]
        if deal["position_id"]:
            hundredths = round(deal["volume"] * 100)
            volumes[deal["position_id"]] += hundredths if deal["entry"] == 0 else -hundredths
    assert volumes
    assert set(volumes.values()) == {0}, volumes


async def test_from_the_warning_to_the_release(zygote: Zygote, tmp_path: Path) -> None:
    """The whole of law 8, in Ben's chat, with people doing what they can against it."""
    async with staged(zygote, tmp_path) as stage:
        await _warned_and_closed(stage)
        await _locked(stage)
        await _released(stage)


async def _warned_and_closed(stage: Stage) -> None:
    ticket = await stage.opens(50002, "XAUUSD", "buy", 2.0)
    await stage.hears(BEN, "Unknown position")
    await gold(stage, WARNED)
    warning = await stage.hears_after(BEN, 0, "Drawdown 15.5 % on 50002")
    assert "Room left: 540.00 USD" in warning["text"]  # 10,140 less 80 % of 12,000
    await gold(stage, BREACHED)
    breach = await stage.hears_after(BEN, warning["id"], "Closing 50002 in")
    assert "Closing 1 position" in breach["text"]
    assert "This cannot be cancelled: it limits your loss." in breach["text"]
    assert breach["buttons"] == []
    assert not await stage.is_flat(50002), "the countdown runs"
    for user, text in ((ADA, "/close"), (BEN, "/stop"), (ADA, "/sync 50002"), (BEN, "/release")):
        await stage.says(user, text)
    await gold(stage, CALM)  # no recovery cancels it
    flat = await stage.hears_after(BEN, breach["id"], "50002 is flat - confirmed by two reads")
    assert f"#{ticket} XAUUSD buy 2.00: closed at 1,970.00, -60.00 USD" in flat["text"]
    assert [[b["label"] for b in row] for row in flat["buttons"]] == [["Ask for release"]]
    rows = await stage.rows(
        "SELECT alert_type, action_taken, status, positions_closed_count FROM drawdown_alerts"
        " ORDER BY id"
    )
    assert rows[0][:2] == ("warning", "warning_sent")
    assert rows[-1] == ("execution", "positions_closed", "success", 1)


async def _locked(stage: Stage) -> None:
    seen = await stage.last_id(BEN)
    locked = "50002 is locked and was not asked"
    await stage.asks(ADA, "/signal EURUSD buy 0.10", locked, chat_id=ADMIN_CHAT)
    again = await stage.opens(50002, "XAUUSD", "buy", 0.1)
    told = await stage.hears_after(
        BEN, seen, "A position was opened on locked 50002", "Reckoner is closing it."
    )
    assert "by hand, on a phone" in told["text"]
    await stage.hears_after(BEN, told["id"], "50002 is flat", f"#{again}")
    assert await stage.is_flat(50002)
    await stage.post("/broker/50002/cash", amount=5000, kind="balance")
    deposit = await stage.hears_after(BEN, told["id"], "Deposit +5,000.00 USD on 50002")
    assert "neither as profit nor as loss" in deposit["text"]
    board = await stage.asks(BEN, "/status", "Locked")
    assert "drawdown limit" in board["text"]


async def _released(stage: Stage) -> None:
    early = await stage.forges(ADA, "rg1:2:grant", ADMIN_CHAT, await stage.last_id(ADMIN_CHAT))
    assert early == "The client has not asked for release, so there is none to answer."
    foreign = await stage.forges(ALICE, "ra1:2", ALICE, await stage.last_id(ALICE))
    assert foreign == "This button belongs to somebody else. Nothing was changed."
    asked = await stage.taps(BEN, "Ask for release")
    assert asked["text"].startswith("Release asked for")
    twice = await stage.taps(BEN, "Ask for release")
    assert twice["text"].startswith("Release was asked for already")
    question = await stage.hears_after(ADMIN_CHAT, 0, "Release asked for 50002")
    by_client = await stage.taps(BEN, "Grant release", ADMIN_CHAT, message_id=question["id"])
    assert by_client["text"] == "Only an admin can do that. Nothing was changed."
    granted = await stage.taps(ADA, "Grant release", ADMIN_CHAT, message_id=question["id"])
    assert granted["text"].startswith("Granted.")
    second = await stage.forges(OMAR, "rg1:2:grant", ADMIN_CHAT, question["id"])
    assert "Nothing was changed" in second or "Already" in second or "not locked" in second
    released = await stage.hears_after(BEN, 0, "50002 is released")
    # 12,000 - 60 on the first close, 0.1 lots lose 3.00, and 5,000 came in.
    assert "Equity: 16,937.00 USD, peak 16,937.00 USD" in released["text"]
    closed_once(await stage.account(50002))
    actions = [row[0] for row in await stage.rows("SELECT action FROM audit_log ORDER BY id")]
    assert {"release_asked", "release_granted", "latch_released"} <= set(actions)


async def test_no_release_below_the_minimum_equity(zygote: Zygote, tmp_path: Path) -> None:
    """Alice is left with 80 GBP, less than 100: a deposit is needed first."""
    async with staged(zygote, tmp_path) as stage:
        await stage.post("/broker/50001/cash", amount=-9850, kind="balance")
        await stage.hears(ALICE, "Withdrawal -9,850.00 GBP on 50001")
        await stage.post("/broker/50001/cash", amount=-70, kind="commission")
        told = await stage.hears_after(ALICE, 0, "50001 is locked - equity 80.00 GBP")
        assert "Nothing was open" in told["text"]
        refused = await stage.taps(ALICE, "Ask for release")
        assert refused["text"] == (
            "Equity is 80.00 GBP, below the minimum of 100.00 GBP. A deposit is needed first."
        )
        typed = await stage.asks(ALICE, "/release", "A deposit is needed first.")
        assert typed["text"].startswith("Equity is 80.00 GBP")


@pytest.mark.parametrize(
    "faults",
    [
        {
            50001: ("requote", {"times": 2}),
            50002: ("reject", {"times": 1}),
            50003: ("partial_fill", {"times": 1}),
            50004: ("invalid_fill", {"times": 1}),
        },
        {
            50001: ("market_closed", {"times": 1}),
            50002: ("autotrading_off", {}),
            50003: ("timeout_not_executed", {"times": 1}),
            50004: ("timeout_after_execution", {"times": 1}),
        },
    ],
    ids=lambda faults: "-".join(kind for kind, _ in faults.values()),
)
async def test_whatever_the_broker_does_the_close_ends_flat_and_nothing_is_closed_twice(
    zygote: Zygote, tmp_path: Path, faults: dict[int, tuple[str, dict[str, object]]]
) -> None:
    """Four accounts breach at once, each with a fault of its own."""
    async with staged(zygote, tmp_path, {"CLOSE_QUIET_PERIOD_S": "0.5"}) as stage:
        for login, lots in LOTS.items():
            await stage.opens(login, "XAUUSD", "buy", lots)
        for owner in OWNERS.values():
            await stage.hears(owner, "Unknown position")
        for login, (kind, more) in faults.items():
            await stage.fault(login, kind, **more)
        await gold(stage, FAR)
        if any(kind == "autotrading_off" for kind, _ in faults.values()):
            told = await stage.hears_after(BEN, 0, "Must close 50002 and cannot")
            assert "automated trading is switched off" in told["text"]
            assert "switch on" in told["text"]
            await stage.mend(50002)
        for login, owner in OWNERS.items():
            await stage.hears(owner, f"{login} is flat - confirmed by two reads")
            account = await stage.account(login)
            assert account["positions"] == []
            closed_once(account)
        await asyncio.sleep(1)
        chat = await stage.transcript(ADMIN_CHAT)
        assert chat.count("is flat - confirmed") == 4
