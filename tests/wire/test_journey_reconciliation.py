"""Every difference named with its cause; and what cannot be read never taken for flat."""

import asyncio
import json
from decimal import Decimal

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, ALICE, BEN, CARLA, DAI = 11, 101, 102, 103, 104
BID, ASK = 1970.0, 1970.3
"""The demo's gold at the start."""
ENV = {"MANUAL_SYNC_INTERVAL_S": "0", "READ_TIMEOUT_S": "1"}


async def held(stage: Stage, user: int, login: int, **more: float) -> int:
    """A position that Reckoner has told of; answers its ticket."""
    seen = await stage.last_id(user)
    ticket = await stage.opens(login, "XAUUSD", "buy", 0.1, **more)
    await stage.hears_after(user, seen, "Unknown position: XAUUSD buy 0.10", str(ticket))
    return ticket


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("mobile", "You closed XAUUSD buy 0.10 on your phone"),
        ("web", "You closed XAUUSD buy 0.10 in the web terminal"),
        ("desktop", "You closed XAUUSD buy 0.10 in the desktop terminal"),
        ("ea", "Closed by another EA: XAUUSD buy 0.10"),
    ],
)
async def test_a_close_by_hand_names_the_place(stage: Stage, by: str, words: str) -> None:
    """0.10 lots bought at 1970.30 and sold at 1970.00 lose 3.00 USD."""
    ticket = await held(stage, BEN, 50002)
    seen = await stage.last_id(BEN)
    await stage.post("/broker/50002/close", ticket=ticket, by=by)
    told = await stage.hears_after(BEN, seen, words)
    assert told["text"].splitlines()[0] == f"[DEMO] {'⏹ ' if by == 'ea' else ''}{words}: -3.00 USD"
    assert f"Position {ticket}, not from a signal" in told["text"]


@pytest.mark.parametrize(
    ("levels", "quote", "words"),
    [
        # 0.10 lots are 10 oz: 5.30 below the entry at 1970.30 is -53 USD, 4.70 above it +47.
        ({"sl": 1965.0}, (1965.0, 1965.3), "🛑 Stop loss reached: XAUUSD buy 0.10: -53.00 USD"),
        ({"tp": 1975.0}, (1975.0, 1975.3), "🎯 Take profit reached: XAUUSD buy 0.10: +47.00 USD"),
    ],
)
async def test_a_stop_and_a_target_are_told_as_such(
    stage: Stage, levels: dict[str, float], quote: tuple[float, float], words: str
) -> None:
    await held(stage, BEN, 50002, **levels)
    seen = await stage.last_id(BEN)
    await stage.price("XAUUSD", *quote)
    await stage.hears_after(BEN, seen, words)
    await stage.price("XAUUSD", BID, ASK)


async def traded(stage: Stage, user: int, login: int) -> int:
    """A position from a signal, with its stops; answers its ticket."""
    seen = await stage.last_id(user)
    text = "/signal XAUUSD buy 0.10 sl 1950 tp 1990"
    await stage.asks(ADA, text, "Offered to 4", chat_id=ADMIN_CHAT)
    offer = await stage.hears_after(user, seen, "Answer by")
    await stage.taps(user, "Approve", message_id=offer["id"])
    await stage.hears_after(user, seen, "Opened XAUUSD buy 0.10")
    ticket: int = (await stage.account(login))["positions"][-1]["ticket"]
    return ticket


async def test_stops_moved_and_removed_and_a_part_closed(stage: Stage) -> None:
    """Against what the signal said: 1950 and 1990, 0.10 lots."""
    ticket = await traded(stage, ALICE, 50001)
    seen = await stage.last_id(ALICE)
    await stage.post("/broker/50001/modify", ticket=ticket, sl=1945.5)
    told = await stage.hears_after(ALICE, seen, "Stop loss moved: XAUUSD buy 0.10 on 50001")
    assert "Expected: 1,950.00, found: 1,945.50" in told["text"]
    await stage.post("/broker/50001/modify", ticket=ticket, tp=None)
    await stage.hears_after(
        ALICE, seen, "Take profit removed", "Expected: 1,990.00, found: nothing"
    )
    await stage.post("/broker/50001/close", ticket=ticket, volume=0.04, by="mobile")
    part = await stage.hears_after(ALICE, seen, "You closed XAUUSD buy 0.04 on your phone: -")
    assert "Only this part was closed; the rest stays open." in part["text"]

    async def reduced() -> bool:
        """It is told in the admin chat; in a busy minute a summary counts it."""
        query = "SELECT payload FROM outbox WHERE chat_id = ? AND kind = 'DivergenceOpened'"
        facts = [json.loads(body) for (body,) in await stage.rows(query, ADMIN_CHAT)]
        lots = [f for f in facts if f["finding"] == "volume_reduced"]
        figures = {(Decimal(f["expected"]), Decimal(f["observed"])) for f in lots}
        return (Decimal("0.10"), Decimal("0.06")) in figures

    await stage.comes(reduced, "a reduced volume")
    await stage.post("/broker/50001/close", ticket=ticket, by="mobile")
    await stage.hears_after(ALICE, seen, "Over: stop loss moved", "you closed it on your phone")
    assert "Volume reduced" not in await stage.transcript(ALICE), "the close itself told them"


