"""/ack and "I have it": an admin takes an alarm, and every message of it says so."""

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import ID_MAX, AlarmPress
from bot.middlewares.context import Toast
from bot.services import Alarms
from bot.speaker import Speaker
from bot.views import alarms as views
from bot.views.message import Message as Said
from core.domain.people import Person
from core.ports import Clock

ADMIN = {"role": "admin"}
ALL = "all"


def build() -> Router:
    """List alarms, take one."""
    router = Router(name="alarms")
    router.message.register(waiting, Command("ack", magic=~F.args), flags=ADMIN)
    router.message.register(ack, Command("ack"), flags=ADMIN)
    router.callback_query.register(press, AlarmPress.filter(), flags=ADMIN)
    return router


async def waiting(
    message: Message, person: Person, alarms: Alarms, speaker: Speaker, clock: Clock
) -> None:
    """Those that nobody has."""
    await speaker.say(message, views.listed(*await alarms.open(person), clock.now()))


async def ack(
    message: Message, command: CommandObject, person: Person, alarms: Alarms, speaker: Speaker
) -> None:
    """Take one by its number."""
    said = (command.args or "").strip()
    if said.lower() == ALL:
        await speaker.say(message, Said(html=views.taken_all(await alarms.take_all(person))))
        return
    if not (said.isascii() and said.isdigit() and int(said) <= ID_MAX):
        await speaker.say(message, views.usage(said))
        return
    await speaker.say(message, Said(html=views.taken(await alarms.take(person, int(said)))))


async def press(
    query: CallbackQuery, callback_data: AlarmPress, person: Person, alarms: Alarms
) -> Toast:
    """Take it. The outbox brings every copy up to date, this message among them."""
    del query
    return Toast(views.taken(await alarms.take(person, callback_data.alarm_id)))
