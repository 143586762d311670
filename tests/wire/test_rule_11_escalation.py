"""Rule 11: what no admin has is told to the next one, until somebody has it or it is over."""

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, OMAR, BEN = 11, 12, 102
ENV = {"ALARM_REPEAT_S": "1", "DRAWDOWN_COUNTDOWN_S": "8"}


async def test_nobody_answers_so_the_next_admin_is_told_until_one_has_it(stage: Stage) -> None:
    """2.00 lots of gold at 1970.30 lose 20.2 % of 12,000 USD at 1958.20: a countdown of 8 s."""
    await stage.opens(50002, "XAUUSD", "buy", 2.0)
    await stage.hears(BEN, "Unknown position")
    await stage.price("XAUUSD", 1958.2, 1958.5)
    breach = await stage.hears_after(ADMIN_CHAT, 0, "Closing 50002 in")
    assert [b["label"] for row in breach["buttons"] for b in row] == ["I have it"]

    again = await stage.hears_after(ADMIN_CHAT, breach["id"], "Nobody has this for", "50002")
    assert again["reply_to"] == breach["id"]
    told = await stage.hears_after(ADA, 0, "Nobody has this for", "Closing 50002")
    assert told["text"].startswith("[DEMO] \N{LARGE RED CIRCLE} Nobody has this for")
    assert not told.get("silent")
    next_told = await stage.hears_after(OMAR, 0, "Nobody has this for", "50002")

    stranger = await stage.forges(BEN, "al1:1", ADMIN_CHAT, breach["id"])
    assert stranger.startswith("Only an admin")
    answer = await stage.taps(OMAR, "I have it", message_id=next_told["id"])
    assert answer["text"] == "You have it: the guard closes everything."
    for chat_id in (ADMIN_CHAT, ADA, OMAR):
        await stage.hears(chat_id, "✋ Omar has it, since")
    late = await stage.forges(ADA, "al1:1", ADA, told["id"])
    assert late.startswith("Omar has it since")
    (original,) = [m for m in await stage.messages(ADMIN_CHAT) if m["id"] == breach["id"]]
    assert original["buttons"] == []
    assert await stage.rows("SELECT told_at, taken_by FROM alarms") == [(None, "Omar")]
    await stage.hears(ADMIN_CHAT, "50002 is flat")
