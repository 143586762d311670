"""A locked account's release: the client asks, an admin answers."""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from bot.callbacks import ReleaseAnswerPress, ReleaseAskPress, ReleaseVerb
from bot.middlewares.context import Toast
from bot.services import AnswerRelease, AskRelease, Boards
from bot.speaker import Speaker
from bot.views import replies
from bot.views.message import Message as Said
from core.domain.people import Person
from core.services.errors import Refused

OVER = frozenset(
    {"release_already_asked", "nothing_to_release", "release_not_asked", "stale_button"}
)
"""Refusals after which the pressed button can never do anything."""


def build() -> Router:
    """Ask for release, grant it, refuse it."""
    router = Router(name="release")
    client, admin = {"role": "client"}, {"role": "admin"}
    router.message.register(release, Command("release"), flags=client)
    router.callback_query.register(ask, ReleaseAskPress.filter(), flags=client)
    router.callback_query.register(answer, ReleaseAnswerPress.filter(), flags=admin)
    return router


async def release(
    message: Message, person: Person, boards: Boards, ask_release: AskRelease, speaker: Speaker
) -> None:
    """Ask for the one locked account, or show a button for each of several."""
    locked = [board for board in await boards.accounts_of(person) if board.guard == "latched"]
    if not locked:
        raise Refused("nothing_to_release")
    if len(locked) > 1:
        await speaker.say(message, replies.which_release(locked))
        return
    await ask_release(person, locked[0].account_id)
    await speaker.say(message, Said(html=replies.release_asked(locked[0].login)))


async def ask(
    query: CallbackQuery,
    callback_data: ReleaseAskPress,
    person: Person,
    ask_release: AskRelease,
    speaker: Speaker,
) -> Toast:
    """Ask for this account. The button goes once it has nothing more to ask for."""
    try:
        await ask_release(person, callback_data.account_id)
    except Refused as refused:
        if refused.code in OVER:
            await speaker.without_button(query)
        raise
    await speaker.without_button(query)
    return Toast(replies.release_asked(), alert=True)


async def answer(
    query: CallbackQuery,
    callback_data: ReleaseAnswerPress,
    person: Person,
    answer_release: AnswerRelease,
    speaker: Speaker,
) -> Toast:
    """Grant or refuse. The question loses its buttons once it is answered."""
    grant = callback_data.verb is ReleaseVerb.GRANT
    try:
        await answer_release(person, callback_data.account_id, grant)
    except Refused as refused:
        if refused.code in OVER:
            await speaker.without_buttons(query)
        raise
    await speaker.without_buttons(query)
    return Toast(replies.release_answered(grant=grant))
