"""Answers to a market warning: an answer, then its reason, by two presses or by one command.

The warning's message changes through the outbox; what the outbox does not know of (a copy, an older
telling) is redrawn here.
"""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot import keyboards
from bot.callbacks import (
    WarningCopyPress,
    WarningPress,
    WarningReasonCopyPress,
    WarningReasonPress,
    WarningVerb,
)
from bot.i18n import t
from bot.markup import plain
from bot.middlewares.context import Answerer, Toast
from bot.services import AnswerWarning, Boards
from bot.speaker import Speaker
from bot.views import alerts_market, overrides, refusals, replies
from bot.views.message import Message as Said
from bot.views.message import Voice
from core.domain.people import Person
from core.ports import Clock
from core.services.errors import Refused

ADMIN = {"role": "admin"}
VERBS = {
    "close": WarningVerb.CLOSE,
    "hold": WarningVerb.HOLD,
    "hold1h": WarningVerb.HOLD_LONG,
    "holdday": WarningVerb.HOLD_SESSION,
    "dismiss": WarningVerb.DISMISS,
}
"""The words of /override."""
OVERRIDE_WORDS = 3
ID_DIGITS_MAX = 18
COPIES = (WarningCopyPress, WarningReasonCopyPress)


def build() -> Router:
    """Close now, three holds, Dismiss; their reasons; /override and /overrides."""
    router = Router(name="warnings")
    router.message.register(override, Command("override"), flags=ADMIN)
    router.message.register(listed, Command("overrides"), flags=ADMIN)
    for chosen in (WarningPress, WarningCopyPress):
        router.callback_query.register(choose, chosen.filter(), flags=ADMIN)
    for answered in (WarningReasonPress, WarningReasonCopyPress):
        router.callback_query.register(answer, answered.filter(), flags=ADMIN)
    return router


async def choose(  # noqa: PLR0913, PLR0917 - aiogram injects by name
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
    """Ask why, where this version of the warning still takes this answer; nothing is done yet."""
    press, copy = callback_data, isinstance(callback_data, COPIES)
    if press.verb is WarningVerb.BACK:
        line = await boards.warning(press.warning_id)
        await answerer.once(Toast())
        if line is not None:
            await speaker.with_buttons(query, alerts_market.answers(line, copy=copy))
        return Toast()
    try:
        await answer_warning(person, press.warning_id, press.version, press.verb.value, "")
    except Refused as refused:
        if refused.code != "reason_missing":
            return await _refused(query, refused, press, boards, speaker, answerer, voice, clock)
    toast = Toast(t("Why? Choose a reason, or write it: see /help."))
    await answerer.once(toast)
    rows = keyboards.warning_reasons(press.warning_id, press.version, press.verb, copy=copy)
    await speaker.with_buttons(query, rows)
    return toast


async def answer(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: WarningReasonPress,
    person: Person,
    answer_warning: AnswerWarning,
    answerer: Answerer,
    boards: Boards,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> Toast:
    """Answer the version that was shown; an older one is refused, and its message redrawn."""
    press = callback_data
    try:
        answered = await answer_warning(
            person, press.warning_id, press.version, press.verb.value, press.reason.value
        )
    except Refused as refused:
        return await _refused(query, refused, press, boards, speaker, answerer, voice, clock)
    toast = Toast(replies.answered(answered, voice))
    await answerer.once(toast)
    if isinstance(press, COPIES):
        await _redraw(query, press, boards, speaker, voice, clock)
    return toast


async def override(
    message: Message,
    command: CommandObject,
    person: Person,
    answer_warning: AnswerWarning,
    speaker: Speaker,
    voice: Voice,
) -> None:
    """`/override 12 hold1h waiting for the bank`: the warning's number, the answer, the reason."""
    words = (command.args or "").split(maxsplit=OVERRIDE_WORDS - 1)
    number = words[0] if words else ""
    verb = VERBS.get(words[1].lower()) if len(words) > 1 else None
    known = number.isascii() and number.isdigit() and len(number) <= ID_DIGITS_MAX
    if not known or verb is None or len(words) < OVERRIDE_WORDS:
        await speaker.say(message, overrides.usage(tuple(VERBS)))
        return
    done = await answer_warning(person, int(number), None, verb.value, words[2])
    await speaker.say(message, Said(html=replies.answered(done, voice)))


async def listed(
    message: Message, boards: Boards, speaker: Speaker, voice: Voice, clock: Clock
) -> None:
    """What admins decided over warnings, and what of it still lasts, with its buttons."""
    await speaker.say(message, overrides.shown(await boards.overrides(), voice, clock.now()))


async def _refused(  # noqa: PLR0913, PLR0917 - what the two presses share
    query: CallbackQuery,
    refused: Refused,
    press: WarningPress | WarningReasonPress,
    boards: Boards,
    speaker: Speaker,
    answerer: Answerer,
    voice: Voice,
    clock: Clock,
) -> Toast:
    """Say who was first, and show what became of it."""
    if refused.code != "stale_button":
        raise refused
    toast = Toast(plain(refusals.sentence(refused, voice)), alert=True)
    await answerer.once(toast)
    await _redraw(query, press, boards, speaker, voice, clock)
    return toast


async def _redraw(
    query: CallbackQuery,
    press: WarningPress | WarningReasonPress,
    boards: Boards,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> None:
    line = await boards.warning(press.warning_id)
    if line is not None:
        await speaker.redraw(query, alerts_market.line(line, voice, clock.now()))
