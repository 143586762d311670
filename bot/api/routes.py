"""What each path of the API does: read what was sent, call one service, give one answer."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from aiohttp import web
from msgspec import Struct
from pydantic import BaseModel, ValidationError

from bot.api import bodies as b
from bot.api.problems import Denied, invalid
from bot.services import Boards, SyncNow
from core.domain.answers import SignalPosted
from core.domain.board import AccountBoard
from core.domain.broker import Side
from core.domain.people import Person
from core.domain.signals import SignalDraft
from core.ports import Clock
from core.records import ReconciliationLogRow

M = TypeVar("M", bound=BaseModel)
SIGNATURE_HEADER: Final = "X-Reckoner-Signature"
TIMESTAMP_HEADER: Final = "X-Reckoner-Timestamp"
PERSON: Final = web.RequestKey("person", Person)
DIGITS_MAX: Final = 12
TOKEN_LENGTH_MAX: Final = 200


class Logs(Protocol):
    """`core.services.api_logs`."""

    async def __call__(
        self, actor: Person, user_id: int, *, limit: int, before_id: int | None
    ) -> list[ReconciliationLogRow]:
        """A page of a person's log."""
        ...


class Signals(Protocol):
    """`core.services.api_signals`."""

    def check(self, signature: str, at: datetime, body: bytes) -> None:
        """Raise Refused unless signed and fresh."""
        ...

    async def __call__(self, signature: str, key: str, draft: SignalDraft) -> SignalPosted:
        """Post it once."""
        ...


Expected = Callable[[str], Awaitable[list[dict[str, Any]] | None]]


class Ports(Struct, frozen=True, kw_only=True):
    """What the API asks. `signals` and `expected` are None where they are not allowed."""

    boards: Boards
    logs: Logs
    sync_now: SyncNow
    clock: Clock
    whose: Callable[[str], Awaitable[Person | None]]
    signals: Signals | None = None
    expected: Expected | None = None


class Routes:
    """The handlers."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def reconciliation(self, request: web.Request) -> web.Response:
        """How each account was last read."""
        boards = await self._boards(request)
        accounts = [b.AccountStatus.model_validate(each) for each in boards]
        return _json(b.ReconciliationStatus(now=self._ports.clock.now(), accounts=accounts))

    async def positions(self, request: web.Request) -> web.Response:
        """What is open."""
        boards = await self._boards(request)
        accounts = [b.AccountPositions.model_validate(each) for each in boards]
        return _json(b.Positions(now=self._ports.clock.now(), accounts=accounts))

    async def guards(self, request: web.Request) -> web.Response:
        """How much may be lost before each guard closes."""
        boards = await self._boards(request)
        accounts = [b.GuardAnswer.model_validate(each) for each in boards]
        return _json(b.Guards(now=self._ports.clock.now(), accounts=accounts))

    async def logs(self, request: web.Request) -> web.Response:
        """A page of a person's log."""
        whose = _parsed(b.UserPath, dict(request.match_info))
        query = _query(b.LogQuery, request)
        rows = await self._ports.logs(
            request[PERSON], whose.user_id, limit=query.limit, before_id=query.before_id
        )
        following = rows[-1].id if len(rows) == query.limit else None
        lines = [b.LogLine.model_validate(row) for row in rows]
        return _json(b.LogPage(rows=lines, next_before_id=following))

    async def sync(self, request: web.Request) -> web.Response:
        """Read accounts now. 429 where every one of them was read a moment ago."""
        body = _parsed(b.SyncBody, _loads(await request.read() or b"{}"))
        report = await self._ports.sync_now(request[PERSON], body.login)
        if report.limited and not report.synced and not report.failed:
            wait_s = min(wait for _, wait in report.limited)
            raise Denied(
                429, "limited", f"read a moment ago; again in {wait_s} s", Retry_After=str(wait_s)
            )
        answer = b.SyncAnswer(
            synced=list(report.synced),
            failed=[b.FailedSync(login=login, reason=why) for login, why in report.failed],
            limited=[b.LimitedSync(login=login, wait_s=wait) for login, wait in report.limited],
        )
        return _json(answer)

    async def signals(self, request: web.Request) -> web.Response:
        """Post a signed signal: 201, or 200 with the first result where its id came before."""
        signals = self._ports.signals
        if signals is None:
            raise Denied(404, "not_found", "signals are not taken here")
        body = await request.read()
        signature = request.headers.get(SIGNATURE_HEADER, "")
        signals.check(signature, _timestamp(request), body)
        asked = _parsed(b.SignalBody, _loads(body))
        posted = await signals(signature, asked.id, _draft(asked))
        answer = b.SignalAnswer(
            signal_id=posted.signal_id,
            offered=posted.offered,
            skipped=list(posted.skipped),
            expires_at=posted.expires_at,
            repeated=posted.repeated,
        )
        return _json(answer, status=200 if posted.repeated else 201)

    async def expected(self, request: web.Request) -> web.Response:
        """What an account's executor should place; its token is the account's own."""
        expected = self._ports.expected
        if expected is None:
            raise Denied(404, "not_found", "expected trades are not given here")
        trades = await expected(bearer(request))
        if trades is None:
            raise Denied(401, "bad_token", "this token belongs to no account")
        return _json(b.ExpectedTrades.model_validate({"trades": trades}))

    async def _boards(self, request: web.Request) -> list[AccountBoard]:
        """The accounts that the person may see; one of them where the query names it."""
        query, person = _query(b.AccountQuery, request), request[PERSON]
        boards = self._ports.boards
        seen = await (boards.all_accounts() if person.is_admin else boards.accounts_of(person))
        if query.login is None:
            return seen
        named = [board for board in seen if board.login == query.login]
        if not named:
            status, code = (404, "not_found") if person.is_admin else (403, "not_yours")
            raise Denied(status, code, f"{query.login} is not an account that this token may see")
        return named


