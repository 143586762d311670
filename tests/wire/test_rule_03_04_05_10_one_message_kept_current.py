"""Rules 3, 4, 5 and 10, in one running world.

3: one alert is one message, kept current by editing and resolved in place with its duration; a
silent line follows where it had been loud.
4: its first line can be read in a push preview.
5: a deadline is absolute, said with what happens by default, and holds over a kill.
10: what silences something says until when, and the admins hear what a client switched off.
"""

from datetime import UTC, datetime

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, ALICE, BEN, CARLA = 11, 101, 102, 103
PREVIEW_CHARS_MAX = 60
ENV = {"DRAWDOWN_COUNTDOWN_S": "4"}


async def test_an_outage_is_one_message_resolved_in_place_with_its_duration(stage: Stage) -> None:
    seen = await stage.last_id(ADMIN_CHAT)
    await stage.asks(CARLA, "/settings terminal off", "Terminal: off")
    await stage.fault(50003, "disconnected")
    told = await stage.hears_after(ADMIN_CHAT, seen, "Account 50003 cannot be read since")
    await stage.mend(50003)
    await stage.hears(ADMIN_CHAT, "50003 can be read again")
    now = [m for m in await stage.messages(ADMIN_CHAT) if m["id"] > seen and "50003" in m["text"]]
    assert [m["id"] for m in now] == [told["id"]], "one message, edited"
    first, *rest = now[0]["text"].splitlines()
    assert first.startswith("[DEMO] ✅")
    assert " s" in "\n".join([first, *rest]), "with how long it lasted"
    # Carla switched it off: kept with that reason, and the admins heard it (rule 10).
    assert "Account 50003 cannot be read" not in await stage.transcript(CARLA)
    muted = await stage.rows("SELECT DISTINCT state FROM outbox WHERE error LIKE 'muted%'")
    assert muted == [("failed",)]
    # An edit makes no push: a silent line says that what rang is over, once, and over a kill.
    await stage.kill_app()
    await stage.start_app()
    await stage.ready()
    line = await stage.hears_after(ADMIN_CHAT, told["id"], "50003 can be read again\nAfter")
    assert (line["silent"], line["reply_to"]) == (True, told["id"])
    lines = "SELECT chat_id, count(*) FROM outbox WHERE kind = 'AlertsOver' GROUP BY chat_id"
    assert await stage.rows(lines) == [(ADMIN_CHAT, 1)], "Carla never heard of it"
    await _every_first_line_fits_a_push_preview(stage)


async def test_what_is_held_says_until_when(stage: Stage) -> None:
    """20 pips of gold are 2.00; its limit is 10 pips."""
    await stage.opens(50001, "XAUUSD", "buy", 0.1)
    await stage.hears(ALICE, "Unknown position: XAUUSD buy 0.10 on 50001")
    await stage.price("XAUUSD", 1970.0, 1972.0)
    warned = await stage.hears_after(ADMIN_CHAT, 0, "Spread 20.0 pips on XAUUSD")
    await stage.taps(ADA, "Hold 15 min", ADMIN_CHAT, message_id=warned["id"])
    await stage.offers(ADMIN_CHAT, warned["id"], "Hold 15 min: news")
    held = await stage.taps(ADA, "Hold 15 min: news", ADMIN_CHAT, message_id=warned["id"])
    assert held["text"].startswith("XAUUSD: on hold until ")
    await stage.price("XAUUSD", 1970.0, 1970.3)


async def test_a_countdown_says_its_deadline_and_what_follows_and_holds_over_a_kill(
    stage: Stage,
) -> None:
    """2.00 lots of gold at 1970.30 lose 20.2 % of 12,000 USD at 1958.20."""
    await stage.opens(50002, "XAUUSD", "buy", 2.0)
    await stage.hears(BEN, "Unknown position")
    await stage.price("XAUUSD", 1958.2, 1958.5)
    breach = await stage.hears_after(BEN, 0, "Closing 50002 in")
    assert "This cannot be cancelled: it limits your loss." in breach["text"]
    await stage.settled(BEN, breach["id"])
    await stage.kill_app()
    ((deadline,),) = await stage.rows("SELECT deadline_at FROM close_jobs WHERE account_id = 2")
    first = breach["text"].splitlines()[0]
    assert first.startswith("[DEMO] 🔴 Closing 50002 in 4 s (")
    said = first.partition("(")[2].partition(")")[0]
    assert said in str(deadline)
    await stage.start_app()
    await stage.ready()
    await stage.hears_after(BEN, breach["id"], "50002 is flat - confirmed by two reads")
    sends = (await stage.account(50002))["order_sends"]
    began = min(s["at"] for s in sends if s["source"] == "reckoner")
    assert datetime.fromisoformat(began) >= datetime.fromisoformat(deadline).replace(tzinfo=UTC)
    for chat_id in (BEN, ADMIN_CHAT):
        await stage.hears(chat_id, "⏹ Over: 50002 was closed")
    told = [m for m in await stage.messages(BEN) if "50002 was closed" in m["text"]]
    assert [m["id"] for m in told] == [breach["id"]], "edited in its place, at the end"
    assert "Closing 50002" not in await stage.transcript(BEN)
    await _every_first_line_fits_a_push_preview(stage)


async def _every_first_line_fits_a_push_preview(stage: Stage) -> None:
    """Rule 4, of everything told unasked in this world so far."""
    told = await stage.rows("SELECT DISTINCT chat_id, message_id FROM outbox WHERE message_id > 0")
    shown = {(c, m["id"]): m for c in {chat for chat, _ in told} for m in await stage.messages(c)}
    assert told
    for key in told:
        first = shown[key]["text"].splitlines()[0]
        assert first.startswith("[DEMO] "), first
        assert len(first.removeprefix("[DEMO] ")) <= PREVIEW_CHARS_MAX, first
