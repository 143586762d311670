"""The market guard through the wire: what the admin chat shows, and what its buttons do."""

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, OMAR, ALICE, BEN = 11, 12, 101, 102


def labels(message: dict[str, object]) -> list[str]:
    """The visible buttons of a message."""
    return [b["label"] for row in message["buttons"] for b in row]  # type: ignore[attr-defined]


async def test_a_gap_is_closed_by_close_now_and_a_late_press_is_told(stage: Stage) -> None:
    """1.08510 to 1.02000 is 6.0 %. Nothing closes before an answer or the deadline."""
    await stage.opens(50002, "EURUSD", "sell", 0.1)
    await stage.hears(BEN, "Unknown position: EURUSD sell 0.10 on 50002")
    await stage.price("EURUSD", 1.02, 1.0201)
    warned = await stage.hears_after(ADMIN_CHAT, 0, "Gap", "on EURUSD - closing at")
    answers = ["Hold 15 min", "Hold 1 h", "Hold until day's end", "Dismiss"]
    assert labels(warned) == ["Close now", *answers]
    assert "Without an answer by" in warned["text"]
    assert "Reckoner closes the EURUSD positions of these accounts." in warned["text"]
    assert "• Ben 50002" in warned["text"]
    stale = warned["buttons"][0][1]["data"]
    await stage.hears(BEN, "EURUSD on 50002 will be closed at")
    listed = await stage.asks(OMAR, "/warnings", "on EURUSD")
    assert labels(listed) == ["Close now", *answers]
    by_client = await stage.forges(BEN, stale, ADMIN_CHAT, warned["id"])
    assert by_client == "Only an admin can do that. Nothing was changed."
    why = await stage.taps(ADA, "Close now", ADMIN_CHAT, message_id=warned["id"])
    assert why["text"].startswith("Why?")
    await stage.offers(ADMIN_CHAT, warned["id"], "Close now: news")
    answer = await stage.taps(ADA, "Close now: news", ADMIN_CHAT, message_id=warned["id"])
    assert answer["text"] == "EURUSD: submitted. The result follows when it is proved."
    await stage.hears(BEN, "EURUSD on 50002 is flat - confirmed by two reads")
    assert await stage.is_flat(50002)
    late = await stage.forges(OMAR, stale, ADMIN_CHAT, warned["id"])
    assert late.startswith("Already handled:")
    assert "by Ada" in late
    await stage.hears(ADMIN_CHAT, "Over: Gap")
    calm = await stage.asks(ADA, "/warnings", "No open market warning", chat_id=ADMIN_CHAT)
    assert calm["text"]
    verbs = await stage.rows("SELECT verb, reason FROM overrides ORDER BY id")
    assert ("close", "news") in verbs


async def test_a_wide_spread_can_be_held_or_dismissed_but_closes_nothing(stage: Stage) -> None:
    """20 pips of gold are 2.00; its limit is 10 pips."""
    ticket = await stage.opens(50001, "XAUUSD", "buy", 0.1)
    await stage.hears(ALICE, "Unknown position: XAUUSD buy 0.10 on 50001")
    await stage.price("XAUUSD", 1970.0, 1972.0)
    warned = await stage.hears_after(ADMIN_CHAT, 0, "Spread 20.0 pips on XAUUSD - limit 10.0 pips")
    assert labels(warned) == ["Hold 15 min", "Hold 1 h", "Hold until day's end", "Dismiss"]
    assert "nothing is closed: Reckoner holds and goes on warning" in warned["text"]
    forged = warned["buttons"][0][0]["data"].replace("hold", "close")
    assert await stage.forges(ADA, forged, ADMIN_CHAT, warned["id"]) != ""
    await stage.taps(ADA, "Hold 15 min", ADMIN_CHAT, message_id=warned["id"])
    await stage.offers(ADMIN_CHAT, warned["id"], "Hold 15 min: bad quote")
    held = await stage.taps(ADA, "Hold 15 min: bad quote", ADMIN_CHAT, message_id=warned["id"])
    assert held["text"].startswith("XAUUSD: on hold until")
    await stage.hears(ADMIN_CHAT, "⏸ On hold until")
    assert "Answered by Ada (bad quote)." in await stage.transcript(ADMIN_CHAT)
    late = await stage.forges(OMAR, warned["buttons"][0][1]["data"], ADMIN_CHAT, warned["id"])
    assert late.startswith("Already handled: on hold by Ada")
    await stage.price("XAUUSD", 1970.0, 1970.3)
    assert [p["ticket"] for p in (await stage.account(50001))["positions"]] == [ticket]
