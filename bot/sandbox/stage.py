"""What a narrator does in the world: speak, tap, trade and move prices over HTTP, as people would.

Nothing is waited for blindly: every act is followed by looking for its effect in a chat or on an
account, bounded. An effect that does not come is `Missed`; somebody else may have been quicker.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

import aiohttp

from bot.sandbox.people import BOT_NAME
from bot.sandbox.store import WorldStore

T = TypeVar("T")

EFFECT_S_MAX: Final = 25.0
"""How long an effect may take before the story goes on without it."""
LOOK_S: Final = 0.3
CAPTIONS_MAX: Final = 200
STORY_LOG: Final = "story"
HTTP_OK: Final = 200

Texts = dict[int, str]


class Missed(Exception):
    """An effect did not come within its bound; the text says which."""


class Captions:
    """What the story tells beside the chats, kept in the world's file."""

    def __init__(self, store: WorldStore) -> None:
        self._store = store

    def add(self, text: str) -> None:
        """Tell one more thing, durably."""
        self._store.append(STORY_LOG, {"at": datetime.now(UTC).isoformat(), "text": text})
        self._store.trim(STORY_LOG, CAPTIONS_MAX)
        self._store.commit()

    def all(self) -> list[dict[str, Any]]:
        """Answer what was told, oldest first."""
        return [body for _, body in self._store.log(STORY_LOG)]


class Stage:
    """The acts. `base_url` is the world's own address."""

    def __init__(
        self, base_url: str, session: aiohttp.ClientSession, *, effect_s_max: float = EFFECT_S_MAX
    ) -> None:
        self._base_url = base_url
        self._session = session
        self._effect_s_max = effect_s_max

    async def is_ready(self) -> bool:
        """Whether the app answers."""
        return bool((await self._get("/sim/state")).get("ready"))

    async def say(self, user_id: int, text: str, chat_id: int | None = None) -> None:
        """Write a message, to the bot where no chat is given."""
        await self._post("/sim/message", user_id=user_id, text=text, chat_id=chat_id)

    async def tap(self, user_id: int, chat_id: int, label: str) -> None:
        """Press the newest button of that label once it is there."""

        async def tapped() -> bool | None:
            status, _ = await self._send(
                "/sim/callback", {"user_id": user_id, "chat_id": chat_id, "label": label}
            )
            return True if status == HTTP_OK else None

        await self.until(tapped, f"the button {label}")

    async def texts(self, chat_id: int) -> Texts:
        """Answer what the bot's messages say now, by message id."""
        chat = await self._get(f"/sim/chat/{chat_id}")
        return {
            message["id"]: message["text"]
            for message in chat.get("messages", [])
            if message["from"] in {"bot", BOT_NAME}
        }

    async def until_told(self, chat_id: int, before: Texts, *words: str) -> None:
        """Wait until a message that is new, or was edited since, holds all of these words."""

        async def told() -> bool | None:
            for message_id, text in (await self.texts(chat_id)).items():
                is_news = before.get(message_id) != text
                if is_news and all(word.lower() in text.lower() for word in words):
                    return True
            return None

        await self.until(told, f"a message with {' and '.join(words)}")

    async def account(self, login: int) -> dict[str, Any]:
        """Answer an account as the broker has it."""
        return await self._get(f"/broker/{login}")

    async def until_held(self, login: int, symbol: str) -> int:
        """Wait for a position and answer its ticket."""

        async def held() -> int | None:
            positions = (await self.account(login)).get("positions", [])
            return next((one["ticket"] for one in positions if one["symbol"] == symbol), None)

        return await self.until(held, f"a {symbol} position on {login}")

    async def broker(self, login: int, verb: str, **body: object) -> dict[str, Any]:
        """Trade, or set a fault, as the account's owner. Raises Missed where it is refused."""
        return await self._post(f"/broker/{login}/{verb}", **body)

    async def quote(self, symbol: str) -> tuple[Decimal, Decimal]:
        """Answer bid and ask."""
        quotes = (await self._get("/broker/market")).get("quotes", [])
        found = next((one for one in quotes if one["symbol"] == symbol), None)
        if found is None:
            raise Missed(f"a quote of {symbol}")
        return Decimal(str(found["bid"])), Decimal(str(found["ask"]))

    async def price(self, symbol: str, bid: Decimal, ask: Decimal) -> None:
        """Tell the market a price."""
        await self._post("/broker/market", symbol=symbol, bid=float(bid), ask=float(ask))

    async def mode(self, symbol: str, mode: str) -> None:
        """Let a symbol walk, or hold it still until told otherwise."""
        await self._post("/broker/market", symbol=symbol, mode=mode)

    async def until(self, look: Callable[[], Awaitable[T | None]], what: str) -> T:
        """Look until there is something to see. Raises Missed past the bound."""
        end = time.monotonic() + self._effect_s_max
        while True:
            found = await look()
            if found is not None:
                return found
            if time.monotonic() >= end:
                raise Missed(what)
            await asyncio.sleep(LOOK_S)

    async def _get(self, path: str) -> dict[str, Any]:
        try:
            async with self._session.get(self._base_url + path) as answer:
                body: dict[str, Any] = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Missed(f"an answer of {path}") from error
        return body if answer.status == HTTP_OK else {}

    async def _post(self, path: str, **body: object) -> dict[str, Any]:
        status, answer = await self._send(path, body)
        if status != HTTP_OK:
            raise Missed(f"consent to {path}: {answer.get('error', status)}")
        return answer

    async def _send(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        given = {name: value for name, value in body.items() if value is not None}
        try:
            async with self._session.post(self._base_url + path, json=given) as answer:
                return answer.status, await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Missed(f"an answer of {path}") from error
