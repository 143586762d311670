"""Answers to those who ask to be let in."""

from aiogram import Bot, Router
from aiogram.types import CallbackQuery

from bot import menus
from bot.callbacks import AccessAnswerPress, AccessVerb
from bot.middlewares.context import Toast
from bot.services import Access
from bot.speaker import Speaker
from bot.views import people as views
from core.domain.people import Person
from core.services.errors import Refused

OVER = frozenset({"request_answered", "listed_in_file", "not_found"})
"""Refusals after which the pressed button can never do anything."""


def build() -> Router:
    """Approve or block."""
    router = Router(name="access")
    router.callback_query.register(answer, AccessAnswerPress.filter(), flags={"role": "admin"})
    return router


async def answer(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: AccessAnswerPress,
    person: Person,
    access: Access,
    speaker: Speaker,
    bot: Bot,
    links: bool = False,  # noqa: FBT001, FBT002 - aiogram injects by name
) -> Toast:
    """Decide. The question is edited by what the decision tells; its buttons go at once."""
    approve = callback_data.verb is AccessVerb.APPROVE
    try:
        decision = await access.answer(person, callback_data.request_id, approve=approve)
    except Refused as refused:
        if refused.code in OVER:
            await speaker.without_buttons(query)
        raise
    await speaker.without_buttons(query)
    if decision.approved:
        await menus.give(bot, decision.telegram_id, links=links)
    return Toast(views.decided(decision))
