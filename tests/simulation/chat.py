"""Telegram in this process: the real bot object, and answers as good and bad as Telegram's own.

What was delivered is kept, whatever the answer to it became: a lost answer is a message that stands
in the chat.
"""

import asyncio
import json
import random
from collections.abc import AsyncGenerator
from typing import Any, Final

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.base import BaseSession
from aiogram.exceptions import TelegramNetworkError
from aiogram.methods import EditMessageText, SendMessage, TelegramMethod
from aiogram.methods.base import Response, TelegramType
from msgspec import Struct

from tests.simulation.line import LINE

KEPT_FORMS: Final = tuple(Response[of.__returning__] for of in (SendMessage, EditMessageText))  # type: ignore[name-defined] # a form made while the program runs
"""pydantic forgets a form that nobody holds, and takes 20 ms to make it anew."""
FLOOD, BROKEN, BLOCKED, LOST, SLOW = "flood", "broken", "blocked", "lost", "slow"
FAULTS: Final = (FLOOD, BROKEN, BLOCKED, LOST, SLOW)
TOKEN: Final = "42:SIMULATED"
ANSWER_S: Final = (0.02, 0.12)
SLOW_S: Final = (3.0, 25.0)
TIMEOUT_S: Final = 20.0


class Delivered(Struct, frozen=True):
    """A message as it stands in a chat."""

    chat_id: int
    message_id: int
    text: str


class Chats:
    """Every chat, and what is wrong with Telegram.

    Faults: `flood` 429, `broken` 5xx, `blocked` 403 of one chat, `lost` delivered and the answer
    lost, `slow`.
    """

    def __init__(self, draws: random.Random) -> None:
        self._draws = draws
        self._faults: dict[str, tuple[float, float]] = {}
        self.blocked: set[int] = set()
        self.delivered: dict[tuple[int, int], Delivered] = {}
        self.sent = 0

    def fault(self, kind: str, until_s: float, share: float) -> None:
        """Let something go wrong until then, with that share of the calls."""
        self._faults[kind] = (until_s, share)

    def heal(self) -> None:
        """All is well; who blocked the bot no longer does."""
        self._faults.clear()
        self.blocked.clear()

    def meets(self, kind: str, now_s: float) -> bool:
        """Whether it goes wrong this time."""
        found = self._faults.get(kind)
        return found is not None and now_s < found[0] and self._draws.random() < found[1]

    def put(self, method: SendMessage | EditMessageText) -> int:
        """Let it stand in its chat."""
        chat_id = int(method.chat_id or 0)
        if isinstance(method, EditMessageText):
            message_id = int(method.message_id or 0)
        else:
            self.sent += 1
            message_id = self.sent
        self.delivered[chat_id, message_id] = Delivered(chat_id, message_id, method.text or "")
        return message_id


class ChatSession(BaseSession):
    """The bot's way to the simulated chats."""

    def __init__(self, chats: Chats, draws: random.Random) -> None:
        super().__init__()
        self._chats = chats
        self._draws = draws

    async def close(self) -> None:
        """Nothing is open."""

    async def make_request(
        self, bot: Bot, method: TelegramMethod[TelegramType], timeout: int | None = None
    ) -> TelegramType:
        """Deliver and answer, or what Telegram does instead; aiogram reads the answer itself."""
        line = LINE.get()
        assert line is not None
        now_s = line_time()
        slow = self._chats.meets(SLOW, now_s)
        await line.step("chat", *(SLOW_S if slow else ANSWER_S))
        lasted_s = line_time() - now_s
        asked: object = method
        assert isinstance(asked, SendMessage | EditMessageText), asked
        status, body = self._answer(asked, now_s)
        if lasted_s > TIMEOUT_S or (status == 200 and self._chats.meets(LOST, now_s)):
            raise TelegramNetworkError(method, "Request timeout error")
        await line.step("chat answer")
        return self.check_response(bot, method, status, json.dumps(body)).result  # type: ignore[return-value] # as aiogram's own

    def _answer(
        self, method: SendMessage | EditMessageText, now_s: float
    ) -> tuple[int, dict[str, Any]]:
        chat_id = int(method.chat_id or 0)
        if self._chats.meets(FLOOD, now_s):
            wait_s = self._draws.randint(1, 12)
            return 429, _refused(429, "Too Many Requests", retry_after=wait_s)
        if self._chats.meets(BROKEN, now_s):
            return 502, _refused(502, "Bad Gateway")
        if chat_id in self._chats.blocked:
            return 403, _refused(403, "Forbidden: bot was blocked by the user")
        message_id = self._chats.put(method)
        chat = {"id": chat_id, "type": "group" if chat_id < 0 else "private"}
        return 200, {"ok": True, "result": {"message_id": message_id, "date": 1, "chat": chat}}

    async def stream_content(
        self,
        url: str,
        headers: dict[str, Any] | None = None,
        timeout: int = 30,
        chunk_size: int = 65536,
        raise_for_status: bool = True,  # noqa: FBT001, FBT002 - aiogram's own signature
    ) -> AsyncGenerator[bytes, None]:
        """Nothing is downloaded."""
        for _ in ():
            yield b""


def line_time() -> float:
    """The loop's own seconds."""
    return asyncio.get_running_loop().time()


def _refused(code: int, text: str, **parameters: int) -> dict[str, Any]:
    return {"ok": False, "error_code": code, "description": text, "parameters": parameters}


def bot(chats: Chats, draws: random.Random) -> Bot:
    """A bot that speaks into the simulated chats."""
    return Bot(
        TOKEN, session=ChatSession(chats, draws), default=DefaultBotProperties(parse_mode="HTML")
    )
