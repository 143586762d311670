"""/incident: what a guard did, step by step, with its proof."""

import asyncio

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot.routers.logins import is_login
from bot.services import Incidents
from bot.speaker import Speaker
from bot.views import incident as views
from bot.views.message import Voice
from core.domain.people import Person

SHARED = {"role": "client", "shared": True}


def build() -> Router:
    """Incidents: of a client's own accounts, and of any for admins."""
    router = Router(name="incident")
    router.message.register(incident, Command("incident"), flags=SHARED)
    return router


async def incident(
    message: Message,
    command: CommandObject,
    person: Person,
    incidents: Incidents,
    speaker: Speaker,
    voice: Voice,
) -> None:
    """The list, or one with its document."""
    text, spoken = (command.args or "").strip(), voice.to(person.time_zone)
    if not text:
        lines = await incidents.latest(person)
        await speaker.say(message, views.listed(lines, spoken, admin=person.is_admin))
        return
    if not is_login(text):
        await speaker.say(message, views.bad_number(text))
        return
    found = await incidents.one(person, int(text))
    # A thousand links take longer to write out than the accounts' guards should wait.
    await speaker.say(message, await asyncio.to_thread(views.incident, found, spoken))
