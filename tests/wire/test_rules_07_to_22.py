"""Rules 7, 9, 13 to 15 and 17 to 22 of a good operations bot, each through the wire.

The others have files of their own (`test_rule_*`). One world for all: what is told of the one
incident at the end is looked at from many sides.
"""

import re
import time
from typing import Any

import pytest

from bot.views.commands import COMMANDS
from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, OMAR, ALICE, BEN, CARLA, DAI = 11, 12, 101, 102, 103, 104
MONEY = re.compile(r"[0-9]\.[0-9]{2} (?:GBP|USD|EUR)\b")
ENV = {"MARKET_WARNING_GRACE_S": "600"}


def labels(message: dict[str, Any]) -> list[str]:
    """Its visible buttons."""
    return [button["label"] for row in message["buttons"] or [] for button in row]


async def sent(stage: Stage) -> list[str]:
    """The HTML of everything the bot has sent or edited."""
    calls = (await stage.get("/sim/outbox"))["calls"]
    bodies = [call.get("params") or call.get("body") or call for call in calls]
    texts = [body.get("text") or body.get("caption") for body in bodies]
    return [text for text in texts if isinstance(text, str)]


async def test_rule_07_what_stops_a_guard_is_shown_first_asks_why_and_can_be_left(
    stage: Stage,
) -> None:
    board = await stage.asks(ADA, "/pause", "Nothing is paused", chat_id=ADMIN_CHAT)
    await stage.taps(ADA, "Market: 15 min", ADMIN_CHAT, message_id=board["id"])
    await stage.offers(ADMIN_CHAT, board["id"], "Pause: news")
    (shown,) = [m for m in await stage.messages(ADMIN_CHAT) if m["id"] == board["id"]]
    assert "Pause market-guard actions for 15 min?" in shown["text"]
    assert "The drawdown guard, the minimum equity and locks are never paused." in shown["text"]
    assert await stage.rows("SELECT count(*) FROM pauses") == [(0,)], "nothing by one tap"
    await stage.taps(ADA, "Back", ADMIN_CHAT, message_id=board["id"])
    await stage.offers(ADMIN_CHAT, board["id"], "Market: 15 min")
    assert await stage.rows("SELECT count(*) FROM pauses") == [(0,)]


async def test_rule_09_who_when_why_and_until_when_stand_in_the_message_and_in_the_audit(
    stage: Stage,
) -> None:
    await stage.asks(OMAR, "/pause market 30m broker at work", "Market-guard actions until")
    told = await stage.hears_after(ADMIN_CHAT, 0, "Paused until", "By Omar: broker at work")
    assert "It ends by itself at" in told["text"]
    ((actor, detail),) = await stage.rows(
        "SELECT actor, detail FROM audit_log WHERE action = 'paused'"
    )
    assert actor == "Omar"
    assert '"broker at work"' in detail
    assert '"until"' in detail
    await stage.asks(OMAR, "/resume market", "Nothing is paused")
    await stage.hears(ADMIN_CHAT, "Resumed by Omar.")


async def test_rule_14_every_answer_says_how_old_it_is_and_what_cannot_be_read_stands_first(
    stage: Stage,
) -> None:
    for command in ("/positions", "/drawdown", "/status"):
        board = await stage.asks(DAI, command, "50004")
        assert re.search(r"\b[0-9]+ s (?:old|ago)|just now", board["text"]), board["text"]
    await stage.fault(50004, "read_fails")
    await stage.hears(DAI, "Account 50004 cannot be read since")
    blind = await stage.asks(DAI, "/positions", "cannot be read")
    assert "cannot be read" in blind["text"].splitlines()[0]
    await stage.mend(50004)
    await stage.hears(DAI, "Account 50004 can be read again")


async def test_rule_15_refresh_edits_in_place_once_in_two_seconds(stage: Stage) -> None:
    board = await stage.asks(ALICE, "/positions", "50001")
    assert labels(board) == ["Refresh"]
    before = await stage.last_id(ALICE)
    first = await stage.taps(ALICE, "Refresh", message_id=board["id"])
    second = await stage.taps(ALICE, "Refresh", message_id=board["id"])
    assert (first["text"], second["text"]) == ("Updated", "Updated a moment ago")
    assert await stage.last_id(ALICE) == before, "no message of its own"


