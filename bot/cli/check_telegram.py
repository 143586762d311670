"""Whether Telegram knows the bot, and the bot the admins' chat. The token is never printed."""

from typing import Any, Final

import aiohttp
import msgspec

from bot.cli.steps import Step, cannot, missing, ok
from core.config import Settings

TELEGRAM: Final = "Telegram"
TIMEOUT_S: Final = 10.0
ANSWER_BYTES_MAX: Final = 64 * 1024
UNAUTHORIZED: Final = (401, 404)
"""What the Bot API answers to a token it does not know (404: one that cannot be one)."""


class _Refused(Exception):
    """The Bot API answered, with a refusal."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


async def telegram_step(settings: Settings) -> Step:
    """Ask getMe and getChat."""
    lacking = [
        name
        for name, value in (
            ("TELEGRAM_TOKEN", settings.telegram_token),
            ("ADMIN_CHAT_ID", settings.admin_chat_id),
        )
        if value is None
    ]
    if settings.telegram_token is None or settings.admin_chat_id is None:
        return missing(
            TELEGRAM,
            f"{' and '.join(lacking)} not set",
            "ask @BotFather for a bot and set its token, add the bot to the admins' chat, and set "
            "that chat's number",
        )
    root = f"{settings.telegram_api_base}/bot{settings.telegram_token.get_secret_value()}"
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
            return await _asked(session, root, settings.admin_chat_id)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        # Not the error's own text: it may show the address, and the token in it.
        return cannot(
            TELEGRAM,
            f"{settings.telegram_api_base} does not answer ({type(error).__name__})",
            "see to this machine's network, proxy and firewall; accounts are guarded meanwhile, "
            "but nobody is told",
        )


async def bot_username(settings: Settings) -> str | None:
    """The bot's name in Telegram; None without a token, or where Telegram does not answer."""
    if settings.telegram_token is None:
        return None
    url = f"{settings.telegram_api_base}/bot{settings.telegram_token.get_secret_value()}/getMe"
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
            bot = await _call(session, url, {})
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, _Refused):
        return None
    return str(bot["username"]) if bot.get("username") else None


async def _asked(session: aiohttp.ClientSession, root: str, chat_id: int) -> Step:
    try:
        bot = await _call(session, f"{root}/getMe", {})
    except _Refused as error:
        is_token = error.code in UNAUTHORIZED
        return cannot(
            TELEGRAM,
            "it does not know the token" if is_token else f"it refused getMe: {error}",
            "set TELEGRAM_TOKEN as @BotFather gave it" if is_token else "run this again later",
        )
    name = f"@{bot.get('username')}"
    try:
        chat = await _call(session, f"{root}/getChat", {"chat_id": chat_id})
    except _Refused as error:
        return cannot(
            TELEGRAM,
            f"{name} cannot reach the chat {chat_id}: {error}",
            "add the bot to that chat and write something there; a group's number is negative, and "
            "changes when the group becomes a supergroup (it then begins with -100)",
        )
    title = chat.get("title") or chat.get("first_name") or chat_id
    return ok(TELEGRAM, f"{name}, admins in '{title}'")


async def _call(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> dict[str, Any]:
    """Call a method. Raises _Refused, and ValueError for what is no answer of the Bot API."""
    async with session.post(url, json=body) as response:
        answer = msgspec.json.decode(await response.content.read(ANSWER_BYTES_MAX))
    if not isinstance(answer, dict):
        raise ValueError("expected an object")  # noqa: TRY004 - a malformed answer
    if answer.get("ok") is not True:
        code = answer.get("error_code")
        raise _Refused(code if isinstance(code, int) else 0, str(answer.get("description")))
    result = answer.get("result")
    if not isinstance(result, dict):
        raise ValueError("expected an object")  # noqa: TRY004 - a malformed answer
    return result
