"""/accounts, /warnings and /sync, for admins."""

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import BoardKind, RefreshPress
from bot.middlewares.context import Toast
from bot.routers.logins import is_login
from bot.routers.refreshing import Refresher
from bot.services import Boards, SyncNow
from bot.speaker import Speaker
from bot.views import boards as views
from bot.views import replies
from bot.views.message import Message as Said
from bot.views.message import Voice
from core.domain.people import Person
from core.ports import Clock

ADMIN = {"role": "admin"}


def build() -> Router:
    """What admins see and do."""
    router = Router(name="admin")
    router.message.register(accounts, Command("accounts"), flags=ADMIN)
    router.message.register(warnings, Command("warnings"), flags=ADMIN)
    router.message.register(sync, Command("sync"), flags=ADMIN)
    router.callback_query.register(
        refresh, RefreshPress.filter(F.board == BoardKind.ACCOUNTS), flags=ADMIN
    )
    return router


async def accounts(
    message: Message, boards: Boards, speaker: Speaker, voice: Voice, clock: Clock
) -> None:
    """Every account, least headroom first."""
    every = await boards.all_accounts()
    await speaker.say(message, views.accounts(every, voice, clock.now()))


async def warnings(
    message: Message, boards: Boards, speaker: Speaker, voice: Voice, clock: Clock
) -> None:
    """Open warnings with their buttons."""
    lines = await boards.warnings()
    await speaker.say(message, views.warnings(lines, voice, clock.now()))


async def sync(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    sync_now: SyncNow,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> None:
    """Read one account, or all, now."""
    text = (command.args or "").strip()
    if text and not is_login(text):
        await speaker.say(message, replies.bad_login(text, "sync"))
        return
    report = await sync_now(person, int(text) if text else None)
    await speaker.say(message, replies.synced(report, voice, clock.now()))


async def refresh(
    query: CallbackQuery, boards: Boards, refresher: Refresher, voice: Voice, clock: Clock
) -> Toast:
    """Every account, anew."""

    async def board() -> tuple[Said, ...]:
        return views.accounts(await boards.all_accounts(), voice, clock.now())

    return await refresher(query, board)
