"""Telegram without a network: a session that records every call and answers from a script."""

import itertools
import json
from collections import deque
from collections.abc import AsyncGenerator, Callable
from typing import Any

from aiogram import Bot
from aiogram.client.session.base import BaseSession
from aiogram.methods import TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import Update

BOT_ID = 42
BOT_NAME = "reckoner_bot"
ADMIN_CHAT = -1001


class Answer:
    """One scripted answer: an HTTP status and a body, given once to a call of `method`."""

    def __init__(
        self,
        status: int = 200,
        description: str = "",
        *,
        method: str = "",
        chat_id: int | None = None,
        parameters: dict[str, int] | None = None,
        body: str | None = None,
        error: Exception | None = None,
    ) -> None:
        self.status = status
        self.method = method
        self.chat_id = chat_id
        self.error = error
        self.body = body or json.dumps(
            {
                "ok": False,
                "error_code": status,
                "description": description,
                **({"parameters": parameters} if parameters else {}),
            }
        )

    def fits(self, name: str, chat_id: object) -> bool:
        """Whether it is meant for this call."""
        return self.method in {"", name} and self.chat_id in {None, chat_id}


class RecordingSession(BaseSession):
    """Answers as Telegram would, unless a scripted answer fits."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[TelegramMethod[Any]] = []
        self.script: deque[Answer] = deque()
        self.updates: deque[list[dict[str, Any]]] = deque()
        self.on_call: Callable[[TelegramMethod[Any]], Any] | None = None
        self._ids = itertools.count(100)

    async def close(self) -> None:
        """Nothing is open."""

    async def make_request(
        self, bot: Bot, method: TelegramMethod[TelegramType], timeout: int | None = None
    ) -> TelegramType:
        """Record, then answer through aiogram's own checks."""
        self.calls.append(method)
        if self.on_call is not None:
            await self.on_call(method)
        name, chat_id = method.__api_method__, getattr(method, "chat_id", None)
        scripted = next((each for each in self.script if each.fits(name, chat_id)), None)
        if scripted is not None:
            self.script.remove(scripted)
            if scripted.error is not None:
                raise scripted.error
            checked = self.check_response(bot, method, scripted.status, scripted.body)
        else:
            body = json.dumps({"ok": True, "result": self._result(name, chat_id)})
            checked = self.check_response(bot, method, 200, body)
        assert checked.result is not None
        return checked.result

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,
        chunk_size: int = 65536,
        raise_for_status: bool = True,  # noqa: FBT001, FBT002 - aiogram's signature
    ) -> AsyncGenerator[bytes, None]:
        """Nothing is downloaded here."""
        yield b""

    def _result(self, name: str, chat_id: object) -> Any:  # noqa: ANN401 - as JSON has it
        if name == "getUpdates":
            return self.updates.popleft() if self.updates else []
        if name == "getMe":
            return {"id": BOT_ID, "is_bot": True, "first_name": "R", "username": BOT_NAME}
        if name in {"sendMessage", "sendPhoto", "sendDocument", "editMessageText"}:
            kind = "private" if isinstance(chat_id, int) and chat_id > 0 else "supergroup"
            chat = {"id": chat_id, "type": kind, "title": "chat"}
            return {"message_id": next(self._ids), "date": 1_763_800_000, "chat": chat}
        return True

    def named(self, name: str) -> list[Any]:
        """The calls of one method."""
        return [call for call in self.calls if call.__api_method__ == name]

    def texts(self, chat_id: int | None = None) -> list[str]:
        """Texts sent or edited, in order."""
        return [
            getattr(call, "text", None) or getattr(call, "caption", None) or ""
            for call in self.calls
            if call.__api_method__ in {"sendMessage", "editMessageText", "sendPhoto"}
            and chat_id in {None, getattr(call, "chat_id", None)}
        ]

    def popups(self) -> list[tuple[str | None, bool | None]]:
        """Answers to presses: text, and whether a pop-up."""
        return [(call.text, call.show_alert) for call in self.named("answerCallbackQuery")]


def make_bot() -> tuple[Bot, RecordingSession]:
    """A bot whose calls are recorded."""
    session = RecordingSession()
    return Bot(f"{BOT_ID}:TEST", session=session), session


_updates = itertools.count(1)
_messages = itertools.count(1)


def chat_json(chat_id: int) -> dict[str, Any]:
    """A private chat for positive ids, a group for negative ones."""
    if chat_id > 0:
        return {"id": chat_id, "type": "private", "first_name": "P"}
    return {"id": chat_id, "type": "supergroup", "title": "group"}


def user_json(user_id: int) -> dict[str, Any]:
    """A person."""
    return {"id": user_id, "is_bot": False, "first_name": f"U{user_id}"}


def message_json(user_id: int, text: str, chat_id: int | None = None) -> dict[str, Any]:
    """An update with a message."""
    chat = chat_json(user_id if chat_id is None else chat_id)
    entities = (
        [{"type": "bot_command", "offset": 0, "length": len(text.split(maxsplit=1)[0])}]
        if text.startswith("/")
        else []
    )
    return {
        "update_id": next(_updates),
        "message": {
            "message_id": next(_messages),
            "date": 1_763_800_000,
            "chat": chat,
            "from": user_json(user_id),
            "text": text,
            "entities": entities,
        },
    }


def press_json(
    user_id: int, data: str, chat_id: int | None = None, message_id: int = 7
) -> dict[str, Any]:
    """An update with a press on a button of the bot's message."""
    number = next(_updates)
    return {
        "update_id": number,
        "callback_query": {
            "id": f"q{number}",
            "from": user_json(user_id),
            "chat_instance": "c",
            "data": data,
            "message": {
                "message_id": message_id,
                "date": 1_763_800_000,
                "chat": chat_json(user_id if chat_id is None else chat_id),
                "from": {"id": BOT_ID, "is_bot": True, "first_name": "R"},
                "text": "shown",
            },
        },
    }


def update(body: dict[str, Any], bot: Bot) -> Update:
    """The update as aiogram reads it from the wire."""
    return Update.model_validate(body, context={"bot": bot})
