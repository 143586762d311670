"""Commands, refusals, and the app's own port, as people and machines meet them."""

import asyncio
import json
import re

import aiohttp
import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, ALICE, BEN, CARLA, DAI, SAM = 11, 101, 102, 103, 104, 999
PNG = b"\x89PNG\r\n\x1a\n"
METRICS = (
    "mt5_position_sync_total",
    "reconciliation_divergences_total",
    "drawdown_guard_triggers_total",
    "positions_autoclosed_total",
    "reconciliation_latency_seconds",
    "mt5_positions_total",
    "account_equity_gbp",
    "account_drawdown_percent",
)


async def test_a_client_is_greeted_and_shown_their_own_commands_only(stage: Stage) -> None:
    hello = await stage.asks(ALICE, "/start", "Hello Alice")
    assert "It never opens a trade" in hello["text"]
    listed = await stage.asks(ALICE, "/help", "Your accounts")
    for word in ("/positions", "/drawdown", "/status", "/release"):
        assert word in listed["text"]
    for word in ("/accounts", "/signal ", "/sync", "/warnings"):
        assert word not in listed["text"]
    admins = await stage.asks(ADA, "/help", "/signal")
    assert "/sync" in admins["text"]


async def test_positions_show_what_the_broker_holds(stage: Stage) -> None:
    ticket = await stage.opens(50004, "GBPJPY", "sell", 0.2, sl=200.0)
    await stage.hears(DAI, "Unknown position: GBPJPY sell 0.20")
    board = await stage.asks(DAI, "/positions", "1 open position")
    assert f"#{ticket}, not from a signal" in board["text"]
    assert "SL 200.000, TP none" in board["text"]
    assert [b["label"] for row in board["buttons"] for b in row] == ["Exposure", "Refresh"]
    await stage.taps(DAI, "Exposure", message_id=board["id"])
    drawn = await stage.hears_after(DAI, board["id"], "• GBPJPY: net -0.20 lots (short 0.20)")
    assert drawn["photo"], "a picture, with the words below it"
    await stage.post("/broker/50004/close", ticket=ticket, by="mobile")
    await stage.hears(DAI, "You closed GBPJPY sell 0.20 on your phone")
    await asyncio.sleep(2.1)
    refreshed = await stage.taps(DAI, "Refresh", message_id=board["id"])
    assert refreshed["text"] == "Updated"
    await stage.hears(DAI, "0 open positions")


async def test_drawdown_comes_with_a_chart(stage: Stage) -> None:
    """8,000 EUR may fall by a fifth, 1,600."""
    await asyncio.sleep(1.5)
    board = await stage.asks(CARLA, "/drawdown", "Drawdown 0.0 % on 50003")
    assert (
        "Headroom: 1,600.00 EUR. Reckoner closes everything at equity 6,400.00 EUR."
        in (board["text"])
    )
    url = f"{stage.base_url}/sim/file/{board['photo']}"
    async with stage.session.get(url) as response:
        picture = await response.read()
    assert picture.startswith(PNG)
    assert len(picture) > 5_000


async def test_status_says_what_is_guarded(stage: Stage) -> None:
    board = await stage.asks(BEN, "/Status", "is running")
    assert "Guard watching" in board["text"]
    assert "50001" not in board["text"]
    desk = await stage.asks(ADA, "/status", "4 accounts, all readable", chat_id=ADMIN_CHAT)
    assert "GBP" not in desk["text"]


async def test_admins_see_all_accounts_and_read_them_now(stage: Stage) -> None:
    board = await stage.asks(ADA, "/accounts", "4 accounts", chat_id=ADMIN_CHAT)
    for name in ("Alice, 50001", "Ben, 50002", "Carla, 50003", "Dai, 50004"):
        assert name in board["text"]
    one = await stage.asks(ADA, "/sync 50002", "1 account read")
    assert "Read: 50002" in one["text"]
    await stage.asks(ADA, "/sync", "4 accounts read")
    await stage.asks(ADA, "/sync gold", "is not a login")
    await stage.asks(ADA, "/sync 99999", "There is no account 99999 here.")
    await stage.asks(ADA, "/warnings", "No open market warning")


