"""What becomes of a handler that raises: a sentence for the person, a reference for us.

A refusal is an answer. Everything else is our fault: the person and the admin chat get the same
reference, the log the details.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from aiogram import BaseMiddleware, Bot
from aiogram.dispatcher.event.bases import CancelHandler, SkipHandler
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.types import TelegramObject, Update
from msgspec import Struct

from bot.i18n import speaking, t
from bot.limits import Recently
from bot.markup import plain
from bot.middlewares.context import Answerer, Handler, Toast
from bot.services import People
from bot.speaker import Speaker
from bot.views import refusals, replies
from bot.views.message import Message as Said
from bot.views.message import Voice
from core.ports import StoreUnavailable
from core.services.errors import Refused

AUDITED = frozenset({"not_yours", "not_admin"})
"""Refusals of somebody who reached for what is not theirs."""
REPORT_SPAN_S = 60.0
HANDLING_S = 50.0
"""How long a handler may take; after that the person is told of a fault.

Less than the poller's own bound, at which an update is given up without a word.
"""
REPORTS_MAX = 100
"""Kinds of failure remembered; each is reported to the admin chat once per span."""
NOT_MODIFIED = "message is not modified"
log = structlog.get_logger(__name__)


class Failed(Struct, frozen=True):
    """The update was not handled; `ref` finds out why in the log."""

    ref: str


class ErrorsMiddleware(BaseMiddleware):
    """Around everything that handles an update."""

    def __init__(
        self, people: People, voice: Voice, admin_chat_id: int, moved: Mapping[int, int]
    ) -> None:
        self._people = people
        self._voice = voice
        self._admin_chat_id = admin_chat_id
        self._moved = moved
        self._reported = Recently(REPORT_SPAN_S, REPORTS_MAX)

    async def __call__(
        self, handler: Handler, event: TelegramObject, data: dict[str, Any]
    ) -> object:
        """Handle; answer whatever is raised."""
        try:
            async with asyncio.timeout(HANDLING_S):
                return await handler(event, data)
        except (SkipHandler, CancelHandler):
            raise
        except Refused as refused:
            await self._refuse(refused, event, data)
            return None
        except StoreUnavailable:
            log.warning("store_unavailable_for_update")
            await self._tell(event, data, Toast(t(refusals.NO_STORE), alert=True))
            return Failed(data["ref"])
        except Exception as error:
            # The error router: whatever a handler raises is answered, logged and reported once.
            if isinstance(error, TelegramBadRequest) and NOT_MODIFIED in error.message:
                await self._tell(event, data, None)
                return None
            log.exception("update_failed")
            await self._tell(event, data, Toast(refusals.trouble(data["ref"]), alert=True))
            await self._report(error, event, data)
            return Failed(data["ref"])

    async def _refuse(self, refused: Refused, event: TelegramObject, data: dict[str, Any]) -> None:
        log.info("refused", code=refused.code)
        if refused.code in AUDITED and data.get("event_from_user") is not None:
            await self._people.refuse(data["event_from_user"].id, f"{refused.code}: {what(event)}")
        voice = await self._voice_for(data)
        with speaking(voice.language):
            sentence = refusals.sentence(refused, voice)
        await self._tell(event, data, Toast(sentence, alert=True))

    async def _voice_for(self, data: dict[str, Any]) -> Voice:
        """In private every time is the reader's own; in a group, or without a database, UTC."""
        user, chat = data.get("event_from_user"), data.get("event_chat")
        if user is None or chat is None or chat.type != "private":
            return self._voice
        unknown = self._voice.to(None, user.language_code or "")
        try:
            person = await self._people.identify(user.id)
        except StoreUnavailable:
            return unknown
        return unknown if person is None else self._voice.to_person(person)

    async def _tell(self, event: TelegramObject, data: dict[str, Any], toast: Toast | None) -> None:
        """Tell the person, where they asked: a pop-up for a press, a message for a message."""
        answerer: Answerer | None = data.get("answerer")
        if answerer is not None:
            text = plain(toast.text) if toast else ""
            await answerer.once(Toast(text, alert=toast is not None))
            return
        if toast is None or not isinstance(event, Update) or event.message is None:
            return
        speaker: Speaker = data["speaker"]
        try:
            await speaker.say(event.message, Said(html=toast.text))
        except (AiogramError, TimeoutError, OSError) as error:
            log.warning("answer_not_sent", error=str(error))

    async def _report(self, error: Exception, event: TelegramObject, data: dict[str, Any]) -> None:
        kind = type(error).__name__
        now_s = asyncio.get_running_loop().time()
        if not self._reported.first((kind, what(event)), now_s):
            return
        bot: Bot = data["bot"]
        text = replies.trouble_report(data["ref"], what(event), kind)
        try:
            admin = self._moved.get(self._admin_chat_id, self._admin_chat_id)
            await bot.send_message(admin, text)
        except (AiogramError, TimeoutError, OSError) as failure:
            log.warning("report_not_sent", error=str(failure))


def what(event: TelegramObject) -> str:
    """What was asked for, in a few words and without arguments: they may be private.

    For the audit and the log, so in English.
    """
    if isinstance(event, Update):
        inner = event.callback_query or event.message
        return what(inner) if inner is not None else "update"
    data = getattr(event, "data", None)
    if data:
        return f"button {str(data)[:64]}"
    text = getattr(event, "text", None) or ""
    return f"command {text.split()[0][:32]}" if text.startswith("/") else "message"