async def test_a_slipped_entry_is_told_in_pips(stage: Stage) -> None:
    """80 points of gold are 0.80, and its pip is 0.10: 8 pips worse, more than the 5 allowed."""
    await stage.fault(50004, "slippage", to="executor", points=80, times=1)
    seen = await stage.last_id(DAI)
    ticket = await traded(stage, DAI, 50004)
    told = await stage.hears_after(DAI, seen, "Slipped entry by 8.0 pips: XAUUSD buy 0.10 on 50004")
    assert "Expected: 1,970.30, found: 1,971.10" in told["text"]
    opened = await stage.hears_after(DAI, seen, "Opened XAUUSD")
    assert "8.0 pips worse than expected" in opened["text"]
    ((pips,),) = await stage.rows(
        "SELECT slippage_pips FROM reconciliation_logs WHERE mt5_position_id = ?"
        " AND divergence_reason = 'entry_slippage'",
        ticket,
    )
    assert Decimal(pips) / 10**8 in {Decimal(8), Decimal(8) / 10**4}


async def test_a_position_by_hand_is_asked_about_adopted_by_a_press_and_taken_back(
    stage: Stage,
) -> None:
    """Dai's executor is refused; Dai buys by phone. Ada says that it is the signal's."""
    await stage.fault(50004, "reject", to="executor")
    seen = await stage.last_id(DAI)
    await stage.asks(ADA, "/signal XAUUSD buy 0.30", "Offered to 4", chat_id=ADMIN_CHAT)
    offer = await stage.hears_after(DAI, seen, "Answer by")
    await stage.taps(DAI, "Approve", message_id=offer["id"])
    in_chat = await stage.last_id(ADMIN_CHAT)
    ticket = await stage.opens(50004, "XAUUSD", "buy", 0.3)
    title = "Which signal? XAUUSD buy 0.30 on 50004"
    asked = await stage.hears_after(ADMIN_CHAT, in_chat, title, f"Position {ticket}")
    assert "0.30 lots, expected at 1,970.30: exactly as expected" in asked["text"]
    number = asked["text"].partition("• Signal ")[2].partition(":")[0]
    label = f"Signal {number}: 0.30 lots, exactly as expected"

    by_client = await stage.taps(DAI, label, ADMIN_CHAT, message_id=asked["id"])
    assert by_client["text"] == "Only an admin can do that. Nothing was changed."
    done = await stage.taps(ADA, label, ADMIN_CHAT, message_id=asked["id"])
    assert done["text"].startswith("XAUUSD buy 0.30 on 50004 is signal ")
    told = await stage.hears_after(DAI, seen, "🔗 Signal ", f"Position {ticket}")
    assert "Ada" in told["text"]
    shown = await stage.hears_after(ADMIN_CHAT, in_chat, "✅ Signal ", f"Position {ticket}")
    assert shown["id"] == asked["id"]  # one message, kept up to date

    back = await stage.taps(ADA, "Take it back", ADMIN_CHAT, message_id=asked["id"])
    assert back["text"].startswith("Taken back: XAUUSD buy 0.30 on 50004")
    await stage.hears_after(DAI, told["id"], "Unknown position: XAUUSD buy 0.30", f"{ticket}")
    await stage.mend(50004)
    await stage.post("/broker/50004/close", ticket=ticket, by="mobile")
    await stage.hears_after(DAI, told["id"], "You closed XAUUSD buy 0.30")


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("read_fails", {}),
        ("empty_read", {}),
        ("disconnected", {}),
        ("slow", {"ms": 3000, "when": "before", "verb": "snapshot"}),
    ],
)
async def test_an_account_that_cannot_be_read_is_unavailable_and_never_flat(
    stage: Stage, kind: str, more: dict[str, object]
) -> None:
    """Nothing is concluded but that; nothing is called closed, and it is guarded again after."""
    account = await stage.account(50003)
    if not account["positions"]:
        await held(stage, CARLA, 50003)
    seen = await stage.last_id(CARLA)
    await stage.fault(50003, kind, **more)
    told = await stage.hears_after(CARLA, seen, "Account 50003 cannot be read since")
    assert "1 position open when last read." in told["text"]
    board = await stage.asks(CARLA, "/positions", "cannot be read")
    assert "XAUUSD buy 0.10" in board["text"]
    assert "figures are from then" in board["text"]
    await stage.mend(50003)
    await stage.hears(CARLA, "Account 50003 can be read again")
    await asyncio.sleep(1.2)
    news = [m["text"] for m in await stage.messages(CARLA) if m["id"] > seen]
    assert not [text for text in news if "closed" in text.lower() or "flat" in text.lower()]
    assert not [text for text in news if "Position missing" in text]


async def test_a_deal_that_comes_late_still_explains_the_close(stage: Stage) -> None:
    """Absent and unexplained is pending, not closed, until the deal is there."""
    ticket = await held(stage, BEN, 50002)
    await stage.fault(50002, "deal_delayed", ms=2000)
    seen = await stage.last_id(BEN)
    await stage.post("/broker/50002/close", ticket=ticket, by="web")
    await asyncio.sleep(1.5)
    assert not [m for m in await stage.messages(BEN) if m["id"] > seen and "closed" in m["text"]]
    await stage.hears_after(BEN, seen, "You closed XAUUSD buy 0.10 in the web terminal: -3.00 USD")
    await stage.mend(50002)


async def test_an_unchanged_world_says_and_writes_nothing_more(stage: Stage) -> None:
    """Cycles pass; chats, logs and episodes stay as they are."""
    await asyncio.sleep(1.5)
    chats = (ALICE, BEN, DAI, ADMIN_CHAT)
    before = [await stage.last_id(chat) for chat in chats]
    logs = await stage.rows("SELECT count(*), max(id) FROM reconciliation_logs")
    await asyncio.sleep(3)
    assert [await stage.last_id(chat) for chat in chats] == before
    assert await stage.rows("SELECT count(*), max(id) FROM reconciliation_logs") == logs