async def test_rule_19_what_is_not_understood_names_what_is_near(stage: Stage) -> None:
    near = await stage.asks(ALICE, "/postions", "Did you mean")
    assert "/positions" in near["text"]
    assert "Traceback" not in near["text"]
    wrong = await stage.asks(ADA, "/sync tomorrow", "tomorrow", chat_id=ADMIN_CHAT)
    assert "/sync" in wrong["text"]


async def test_rule_20_a_start_says_version_state_and_what_is_open(stage: Stage) -> None:
    text = await stage.hears(ADMIN_CHAT, "is running")
    assert "Guarding 4 of 4 accounts, 0 locked." in text
    health = await stage.asks(ADA, "/health", "Start number", chat_id=ADMIN_CHAT)
    assert "4 accounts" in health["text"]
    state = await stage.get("/sim/state")
    async with stage.session.get(state["metrics_url"]) as answer:
        figures = await answer.text()
    beat = re.search(r"^reconciliation_last_sync_timestamp_seconds (\S+)$", figures, re.MULTILINE)
    assert beat is not None, "somebody else must notice where Reckoner itself falls silent"
    assert abs(time.time() - float(beat[1])) < 60


async def test_rule_21_help_shows_what_one_may_do_and_every_command_answers(stage: Stage) -> None:
    client = await stage.asks(ALICE, "/help", "Your accounts")
    admin = await stage.asks(ADA, "/help", "Admin")
    for command in COMMANDS:
        assert (f"/{command.name} " in client["text"]) is not command.admin, command.name
        if not command.own and not command.links:  # Ada has no account, and links none here
            assert f"/{command.name} " in admin["text"], command.name
    for command in COMMANDS:
        who = ADA if command.admin else ALICE
        heard = await stage.last_id(who)
        await stage.says(who, f"/{command.name}")
        answer = await stage.hears_after(who, heard + 1, "")
        assert "I do not know" not in answer["text"], command.name
        assert "went wrong on our side" not in answer["text"], command.name


async def test_rules_13_17_18_and_22_a_close_looked_at_from_all_sides(stage: Stage) -> None:
    """Two lots of gold from 1970.30: at 1955 they lose 3,060 of 12,000, past all countdowns."""
    first = await stage.opens(50002, "XAUUSD", "buy", 1.0)
    second = await stage.opens(50002, "XAUUSD", "buy", 1.0)
    await stage.hears(BEN, f"Position {second}")
    await stage.price("XAUUSD", 1955.0, 1955.3)
    flat = await stage.hears_after(BEN, 0, "50002 is flat - confirmed by two reads")
    _rule_13_each_ticket_is_told_with_its_result(flat["text"], (first, second))
    assert await stage.is_flat(50002)
    await stage.asks(BEN, "/report day", "XAUUSD")
    texts = await sent(stage)
    _rule_17_figures_have_signs_separators_and_currencies_and_tables_fit_a_phone(texts)
    _rule_18_times_are_the_readers_own([text for text in texts if "is flat - confirmed" in text])
    _rule_22_every_message_about_money_says_that_it_is_a_demo(texts)


def _rule_13_each_ticket_is_told_with_its_result(flat: str, tickets: tuple[int, ...]) -> None:
    for ticket in tickets:
        (line,) = [x for x in flat.splitlines() if f"#{ticket}" in x]
        assert "-1,530.00 USD" in line, line
    assert "-3,060.00 USD" in flat


def _rule_17_figures_have_signs_separators_and_currencies_and_tables_fit_a_phone(
    texts: list[str],
) -> None:
    assert any("-3,060.00 USD" in text for text in texts)
    assert any("<pre>" in text for text in texts), "there is a table to look at"
    for text in texts:
        for block in re.findall(r"<pre>(.*?)</pre>", text, re.DOTALL):
            assert max(map(len, block.splitlines())) <= 36, block
        assert not re.search(r"\b[0-9]{4,}\.[0-9]{2} (?:GBP|USD|EUR)", text), text


def _rule_18_times_are_the_readers_own(texts: list[str]) -> None:
    """Each instant is a tg-time, which a phone shows in its own zone, with a zone in plain text."""
    assert texts
    for text in texts:
        assert re.search(r'<tg-time unix="[0-9]+"[^>]*>[^<]*[0-9:]{5,8}', text), text


def _rule_22_every_message_about_money_says_that_it_is_a_demo(texts: list[str]) -> None:
    about_money = [text for text in texts if MONEY.search(text)]
    assert len(about_money) > 5
    for text in about_money:
        assert "[DEMO]" in text, text
