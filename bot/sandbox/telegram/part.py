"""Telegram as a part of the world."""

from collections.abc import Iterable

from aiohttp import web

from bot.sandbox.part import WorldOptions
from bot.sandbox.people import People
from bot.sandbox.store import WorldStore


class TelegramPart:
    """The Bot API, the person's side and the chat page over one state."""

    def __init__(self, store: WorldStore, options: WorldOptions, people: People) -> None:
        self._store = store
        self._options = options
        self._people = people

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Answer the routes of the Bot API, the person's side and the page."""
        return []

    async def start(self) -> None:
        """Do nothing: the state is loaded when built."""

    async def stop(self) -> None:
        """End every long poll at once."""
