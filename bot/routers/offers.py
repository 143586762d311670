"""/signals, and /approve and /reject: what an offer's buttons do, in words."""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot.routers.logins import is_login
from bot.services import DecideApproval, SignalBoards
from bot.speaker import Speaker
from bot.views import refusals, replies
from bot.views import signals as views
from bot.views.message import Message as Said
from bot.views.message import Voice
from core.domain.people import Person
from core.services.errors import Refused

APPROVE, REJECT = "approve", "reject"


def build() -> Router:
    """Three commands."""
    router = Router(name="offers")
    shared = {"role": "client", "shared": True}
    router.message.register(signals, Command("signals"), flags=shared)
    router.message.register(decide, Command(APPROVE, REJECT), flags={"role": "client"})
    return router


async def signals(
    message: Message, person: Person, signal_boards: SignalBoards, speaker: Speaker, voice: Voice
) -> None:
    """A person's own offers; the last signals for admins without an account, or in their chat."""
    private = message.chat.type == "private"
    if person.is_admin and not (private and person.account_ids):
        await speaker.say(message, views.last(await signal_boards.last(person), voice))
        return
    await speaker.say(message, views.own(await signal_boards.own(person), voice))


async def decide(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    signal_boards: SignalBoards,
    decide_approval: DecideApproval,
    speaker: Speaker,
    voice: Voice,
) -> None:
    """Answer a signal on every account it was offered to; what one refuses keeps no other back."""
    text = (command.args or "").strip()
    if not is_login(text):
        await speaker.say(message, views.usage(command.command, text))
        return
    lines: list[str] = []
    for approval_id in await signal_boards.offers_of(person, int(text)):
        try:
            done = await decide_approval(person, approval_id, command.command == APPROVE)
            lines.append(replies.decided(done))
        except Refused as refused:
            lines.append(refusals.sentence(refused, voice))
    await speaker.say(message, Said(html="\n".join(lines)))