async def refusals(stage: Stage) -> str:
    """Everything the audit says of refused people."""
    rows = await stage.rows("SELECT actor, detail FROM audit_log WHERE action = 'access_refused'")
    return "\n".join(f"{actor} {detail}" for actor, detail in rows)


@pytest.mark.parametrize("text", ["/accounts", "/warnings", "/sync", "/signal EURUSD buy 0.10"])
async def test_an_admin_command_from_a_client_is_refused_and_audited(
    stage: Stage, text: str
) -> None:
    await stage.asks(ALICE, text, "Only an admin can do that. Nothing was changed.")
    assert f"telegram:{ALICE} " in await refusals(stage)
    assert text.split(maxsplit=1)[0] in await refusals(stage)


async def test_a_client_in_the_admin_chat_is_refused(stage: Stage) -> None:
    await stage.asks(BEN, "/accounts", "Only an admin can do that.", chat_id=ADMIN_CHAT)
    answer = await stage.asks(
        BEN, "/positions", "I show accounts only in private.", chat_id=ADMIN_CHAT
    )
    assert "USD" not in answer["text"]


async def test_a_stranger_gets_one_polite_answer_and_then_silence(stage: Stage) -> None:
    await stage.asks(SAM, "/start", "I do not know you yet", "999")
    seen = await stage.last_id(SAM)
    await stage.says(SAM, "/accounts")
    await stage.says(SAM, "/positions")
    await asyncio.sleep(1)
    assert [m["from"] for m in await stage.messages(SAM) if m["id"] > seen] == ["Sam", "Sam"]
    assert "telegram:999" in await refusals(stage)


async def test_a_mistyped_command_and_plain_words_get_a_hint(stage: Stage) -> None:
    await stage.asks(ALICE, "/postions", "Did you mean /positions")
    await stage.asks(ALICE, "please help", "I understand commands and buttons only.")


async def get(stage: Stage, path: str, **headers: str) -> tuple[int, str]:
    """A request to the app's own port."""
    state = await stage.get("/sim/state")
    url = state["metrics_url"].replace("/metrics", path)
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers={k.title(): v for k, v in headers.items()}) as response,
    ):
        return response.status, await response.text()


async def test_metrics_count_what_happens(stage: Stage) -> None:
    """Carla's account breaches while flat; then the figures say so."""
    await stage.post("/broker/50003/cash", amount=-2000, kind="commission")
    await stage.hears(CARLA, "50003 is locked - drawdown 25.0 %")
    await stage.opens(50003, "EURUSD", "buy", 0.1)
    await stage.hears(CARLA, "50003 is flat")
    status, text = await get(stage, "/metrics")
    assert status == 200
    for name in METRICS:
        assert f"# TYPE {name.removesuffix('_total')}" in text, name
    figures = dict(re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE))
    assert float(figures['mt5_position_sync_total{outcome="ok"}']) > 4
    assert float(figures['drawdown_guard_triggers_total{guard="drawdown"}']) == 1
    assert float(figures['positions_autoclosed_total{reason="latched"}']) == 1
    assert float(figures['account_drawdown_percent{login="50003"}']) >= 25
    assert float(figures['mt5_positions_total{login="50003"}']) == 0
    assert 4_500 < float(figures['account_equity_gbp{login="50003"}']) < 5_500
    assert float(figures["reconciliation_latency_seconds_count"]) > 4


async def test_the_apps_port_answers_only_whom_it_should(stage: Stage) -> None:
    assert await get(stage, "/healthz") == (200, '{"status": "alive"}')
    assert await get(stage, "/readyz") == (200, '{"ready": true}')
    tokens = json.loads((stage.data_dir / "app.json").read_text())["tokens"]
    path = "/api/v1/trades/expected"
    status, text = await get(stage, path, authorization=f"Bearer {tokens['50001']}")
    assert (status, json.loads(text)) == (200, {"trades": []})
    assert (await get(stage, path, authorization="Bearer nobody"))[0] == 401
    assert (await get(stage, path))[0] == 401
    assert (await get(stage, path, host="evil.example"))[0] == 403
    assert (await get(stage, "/metrics", origin="http://evil.example"))[0] == 403
