"""The person's side over HTTP, `/sim/...`: JSON both ways, errors name the wrong field."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sandbox.telegram import limits, person, transcript
from bot.sandbox.telegram.chats import Chat
from bot.sandbox.telegram.errors import PersonError
from bot.sandbox.telegram.faults import FaultSpec
from bot.sandbox.telegram.files import IMAGE_KINDS
from bot.sandbox.telegram.group_side import (
    Forum,
    Membership,
    Migration,
    NewGroup,
    migrate,
    open_group,
    set_forum,
    set_member,
)
from bot.sandbox.telegram.state import TelegramState

T = TypeVar("T")
FORMATS: Final = ("json", "text")
IMAGE_TYPES: Final = frozenset(mime_type for _, mime_type, _ in IMAGE_KINDS)
SAFE_HEADERS: Final = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
"""A document is the bot's data, never a page of ours: it must not run here."""


async def _read(request: web.Request, kind: type[T]) -> T:
    if (request.content_length or 0) > limits.SIM_BODY_BYTES_MAX:
        raise PersonError(413, f"body must have at most {limits.SIM_BODY_BYTES_MAX} bytes")
    body = await request.content.read(limits.SIM_BODY_BYTES_MAX + 1)
    while body and len(body) <= limits.SIM_BODY_BYTES_MAX and not request.content.at_eof():
        body += await request.content.read(limits.SIM_BODY_BYTES_MAX + 1 - len(body))
    if len(body) > limits.SIM_BODY_BYTES_MAX:
        raise PersonError(413, f"body must have at most {limits.SIM_BODY_BYTES_MAX} bytes")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PersonError(400, f"body is not as expected: {error}") from None


def _whole(request: web.Request, name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise PersonError(
            400, f"{name} must be a whole number, was {value[:40]!r} at {request.path[:80]}"
        ) from None


class SimRoutes:
    """Serves `/sim/...` over one state; what changes is committed before the answer."""

    def __init__(self, state: TelegramState) -> None:
        self._state = state

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Answer the routes of the person's side, without `/sim/state`, which is the world's."""
        return [
            web.post("/sim/message", self._guarded(self._message)),
            web.post("/sim/callback", self._guarded(self._callback)),
            web.get("/sim/chat/{chat_id}", self._guarded(self._chat)),
            web.get("/sim/chats", self._guarded(self._chats)),
            web.get("/sim/commands", self._guarded(self._commands)),
            web.get("/sim/outbox", self._guarded(self._outbox)),
            web.get("/sim/file/{file_id}", self._guarded(self._file)),
            web.post("/sim/reset", self._guarded(self._reset)),
            web.get("/sim/fault", self._guarded(self._faults)),
            web.post("/sim/fault", self._guarded(self._fault)),
            web.delete("/sim/fault", self._guarded(self._no_fault)),
            web.post("/sim/block", self._guarded(self._block)),
            web.post("/sim/group", self._guarded(self._grouped(NewGroup, open_group))),
            web.post("/sim/member", self._guarded(self._grouped(Membership, set_member))),
            web.post("/sim/forum", self._guarded(self._grouped(Forum, set_forum))),
            web.post("/sim/migrate", self._guarded(self._grouped(Migration, migrate))),
        ]

    @staticmethod
    def _guarded(handler: Handler) -> Handler:
        """Answer a PersonError as JSON `{"error": ...}` with its details."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except PersonError as error:
                body = {"error": error.error, **error.details}
                return web.json_response(body, status=error.status)

        return guarded

    def _done(self, body: dict[str, Any]) -> web.Response:
        self._state.store.commit()
        return web.json_response(body)

    async def _message(self, request: web.Request) -> web.Response:
        message = person.say(self._state, await _read(request, person.Saying))
        return self._done({"message_id": message["message_id"], "chat_id": message["chat"]["id"]})

    async def _callback(self, request: web.Request) -> web.Response:
        tap = await _read(request, person.Tap)
        tapped = person.tap_button(self._state, tap)
        self._state.store.commit()
        answer = await self._state.queries.wait(tapped["callback_query_id"], tap.wait_s)
        tapped["answered"] = answer is not None
        tapped["text"] = answer["text"] if answer else None
        tapped["show_alert"] = answer["show_alert"] if answer else None
        return self._done(tapped)

    def _chat_at(self, request: web.Request) -> Chat:
        chat_id = _whole(request, "chat_id", request.match_info["chat_id"])
        return person.chat_named(self._state, chat_id)

    async def _chat(self, request: web.Request) -> web.Response:
        chat = self._chat_at(request)
        asked = request.query.get("user_id")
        viewer = None if asked is None else _whole(request, "user_id", asked)
        shape = request.query.get("format", "json")
        if shape not in FORMATS:
            raise PersonError(400, f"format must be json or text, was {shape[:40]!r}")
        if shape == "text":
            return web.Response(text=transcript.as_text(self._state, chat, viewer))
        since = request.query.get("since")
        typing = chat.typing_until_s > self._state.now_s()
        if since is not None and _whole(request, "since", since) == chat.version:
            unchanged = {"version": chat.version, "unchanged": True, "typing": typing}
            return web.json_response(unchanged)
        return web.json_response(transcript.as_json(self._state, chat, viewer))

    async def _chats(self, _request: web.Request) -> web.Response:
        chats = self._state.book.chats.values()
        return web.json_response(
            {"chats": [transcript.summary(self._state, chat) for chat in chats]}
        )

    async def _commands(self, request: web.Request) -> web.Response:
        user_id = _whole(request, "user_id", request.query.get("user_id", ""))
        chat_id = _whole(request, "chat_id", request.query.get("chat_id", str(user_id)))
        chat = person.chat_named(self._state, chat_id)
        return web.json_response({"commands": self._state.menu.seen_by(chat, user_id)})

    async def _outbox(self, request: web.Request) -> web.Response:
        since = _whole(request, "since", request.query.get("since", "0"))
        calls = self._state.outbox.read(request.query.get("method", ""), since)
        return web.json_response({"head": self._state.outbox.head, "calls": calls})

    async def _file(self, request: web.Request) -> web.Response:
        file_id = request.match_info["file_id"]
        content = self._state.files.content(file_id)
        if content is None:
            raise PersonError(404, f"file_id {file_id[:80]!r} does not exist")
        mime_type = self._state.files.mime_type(file_id)
        headers = dict(SAFE_HEADERS)
        if mime_type not in IMAGE_TYPES:
            headers["Content-Disposition"] = "attachment"
        return web.Response(body=content, content_type=mime_type, headers=headers)

    async def _reset(self, _request: web.Request) -> web.Response:
        self._state.reset()
        return self._done({"reset": ["chats", "outbox", "faults"]})

    async def _faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": self._state.faults.waiting()})

    async def _fault(self, request: web.Request) -> web.Response:
        self._state.faults.add(await _read(request, FaultSpec))
        return self._done({"faults": self._state.faults.waiting()})

    async def _no_fault(self, _request: web.Request) -> web.Response:
        self._state.faults.clear()
        return self._done({"faults": []})

    def _grouped(self, kind: type[T], work: Callable[[TelegramState, T], Chat]) -> Handler:
        """Do one thing with a group, and answer the group as it is then."""

        async def grouped(request: web.Request) -> web.StreamResponse:
            chat = work(self._state, await _read(request, kind))
            return self._done(transcript.summary(self._state, chat))

        return grouped

    async def _block(self, request: web.Request) -> web.Response:
        block = await _read(request, person.Block)
        self._state.set_blocked(block.user_id, blocked=block.blocked)
        return self._done({"user_id": block.user_id, "blocked": block.blocked})
