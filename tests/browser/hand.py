"""The bot's side of the page's tests: Bot API calls made by hand."""

from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.sandbox.people import BOT_TOKEN


@dataclass
class Hand:
    """Speaks to the world as the bot does."""

    http: aiohttp.ClientSession
    base_url: str

    async def bot(self, method: str, **params: object) -> Any:  # noqa: ANN401 - any JSON
        """Call the Bot API; it must answer ok."""
        url = f"{self.base_url}/bot{BOT_TOKEN}/{method}"
        async with self.http.post(url, json=params) as answer:
            body = await answer.json()
            assert body["ok"], body
            return body["result"]

    async def person(self, path: str, **body: object) -> Any:  # noqa: ANN401 - any JSON
        """Do something as a person."""
        async with self.http.post(self.base_url + path, json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """Get JSON from the world."""
        async with self.http.get(self.base_url + path) as answer:
            return await answer.json()
