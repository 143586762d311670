"""Agents without a process: the agent's own code, with its calls made in this process.

For a module that cannot hang: the simulated one, or a test's. What a real terminal needs, an end
put to a call from outside, cannot be had here: past its time a call goes on in its thread, unheard.
"""

import asyncio
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import msgspec

from core.adapters.mt5 import agent
from core.adapters.mt5.channel import (
    LINE_BYTES_MAX,
    Answer,
    Lost,
    LostHow,
    Message,
    NotAsked,
    understood,
)
from core.ports import TerminalLink

ModuleOf = Callable[[TerminalLink], Any]
"""What makes the calls of a terminal, a new one at each start."""


def own_copy(name: str) -> ModuleType:
    """A module of this name that nobody else has: its terminal and its errors are its own.

    Raises ImportError.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no module {name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class LocalAgents:
    """Opens agents in this process. Epochs and locks are kept as real agents keep them."""

    def __init__(
        self,
        module_of: ModuleOf,
        state_dir: Path,
        clock_ms: Callable[[], int] = agent.clock_ms,
        *,
        inline: bool = False,
    ) -> None:
        """`inline`: calls are made on the event loop itself, for a module of its thread alone."""
        self._module_of = module_of
        self._state_dir = state_dir
        self._clock_ms = clock_ms
        self._inline = inline

    async def open(self, link: TerminalLink) -> "LocalAgent":
        """Begin one. Raises ImportError as `own_copy` does."""
        supervisor = _Supervisor(self._module_of(link), self._state_dir, self._clock_ms)
        return LocalAgent(supervisor, inline=self._inline)


class LocalAgent:
    """A `Channel` to an agent in this process."""

    def __init__(self, supervisor: "_Supervisor", *, inline: bool) -> None:
        self._supervisor = supervisor
        self._inline = inline
        self._lock = asyncio.Lock()
        self._asked = 0
        self._usable = True

    @property
    def usable(self) -> bool:
        """Whether it can still be asked."""
        return self._usable and not self._supervisor.is_done

    async def ask(self, message: Message, within_s: float) -> Answer:
        """Ask and answer, through the very lines that a process would be sent."""
        async with self._lock:
            number = self._asked + 1
            line = msgspec.json.encode({"id": number, **message}) + b"\n"
            if len(line) > LINE_BYTES_MAX:
                raise NotAsked(f"a request of more than {LINE_BYTES_MAX} bytes")
            if not self.usable:
                raise NotAsked("the agent has ended")
            self._asked = number
            try:
                async with asyncio.timeout(within_s):
                    if self._inline:
                        raw = self._answer(line)
                    else:
                        raw = await asyncio.to_thread(self._answer, line)
            except TimeoutError as error:
                self._usable = False
                text = f"no answer to {message['verb']} within {within_s:g} s"
                raise Lost(LostHow.FROZEN, text) from error
            except BaseException:
                self._usable = False
                raise
            return understood(raw, number, message["verb"])

    def _answer(self, line: bytes) -> bytes:
        return agent.encode(self._supervisor.answer(line))

    def last_words(self) -> str:
        """There are none: what is said aside is said by this process."""
        return ""

    async def kill(self) -> None:
        """Give the terminal up."""
        self._usable = False
        self._supervisor.leave()


class _Supervisor(agent.Supervisor):
    """The agent's supervisor, whose child is no process."""

    def __init__(self, module: object, state_dir: Path, clock_ms: Callable[[], int]) -> None:
        name = getattr(module, "__name__", type(module).__name__)
        super().__init__(name, state_dir)
        self._made = module
        self._clock_ms = clock_ms

    def leave(self) -> None:
        """Give the terminal's lock up."""
        self._leave()

    def _start(self, place: agent.Place, until_s: float) -> dict[str, Any]:
        self._end_child()
        place.outlive_child(until_s)
        session = agent.Session(self._made, self._config, self._clock_ms)
        # The same few methods as a child process has.
        self._child = cast("agent.Child", _Child(session))
        self._head = {}
        return {
            "python": sys.version.split()[0],
            "platform": sys.platform,
            "module": self._module,
        }


class _Child:
    """A session in place of a child process."""

    def __init__(self, session: agent.Session) -> None:
        self.process = self
        self.pid = os.getpid()
        self._session = session
        self._alive = True

    def ask(self, verb: str, body: dict[str, Any], until_s: float) -> dict[str, Any]:
        """Have the session answer, however long it takes."""
        del until_s
        return self._session.handle({**body, "verb": verb})

    def is_alive(self) -> bool:
        """Whether it has not been ended."""
        return self._alive

    def end(self) -> None:
        """Answer no more."""
        self._alive = False

    kill = end
