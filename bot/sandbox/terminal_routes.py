"""The terminal protocol over HTTP (docs/terminal-protocol.md): snapshot and send, per login.

Epoch and owner are checked when a request comes and again at the moment it acts: a request that
waited (a slow terminal) must not act for an owner who has been replaced meanwhile.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from core.sim.faults import AFTER, BEFORE, RECKONER, SEND, SNAPSHOT
from core.sim.fence import EPOCH_MAX, Stale
from core.sim.peer import Peer
from core.sim.simulation import Simulation
from core.sim.terminal import Terminal

SYMBOLS_ASKED_MAX: Final = 100
OWNER_LENGTH_MAX: Final = 300
"""A host's name has at most 253 characters."""
CALL_LENGTH_MAX: Final = 40
PASSWORD_LENGTH_MAX: Final = 256
READING: Final = "positions_get"
"""The call that stands for reading an account."""

Body = dict[str, Any]
Epoch = Annotated[int, Meta(ge=0, le=EPOCH_MAX)]
Owner = Annotated[str, Meta(max_length=OWNER_LENGTH_MAX)]


class SnapshotBody(msgspec.Struct, kw_only=True):
    """A request to read."""

    epoch: Epoch
    owner: Owner = ""
    server: str = ""
    deals_since_ms: int = 0
    symbols: Annotated[list[str], Meta(max_length=SYMBOLS_ASKED_MAX)] = []


class SendBody(msgspec.Struct, kw_only=True):
    """A request to trade."""

    epoch: Epoch
    owner: Owner = ""
    server: str = ""
    request: Body


class LogInBody(msgspec.Struct, kw_only=True):
    """A request to log in by a password."""

    epoch: Epoch
    owner: Owner = ""
    server: str
    password: Annotated[str, Meta(max_length=PASSWORD_LENGTH_MAX)]


class CallBody(msgspec.Struct, kw_only=True):
    """One call of the MetaTrader5 module's surface (`core.sim.metatrader5`)."""

    call: Annotated[str, Meta(max_length=CALL_LENGTH_MAX)]
    asked: Body
    pipe: str | None = None


class Dropped(Exception):
    """The connection ends here without an answer."""


