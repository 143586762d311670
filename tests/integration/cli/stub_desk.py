"""A stand-in for the app: watches the world over HTTP and says, in few words, what the app would.

It makes no decisions worth testing; it only gives the demo's story the effects it waits for.
"""

import asyncio
import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from bot.sandbox.people import ADMIN_CHAT_ID, BOT_TOKEN, DEMO_PEOPLE

CHATS: Final = {client.login: client.person.user_id for client in DEMO_PEOPLE.clients}
LOGINS: Final = {chat: login for login, chat in CHATS.items()}
BEN: Final = 50002
PEAK: Final = Decimal(12_000)
LOOK_S: Final = 0.02
COUNTDOWN_LOOKS: Final = 15
"""From the breach to the close: the fall goes on meanwhile."""


class StubDesk:
    """`run` until cancelled. `drawdown_deepest` is Ben's, as a fraction of his first balance."""

    def __init__(self, base_url: str, data_dir: Path, session: aiohttp.ClientSession) -> None:
        self._base_url = base_url
        self._data_dir = data_dir
        self._session = session
        self._said: set[str] = set()
        self._offset = 0
        self._countdown = COUNTDOWN_LOOKS
        self.drawdown_deepest = Decimal(0)

    async def announce(self) -> web.AppRunner:
        """Be ready, as the world sees it."""
        app = web.Application()
        app.add_routes([web.get("/readyz", _ready)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        body = {"pid": os.getpid(), "base_url": f"http://127.0.0.1:{port}", "tokens": {}}
        (self._data_dir / "app.json").write_text(json.dumps(body))
        return runner

    async def run(self) -> None:
        """Watch and speak."""
        while True:
            for update in await self._call("getUpdates", offset=self._offset):
                self._offset = update["update_id"] + 1
                await self._take(update)
            await self._watch()
            await asyncio.sleep(LOOK_S)

    async def _take(self, update: dict[str, Any]) -> None:
        if update.get("message", {}).get("text", "").startswith("/signal"):
            for chat in CHATS.values():
                await self._say(chat, "Signal: XAUUSD buy", "Approve", "Reject")
        query = update.get("callback_query")
        if query is not None:
            await self._call("answerCallbackQuery", callback_query_id=query["id"])
            if query["data"] == "Approve":
                chat = query["from"]["id"]
                await self._open(LOGINS[chat])
                await self._say(chat, "Opened XAUUSD buy. Slipped entry by 8 pips")

    async def _open(self, login: int) -> None:
        await self._post(f"/broker/{login}/open", symbol="XAUUSD", side="buy", volume=0.1, by="ea")

    async def _watch(self) -> None:
        quotes = (await self._get("/broker/market"))["quotes"]
        gold = next(one for one in quotes if one["symbol"] == "XAUUSD")
        if gold["ask"] - gold["bid"] > 1:
            await self._once(
                ADMIN_CHAT_ID, "Spread 25 pips on XAUUSD", "Hold 15 min", "Hold 15 min: news"
            )
        alice = await self._get("/broker/50001")
        if any(deal["entry"] == 1 for deal in alice["deals"]):
            await self._once(CHATS[50001], "You closed XAUUSD on your phone")
        await self._guard(await self._get(f"/broker/{BEN}"))

    async def _guard(self, ben: dict[str, Any]) -> None:
        held = {position["symbol"] for position in ben["positions"]}
        drawdown = 1 - Decimal(str(ben["equity"])) / PEAK
        if "EURUSD" in held:
            await self._once(CHATS[BEN], "Unknown position: EURUSD")
        if drawdown >= Decimal("0.15"):
            await self._once(CHATS[BEN], "Drawdown 15 %")
        if held:
            self.drawdown_deepest = max(self.drawdown_deepest, drawdown)
        if drawdown >= Decimal("0.20"):
            await self._once(CHATS[BEN], "Closing 50002")
            self._countdown -= 1
        if self._countdown < 0:
            for position in ben["positions"]:
                await self._post(f"/broker/{BEN}/close", ticket=position["ticket"], by="ea")
            await self._once(CHATS[BEN], "50002 is flat")

    async def _once(self, chat: int, text: str, *labels: str) -> None:
        if text not in self._said:
            self._said.add(text)
            await self._say(chat, text, *labels)

    async def _say(self, chat: int, text: str, *labels: str) -> None:
        row = [{"text": label, "callback_data": label} for label in labels]
        markup = {"inline_keyboard": [row]} if row else None
        await self._call("sendMessage", chat_id=chat, text=text, reply_markup=markup)

    async def _call(self, method: str, **body: object) -> Any:  # noqa: ANN401 - as Telegram answers
        answer = await self._post(f"/bot{BOT_TOKEN}/{method}", **body)
        assert answer["ok"], answer
        return answer["result"]

    async def _get(self, path: str) -> dict[str, Any]:
        async with self._session.get(self._base_url + path) as answer:
            body: dict[str, Any] = await answer.json()
            return body

    async def _post(self, path: str, **body: object) -> dict[str, Any]:
        given = {name: value for name, value in body.items() if value is not None}
        async with self._session.post(self._base_url + path, json=given) as answer:
            found: dict[str, Any] = await answer.json()
            return found


async def _ready(_request: web.Request) -> web.Response:
    return web.Response()
