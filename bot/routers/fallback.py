"""Whatever no other router understood: the nearest command, a short help, an old button."""

from aiogram import F, Router
from aiogram.types import CallbackQuery, Message

from bot.i18n import t
from bot.middlewares.context import Toast
from bot.speaker import Speaker
from bot.views import refusals, replies
from core.domain.people import Person


def build() -> Router:
    """The last router."""
    router = Router(name="fallback")
    flags = {"role": "client", "shared": True}
    router.message.register(unknown_command, F.text.startswith("/"), flags=flags)
    router.message.register(unknown_text, flags=flags)
    router.callback_query.register(old_button, flags=flags)
    return router


async def unknown_command(
    message: Message,
    person: Person,
    speaker: Speaker,
    links: bool = False,  # noqa: FBT001, FBT002 - aiogram injects by name
) -> None:
    """Name the nearest commands this person may use."""
    name = (message.text or "/").split(maxsplit=1)[0].removeprefix("/").partition("@")[0]
    await speaker.say(message, replies.unknown_command(name, person, links=links))


async def unknown_text(message: Message, speaker: Speaker) -> None:
    """Say what is understood."""
    await speaker.say(message, replies.unknown_text())


async def old_button(_: CallbackQuery) -> Toast:
    """Data no router reads."""
    return Toast(t(refusals.OLD_BUTTON), alert=True)