class TerminalRoutes:
    """Both verbs, and the module's calls. `on_read` hears of every account read, when it was."""

    def __init__(self, simulation: Simulation, on_read: Callable[[int], None]) -> None:
        self._sim = simulation
        self._terminal = Terminal(simulation)
        self._on_read = on_read
        self.peers: dict[int, Peer] = {}
        """The terminals that were called since the world began."""

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Answer the routes to register."""
        return [
            web.post("/terminal/{login}/snapshot", self._snapshot),
            web.post("/terminal/{login}/send", self._send),
            web.post("/terminal/{login}/check", self._check),
            web.post("/terminal/{login}/login", self._log_in),
            web.post("/terminal/{login}/mt5", self._call),
        ]

    async def _snapshot(self, request: web.Request) -> web.Response:
        login = self._login(request)
        if login is None:
            return _unknown(request)
        try:
            body = msgspec.json.decode(await request.read(), type=SnapshotBody)
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, 400)
        return await self._serve(request, login, body, SNAPSHOT)

    async def _send(self, request: web.Request) -> web.Response:
        login = self._login(request)
        if login is None:
            return _unknown(request)
        try:
            body = msgspec.json.decode(await request.read(), type=SendBody)
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, 400)
        return await self._serve(request, login, body, SEND)

    async def _check(self, request: web.Request) -> web.Response:
        """`order_check`: asked as a send is, and nothing is executed."""
        login = self._login(request)
        if login is None:
            return _unknown(request)
        try:
            body = msgspec.json.decode(await request.read(), type=SendBody)
            self._sim.fence.admit(login, body.epoch, body.owner)
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, 400)
        except Stale as stale:
            return _json({"error": "stale_epoch", "epoch_max": stale.epoch_max}, 409)
        head = self._terminal.head(login)
        checked = self._terminal.check(login, body.request)
        self._sim.journal.commit()
        if checked.error is not None:
            return _json({**head, "result": None, "error": list(checked.error)})
        return _json({**head, "result": checked.result})

    async def _log_in(self, request: web.Request) -> web.Response:
        """Log in by a password. A login that is not known is answered as a wrong password is."""
        text = request.match_info["login"]
        try:
            body = msgspec.json.decode(await request.read(), type=LogInBody)
            login = int(text) if text.isdecimal() else 0
            if login in self._sim.ledger.accounts:
                self._sim.fence.admit(login, body.epoch, body.owner)
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, 400)
        except Stale as stale:
            return _json({"error": "stale_epoch", "epoch_max": stale.epoch_max}, 409)
        answer = self._terminal.log_in(login, body.server, body.password)
        self._sim.journal.commit()
        return _json(answer)

    async def _call(self, request: web.Request) -> web.Response:
        """One call to the terminal as MetaTrader5's pipe carries it; the epoch is the agent's."""
        login = self._login(request)
        if login is None:
            return _unknown(request)
        try:
            body = msgspec.json.decode(await request.read(), type=CallBody)
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, 400)
        peer = self.peers.get(login) or self.peers.setdefault(login, Peer(self._sim, login))
        await asyncio.sleep(peer.delay_ms(body.call, BEFORE) / 1000)
        answer = peer.answer(body.call, body.asked, body.pipe)
        if body.call == READING and "value" in answer:
            self._on_read(login)
        await asyncio.sleep(peer.delay_ms(body.call, AFTER) / 1000)
        return _json(answer)

    async def _serve(
        self, request: web.Request, login: int, body: SnapshotBody | SendBody, verb: str
    ) -> web.Response:
        try:
            self._sim.fence.admit(login, body.epoch, body.owner)
            await self._spoil(login, verb, BEFORE)
            self._sim.fence.admit(login, body.epoch, body.owner)
            if isinstance(body, SnapshotBody):
                answer = self._read(login, body)
            else:
                answer = self._execute(login, body)
            self._sim.journal.commit()
            await self._spoil(login, verb, AFTER)
        except Stale as stale:
            return _json({"error": "stale_epoch", "epoch_max": stale.epoch_max}, 409)
        except Dropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return _json(answer)

    async def _spoil(self, login: int, verb: str, when: str) -> None:
        """Wait or drop the connection, where a fault says so. Raises Dropped."""
        slow = self._sim.faults.take(login, RECKONER, "slow", verb, when)
        hang = self._sim.faults.take(login, RECKONER, "hang", verb, when)
        dropped = self._sim.faults.take(login, RECKONER, "drop_connection", verb, when)
        if slow is not None or dropped is not None or hang is not None:
            self._sim.journal.commit()
        if slow is not None:
            await asyncio.sleep(slow.ms / 1000)
        if hang is not None:
            await asyncio.sleep(hang.ms / 1000)
        if dropped is not None or hang is not None:
            raise Dropped

    def _read(self, login: int, body: SnapshotBody) -> Body:
        answer = self._terminal.snapshot(login, body.deals_since_ms, body.symbols)
        self._on_read(login)
        return answer

    def _execute(self, login: int, body: SendBody) -> Body:
        head = self._terminal.head_for_send(login)
        sent = self._terminal.send(login, body.request, body.epoch)
        if sent.error is not None:
            return {**head, "result": None, "error": list(sent.error)}
        return {**head, "result": sent.result}

    def _login(self, request: web.Request) -> int | None:
        text = request.match_info["login"]
        login = int(text) if text.isdecimal() else None
        return login if login in self._sim.ledger.accounts else None


def _unknown(request: web.Request) -> web.Response:
    return _json({"error": f"login: no account {request.match_info['login'][:40]}"}, 404)


def _json(body: Body, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/json"
    )
