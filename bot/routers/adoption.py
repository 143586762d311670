"""/adopt, /disown and the buttons under a question: an admin says which signal a position is."""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import AdoptPress, AdoptVerb
from bot.markup import ALERT_UNITS_MAX, esc, plain
from bot.middlewares.context import Answerer, Toast
from bot.routers.logins import is_login
from bot.services import AnswerQuestion, Questions
from bot.speaker import Speaker
from bot.views import alerts_adoption as views
from bot.views import refusals
from bot.views.message import Message as Said
from bot.views.message import Voice
from core.domain.people import Person
from core.services.answering import Answer
from core.services.errors import Refused

ADMIN = {"role": "admin"}
OUTDATED = frozenset({"question_answered", "question_changed", "not_adopted", "not_disowned"})
"""Refusals after which the pressed message may show what is not so any more."""
OWN, NONE = "own", "none"
WORDS_MAX = 2
"""A position, and what it is."""


def build() -> Router:
    """Commands and buttons, for admins only."""
    router = Router(name="adoption")
    router.message.register(adopt, Command("adopt"), flags=ADMIN)
    router.message.register(disown, Command("disown"), flags=ADMIN)
    router.callback_query.register(press, AdoptPress.filter(), flags=ADMIN)
    return router


async def adopt(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    questions: Questions,
    adopt_position: AnswerQuestion,
    speaker: Speaker,
    voice: Voice,
) -> None:
    """The list of questions, one question, or its answer."""
    words = (command.args or "").split()
    if not words:
        found = await questions.waiting(person)
        await speaker.say(message, views.waiting(found.cards, found.total, voice))
        return
    if not _is_understood(words):
        await speaker.say(message, views.usage(" ".join(words)))
        return
    card = await questions.find(person, int(words[0]))
    if len(words) == 1:
        await speaker.say(message, views.question(card, voice, again=True))
        return
    said, source = words[1].lower(), f"chat {message.chat.id} message {message.message_id}"
    answer = Answer(source=source, own=said == OWN)
    if said not in {OWN, NONE}:
        trade_id = await questions.trade_of(card.question_id, int(said))
        answer = Answer(source=source, trade_id=trade_id)
    done = await adopt_position(person, card.question_id, answer)
    await speaker.say(message, Said(html=esc(views.answered(done), ALERT_UNITS_MAX)))


async def disown(
    message: Message,
    command: CommandObject,
    person: Person,
    questions: Questions,
    disown_position: AnswerQuestion,
    speaker: Speaker,
) -> None:
    """Take an adoption back."""
    text = (command.args or "").strip()
    if not is_login(text):
        await speaker.say(message, views.usage(text))
        return
    card = await questions.find(person, int(text))
    source = f"chat {message.chat.id} message {message.message_id}"
    done = await disown_position(person, card.question_id, Answer(source=source))
    await speaker.say(message, Said(html=esc(views.answered(done), ALERT_UNITS_MAX)))


async def press(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: AdoptPress,
    person: Person,
    questions: Questions,
    adopt_position: AnswerQuestion,
    disown_position: AnswerQuestion,
    answerer: Answerer,
    speaker: Speaker,
    voice: Voice,
) -> Toast:
    """Answer the version that was shown. The pressed message shows what is so afterwards.

    The question's first message changes through the outbox as well; others only here.
    """
    pressed = callback_data
    if pressed.verb is AdoptVerb.SHOW:
        card = await questions.card(person, pressed.question_id)
        await speaker.show(query, views.question(card, voice, again=True))
        return Toast()
    service = disown_position if pressed.verb is AdoptVerb.BACK else adopt_position
    try:
        done = await service(person, pressed.question_id, _answer(query, pressed))
        toast = Toast(views.answered(done))
    except Refused as refused:
        if refused.code not in OUTDATED:
            raise
        toast = Toast(plain(refusals.sentence(refused, voice)), alert=True)
    await answerer.once(toast)
    card = await questions.card(person, pressed.question_id)
    await speaker.redraw(query, views.question(card, voice))
    return toast


def _answer(query: CallbackQuery, pressed: AdoptPress) -> Answer:
    shown = query.message
    where = "" if shown is None else f"chat {shown.chat.id} message {shown.message_id}"
    return Answer(
        source=where,
        version=pressed.version,
        trade_id=pressed.trade_id if pressed.verb is AdoptVerb.TRADE else None,
        own=pressed.verb is AdoptVerb.OWN,
    )


def _is_understood(words: list[str]) -> bool:
    """A position, and perhaps a signal, `own` or `none`."""
    if not is_login(words[0]) or len(words) > WORDS_MAX:
        return False
    return len(words) == 1 or words[1].lower() in {OWN, NONE} or is_login(words[1])
