"""Signal, approval, trade: through Telegram, the executor and the broker, as people see it."""

import asyncio
from pathlib import Path

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage, Zygote, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, OMAR, ALICE, BEN, CARLA, DAI = 11, 12, 101, 102, 103, 104
CLIENTS = (ALICE, BEN, CARLA, DAI)
GOLD = "/signal XAUUSD buy 0.10 sl 1950 tp 1990"


async def offers(stage: Stage, text: str = GOLD) -> dict[int, int]:
    """Ada posts a signal; answers each client's newest message with its buttons."""
    seen = {client: await stage.last_id(client) for client in CLIENTS}
    await stage.asks(ADA, text, "posted", "Offered to 4 accounts", chat_id=ADMIN_CHAT)
    shown = {}
    for client in CLIENTS:
        message = await stage.hears_after(client, seen[client], "Signal", "Answer by")
        labels = [[button["label"] for button in row] for row in message["buttons"]]
        assert labels == [["Approve", "Reject"]]
        shown[client] = message["id"]
    return shown


async def test_an_approved_signal_is_placed_by_the_executor_and_told(stage: Stage) -> None:
    """Reckoner itself sends nothing: the one trade request is the executor's."""
    offer = await offers(stage)
    shown = next(m for m in await stage.messages(ALICE) if m["id"] == offer[ALICE])
    answer = await stage.taps(ALICE, "Approve", message_id=offer[ALICE])
    # The ask of the demo's gold, at the commit of the approval.
    assert answer["text"] == "Approved: XAUUSD buy 0.10, expected at 1,970.30"
    opened = await stage.hears_after(ALICE, offer[ALICE], "Opened XAUUSD buy 0.10 on 50001")
    assert "Entry: 1,970.30, expected 1,970.30: exactly as expected" in opened["text"]
    assert "Stop loss: 1,950.00, take profit: 1,990.00" in opened["text"]
    account = await stage.account(50001)
    (send,) = account["order_sends"]
    (position,) = account["positions"]
    assert send["source"] == "executor"
    assert (position["volume"], position["sl"], position["tp"]) == (0.1, 1950.0, 1990.0)
    edited = await stage.transcript(ALICE)
    assert "Your executor has until" in edited
    assert "[Approve]" not in edited
    rows = await stage.rows(
        "SELECT event_type, status, matched FROM reconciliation_logs WHERE mt5_position_id = ?",
        position["identifier"],
    )
    assert rows == [("sync", "success", 1)]

    again = await stage.forges(ALICE, shown["buttons"][0][0]["data"], ALICE, offer[ALICE])
    assert again.startswith("Already approved at ")
    assert again.endswith("GMT. Nothing was changed."), "Alice lives in London"
    assert len((await stage.account(50001))["order_sends"]) == 1


async def test_a_rejected_signal_trades_nothing(stage: Stage) -> None:
    offer = await offers(stage)
    answer = await stage.taps(BEN, "Reject", message_id=offer[BEN])
    assert answer["text"] == "Rejected: XAUUSD buy 0.10. Nothing is traded."
    await stage.hears(BEN, "Rejected: XAUUSD buy 0.10 on 50002")
    (buttons,) = [m["buttons"] for m in await stage.messages(BEN) if m["id"] == offer[BEN]]
    assert buttons == []
    assert (await stage.account(50002))["order_sends"] == []


async def test_nobody_answers_an_offer_but_its_client(stage: Stage) -> None:
    """Ben presses in Alice's chat, then sends the data of Carla's button from his own."""
    offer = await offers(stage)
    carlas = next(m for m in await stage.messages(CARLA) if m["id"] == offer[CARLA])
    data = carlas["buttons"][0][0]["data"]
    alices = next(m for m in await stage.messages(ALICE) if m["id"] == offer[ALICE])
    foreign = await stage.forges(BEN, alices["buttons"][0][0]["data"], ALICE, offer[ALICE])
    assert foreign == "This button belongs to somebody else."
    forged = await stage.forges(BEN, data, BEN, offer[BEN])
    assert forged == "This button belongs to somebody else. Nothing was changed."
    by_admin = await stage.forges(OMAR, data, ADMIN_CHAT, await stage.last_id(ADMIN_CHAT))
    assert by_admin.startswith("I show accounts only in private. You have none of your own;")
    assert (await stage.account(50003))["order_sends"] == []
    audited = await stage.rows("SELECT detail FROM audit_log WHERE action = 'access_refused'")
    told = " ".join(str(row[0]) for row in audited)
    assert "foreign" in told
    assert data in told


async def test_a_signal_put_together_with_buttons(stage: Stage) -> None:
    form = await stage.asks(ADA, "/signal", "which symbol?", chat_id=ADMIN_CHAT)
    seen = await stage.last_id(DAI)
    at = {"chat_id": ADMIN_CHAT, "message_id": form["id"]}
    await stage.taps(ADA, "EURUSD", **at)
    foreign = await stage.taps(OMAR, "Sell", **at)
    assert foreign["show_alert"] is True
    await stage.taps(ADA, "Sell", **at)
    await stage.taps(ADA, "0.20", **at)
    posted = await stage.taps(ADA, "Post", **at)
    assert posted["text"] == "Posted"
    await stage.hears_after(DAI, seen, "Signal: EURUSD sell 0.20 for 50004", "Stop loss: none")
    await stage.hears(ADMIN_CHAT, "posted: EURUSD sell 0.20")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("XAUUSD buy", "That is not a signal"),
        ("XAUUSD hold 0.10", "That is not a signal"),
        ("XAUUSD buy ten", "That is not a signal"),
        ("XAUUSD buy 0.10 sl", "That is not a signal"),
        ("XAUUSD buy 0.10 sl 2100", "The stop loss is on the wrong side of the market."),
        ("XAUUSD sell 0.10 tp 2100", "The take profit is on the wrong side of the market."),
        ("XAUUSD buy 0.001", "0.001"),
        ("NOSUCH buy 0.10", "No linked account trades NOSUCH."),
    ],
)
async def test_a_bad_signal_is_answered_with_what_is_wrong(
    stage: Stage, text: str, answer: str
) -> None:
    seen = await stage.last_id(ALICE)
    told = await stage.asks(ADA, f"/signal {text}", answer, chat_id=ADMIN_CHAT)
    assert len(told["text"].splitlines()) <= 2
    assert await stage.last_id(ALICE) == seen


async def test_an_expired_signal_is_refused(zygote: Zygote, tmp_path: Path) -> None:
    """A press on an offer from a stale screen, after its end."""
    async with staged(zygote, tmp_path, {"SIGNAL_EXPIRES_S": "2"}) as stage:
        offer = await offers(stage)
        message = next(m for m in await stage.messages(ALICE) if m["id"] == offer[ALICE])
        data = message["buttons"][0][0]["data"]
        await stage.hears(ALICE, "Expired: XAUUSD buy 0.10 on 50001")
        refused = await stage.forges(ALICE, data, ALICE, offer[ALICE])
        assert "expired" in refused
        await asyncio.sleep(0.5)
        assert (await stage.account(50001))["order_sends"] == []
