"""What the terminals of one gateway have in common: limits, turns to start, and their world."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from msgspec import Struct

from core.adapters.mt5.channel import Channel, Message
from core.ports import Clock, Metrics, TerminalDirectory, TerminalLink

HELLO_S_MAX: Final = 30.0
"""Python's own start under Wine or over ssh, and the takeover from an older owner."""
AGENT_EARLIER_S: Final = 1.0
"""The agent's own deadline lies this much, or a fifth, before ours: then its report still comes."""
LOGIN_S_MAX: Final = 60.0
"""How long MetaTrader waits for the login when it is not told otherwise."""
OpenChannel = Callable[[TerminalLink], Awaitable[Channel]]
Spawn = Callable[[Coroutine[Any, Any, None]], object]


class Limits(Struct, frozen=True, kw_only=True):
    """How long is waited for what, seconds."""

    read_s: float
    send_s: float
    start_s: float
    """The terminal's own start and login."""
    patience_s: float = 2.0
    """How long a read or a send waits for a terminal that is being started."""


class Turns:
    """Who may start now: at each host so many at once, a quarter of them after a failed start.

    So neither a host that does not answer nor terminals that hang at every start take turns from
    the others.
    """

    def __init__(self, at_once_max: int) -> None:
        self._at_once_max = at_once_max
        # As many as the hosts of linked terminals, those included that a link has had before.
        self._hosts: dict[str, tuple[asyncio.Semaphore, asyncio.Semaphore]] = {}
        self.looking_up = asyncio.Semaphore(at_once_max)
        """For finding a terminal's link, which is a reading of the database."""

    def _of(self, host: str) -> tuple[asyncio.Semaphore, asyncio.Semaphore]:
        if host not in self._hosts:
            troubled_max = max(1, self._at_once_max // 4)
            self._hosts[host] = (
                asyncio.Semaphore(self._at_once_max),
                asyncio.Semaphore(troubled_max),
            )
        return self._hosts[host]

    def is_free(self, host: str) -> bool:
        """Whether a start would begin at once."""
        return not self._of(host)[0].locked()

    @asynccontextmanager
    async def turn(self, host: str, *, troubled: bool) -> AsyncIterator[None]:
        """Wait for a turn and take it. `troubled`: the last start failed."""
        everybody, sick = self._of(host)
        if not troubled:
            async with everybody:
                yield
            return
        async with sick, everybody:
            yield


class Shared(Struct, frozen=True, kw_only=True):
    """What all terminals of a gateway have in common."""

    directory: TerminalDirectory
    open_channel: OpenChannel
    epoch: int
    owner: str
    clock: Clock
    metrics: Metrics
    spawn: Spawn
    limits: Limits
    turns: Turns
    random: random.Random
    offsets: dict[str, int]
    """By server: offsets that fresh prices have told this process."""


def question(
    verb: str, fields: dict[str, Any], within_s: float, *, epoch: int, owner: str
) -> Message:
    """A message to an agent, whose answer is waited for so long."""
    earlier_s = min(AGENT_EARLIER_S, within_s / 5)
    return {
        "verb": verb,
        "epoch": epoch,
        "owner": owner,
        "deadline_ms": max(1, int((within_s - earlier_s) * 1000)),
        **fields,
    }


def hello(link: TerminalLink, limits: Limits) -> dict[str, Any]:
    """What the first message says: the only one that bears a password."""
    login_s = min(LOGIN_S_MAX, limits.start_s)
    return {
        "terminal": {"path": link.path, "portable": link.portable},
        "login": link.login,
        "server": link.server,
        "password": link.password.reveal() if link.password else None,
        "timeout_ms": int(timedelta(seconds=login_s) / timedelta(milliseconds=1)),
    }
