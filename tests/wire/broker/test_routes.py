"""The broker's side that tests and people drive, and the truth it shows."""

import re
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.part import WorldOptions
from bot.sandbox.people import DEMO_PEOPLE
from tests.wire.broker.desk import ALICE, BEN, CARLA, DAI, Desk, eventually

(SPARE,) = DEMO_PEOPLE.spares
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def test_four_accounts_and_a_spare_one_start_flat(desk: Desk) -> None:
    rows = (await desk.get("/broker"))["accounts"]
    wanted = ("login", "currency", "margin_mode", "balance", "equity", "connected")
    assert [tuple(row[name] for name in wanted) for row in rows] == [
        (ALICE, "GBP", "hedging", 10_000.0, 10_000.0, True),
        (BEN, "USD", "hedging", 12_000.0, 12_000.0, True),
        (CARLA, "EUR", "netting", 8_000.0, 8_000.0, True),
        (DAI, "GBP", "hedging", 9_000.0, 9_000.0, True),
        (SPARE.login, "GBP", "hedging", 10_000.0, 10_000.0, True),
    ]


async def test_a_trade_shows_everywhere_it_is_true(desk: Desk) -> None:
    """10 oz bought at 1970.30, sold at 1960.00: -103 USD; 12000 - 103 = 11897."""
    ticket = await desk.buy(BEN, magic=7, comment="hand", by="desktop")
    await desk.post("/broker/market", symbol="XAUUSD", bid=1960.0, ask=1960.3)
    body = await desk.get(f"/broker/{BEN}")
    assert (body["balance"], body["equity"], body["currency"]) == (12_000.0, 11_897.0, "USD")
    (position,) = body["positions"]
    assert (position["side"], position["volume"], position["profit"]) == ("buy", 0.1, -103.0)
    assert (position["magic"], position["comment"], position["reason"]) == (7, "hand", 0)
    assert ISO.fullmatch(position["time"])
    closed = await desk.post(f"/broker/{BEN}/close", ticket=ticket, by="mobile")
    body = await desk.get(f"/broker/{BEN}")
    assert (body["balance"], body["positions"]) == (11_897.0, [])
    deal = body["deals"][-1]
    assert (deal["ticket"], deal["reason"], deal["entry"]) == (closed["deal"], 1, 1)
    assert (deal["position_id"], deal["profit"]) == (ticket, -103.0)
    assert [(one["source"], one["retcode"]) for one in body["order_sends"]] == [
        ("person", 10009),
        ("person", 10009),
    ]
    assert body["order_sends"][1]["deal"] == deal["ticket"]
    assert ISO.fullmatch(body["order_sends"][1]["at"])


@pytest.mark.parametrize(("by", "reason"), [("desktop", 0), ("mobile", 1), ("web", 2), ("ea", 3)])
async def test_the_platform_is_the_deals_reason(desk: Desk, by: str, reason: int) -> None:
    ticket = await desk.buy(ALICE, by=by)
    await desk.post(f"/broker/{ALICE}/close", ticket=ticket, volume=0.04, by=by)
    body = await desk.get(f"/broker/{ALICE}")
    assert [deal["reason"] for deal in body["deals"][1:]] == [reason, reason]
    assert [one["volume"] for one in body["positions"]] == [0.06]


async def test_levels_are_kept_moved_and_removed(desk: Desk) -> None:
    ticket = await desk.buy(ALICE, sl=1950, tp=1990)
    steps: list[tuple[dict[str, Any], tuple[float, float]]] = [
        ({"sl": 1955}, (1955.0, 1990.0)),
        ({"tp": None}, (1955.0, 0.0)),
        ({"sl": 0, "tp": "1985.5"}, (0.0, 1985.5)),
    ]
    for change, levels in steps:
        await desk.post(f"/broker/{ALICE}/modify", ticket=ticket, **change)
        (position,) = (await desk.get(f"/broker/{ALICE}"))["positions"]
        assert (position["sl"], position["tp"]) == levels


async def test_a_price_runs_stops_before_it_is_answered(desk: Desk) -> None:
    await desk.buy(ALICE, sl=1950)
    answer = await desk.post("/broker/market", symbol="XAUUSD", bid=1949, ask=1949.3)
    assert answer["fills"] == 1
    body = await desk.get(f"/broker/{ALICE}")
    assert body["positions"] == []
    assert (body["deals"][-1]["reason"], body["deals"][-1]["comment"]) == (4, "[sl 1950.00]")


async def test_an_order_rests_shows_and_is_taken_away(desk: Desk) -> None:
    placed = await desk.post(
        f"/broker/{ALICE}/pending", symbol="XAUUSD", type="buy_limit", volume=0.1, price=1960
    )
    (order,) = (await desk.get(f"/broker/{ALICE}"))["orders"]
    assert (order["ticket"], order["price_open"], order["type"]) == (placed["ticket"], 1960.0, 2)
    assert ISO.fullmatch(order["time_setup"])
    await desk.post(f"/broker/{ALICE}/close", ticket=placed["ticket"], by="mobile")
    assert (await desk.get(f"/broker/{ALICE}"))["orders"] == []


@pytest.mark.parametrize(
    ("kind", "amount", "balance", "equity", "type_"),
    [
        ("balance", 250.5, 10_250.5, 10_250.5, 2),
        ("credit", 100, 10_000.0, 10_100.0, 3),
        ("commission", -4.25, 9_995.75, 9_995.75, 7),
    ],
)
async def test_cash(
    desk: Desk, kind: str, amount: float, balance: float, equity: float, type_: int
) -> None:
    await desk.post(f"/broker/{ALICE}/cash", amount=amount, kind=kind)
    body = await desk.get(f"/broker/{ALICE}")
    assert (body["balance"], body["equity"]) == (balance, equity)
    assert body["deals"][-1]["type"] == type_


