"""/health and /audit, /grant and /refuse: for admins, what buttons and boards do, in words."""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot.routers.logins import is_login
from bot.services import AnswerRelease, AuditLook, Boards
from bot.speaker import Speaker
from bot.views import audit as audit_views
from bot.views import boards as views
from bot.views import replies
from bot.views.message import Message as Said
from bot.views.message import Voice
from core.domain.people import Person

ADMIN = {"role": "admin"}
GRANT, REFUSE = "grant", "refuse"


def build() -> Router:
    """Four commands."""
    router = Router(name="oversight")
    router.message.register(health, Command("health"), flags=ADMIN)
    router.message.register(audit, Command("audit"), flags=ADMIN)
    router.message.register(answer, Command(GRANT, REFUSE), flags=ADMIN)
    return router


async def health(message: Message, boards: Boards, speaker: Speaker, voice: Voice) -> None:
    """How Reckoner itself is."""
    await speaker.say(message, views.status((), await boards.system(), voice, admin=True))


async def audit(
    message: Message,
    command: CommandObject,
    person: Person,
    audit_look: AuditLook,
    speaker: Speaker,
    voice: Voice,
) -> None:
    """Whether the audit of an account, or of the system, holds."""
    text = (command.args or "").strip()
    if text and not is_login(text):
        await speaker.say(message, replies.bad_login(text, command.command))
        return
    seen = await audit_look(person, int(text) if text else None)
    await speaker.say(message, audit_views.seen(seen, voice))


async def answer(
    message: Message,
    command: CommandObject,
    person: Person,
    answer_release: AnswerRelease,
    speaker: Speaker,
) -> None:
    """Grant or refuse the release that an account's client asked for."""
    text = (command.args or "").strip()
    if not is_login(text):
        await speaker.say(message, replies.bad_login(text, command.command))
        return
    grant = command.command == GRANT
    await answer_release.by_login(person, int(text), grant)
    await speaker.say(message, Said(html=replies.release_answered(grant=grant)))
