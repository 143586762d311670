"""The pipe between the MetaTrader5 module's surface and a simulated terminal.

Like the wheel's, a call holds the interpreter's lock until its answer comes, and has no timeout:
nothing else of this process runs meanwhile, and only another process can end it. So a world reached
over HTTP must live in another process than the module that calls it.
"""

import ctypes
import errno
import http.client
import json
import os
import socket
import time
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from core.sim.codes import LAST_ERROR_TEXT, LastError

Body = dict[str, Any]

ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
OK: Final = 200
NOT_FOUND: Final = 404
WAIT_MS_MAX: Final = 2**31 - 1
NEVER: Final = "MetaTrader 5 x64 not found"


class PipeFailed(Exception):
    """The call was not answered with a value: `code` and `text` are `last_error()`'s.

    `lost`: the pipe is gone.
    """

    def __init__(self, code: int, text: str = "", *, lost: bool = False) -> None:
        super().__init__(text or LAST_ERROR_TEXT[code])
        self.code = code
        self.text = text or LAST_ERROR_TEXT[code]
        self.lost = lost


class PeerLike(Protocol):
    """A terminal in this process (`core.sim.peer.Peer`)."""

    def delay_ms(self, call: str, when: str) -> int:
        """How long the call takes at this moment."""
        ...

    def answer(self, call: str, asked: Body, pipe: str | None) -> Body:
        """Do one call."""
        ...


class Pipe:
    """One connection to one terminal; `open` before anything else."""

    def __init__(self) -> None:
        self._pipe: str | None = None

    def open(self, **asked: Any) -> None:
        """Connect and log in. Raises PipeFailed."""
        self._pipe = self.call("initialize", **asked)["pipe"]

    def call(self, call: str, **asked: Any) -> Any:  # noqa: ANN401 - whatever the function answers
        """Let the terminal do one call. Raises PipeFailed."""
        answer = self._ask(call, asked, self._pipe)
        if "hang_ms" in answer:
            hold_lock(answer["hang_ms"])
        if "error" in answer:
            code, text = answer["error"]
            raise PipeFailed(code, text, lost=answer.get("lost", False))
        return answer["value"]

    def _ask(self, call: str, asked: Body, pipe: str | None) -> Body:
        raise NotImplementedError


class PluggedPipe(Pipe):
    """To a terminal in this process."""

    def __init__(self, peer: PeerLike) -> None:
        super().__init__()
        self._peer = peer

    def _ask(self, call: str, asked: Body, pipe: str | None) -> Body:
        hold_lock(self._peer.delay_ms(call, "before"))
        answer = self._peer.answer(call, asked, pipe)
        hold_lock(self._peer.delay_ms(call, "after"))
        return answer


class HttpPipe(Pipe):
    """To a terminal of a simulated world: one small request for each call.

    `path` is the world's address, then `login` says whose terminal is meant, or that of a terminal
    (`http://127.0.0.1:8090/terminal/50001`), which remembers its login.
    """

    def __init__(self, path: str, login: int | None) -> None:
        super().__init__()
        parts = urlsplit(path)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._names_terminal = bool(parts.path.strip("/"))
        self._path = parts.path.rstrip("/") if self._names_terminal else f"/terminal/{login}"

    def _ask(self, call: str, asked: Body, pipe: str | None) -> Body:
        body = json.dumps({"call": call, "asked": asked, "pipe": pipe}).encode()
        connection = http.client.HTTPConnection(self._host, self._port)
        try:
            try:
                connection.connect()
                headers = {"Content-Type": "application/json", "Connection": "close"}
                connection.request("POST", f"{self._path}/mt5", body, headers)
            except OSError as error:
                raise self._unreachable(call) from error
            _hold_until_readable(connection.sock)
            return self._read(connection)
        finally:
            connection.close()

    def _read(self, connection: http.client.HTTPConnection) -> Body:
        lost = PipeFailed(LastError.INTERNAL_FAIL_RECEIVE, lost=True)
        try:
            response = connection.getresponse()
            raw = response.read(ANSWER_BYTES_MAX + 1)
            if response.status == NOT_FOUND:
                raise self._absent()
            answer = json.loads(raw)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise lost from error
        if response.status != OK or not isinstance(answer, dict):
            raise lost
        return answer

    def _absent(self) -> PipeFailed:
        if self._names_terminal:
            text = f"IPC initialize failed, {NEVER}"
            return PipeFailed(LastError.INTERNAL_FAIL_INIT, text, lost=True)
        return PipeFailed(LastError.AUTH_FAILED, lost=True)

    def _unreachable(self, call: str) -> PipeFailed:
        if call == "initialize":
            text = f"IPC initialize failed, {NEVER}"
            return PipeFailed(LastError.INTERNAL_FAIL_INIT, text, lost=True)
        return PipeFailed(LastError.INTERNAL_FAIL_SEND, lost=True)


def hold_lock(span_ms: int) -> None:
    """Wait as the wheel waits: in C, with the interpreter's lock held."""
    ends = time.monotonic() + span_ms / 1000
    while (left_ms := round((ends - time.monotonic()) * 1000)) > 0:
        if os.name == "nt":
            ctypes.PyDLL("kernel32").Sleep(min(left_ms, WAIT_MS_MAX))
        else:
            ctypes.PyDLL(None).poll(None, 0, min(left_ms, WAIT_MS_MAX))


def _hold_until_readable(sock: socket.socket) -> None:
    """Wait for the first byte of the answer, or for the end, with the interpreter's lock held."""
    library = ctypes.PyDLL("ws2_32" if os.name == "nt" else None, use_errno=True)
    byte = ctypes.create_string_buffer(1)
    # A signal interrupts the wait; any other failure the reading that follows will meet too.
    while library.recv(sock.fileno(), byte, 1, socket.MSG_PEEK) < 0:
        if ctypes.get_errno() != errno.EINTR:
            break