OPEN = {"symbol": "XAUUSD", "side": "buy", "volume": 0.1}
BAD: list[tuple[str, object, int, str]] = [
    ("/broker/1/open", OPEN, 404, "login"),
    ("/broker/50001/open", [], 400, "body"),
    ("/broker/50001/open", {**OPEN, "symbol": "DOGE"}, 400, "symbol"),
    ("/broker/50001/open", {**OPEN, "side": "long"}, 400, "side"),
    ("/broker/50001/open", {**OPEN, "volume": "lots"}, 400, "volume"),
    ("/broker/50001/open", {**OPEN, "volume": 0}, 400, "volume"),
    ("/broker/50001/open", {**OPEN, "volume": True}, 400, "volume"),
    ("/broker/50001/open", {**OPEN, "volume": 90}, 409, "volume"),
    ("/broker/50001/open", {**OPEN, "sl": 1999}, 400, "sl"),
    ("/broker/50001/open", {**OPEN, "by": "pigeon"}, 400, "by"),
    ("/broker/50001/open", {**OPEN, "magic": -1}, 400, "magic"),
    ("/broker/50001/open", {**OPEN, "comment": 5}, 400, "comment"),
    ("/broker/50001/open", {**OPEN, "comment": "x" * 30}, 400, "comment"),
    ("/broker/50001/close", {}, 400, "ticket"),
    ("/broker/50001/close", {"ticket": 5}, 404, "ticket"),
    ("/broker/50001/close", {"ticket": 900_001, "volume": 0.2}, 400, "volume"),
    ("/broker/50001/modify", {"ticket": 5, "sl": 1}, 404, "ticket"),
    ("/broker/50001/modify", {"ticket": 900_001, "sl": "x"}, 400, "sl"),
    ("/broker/50001/modify", {"ticket": 900_001, "sl": 1999}, 400, "sl"),
    ("/broker/50001/modify", {"ticket": 900_001}, 409, "sl"),
    ("/broker/50001/cash", {"amount": 0}, 400, "amount"),
    ("/broker/50001/cash", {"amount": 0.001}, 400, "amount"),
    ("/broker/50001/cash", {"amount": 1e10}, 400, "amount"),
    ("/broker/50001/cash", {"amount": 1, "kind": "gift"}, 400, "kind"),
    ("/broker/50001/pending", {**OPEN, "type": "buy", "price": 1}, 400, "type"),
    ("/broker/50001/pending", {**OPEN, "type": "buy_limit", "price": 1999}, 400, "price"),
    ("/broker/50001/fault", {"kind": "gremlins"}, 400, "kind"),
    ("/broker/market", {"symbol": "DOGE", "bid": 1, "ask": 1}, 400, "symbol"),
    ("/broker/market", {"symbol": "XAUUSD"}, 400, "bid"),
    ("/broker/market", {"symbol": "XAUUSD", "bid": 1970}, 400, "ask"),
    ("/broker/market", {"symbol": "XAUUSD", "bid": 2, "ask": 1}, 400, "bid"),
    ("/broker/market", {"symbol": "XAUUSD", "bid": 0, "ask": 1}, 400, "bid"),
    ("/broker/market", {"symbol": "XAUUSD", "mode": "replay"}, 400, "mode"),
]


@pytest.mark.parametrize(("path", "body", "status", "field"), BAD)
async def test_bad_input_is_refused_by_field_and_changes_nothing(
    desk: Desk, path: str, body: object, status: int, field: str
) -> None:
    await desk.buy(ALICE)
    before = await desk.get("/broker")
    code, answer = await desk.ask("POST", path, body)
    assert (code, list(answer)) == (status, ["error"])
    assert answer["error"].startswith(f"{field}: ")
    assert await desk.get("/broker") == before


async def test_what_was_answered_survives_a_crash(tmp_path: Path) -> None:
    async with Desk(tmp_path) as desk:
        await desk.buy(ALICE, sl=1950)
        await desk.post("/broker/market", symbol="XAUUSD", bid=1965, ask=1965.5)
        await desk.post(f"/broker/{ALICE}/fault", kind="requote", times=2)
        truth = await desk.get(f"/broker/{ALICE}")
        assert not desk.store.dirty
    async with Desk(tmp_path) as desk:
        assert await desk.get(f"/broker/{ALICE}") == truth


async def test_a_walking_market_walks_and_a_manual_one_stands(tmp_path: Path) -> None:
    async with Desk(tmp_path, WorldOptions(market="walk"), loops=True) as desk:
        await desk.post("/broker/market", symbol="EURUSD", mode="manual")
        before = {one["symbol"]: one["bid"] for one in (await desk.get("/broker/market"))["quotes"]}

        async def moved() -> bool:
            quotes = (await desk.get("/broker/market"))["quotes"]
            now = {one["symbol"]: one["bid"] for one in quotes}
            assert now["EURUSD"] == before["EURUSD"]
            return bool(now["XAUUSD"] != before["XAUUSD"])

        await eventually(moved)


async def test_real_time_is_not_for_advancing(desk: Desk) -> None:
    clock = await desk.get("/clock")
    assert (clock["ended"], clock["replay"]) == (False, False)
    assert (await desk.ask("POST", "/clock/advance", {"until_ms": 1}))[0] == 409
