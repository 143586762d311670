"""Rule 12: alerts on, silent or off per person and group; quiet hours; bursts as one summary."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALICE, BEN, CARLA = 101, 102, 103


def around_now() -> str:
    """Quiet hours that began an hour ago and end in two."""
    now = datetime.now(UTC)
    return f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=2):%H:%M}"


async def test_off_is_not_sent_silent_makes_no_sound_and_the_guard_rings_all_the_same(
    stage: Stage,
) -> None:
    """2.00 lots of gold at 1970.30 lose Ben 15.5 % of 12,000 USD at 1961.00, 22 % at 1957.10."""
    await stage.asks(BEN, "/settings differences off", "Differences: off")
    board = await stage.asks(BEN, f"/settings quiet {around_now()}", ", now. What is not")
    seen = await stage.last_id(ADMIN_CHAT)
    await stage.opens(50002, "XAUUSD", "buy", 2.0)
    await stage.hears_after(ADMIN_CHAT, seen, "Unknown position", "50002")
    rows = await stage.rows("SELECT state, error FROM outbox WHERE chat_id = ?", BEN)
    assert rows == [("failed", "muted: its reader switched differences off")]

    await stage.price("XAUUSD", 1961.0, 1961.3)
    warned = await stage.hears_after(BEN, board["id"], "Drawdown 15.5 % on 50002")
    await stage.price("XAUUSD", 1957.0, 1957.3)
    flat = await stage.hears_after(BEN, warned["id"], "50002 is flat")
    told = [m for m in await stage.messages(BEN) if m["id"] >= warned["id"]]
    assert not [m["text"] for m in told if m.get("silent")]
    assert flat["text"].startswith("[DEMO]")
    await stage.price("XAUUSD", 1970.0, 1970.3)


async def test_quiet_hours_make_the_rest_come_without_a_sound(stage: Stage) -> None:
    """What is not critical is sent all the same, and found in the morning."""
    seen = await stage.last_id(CARLA)
    await stage.opens(50003, "EURUSD", "buy", 0.1)
    loud = await stage.hears_after(CARLA, seen, "Unknown position")
    board = await stage.asks(CARLA, "/settings")
    answer = await stage.taps(CARLA, "Quiet 22:00-07:00", message_id=board["id"])
    assert answer["text"] == "Saved"
    await stage.asks(CARLA, f"/settings quiet {around_now()}", ", now. What is not")
    stale = await stage.taps(CARLA, "Market: on", message_id=board["id"])
    assert stale["text"].startswith("Your settings have changed since")
    seen = await stage.last_id(CARLA)
    await stage.opens(50003, "EURUSD", "sell", 0.3)
    quiet = await stage.hears_after(CARLA, seen, "EURUSD")
    assert (loud.get("silent"), quiet.get("silent")) == (None, True)


async def test_a_burst_is_eight_messages_and_one_summary_with_counts_that_is_kept_current(
    stage: Stage,
) -> None:
    """Twelve positions that nobody knows, two a reading: more at once would share a message."""
    seen = await stage.last_id(ADMIN_CHAT)
    told = "SELECT count(*) FROM outbox WHERE chat_id = ? AND kind = 'DivergenceOpened'"
    before = (await stage.rows(told, ADMIN_CHAT))[0][0]
    for count in range(2, 13, 2):
        for _ in range(2):
            await stage.opens(50001, "EURUSD", "buy", 0.01)

        async def found(count: int = before + count) -> bool:
            return int((await stage.rows(told, ADMIN_CHAT))[0][0]) >= count

        await stage.comes(found, f"{count} positions that were found")
    query = "SELECT count(*) FROM outbox WHERE chat_id = ? AND error LIKE 'folded: too many%'"
    ((folded,),) = await stage.rows(query, ADMIN_CHAT)
    assert 4 <= folded <= 12, "kept, with the reason; what was told just before counts too"
    summary = await stage.hears_after(ADMIN_CHAT, seen, f"Unknown position: {folded}")
    assert f"{folded} more alerts" in summary["text"]
    assert "They came too fast to be sent one by one." in summary["text"]
    sums = [m for m in await stage.messages(ADMIN_CHAT) if "more alert" in m["text"]]
    assert [m["id"] for m in sums] == [summary["id"]], "one message, edited"

    async def theirs() -> int:
        sent = await stage.messages(ALICE)
        return sum("Unknown position: EURUSD" in m["text"] for m in sent)

    async def has_all() -> bool:
        return await theirs() >= 12

    await stage.comes(has_all, "all twelve in the chat of one person, which takes more")
    assert await theirs() == 12
