"""/token: the tokens of the HTTP API, in private only."""

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import TokenPress
from bot.middlewares.context import Toast
from bot.services import ApiTokens
from bot.speaker import Speaker
from bot.views import tokens as views
from bot.views.message import Voice
from core.domain.people import Person
from core.services.errors import Refused

NEW = "new"
CLIENT = {"role": "client"}


def build() -> Router:
    """List, make and end tokens."""
    router = Router(name="tokens")
    router.message.register(tokens, Command("token", magic=~F.args), flags=CLIENT)
    router.message.register(new_token, Command("token"), flags=CLIENT)
    router.callback_query.register(revoke, TokenPress.filter(), flags=CLIENT)
    return router


async def tokens(
    message: Message, person: Person, api_tokens: ApiTokens, speaker: Speaker, voice: Voice
) -> None:
    """Show the tokens that are good, each with a button that ends it."""
    good = await api_tokens.list_of(person)
    await speaker.say(message, views.listed(good, person.telegram_id, voice))


async def new_token(
    message: Message,
    command: CommandObject,
    person: Person,
    api_tokens: ApiTokens,
    speaker: Speaker,
) -> None:
    """Make one; its text is shown this once."""
    word, _, label = (command.args or "").strip().partition(" ")
    if word.lower() != NEW:
        await speaker.say(message, views.usage())
        return
    await speaker.say(message, views.minted(await api_tokens.mint(person, label)))


async def revoke(
    query: CallbackQuery,
    callback_data: TokenPress,
    person: Person,
    api_tokens: ApiTokens,
    speaker: Speaker,
    voice: Voice,
) -> Toast:
    """End one, and show what is left."""
    if callback_data.asker != person.telegram_id:
        raise Refused("not_yours")
    ended = await api_tokens.revoke(person, callback_data.token_id)
    good = await api_tokens.list_of(person)
    await speaker.show(query, views.listed(good, person.telegram_id, voice))
    return Toast(views.revoked(ended))
