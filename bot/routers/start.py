"""/start and /help."""

from aiogram import Router
from aiogram.filters import Command, CommandStart
from aiogram.types import Message

from bot.middlewares.door import start_code, use_code
from bot.services import UseInvitation
from bot.speaker import Speaker
from bot.views import people, replies
from bot.views.message import Voice
from core.domain.people import Person


def build() -> Router:
    """The first words."""
    router = Router(name="start")
    flags = {"role": "client", "shared": True}
    router.message.register(start, CommandStart(), flags=flags)
    router.message.register(help_, Command("help"), flags=flags)
    router.message.register(id_, Command("id"), flags=flags)
    return router


async def start(
    message: Message,
    person: Person,
    speaker: Speaker,
    voice: Voice,
    use_invitation: UseInvitation,
    links: bool = False,  # noqa: FBT001, FBT002 - as above
) -> None:
    """What Reckoner is; or an invitation's code, in private."""
    code = start_code(message)
    if code and message.chat.type == "private":
        await use_code(message, code, {"speaker": speaker, "links": links}, use_invitation)
        return
    await speaker.say(message, replies.start(person, voice))


async def id_(message: Message, person: Person, speaker: Speaker) -> None:
    """Somebody's own number."""
    await speaker.say(message, people.id_of(person.telegram_id))


async def help_(
    message: Message,
    person: Person,
    speaker: Speaker,
    links: bool = False,  # noqa: FBT001, FBT002 - aiogram injects by name
) -> None:
    """What this person may ask for."""
    await speaker.say(message, replies.help_text(person, links=links))
