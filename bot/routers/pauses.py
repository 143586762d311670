"""/pause and /resume, in words and by button: for admins."""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import PauseLength, PausePress, PauseReasonPress, ResumePress
from bot.i18n import t
from bot.keyboards_pauses import REASONS
from bot.markup import plain
from bot.middlewares.context import Toast
from bot.services import PauseDesk
from bot.speaker import Speaker
from bot.views import pauses as views
from bot.views import refusals
from bot.views.message import Voice
from core.domain.pauses import Pausable, span_of
from core.domain.people import Person
from core.ports import Clock
from core.services.errors import Refused

ADMIN = {"role": "admin"}
PAUSE_WORDS = 3


def build() -> Router:
    """Two commands and their buttons."""
    router = Router(name="pauses")
    router.message.register(pause, Command("pause"), flags=ADMIN)
    router.message.register(resume, Command("resume"), flags=ADMIN)
    router.callback_query.register(choose, PausePress.filter(), flags=ADMIN)
    router.callback_query.register(begin, PauseReasonPress.filter(), flags=ADMIN)
    router.callback_query.register(go_on, ResumePress.filter(), flags=ADMIN)
    return router


async def pause(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    pause_desk: PauseDesk,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> None:
    """Show what is paused, or pause as it is written."""
    said = (command.args or "").split(maxsplit=PAUSE_WORDS - 1)
    if said:
        what = _named(said[0])
        lasts = span_of(said[1]) if len(said) > 1 else None
        if what is None or lasts is None or len(said) < PAUSE_WORDS:
            await speaker.say(message, views.usage(" ".join(said)))
            return
        await pause_desk.pause(person, what, lasts, said[2])
    await speaker.say(message, views.board(pause_desk.now(), voice, clock.now()))


async def resume(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    pause_desk: PauseDesk,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> None:
    """Go on with what is named, or show what there is."""
    said = (command.args or "").strip()
    if said:
        what = _named(said)
        if what is None:
            await speaker.say(message, views.usage(said))
            return
        await pause_desk.resume(person, what)
    await speaker.say(message, views.board(pause_desk.now(), voice, clock.now()))


async def choose(
    query: CallbackQuery,
    callback_data: PausePress,
    pause_desk: PauseDesk,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> Toast:
    """Say what it would do and ask why; nothing is paused by this press."""
    if callback_data.length is PauseLength.BACK:
        shown = views.board(pause_desk.now(), voice, clock.now())
    else:
        shown = views.reasons(callback_data.what, callback_data.length, voice)
    await speaker.redraw(query, shown)
    return Toast()


async def begin(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: PauseReasonPress,
    person: Person,
    pause_desk: PauseDesk,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> Toast:
    """Pause, for the reason on the button."""
    lasts = span_of(callback_data.length.value)
    if lasts is None:
        raise Refused("bad_span")
    await pause_desk.pause(person, callback_data.what, lasts, REASONS[callback_data.reason])
    await speaker.redraw(query, views.board(pause_desk.now(), voice, clock.now()))
    return Toast(t("Paused"))


async def go_on(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: ResumePress,
    person: Person,
    pause_desk: PauseDesk,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> Toast:
    """Go on now; where somebody else was quicker, say so and show how it is."""
    done = Toast(t("Resumed"))
    try:
        await pause_desk.resume(person, callback_data.what, callback_data.since_ms)
    except Refused as refused:
        if refused.code != "not_paused":
            raise
        done = Toast(plain(refusals.sentence(refused, voice)), alert=True)
    await speaker.redraw(query, views.board(pause_desk.now(), voice, clock.now()))
    return done


def _named(word: str) -> Pausable | None:
    try:
        return Pausable(word.lower())
    except ValueError:
        return None