def bearer(request: web.Request) -> str:
    """The token of the Authorization header. Raises Denied, 401."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= TOKEN_LENGTH_MAX or not token.isascii():
        raise Denied(401, "no_token", "expected the header Authorization: Bearer <token>")
    return token


def _query(model: type[M], request: web.Request) -> M:
    given = dict(request.query)
    if len(given) != len(request.query):
        raise Denied(422, "invalid", "a query parameter is given twice")
    return _parsed(model, given)


def _parsed(model: type[M], given: object) -> M:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid(error) from None


def _loads(body: bytes) -> object:
    try:
        return json.loads(body, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        raise Denied(422, "invalid", "body: expected JSON in UTF-8, each name once") from None


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object, each name once: of two volumes nobody knows which one was meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _timestamp(request: web.Request) -> datetime:
    text = request.headers.get(TIMESTAMP_HEADER, "")
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX):
        raise Denied(401, "bad_signature", f"{TIMESTAMP_HEADER}: expected seconds since 1970")
    try:
        return datetime.fromtimestamp(int(text), UTC)
    except (ValueError, OverflowError, OSError):
        raise Denied(401, "bad_signature", f"{TIMESTAMP_HEADER}: not a time") from None


def _draft(asked: b.SignalBody) -> SignalDraft:
    return SignalDraft(
        symbol=asked.symbol,
        side=Side(asked.side),
        volume=_above_zero(asked.volume, "volume"),
        stop_loss=None if asked.stop_loss is None else _above_zero(asked.stop_loss, "stop_loss"),
        take_profit=(
            None if asked.take_profit is None else _above_zero(asked.take_profit, "take_profit")
        ),
    )


def _above_zero(text: str, name: str) -> Decimal:
    number = Decimal(text)
    if number <= 0:
        raise Denied(422, "invalid", f"{name}: expected a number above zero")
    return number


def _json(answer: BaseModel, status: int = 200) -> web.Response:
    return web.Response(
        text=answer.model_dump_json(), status=status, content_type="application/json"
    )
