"""/drill: an admin rehearses closing; nothing is sent."""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot.routers.logins import is_login
from bot.services import Drill
from bot.speaker import Speaker
from bot.views import drill as views
from bot.views import replies
from bot.views.message import Voice
from core.domain.people import Person
from core.ports import Clock

ADMIN = {"role": "admin"}


def build() -> Router:
    """One account by its login, or all."""
    router = Router(name="drill")
    router.message.register(rehearse, Command("drill"), flags=ADMIN)
    return router


async def rehearse(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    drill: Drill,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> None:
    """Rehearse, and say what would block."""
    text = (command.args or "").strip()
    if text and not is_login(text):
        await speaker.say(message, replies.bad_login(text, "drill"))
        return
    made = await drill(person, int(text) if text else None)
    await speaker.say(message, views.rehearsed(made, voice, clock.now()))
