"""/unblock and its button: an admin clears a terminal that answered for another account."""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import UnblockPress
from bot.middlewares.context import Answerer, Toast
from bot.routers.logins import is_login
from bot.services import ClearTerminal
from bot.speaker import Speaker
from bot.views import replies
from bot.views.message import Message as Said
from core.domain.people import Person
from core.services.errors import Refused

ADMIN = {"role": "admin"}
DONE_WITH = frozenset({"not_blocked", "newer_block"})
"""Refusals after which this button can do nothing any more."""


def build() -> Router:
    """Unblock by login, or by the button under what told of the block."""
    router = Router(name="unblock")
    router.message.register(unblock, Command("unblock"), flags=ADMIN)
    router.callback_query.register(press, UnblockPress.filter(), flags=ADMIN)
    return router


async def unblock(
    message: Message,
    command: CommandObject,
    person: Person,
    clear_terminal: ClearTerminal,
    speaker: Speaker,
) -> None:
    """Unblock the account whose login is named."""
    login = (command.args or "").strip()
    if not is_login(login):
        await speaker.say(message, replies.bad_unblock(login))
        return
    answer = await clear_terminal.by_login(person, int(login))
    await speaker.say(message, Said(html=replies.unblocked(answer)))


async def press(
    query: CallbackQuery,
    callback_data: UnblockPress,
    person: Person,
    clear_terminal: ClearTerminal,
    speaker: Speaker,
    answerer: Answerer,
) -> None:
    """Unblock this account. The button goes once it has nothing more to do."""
    pressed = callback_data
    try:
        answer = await clear_terminal(person, pressed.account_id, pressed.blocked_ms)
    except Refused as refused:
        if refused.code in DONE_WITH:
            await speaker.without_button(query)
        raise
    # Answered first: the edit waits for its turn in a busy chat.
    await answerer.once(Toast(replies.unblocked(answer), alert=True))
    await speaker.without_button(query)
