"""The public API as the composition root starts it, where it is asked for."""

from contextlib import AsyncExitStack

from bot.api.routes import Ports
from bot.api.server import ApiServer
from bot.version import VERSION
from core.config import Settings
from core.services.api_logs import LogPages
from core.services.api_signals import ApiSignals
from core.services.api_tokens import ApiTokens
from core.services.engine import Engine


async def start(engine: Engine, settings: Settings, stack: AsyncExitStack) -> str | None:
    """Listen, until the stack is unwound; answers the address, None where there is no API.

    Raises OSError where the port is taken.
    """
    if settings.api_port is None:
        return None
    server = ApiServer(
        ports(engine, settings), host=settings.api_host, port=settings.api_port, version=VERSION
    )
    await server.start()
    stack.push_async_callback(server.stop)
    return server.url


def ports(engine: Engine, settings: Settings) -> Ports:
    """What the API may ask, by the settings."""
    secret, author = settings.api_signals_secret, settings.api_signals_author
    signals = None
    if secret is not None and author is not None:
        signals = ApiSignals(
            store=engine.store,
            clock=engine.clock,
            post_signal=engine.post_signal,
            secret=secret.get_secret_value(),
            author_telegram_id=author,
        )
    return Ports(
        boards=engine.boards,
        logs=LogPages(engine.store),
        sync_now=engine.sync_now,
        clock=engine.clock,
        whose=ApiTokens(engine.store, engine.clock).whose,
        signals=signals,
        expected=engine.expected if settings.api_trades else None,
    )
