"""The HTTP API over the real services: who may see what, what is taken, how often."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import hypothesis
import pytest
import pytest_asyncio
import schemathesis

from bot.api.routes import SIGNATURE_HEADER, TIMESTAMP_HEADER
from bot.api.server import ApiServer
from bot.api_part import ports
from core.domain.alerts_app import SignalByProgram
from core.records import UserRow
from core.services.api_tokens import ApiTokens
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, CARLA, GBP, USD, House

SECRET = "0123456789abcdef0123456789abcdef"
PLENTY = 1_000_000


class Caller:
    """A program that asks."""

    def __init__(self, house: House, server: ApiServer, http: aiohttp.ClientSession) -> None:
        self.house = house
        self.server = server
        self.http = http
        self.headers: dict[str, str] = {}

    def tokens(self) -> ApiTokens:
        """The service behind /token."""
        return ApiTokens(self.house.store, self.house.clock)

    async def token(self, telegram_id: int) -> dict[str, str]:
        """A new token of somebody's, as a header."""
        minted = await self.tokens().mint(await self.house.person(telegram_id), "")
        return {"Authorization": f"Bearer {minted.text}"}

    async def asks(self, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
        """The status and the body."""
        async with self.http.request(method, self.server.url + path, **more) as response:
            self.headers = dict(response.headers)
            body = await response.json(content_type=None)
            if response.status >= 400:
                assert response.content_type == "application/problem+json"
                assert body["status"] == response.status
                assert body["detail"]
            return response.status, body

    async def gets(self, path: str, who: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """GET, as somebody."""
        return await self.asks("GET", path, headers=who)

    async def signals(
        self, body: dict[str, Any] | bytes, *, key: str = SECRET, age_s: int = 0, ahead_s: int = 0
    ) -> tuple[int, dict[str, Any]]:
        """POST a signal, signed."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        at = int(self.house.clock.now().timestamp()) - age_s + ahead_s
        signature = hmac.new(key.encode(), f"{at}.".encode() + sent, hashlib.sha256).hexdigest()
        headers = {TIMESTAMP_HEADER: str(at), SIGNATURE_HEADER: signature}
        return await self.asks("POST", "/api/v1/signals", data=sent, headers=headers)


async def served(house: House, **more: Any) -> ApiServer:
    """The API over a house that is running."""
    return ApiServer(
        ports(house.engine, house.settings), host="127.0.0.1", port=0, version="test", **more
    )


@pytest_asyncio.fixture
async def caller(house: House) -> AsyncIterator[Caller]:
    """A caller of an API that takes signals and gives trades."""
    house.settings = house.settings.model_copy(
        update={
            "api_signals_secret": _Secret(),
            "api_signals_author": ADMIN,
            "api_trades": True,
        }
    )
    server = await served(house)
    await server.start()
    async with aiohttp.ClientSession() as http:
        yield Caller(house, server, http)
    await server.stop()


class _Secret:
    def get_secret_value(self) -> str:
        return SECRET


SIGNAL = {"id": "one", "symbol": "XAUUSD", "side": "buy", "volume": "0.10", "stop_loss": "1950"}


async def test_without_a_good_token_nothing_is_told(caller: Caller) -> None:
    for headers in ({}, {"Authorization": "Basic x"}, {"Authorization": "Bearer nobody"}):
        status, body = await caller.gets("/api/v1/positions", headers)
        assert (status, body["code"] in {"no_token", "bad_token"}) == (401, True)
        assert caller.headers["WWW-Authenticate"] == "Bearer"


async def test_a_client_sees_their_own_accounts_and_an_admin_sees_all(caller: Caller) -> None:
    caller.house.open(GBP, "buy", "0.50")
    await caller.house.run(11)
    alice, ada = await caller.token(ALICE), await caller.token(ADMIN)
    status, seen = await caller.gets("/api/v1/positions", alice)
    assert status == 200
    (account,) = seen["accounts"]
    (position,) = account["positions"]
    assert (account["login"], position["symbol"], position["volume"]) == (GBP, "XAUUSD", "0.5")
    assert position["price_open"] == "1970.30"
    _, everything = await caller.gets("/api/v1/reconciliation/status", ada)
    assert {a["login"] for a in everything["accounts"]} == {GBP, USD, 50003}
    assert (await caller.gets(f"/api/v1/positions?login={USD}", alice))[0] == 403
    assert (await caller.gets("/api/v1/positions?login=99", alice))[0] == 403
    assert (await caller.gets("/api/v1/positions?login=99", ada))[0] == 404


async def test_the_guard_tells_the_floor_and_what_is_left(caller: Caller) -> None:
    """80 % of 12,000 is the floor; 2,400 may still be lost."""
    await caller.house.run(11)
    _, seen = await caller.gets("/api/v1/guards/status", await caller.token(BEN))
    (guard,) = seen["accounts"]
    assert (guard["guard"], float(guard["floor"]), float(guard["headroom"])) == (
        "clear",
        9600,
        2400,
    )


async def test_a_log_is_its_owners_and_the_admins(caller: Caller) -> None:
    house = caller.house
    await house.approve(ALICE, await house.signal())
    await house.execute(GBP)
    await house.run(11)
    alice, ben, ada = [await caller.token(i) for i in (ALICE, BEN, ADMIN)]
    mine = (await house.person(ALICE)).user_id
    status, page = await caller.gets(f"/api/v1/logs/{mine}?limit=1", alice)
    assert (status, len(page["rows"])) == (200, 1)
    assert page["rows"][0]["symbol"] == "XAUUSD"
    after = f"/api/v1/logs/{mine}?before_id={page['next_before_id']}"
    assert all(r["id"] < page["rows"][0]["id"] for r in (await caller.gets(after, ada))[1]["rows"])
    assert (await caller.gets(f"/api/v1/logs/{mine}", ben))[0] == 403
    assert (await caller.gets("/api/v1/logs/9999", ben))[0] == 403
    assert (await caller.gets("/api/v1/logs/9999", ada))[0] == 404


async def test_only_an_admin_reads_accounts_by_hand_and_not_too_often(caller: Caller) -> None:
    await caller.house.run(1)
    ada = await caller.token(ADMIN)
    path = "/api/v1/reconciliation/sync"
    assert (await caller.asks("POST", path, headers=await caller.token(ALICE)))[0] == 403
    status, report = await caller.asks("POST", path, json={"login": GBP}, headers=ada)
    assert (status, report["synced"]) == (200, [GBP])
    status, _ = await caller.asks("POST", path, json={"login": GBP}, headers=ada)
    assert (status, caller.headers["Retry-After"]) == (429, "10")
    assert (await caller.asks("POST", path, json={"login": 99}, headers=ada))[0] == 404


async def test_a_signed_signal_is_posted_once(caller: Caller) -> None:
    """The same id, signed anew, answers with the first result; the very same request does not."""
    status, posted = await caller.signals(SIGNAL)
    assert (status, posted["offered"], posted["repeated"]) == (201, 3, False)
    (told,) = [x for x in await caller.house.said(ADMIN_CHAT) if isinstance(x, SignalByProgram)]
    assert (told.signal_id, told.author, told.offered) == (posted["signal_id"], "Ada", 3)
    status, replayed = await caller.signals(SIGNAL)
    assert (status, replayed["code"]) == (409, "replayed")
    status, again = await caller.signals(SIGNAL, age_s=1)
    assert (status, again["signal_id"], again["repeated"]) == (200, posted["signal_id"], True)
    status, other = await caller.signals({**SIGNAL, "side": "sell", "stop_loss": None}, age_s=2)
    assert (status, other["code"]) == (409, "key_used")
    assert (await caller.house.kinds(CARLA)).count("SignalOffered") == 1


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"key": "x" * 32}, 401, "bad_signature"),
        ({"age_s": 300}, 201, ""),
        ({"age_s": 301}, 401, "not_fresh"),
        ({"ahead_s": 300}, 201, ""),
        ({"ahead_s": 301}, 401, "not_fresh"),
        ({"body": b"{"}, 422, "invalid"),
        ({"body": b"{}"}, 422, "invalid"),
        ({"body": json.dumps(SIGNAL)[:-1].encode() + b', "volume": "1"}'}, 422, "invalid"),
        ({"body": {**SIGNAL, "leverage": 5}}, 422, "invalid"),
        ({"body": {**SIGNAL, "volume": "0"}}, 422, "invalid"),
        ({"body": {**SIGNAL, "volume": 0.1}}, 422, "invalid"),
        ({"body": {**SIGNAL, "symbol": "NOPE"}}, 422, "unknown_symbol"),
        ({"body": {**SIGNAL, "stop_loss": "1980"}}, 422, "wrong_side_stop"),
        ({"body": b" " * (32 * 1024 + 1)}, 413, "too_large"),
    ],
)
async def test_what_is_not_a_fresh_sound_signal_of_ours_is_refused(
    caller: Caller, given: dict[str, Any], status: int, code: str
) -> None:
    body = given.pop("body", SIGNAL)
    got, answer = await caller.signals(body, **given)
    assert (got, answer.get("code", "")) == (status, code)


async def test_signals_are_posted_on_the_behalf_of_somebody_who_is_an_admin(
    caller: Caller,
) -> None:
    async with caller.house.store.writing() as tx:
        await tx.update(UserRow, {"telegram_id": ADMIN}, role="client")
    assert (await caller.signals(SIGNAL))[0] == 403


async def test_a_revoked_token_and_a_blocked_persons_are_good_no_longer(caller: Caller) -> None:
    alice, ben = await caller.token(ALICE), await caller.token(BEN)
    person = await caller.house.person(ALICE)
    (token,) = await caller.tokens().list_of(person)
    await caller.tokens().revoke(person, token.token_id)
    assert (await caller.gets("/api/v1/positions", alice))[0] == 401
    async with caller.house.store.writing() as tx:
        await tx.update(UserRow, {"telegram_id": BEN}, role="blocked")
    assert (await caller.gets("/api/v1/positions", ben))[0] == 401


async def test_an_executor_fetches_its_accounts_trades(caller: Caller) -> None:
    house = caller.house
    await house.run(1)
    await house.approve(ALICE, await house.signal())
    tokens = await house.engine.tokens.keep_or_mint({})
    own = {"Authorization": f"Bearer {tokens[str(GBP)]}"}
    status, answer = await caller.gets("/api/v1/trades/expected", own)
    assert (status, [t["symbol"] for t in answer["trades"]]) == (200, ["XAUUSD"])
    assert (await caller.gets("/api/v1/trades/expected", await caller.token(ALICE)))[0] == 401
    assert (await caller.gets("/api/v1/positions", own))[0] == 401


async def test_what_the_operator_has_not_allowed_is_not_there(house: House) -> None:
    server = await served(house)
    await server.start()
    async with aiohttp.ClientSession() as http:
        caller = Caller(house, server, http)
        assert (await caller.signals(SIGNAL))[0] == 404
        assert (await caller.gets("/api/v1/trades/expected", {}))[0] == 404
        _, document = await caller.gets("/api/v1/openapi.json", {})
        assert "/api/v1/signals" not in document["paths"]
        assert (await caller.asks("DELETE", "/api/v1/positions"))[0] == 405
        assert caller.headers["Allow"] == "GET,HEAD"
        assert (await caller.gets("/api/v1/close", {}))[0] == 404
    await server.stop()


async def test_one_token_asks_so_often_and_no_more(house: House) -> None:
    """Thirty at once, then one each half second: the thirty-first waits."""
    server = await served(house)
    await server.start()
    async with aiohttp.ClientSession() as http:
        caller = Caller(house, server, http)
        alice, ben = await caller.token(ALICE), await caller.token(BEN)
        statuses = [(await caller.gets("/api/v1/positions", alice))[0] for _ in range(31)]
        assert statuses == [200] * 30 + [429]
        assert caller.headers["Retry-After"] == "1"
        assert (await caller.gets("/api/v1/positions", ben))[0] == 200
    await server.stop()


async def test_who_guesses_tokens_is_soon_not_looked_at(house: House) -> None:
    server = await served(house)
    await server.start()
    async with aiohttp.ClientSession() as http:
        caller = Caller(house, server, http)
        guess = {"Authorization": "Bearer guess"}
        statuses = [(await caller.gets("/api/v1/positions", guess))[0] for _ in range(31)]
        assert statuses == [401] * 30 + [429]
    await server.stop()


async def test_the_answers_are_those_of_the_document(house: House) -> None:
    """Whatever is sent, the API answers as its OpenAPI document says, and never fails."""
    house.settings = house.settings.model_copy(
        update={"api_signals_secret": _Secret(), "api_signals_author": ADMIN, "api_trades": True}
    )
    house.open(GBP, "buy", "0.50")
    await house.run(11)
    server = await served(house, per_token_per_minute=PLENTY, failures_per_minute=PLENTY)
    await server.start()
    async with aiohttp.ClientSession() as http:
        caller = Caller(house, server, http)
        headers = await caller.token(ADMIN)
        _, document = await caller.gets("/api/v1/openapi.json", {})
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=server.url)
    operations: list[Any] = [each.ok() for each in schema.get_all_operations()]  # type: ignore[union-attr] # an Err has none: the test fails then
    assert len(operations) == 7
    for operation in operations:
        await asyncio.to_thread(_fuzz, operation, headers)
    await server.stop()


def _fuzz(operation: Any, headers: dict[str, str]) -> None:  # noqa: ANN401 - of an untyped library
    @hypothesis.settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy())
    def answered(case: Any) -> None:  # noqa: ANN401 - the same
        response = case.call(headers=headers)
        assert response.status_code < 500, response.text
        case.validate_response(response, headers=headers)

    answered()
