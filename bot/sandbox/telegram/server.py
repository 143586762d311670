"""The Bot API over HTTP: token, then scheduled fault, then method; every call into the outbox."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec
from aiohttp import web

from bot.sandbox.people import BOT_TOKEN
from bot.sandbox.telegram import asking, editing, groups, limits, sending
from bot.sandbox.telegram.call import Call, read_call
from bot.sandbox.telegram.errors import ApiError
from bot.sandbox.telegram.faults import FaultSpec, as_error
from bot.sandbox.telegram.state import TelegramState

GET_UPDATES: Final = "getUpdates"
EXECUTED: Final = ("drop_after", "truncated")
"""Faults of a call that was executed all the same."""
PROXY_HTML: Final = (
    "<html><head><title>502 Bad Gateway</title></head>"
    "<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>"
)

Method = Callable[[TelegramState, Call], Any]

METHODS: Final[dict[str, Method]] = {
    "getMe": asking.get_me,
    "logOut": asking.yes,
    "close": asking.yes,
    "setWebhook": asking.set_webhook,
    "deleteWebhook": asking.delete_webhook,
    "getWebhookInfo": asking.get_webhook_info,
    "getChat": asking.get_chat,
    "getChatMember": groups.get_chat_member,
    "getChatAdministrators": groups.get_chat_administrators,
    "getChatMemberCount": groups.get_chat_member_count,
    "leaveChat": groups.leave_chat,
    "createForumTopic": groups.create_forum_topic,
    "editForumTopic": groups.edit_forum_topic,
    "closeForumTopic": groups.close_forum_topic,
    "reopenForumTopic": groups.reopen_forum_topic,
    "deleteForumTopic": groups.delete_forum_topic,
    "getFile": asking.get_file,
    "answerCallbackQuery": asking.answer_callback_query,
    "setMyCommands": asking.set_my_commands,
    "getMyCommands": asking.get_my_commands,
    "deleteMyCommands": asking.delete_my_commands,
    "sendMessage": sending.send_message,
    "sendPhoto": sending.send_photo,
    "sendDocument": sending.send_document,
    "sendMediaGroup": sending.send_media_group,
    "sendChatAction": sending.send_chat_action,
    "forwardMessage": sending.forward_message,
    "copyMessage": sending.copy_message,
    "editMessageText": editing.edit_text,
    "editMessageCaption": editing.edit_caption,
    "editMessageMedia": editing.edit_media,
    "editMessageReplyMarkup": editing.edit_markup,
    "deleteMessage": editing.delete_message,
    "deleteMessages": editing.delete_messages,
    "editEphemeralMessageText": editing.ephemeral_edit(editing.with_text),
    "editEphemeralMessageCaption": editing.ephemeral_edit(editing.with_caption),
    "editEphemeralMessageMedia": editing.ephemeral_edit(editing.with_media),
    "editEphemeralMessageReplyMarkup": editing.ephemeral_edit(editing.with_markup),
    "deleteEphemeralMessage": editing.delete_ephemeral,
    "pinChatMessage": editing.pin,
    "unpinChatMessage": editing.unpin,
    "unpinAllChatMessages": editing.unpin_all,
    "setMessageReaction": editing.react,
}
_CANONICAL: Final = {name.lower(): name for name in (*METHODS, GET_UPDATES)}


class BotApi:
    """Serves `/bot<token>/<method>` and `/file/bot<token>/<path>` over one state."""

    def __init__(self, state: TelegramState) -> None:
        self._state = state

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Answer the routes of the Bot API."""
        return [
            web.route("*", r"/bot{token:[^/]+}/{method:[^/]*}", self._serve),
            web.get(r"/file/bot{token:[^/]+}/{path:.+}", self._file),
        ]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        asked = request.match_info["method"]
        call = Call(_CANONICAL.get(asked.lower(), asked[:64]))
        status: int | str = 200
        try:
            call = await read_call(call.method, request)
            if request.match_info["token"] != BOT_TOKEN:
                raise ApiError(401, "Unauthorized")  # noqa: TRY301 - one place words refusals
            fault = self._state.faults.take(call)
            if fault is not None and fault.code in {"drop", "html"}:
                return self._break(request, call, fault)
            if fault is not None and fault.code not in EXECUTED:
                raise as_error(fault)
            answer: dict[str, Any] = {"ok": True, "result": await self._execute(call)}
            if fault is not None:
                self._note(call, fault.code, answer)
                if fault.code == "truncated":
                    return await _cut_short(request, answer)
                return _dropped(request)
        except ApiError as refusal:
            status, answer = refusal.code, refusal.envelope()
        self._note(call, status, answer)
        return web.json_response(answer, status=int(status))

    async def _execute(self, call: Call) -> Any:  # noqa: ANN401 - a Bot API result is any JSON
        if call.method == GET_UPDATES:
            return await self._get_updates(call)
        method = METHODS.get(call.method)
        if method is None:
            raise ApiError(404, "Not Found: method not found")
        return method(self._state, call)

    async def _get_updates(self, call: Call) -> list[dict[str, Any]]:
        updates = self._state.updates
        allowed = call.nested("allowed_updates", list)
        if allowed is not None and allowed != updates.allowed:
            updates.allow(allowed)
        offset = call.integer("offset")
        if offset:
            updates.confirm(offset)
        self._state.store.commit()  # the wait may be long; what it confirmed is durable before it
        limit = call.integer("limit") or limits.UPDATES_PER_POLL_MAX
        timeout_s = min(max(call.integer("timeout") or 0, 0), limits.POLL_TIMEOUT_S_MAX)
        return await updates.poll(min(max(limit, 1), limits.UPDATES_PER_POLL_MAX), timeout_s)

    def _note(self, call: Call, status: int | str, answer: dict[str, Any] | None) -> None:
        self._state.outbox.note(call, status, answer, self._state.now_s())
        self._state.store.commit()

    def _break(self, request: web.Request, call: Call, fault: FaultSpec) -> web.StreamResponse:
        """Misbehave without executing: no answer at all, or a proxy's page."""
        self._note(call, fault.code, None)
        if fault.code == "html":
            return web.Response(status=502, text=PROXY_HTML, content_type="text/html")
        return _dropped(request)

    async def _file(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != BOT_TOKEN:
            return web.json_response(ApiError(401, "Unauthorized").envelope(), status=401)
        file_id = self._state.files.id_at(request.match_info["path"])
        content = self._state.files.content(file_id) if file_id else None
        if file_id is None or content is None:
            return web.json_response(ApiError(404, "Not Found").envelope(), status=404)
        return web.Response(body=content, content_type=self._state.files.mime_type(file_id))


def _dropped(request: web.Request) -> web.Response:
    """Cut the connection; the response goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)


async def _cut_short(request: web.Request, answer: dict[str, Any]) -> web.StreamResponse:
    """Promise the whole answer, send half of it, and cut the connection."""
    body = msgspec.json.encode(answer)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.abort()
    return response
