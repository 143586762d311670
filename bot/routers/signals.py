"""/signal, typed or put together with buttons."""

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import WizardPress, WizardVerb
from bot.i18n import t
from bot.middlewares.context import Toast
from bot.services import PostSignal
from bot.speaker import Speaker
from bot.views import refusals, signal_form
from bot.views.message import Voice
from core.domain.people import Person
from core.domain.signals import BadSignal, parse_signal
from core.services.errors import Refused

ADMIN = {"role": "admin"}


def build() -> Router:
    """How a signal is posted."""
    router = Router(name="signals")
    router.message.register(signal, Command("signal", magic=F.args), flags=ADMIN)
    router.message.register(wizard, Command("signal"), flags=ADMIN)
    presses = router.callback_query
    presses.register(post, WizardPress.filter(F.verb == WizardVerb.POST), flags=ADMIN)
    presses.register(cancel, WizardPress.filter(F.verb == WizardVerb.CANCEL), flags=ADMIN)
    presses.register(step, WizardPress.filter(), flags=ADMIN)
    return router


async def signal(
    message: Message,
    command: CommandObject,
    person: Person,
    post_signal: PostSignal,
    speaker: Speaker,
    voice: Voice,
) -> None:
    """Post what was typed; the message's own id keeps a repetition from posting twice."""
    try:
        draft = parse_signal(command.args or "")
    except BadSignal as bad:
        await speaker.say(message, signal_form.bad_signal(bad))
        return
    key = f"message:{message.chat.id}:{message.message_id}"
    posted = await post_signal(person, draft, key)
    await speaker.say(message, signal_form.posted(posted, voice))


async def wizard(
    message: Message, person: Person, speaker: Speaker, symbols: tuple[str, ...]
) -> None:
    """Ask for the symbol first."""
    await speaker.say(message, signal_form.wizard(person.telegram_id, "", "", "", symbols))


async def step(
    query: CallbackQuery,
    callback_data: WizardPress,
    person: Person,
    speaker: Speaker,
    symbols: tuple[str, ...],
) -> Toast:
    """The next question, with all answers so far."""
    _only_asker(callback_data, person)
    chosen = (callback_data.symbol, callback_data.side, callback_data.volume)
    await speaker.show(query, signal_form.wizard(callback_data.asker, *chosen, symbols))
    return Toast()


async def post(
    query: CallbackQuery,
    callback_data: WizardPress,
    person: Person,
    post_signal: PostSignal,
    speaker: Speaker,
    voice: Voice,
) -> Toast:
    """Post what was chosen, read like typed text; the form posts once."""
    _only_asker(callback_data, person)
    try:
        draft = parse_signal(f"{callback_data.symbol} {callback_data.side} {callback_data.volume}")
    except BadSignal:  # a button that no form of ours has
        return Toast(t(refusals.OLD_BUTTON), alert=True)
    place = query.message
    key = f"form:{place.chat.id}:{place.message_id}" if place else f"press:{query.id}"
    posted = await post_signal(person, draft, key)
    await speaker.show(query, signal_form.posted(posted, voice))
    return Toast(t("Posted"))


async def cancel(
    query: CallbackQuery, callback_data: WizardPress, person: Person, speaker: Speaker
) -> Toast:
    """Put the form away."""
    _only_asker(callback_data, person)
    await speaker.show(query, signal_form.wizard_cancelled())
    return Toast(t("Cancelled"))


def _only_asker(press: WizardPress, person: Person) -> None:
    if press.asker != person.telegram_id:
        raise Refused("not_yours")
