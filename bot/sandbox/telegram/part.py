"""Telegram as a part of the world: the Bot API, the person's side, and the chat page."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sandbox.part import WorldOptions
from bot.sandbox.people import People
from bot.sandbox.store import WorldStore
from bot.sandbox.telegram.server import BotApi
from bot.sandbox.telegram.sim_routes import SimRoutes
from bot.sandbox.telegram.state import TelegramState

PAGE_DIR: Final = Path(__file__).resolve().parent.parent / "page"
PAGE_TYPES: Final = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class TelegramPart:
    """One state, three ways to it."""

    def __init__(self, store: WorldStore, options: WorldOptions, people: People) -> None:
        self.state = TelegramState(store, people, flood_limits=options.flood_limits)
        self._api = BotApi(self.state)
        self._sim = SimRoutes(self.state)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Answer the routes of the Bot API, the person's side and the page."""
        return [*self._api.routes(), *self._sim.routes(), *_page_routes()]

    async def start(self) -> None:
        """Do nothing: the state is loaded when built."""

    async def stop(self) -> None:
        """End every long poll, and every wait for an answer to a tap, at once."""
        self.state.updates.stop()
        self.state.queries.stop()


def _page_routes() -> list[web.AbstractRouteDef]:
    files = sorted(path for path in PAGE_DIR.iterdir() if path.suffix in PAGE_TYPES)
    return [
        web.get("/" if path.name == "index.html" else f"/page/{path.name}", _page_handler(path))
        for path in files
    ]


def _page_handler(path: Path) -> Handler:
    content_type = PAGE_TYPES[path.suffix]
    text = path.read_text(encoding="utf-8")

    async def serve(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type=content_type, headers=PAGE_HEADERS)

    return serve
