"""/link: a client has another account guarded; and the admins' answer.

What people write here never reaches a handler: it was taken where it was journalled (`bot.veil`),
and a handler only says where the conversation stands.
"""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import LinkAnswerPress, LinkPress, LinkVerb, RenewPress
from bot.i18n import t
from bot.middlewares.context import Toast
from bot.services import LinkDesk, LinkTalks
from bot.speaker import Speaker
from bot.veil import REFUSED
from bot.views import links as views
from bot.views import replies
from bot.views.message import Voice
from core.domain.people import Person
from core.services.errors import Refused

CLIENT = {"role": "client"}
OVER = frozenset({"link_answered", "not_found"})
"""Refusals after which the pressed button can never do anything."""


def build() -> Router:
    """The conversation, its buttons, the answer."""
    router = Router(name="linking")
    router.message.register(link, Command("link"), flags=CLIENT)
    router.message.register(cancel, Command("cancel"), flags=CLIENT)
    router.callback_query.register(press, LinkPress.filter(), flags=CLIENT)
    router.callback_query.register(renew, RenewPress.filter(), flags=CLIENT)
    router.callback_query.register(answer, LinkAnswerPress.filter(), flags={"role": "admin"})
    return router


async def link(
    message: Message,
    command: CommandObject,
    person: Person,
    link_talks: LinkTalks | None,
    speaker: Speaker,
    voice: Voice,
) -> None:
    """Say where the conversation stands. The words after the command are the veil's own."""
    *_, word, code = ("", "", *(command.args or "").split())
    if word == REFUSED:  # when it was taken
        raise Refused(code)
    if link_talks is None:
        await speaker.say(message, views.off())
        return
    ask = await link_talks.current(person)
    await speaker.say(message, views.asked(ask, voice))


async def cancel(
    message: Message, person: Person, link_talks: LinkTalks | None, speaker: Speaker
) -> None:
    """Reached where there was nothing to cancel. People try it when their money is at stake."""
    if link_talks is None:
        await speaker.say(message, replies.unknown_command("cancel", person))
    else:
        await speaker.say(message, views.nothing_to_cancel())


async def press(
    query: CallbackQuery,
    callback_data: LinkPress,
    person: Person,
    link_talks: LinkTalks | None,
    speaker: Speaker,
    voice: Voice,
) -> Toast:
    """Take a server, or end it, in the place of the question."""
    if link_talks is None:
        return Toast(t(views.OFF), alert=True)
    try:
        if callback_data.verb is LinkVerb.CANCEL:
            ask = await link_talks.cancel(person, callback_data.request_id)
        else:
            ask = await link_talks.choose(person, callback_data.request_id, callback_data.number)
    except Refused as refused:
        if refused.code == "stale_link":
            await speaker.without_buttons(query)
        raise
    await speaker.show(query, views.asked(ask, voice))
    return Toast()


async def renew(
    query: CallbackQuery,
    callback_data: RenewPress,
    person: Person,
    link_talks: LinkTalks | None,
    speaker: Speaker,
    voice: Voice,
) -> Toast:
    """Ask for the new password, below the alert that says why."""
    if link_talks is None:
        return Toast(t(views.OFF), alert=True)
    ask = await link_talks.renew(person, callback_data.account_id)
    await speaker.below(query, views.asked(ask, voice))
    return Toast()


async def answer(
    query: CallbackQuery,
    callback_data: LinkAnswerPress,
    person: Person,
    link_desk: LinkDesk | None,
    speaker: Speaker,
) -> Toast:
    """Decide. The question is edited by what the decision tells; its buttons go at once."""
    if link_desk is None:
        return Toast(t(views.OFF), alert=True)
    try:
        decision = await link_desk.answer(
            person, callback_data.request_id, approve=callback_data.approve
        )
    except Refused as refused:
        if refused.code in OVER:
            await speaker.without_buttons(query)
        raise
    await speaker.without_buttons(query)
    return Toast(views.decided(decision))
