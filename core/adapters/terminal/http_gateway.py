"""The terminal gateway over loopback HTTP (docs/terminal-protocol.md)."""

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import aiohttp

from core.adapters.process import this_process
from core.adapters.terminal import translate
from core.adapters.terminal.outcomes import certainly_not_sent
from core.adapters.terminal.requests import trade_request
from core.adapters.terminal.rows import Rows
from core.domain.broker import AccountSnapshot
from core.domain.linking import Failure, LoggedIn, LoginFailed
from core.ports import (
    AnsweredElsewhere,
    BrokerUnavailable,
    CancelRequest,
    CheckResult,
    Clock,
    CloseRequest,
    NotSent,
    OutcomeUnknown,
    SendResult,
    SnapshotRequest,
    StaleEpoch,
    TerminalHealth,
    TerminalLink,
    WrongAccount,
)

STALE: Final = 409
OK: Final = 200
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
CHUNK_BYTES: Final = 64 * 1024
CONNECTIONS_MAX: Final = 256


class HttpTerminalGateway:
    """Speaks for one owner: every call carries its epoch. Close it when done."""

    def __init__(
        self,
        base_url: str,
        *,
        epoch: int,
        clock: Clock,
        read_timeout_s: float,
        send_timeout_s: float,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._epoch = epoch
        self._clock = clock
        self._read_timeout = aiohttp.ClientTimeout(total=read_timeout_s)
        self._send_timeout = aiohttp.ClientTimeout(total=send_timeout_s)
        self._owner = this_process()
        self._rows: defaultdict[tuple[int, str], Rows] = defaultdict(Rows)
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX))

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    def health(self, login: int, server: str) -> TerminalHealth | None:
        """Not known: the terminals are started and watched by whoever answers at the address."""
        del login, server
        return None

    async def snapshot(self, request: SnapshotRequest) -> AccountSnapshot:
        """Read the account whole. Raises BrokerUnavailable, WrongAccount, StaleEpoch."""
        began_at = self._clock.now()
        body = {
            "server": request.server,
            "deals_since_ms": _ms(request.deals_since),
            "symbols": list(request.symbols),
        }
        try:
            answer = await self._call(request.login, "snapshot", body, self._read_timeout)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            raise BrokerUnavailable(f"the terminal did not answer ({reason})") from error
        return translate.snapshot(
            answer,
            account_id=request.account_id,
            login=request.login,
            server=request.server,
            began_at=began_at,
            observed_at=self._clock.now(),
            rows=self._rows[request.login, request.server],
        )

    async def send(self, request: CloseRequest | CancelRequest) -> SendResult:
        """Send one request, once. Raises NotSent, OutcomeUnknown, WrongAccount, StaleEpoch."""
        try:
            body = {"server": request.server, "request": trade_request(request)}
        except ValueError as error:
            raise NotSent(f"{error}") from error
        try:
            answer = await self._call(request.login, "send", body, self._send_timeout)
        except aiohttp.ClientConnectorError as error:
            raise NotSent(f"the terminal cannot be reached ({error})") from error
        except BrokerUnavailable as error:
            raise NotSent(str(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise OutcomeUnknown(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        if (answer.get("login"), answer.get("server")) != (request.login, request.server):
            # Sent, but by whom it was answered is not whom it was for: only reading can tell.
            raise AnsweredElsewhere("sent, but another account answered")
        return _result(answer)

    async def check(self, request: CloseRequest) -> CheckResult:
        """Check a close, sending nothing. Raises BrokerUnavailable, WrongAccount, StaleEpoch."""
        body = {"server": request.server, "request": trade_request(request)}
        try:
            answer = await self._call(request.login, "check", body, self._read_timeout)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            raise BrokerUnavailable(f"the terminal did not answer ({reason})") from error
        found = (answer.get("login"), answer.get("server"))
        if found != (request.login, request.server):
            raise WrongAccount(f"asked for {request.login}, the terminal answered for {found[0]}")
        if answer.get("result") is None:
            raise BrokerUnavailable(f"order_check failed: {answer.get('error')}")
        return translate.check_result(answer["result"])

    async def log_in(self, link: TerminalLink) -> LoggedIn:
        """Log the account's terminal in, by its password, and look at the account.

        Raises LoginFailed where the broker refuses, BrokerUnavailable, StaleEpoch.
        """
        password = "" if link.password is None else link.password.reveal()
        body = {"server": link.server, "password": password}
        try:
            answer = await self._call(link.login, "login", body, self._read_timeout)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise BrokerUnavailable(
                f"the terminal did not answer ({type(error).__name__})"
            ) from None
        if (answer.get("login"), answer.get("server")) != (link.login, link.server):
            raise LoginFailed(Failure.WRONG_ACCOUNT)
        return translate.logged_in(answer)

    async def _call(
        self, login: int, verb: str, body: dict[str, Any], within: aiohttp.ClientTimeout
    ) -> Mapping[str, Any]:
        url = f"{self._base_url}/terminal/{login}/{verb}"
        payload = {"epoch": self._epoch, "owner": self._owner, **body}
        async with self._session.post(url, json=payload, timeout=within) as response:
            raw = await _bounded(response)
            if response.status == STALE:
                raise StaleEpoch(f"epoch {self._epoch} is no longer the owner's: {raw[:200]!r}")
            if response.status != OK:
                if verb == "send" and response.status >= 500:  # noqa: PLR2004 - server errors
                    raise ValueError(f"status {response.status}")
                raise BrokerUnavailable(f"the terminal answered {response.status}: {raw[:200]!r}")
        answer = json.loads(raw)
        if not isinstance(answer, dict):
            raise ValueError("expected an object")  # noqa: TRY004 - handled as a malformed answer
        return answer


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """The whole body. Raises ValueError past the bound."""
    raw = b""
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        raw += chunk
        if len(raw) > ANSWER_BYTES_MAX:
            raise ValueError(f"an answer of more than {ANSWER_BYTES_MAX} bytes")
    return raw


def _result(answer: Mapping[str, Any]) -> SendResult:
    raw = answer.get("result")
    if raw is None:
        error = answer.get("error")
        first = error[0] if isinstance(error, list) and error else None
        code = first if isinstance(first, int) else None
        said = " ".join(map(str, error)) if isinstance(error, list) else f"{error}"
        if code is not None and certainly_not_sent(code, said):
            raise NotSent(said, code=code)
        raise OutcomeUnknown(said, code=code)
    try:
        return translate.send_result(raw)
    except (KeyError, TypeError, ValueError, ArithmeticError) as malformed:
        raise OutcomeUnknown(f"malformed answer: {malformed}") from malformed


def _ms(instant: datetime) -> int:
    return (instant - translate.EPOCH) // timedelta(milliseconds=1)
