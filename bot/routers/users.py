"""/users: who is who, paged in place, with what an admin may change of each."""

from aiogram import Bot, Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from bot import menus
from bot.callbacks import ConfirmPress, UsersPress, UsersVerb
from bot.i18n import t
from bot.middlewares.context import Toast
from bot.services import Access, Users
from bot.speaker import Speaker
from bot.views import users as views
from bot.views.message import Voice
from core.domain.people import Person, Role
from core.domain.standing import UserLine
from core.services.errors import Refused

ADMIN = {"role": "admin"}
OVER = frozenset({"confirmed_already", "confirm_expired"})
"""Refusals after which a preview can never be confirmed."""


def build() -> Router:
    """The list, a person's card, and the changes."""
    router = Router(name="users")
    router.message.register(users_, Command("users"), flags=ADMIN)
    router.callback_query.register(turn, UsersPress.filter(), flags=ADMIN)
    router.callback_query.register(confirm, ConfirmPress.filter(), flags=ADMIN)
    return router


async def users_(
    message: Message, person: Person, users: Users, speaker: Speaker, voice: Voice
) -> None:
    """The first page."""
    shown = await users.page(person, 0)
    await speaker.say(message, views.page(shown, person.telegram_id, voice))


async def turn(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: UsersPress,
    person: Person,
    users: Users,
    access: Access,
    speaker: Speaker,
    voice: Voice,
    bot: Bot,
    links: bool = False,  # noqa: FBT001, FBT002 - as above
) -> Toast:
    """A page, a card, or a change, in the place of what was shown."""
    press = callback_data
    if press.asker != person.telegram_id:
        raise Refused("not_yours")
    if press.verb is UsersVerb.LIST:
        shown = await users.page(person, press.page)
        await speaker.show(query, views.page(shown, person.telegram_id, voice))
        return Toast()
    if press.verb is UsersVerb.BLOCK:
        preview = await users.preview_block(person, press.user_id)
        await speaker.show(query, views.preview(preview, press, voice))
        return Toast()
    said = ""
    if press.verb is UsersVerb.UNBLOCK:
        line = await users.unblock(person, press.user_id)
        await _menu(bot, line, links=links)
        said = views.unblocked(line)
    elif press.verb is UsersVerb.APPROVE:
        line = await users.one(person, press.user_id)
        await access.answer(person, line.request_id or 0, approve=True)
        line = await users.one(person, press.user_id)
        await _menu(bot, line, links=links)
        said = views.approved(line)
    else:
        line = await users.one(person, press.user_id)
    await speaker.show(query, views.card(line, person, press.page, voice))
    return Toast(said)


async def confirm(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: ConfirmPress,
    person: Person,
    users: Users,
    speaker: Speaker,
    voice: Voice,
    bot: Bot,
) -> Toast:
    """Do what was previewed, or leave it. A preview is spent by either."""
    if callback_data.asker != person.telegram_id:
        raise Refused("not_yours")
    work = users.confirm if callback_data.yes else users.cancel
    try:
        line = await work(person, callback_data.confirmation_id)
    except Refused as refused:
        if refused.code in OVER:
            await speaker.without_buttons(query)
        raise
    await speaker.show(query, views.card(line, person, callback_data.page, voice))
    if not callback_data.yes:
        return Toast(t(views.CANCELLED))
    await menus.take(bot, line.telegram_id)
    return Toast(views.blocked(line))


async def _menu(bot: Bot, line: UserLine, *, links: bool) -> None:
    """Show a client's commands to whoever is one now; admins see theirs after the next start."""
    if line.role is Role.CLIENT:
        await menus.give(bot, line.telegram_id, links=links)
