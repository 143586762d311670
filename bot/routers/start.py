"""/start and /help."""

from aiogram import Router
from aiogram.filters import Command, CommandStart
from aiogram.types import Message

from bot.speaker import Speaker
from bot.views import replies
from bot.views.message import Voice
from core.domain.people import Person


def build() -> Router:
    """The first words."""
    router = Router(name="start")
    flags = {"role": "client", "shared": True}
    router.message.register(start, CommandStart(), flags=flags)
    router.message.register(help_, Command("help"), flags=flags)
    return router


async def start(message: Message, person: Person, speaker: Speaker, voice: Voice) -> None:
    """What Reckoner is."""
    await speaker.say(message, replies.start(person, voice))


async def help_(message: Message, person: Person, speaker: Speaker) -> None:
    """What this person may ask for."""
    await speaker.say(message, replies.help_text(person))
