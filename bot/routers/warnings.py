"""Answers to a market warning.

The warning's message changes through the outbox; what the outbox does not know of (a copy, an older
telling) is redrawn here.
"""

from aiogram import Router
from aiogram.types import CallbackQuery

from bot.callbacks import WarningCopyPress, WarningPress
from bot.markup import plain
from bot.middlewares.context import Answerer, Toast
from bot.services import AnswerWarning, Boards
from bot.speaker import Speaker
from bot.views import alerts_market, refusals, replies
from bot.views.message import Voice
from core.domain.people import Person
from core.ports import Clock
from core.services.errors import Refused


def build() -> Router:
    """Close now, Hold 15 min, Dismiss."""
    router = Router(name="warnings")
    for kind in (WarningPress, WarningCopyPress):
        router.callback_query.register(answer, kind.filter(), flags={"role": "admin"})
    return router


async def answer(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: WarningPress,
    person: Person,
    answer_warning: AnswerWarning,
    answerer: Answerer,
    boards: Boards,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> Toast:
    """Answer the version that was shown; an older one is refused, and its message redrawn."""
    press, redrawn = callback_data, isinstance(callback_data, WarningCopyPress)
    try:
        answered = await answer_warning(person, press.warning_id, press.version, press.verb.value)
        toast = Toast(replies.answered(answered, voice))
    except Refused as refused:
        if refused.code != "stale_button":
            raise
        toast, redrawn = Toast(plain(refusals.sentence(refused, voice)), alert=True), True
    await answerer.once(toast)
    line = await boards.warning(press.warning_id) if redrawn else None
    if line is not None:
        await speaker.redraw(query, alerts_market.line(line, voice, clock.now()))
    return toast
