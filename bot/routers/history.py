"""/history: pages of what happened, turned and filtered in place."""

from datetime import UTC, datetime

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import HistoryPress, HistoryVerb
from bot.i18n import t
from bot.middlewares.context import Toast
from bot.routers.logins import is_login
from bot.services import Histories
from bot.speaker import Speaker
from bot.views import boards, refusals, replies
from bot.views import history as views
from bot.views.message import Voice
from core.domain.people import Person
from core.ports import Clock
from core.services.errors import Refused
from core.services.history import HistoryAsk

SHARED = {"role": "client", "shared": True}


def build() -> Router:
    """An account's past: a client's own, and any for admins."""
    router = Router(name="history")
    router.message.register(history, Command("history"), flags=SHARED)
    router.callback_query.register(turn, HistoryPress.filter(), flags=SHARED)
    return router


async def history(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    histories: Histories,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> None:
    """The newest page; in a group an admin names the account, as no own ones are shown there."""
    login = (command.args or "").strip()
    if login and not is_login(login):
        await speaker.say(message, replies.bad_login(login, command.command))
        return
    if not login and message.chat.type != "private":
        await speaker.say(message, replies.name_login(command.command))
        return
    if not login and not person.account_ids:
        await speaker.say(message, boards.no_account(admin=person.is_admin))
        return
    shown = await histories.first_page(person, int(login) if login else None)
    said = views.page(shown, voice.to(person.time_zone), clock.now(), person.telegram_id)
    await speaker.say(message, said)


async def turn(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: HistoryPress,
    person: Person,
    histories: Histories,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> Toast:
    """Another page, filter, symbol or account, in the place of what was shown."""
    if callback_data.asker != person.telegram_id:
        return Toast(t(refusals.FOREIGN), alert=True)
    spoken = voice.to(person.time_zone)
    if callback_data.verb is HistoryVerb.SYMBOLS:
        symbols = await histories.symbols(person, callback_data.account_id)
        await speaker.show(query, views.pick_symbol(callback_data, symbols, spoken))
        return Toast()
    shown = await histories.page(person, _ask(callback_data))
    said = views.page(shown, spoken, clock.now(), person.telegram_id)
    if callback_data.verb is HistoryVerb.ACCOUNTS:
        said = views.pick_account(callback_data, shown.accounts, spoken)
    await speaker.show(query, said)
    return Toast()


def _ask(press: HistoryPress) -> HistoryAsk:
    """What a press asks for. Raises Refused not_found for an instant that is none."""
    try:
        as_of = datetime.fromtimestamp(press.as_of, UTC) if press.as_of else None
    except (ValueError, OverflowError, OSError):
        raise Refused("not_found") from None
    return HistoryAsk(
        account_id=press.account_id,
        filter=press.kind,
        symbol_id=press.symbol_id,
        page=press.page,
        as_of=as_of,
    )
