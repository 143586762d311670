"""Histories and reports through the real bot: ask, turn, filter, press what is not yours, read."""

import csv
import io
from typing import Any

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, ALICE, BEN, DAI = 11, 101, 102, 104
PNG = b"\x89PNG\r\n\x1a\n"


def labels(message: dict[str, Any]) -> list[str]:
    """The labels of a message's buttons."""
    return [button["label"] for row in message["buttons"] for button in row]


def data_of(message: dict[str, Any], label: str) -> str:
    """What a button carries."""
    return next(str(b["data"]) for row in message["buttons"] for b in row if b["label"] == label)


async def file_of(stage: Stage, file_id: str) -> bytes:
    """A file that the bot sent."""
    async with stage.session.get(f"{stage.base_url}/sim/file/{file_id}") as response:
        return await response.read()


async def trades(stage: Stage) -> None:
    """Alice opens and closes six small positions on her phone, and deposits 250."""
    for _ in range(6):
        ticket = await stage.opens(50001, "EURUSD", "buy", 0.1)
        await stage.post("/broker/50001/close", ticket=ticket, by="mobile")
    await stage.post("/broker/50001/cash", amount=250, kind="balance")
    await stage.hears(ALICE, "Deposit +250.00 GBP on 50001")


async def test_a_history_is_asked_for_turned_and_filtered_in_place(stage: Stage) -> None:
    """Twelve deals of six trades and two deposits: two pages of eight."""
    await trades(stage)
    shown = await stage.asks(ALICE, "/history", "50001: history")
    assert "Older »" in labels(shown)
    assert "« Newer" not in labels(shown)
    await stage.taps(ALICE, "Older »", message_id=shown["id"])
    await stage.hears(ALICE, "page 2 of")
    await stage.taps(ALICE, "Money", message_id=shown["id"])
    await stage.hears(ALICE, "50001: money in and out")
    (now,) = [m for m in await stage.messages(ALICE) if m["id"] == shown["id"]]
    assert "Deposit: +250.00 GBP" in now["text"]
    assert "EURUSD" not in now["text"]
    await stage.taps(ALICE, "Closed", message_id=shown["id"])
    await stage.hears(ALICE, "6 entries, page 1 of 1")
    await stage.taps(ALICE, "Symbol: all", message_id=shown["id"])
    await stage.hears(ALICE, "Which symbol?")
    await stage.taps(ALICE, "EURUSD", message_id=shown["id"])
    await stage.hears(ALICE, "50001: what was closed, EURUSD")


async def test_a_press_that_is_not_ones_own_is_answered_and_shows_nothing(stage: Stage) -> None:
    """Ben presses Alice's button, and one of his own making that names her account."""
    shown = await stage.asks(ALICE, "/history", "50001: history")
    data = data_of(shown, "Refresh")
    assert len(data.encode()) <= 64
    own = await stage.asks(BEN, "/history", "50002: history")
    assert "belongs to somebody else" in await stage.forges(BEN, data, BEN, own["id"])
    made = data.replace(f":{ALICE}:", f":{BEN}:")
    assert "belongs to somebody else" in await stage.forges(BEN, made, BEN, own["id"])
    old = ":".join([*data.split(":")[:-1], "1000000000"])
    assert "Send /history for a new one" in await stage.forges(ALICE, old, ALICE, shown["id"])
    assert "older version" in await stage.forges(ALICE, "hs0:p:1", ALICE, shown["id"])
    seen = "".join(m["text"] for m in await stage.messages(BEN))
    assert "50001" not in seen
    await stage.asks(BEN, "/history 50001", "50001 is not your account.")


async def test_an_admin_names_the_account(stage: Stage) -> None:
    await stage.asks(ADA, "/history 50001", "50001: history")
    await stage.asks(ADA, "/history 50001", "50001: history", chat_id=ADMIN_CHAT)
    await stage.asks(ADA, "/history", "Name the account here", chat_id=ADMIN_CHAT)
    await stage.asks(ADA, "/history 99999", "There is no account 99999 here.")


async def test_a_report_comes_with_its_chart_and_its_file(stage: Stage) -> None:
    """What the broker says of Dai's day: a trade lost, and 400 withdrawn, which is no loss.

    The 9,000 of the world's beginning were deposited that day too.
    """
    before = (await stage.account(50004))["balance"]
    ticket = await stage.opens(50004, "EURUSD", "buy", 0.1)
    await stage.price("EURUSD", 1.0500, 1.0502)
    await stage.hears(DAI, "Unknown position: EURUSD buy 0.10")
    await stage.post("/broker/50004/close", ticket=ticket, by="mobile")
    await stage.hears(DAI, "You closed EURUSD buy 0.10 on your phone")
    after = (await stage.account(50004))["balance"]
    await stage.post("/broker/50004/cash", amount=-400, kind="balance")
    await stage.hears(DAI, "Withdrawal -400.00")
    seen = await stage.last_id(DAI)
    await stage.says(DAI, "/report day")
    message = await stage.hears_after(DAI, seen, "1 trade closed: 0 won, 1 lost")
    lost = f"{after - before:,.2f}"
    assert f"Realised: {lost} GBP" in message["text"]
    statement = [" ".join(line.split()) for line in message["text"].splitlines()]
    assert "Money in +9,000.00" in statement
    assert "Money out -400.00" in statement
    assert f"Balance now {after - 400:,.2f}" in statement
    assert "EURUSD" in message["text"]
    sent = [m for m in await stage.messages(DAI) if m["id"] > seen]
    (photo,) = [m["photo"] for m in sent if m.get("photo")]
    assert (await file_of(stage, photo)).startswith(PNG)
    file = await stage.comes(lambda: document(stage, DAI, seen), "the file") or {}
    assert file["document_name"].startswith("50004_")
    text = (await file_of(stage, file["document"])).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["what"] for row in rows] == ["deposit", "opened", "closed", "withdrawal"]
    assert sum(float(row["amount"]) for row in rows[1:3]) == pytest.approx(after - before)
    assert rows[3]["amount"] == "-400.00"
    assert rows[2]["how"] == "client_mobile"


async def document(stage: Stage, chat_id: int, seen: int) -> dict[str, Any] | None:
    """The message with a file that came after `seen`."""
    found = [m for m in await stage.messages(chat_id) if m["id"] > seen and m.get("document")]
    return found[0] if found else None


async def test_the_day_before_is_a_press_away_and_nobody_elses_press(stage: Stage) -> None:
    shown = await stage.asks(DAI, "/report day", "Signals: none")
    holder = next(m for m in await stage.messages(DAI) if m["buttons"] and m["id"] >= shown["id"])
    data = data_of(holder, "Day before")
    own = await stage.asks(BEN, "/history", "50002: history")
    assert "belongs to somebody else" in await stage.forges(BEN, data, BEN, own["id"])
    seen = await stage.last_id(DAI)
    await stage.taps(DAI, "Day before", message_id=holder["id"])
    await stage.hears_after(DAI, seen, "No trade was closed.")
    await stage.asks(DAI, "/report month", "I do not understand 'month'")
    await stage.asks(DAI, "/report day 2999-01-01", "That day has not begun yet.")
    await stage.asks(DAI, "/report day 50001", "50001 is not your account.")
