"""Answers to a market warning. The warning's message changes through the outbox."""

from aiogram import Router
from aiogram.types import CallbackQuery

from bot.callbacks import WarningPress
from bot.middlewares.context import Toast
from bot.services import AnswerWarning
from bot.views import replies
from bot.views.message import Voice
from core.domain.people import Person


def build() -> Router:
    """Close now, Hold 15 min, Dismiss."""
    router = Router(name="warnings")
    router.callback_query.register(answer, WarningPress.filter(), flags={"role": "admin"})
    return router


async def answer(
    _: CallbackQuery,
    callback_data: WarningPress,
    person: Person,
    answer_warning: AnswerWarning,
    voice: Voice,
) -> Toast:
    """Answer the version that was shown; an older one is refused."""
    press = callback_data
    answered = await answer_warning(person, press.warning_id, press.version, press.verb.value)
    return Toast(replies.answered(answered, voice))
