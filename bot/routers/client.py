"""A client's own accounts: /positions, /drawdown, /status, and their buttons."""

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot.callbacks import BoardKind, ChartPress, ExposurePress, RefreshPress
from bot.middlewares.context import Toast
from bot.routers.logins import is_login, only
from bot.routers.refreshing import Refresher
from bot.services import Boards
from bot.speaker import Speaker
from bot.views import boards as views
from bot.views import exposure as exposure_view
from bot.views import replies
from bot.views.message import Message as Said
from bot.views.message import Voice
from core.domain.people import Person
from core.ports import Clock
from core.services.errors import Refused

OWN = {"role": "client"}
CHART = "chart"
"""The word that asks for exposure by symbol instead of the list."""
SHARED = {"role": "client", "shared": True}


def build() -> Router:
    """What a client may see of their own."""
    router = Router(name="client")
    router.message.register(positions, Command("positions"), flags=OWN)
    router.message.register(drawdown, Command("drawdown"), flags=OWN)
    router.message.register(status, Command("status"), flags=SHARED)
    presses = router.callback_query
    presses.register(chart, ChartPress.filter(), flags=OWN)
    presses.register(exposure, ExposurePress.filter(), flags=OWN)
    for board, handler, flags in (
        (BoardKind.POSITIONS, refresh_positions, OWN),
        (BoardKind.DRAWDOWN, refresh_drawdown, OWN),
        (BoardKind.STATUS, refresh_status, SHARED),
    ):
        presses.register(handler, RefreshPress.filter(F.board == board), flags=flags)
    return router


async def positions(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    boards: Boards,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> None:
    """Open positions, of one account where its login is named; `chart`: exposure by symbol."""
    first, _, rest = (command.args or "").strip().partition(" ")
    drawn = first.lower() == CHART
    login = rest.strip() if drawn else (command.args or "").strip()
    if await _answered(message, person, login, command.command, speaker):
        return
    accounts = only(await boards.accounts_of(person), login)
    view = exposure_view.exposure if drawn else views.positions
    await speaker.say(message, view(accounts, voice, clock.now()))


async def drawdown(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    boards: Boards,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> None:
    """Drawdown, headroom and chart, of one account where its login is named."""
    login = (command.args or "").strip()
    if await _answered(message, person, login, command.command, speaker):
        return
    histories = await boards.drawdown(person)
    wanted = {board.account_id for board in only([h.account for h in histories], login)}
    shown = [h for h in histories if h.account.account_id in wanted]
    await speaker.say(message, views.drawdown(shown, voice, clock.now()))


async def _answered(
    message: Message, person: Person, login: str, command: str, speaker: Speaker
) -> bool:
    """Whether there is no account to show, or what was typed is no login; then that is said."""
    if not person.account_ids:
        await speaker.say(message, views.no_account(admin=person.is_admin))
        return True
    if login and not is_login(login):
        await speaker.say(message, replies.bad_login(login, command))
        return True
    return False


async def status(
    message: Message, person: Person, boards: Boards, speaker: Speaker, voice: Voice
) -> None:
    """Whether everything is read and guarded; in the admin chat without anybody's figures."""
    private = message.chat.type == "private"
    await speaker.say(message, await _status(person, boards, voice, private=private))


async def chart(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: ChartPress,
    person: Person,
    boards: Boards,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> Toast:
    """One account's chart."""
    wanted = callback_data.account_id
    found = [b for b in await boards.drawdown(person) if b.account.account_id == wanted]
    if not found:
        raise Refused("not_yours")
    await speaker.show(query, views.drawdown_chart(found[0], voice, clock.now()))
    return Toast()


async def exposure(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: ExposurePress,
    person: Person,
    boards: Boards,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> Toast:
    """One account's exposure by symbol."""
    wanted = callback_data.account_id
    found = [board for board in await boards.accounts_of(person) if board.account_id == wanted]
    if not found:
        raise Refused("not_yours")
    (message,) = exposure_view.exposure(found, voice, clock.now())
    await speaker.show(query, message)
    return Toast()


async def refresh_positions(
    query: CallbackQuery,
    person: Person,
    boards: Boards,
    refresher: Refresher,
    voice: Voice,
    clock: Clock,
) -> Toast:
    """Positions, anew."""

    async def board() -> tuple[Said, ...]:
        own = await boards.accounts_of(person)
        if not own:
            return (views.no_account(admin=person.is_admin),)
        return views.positions(own, voice, clock.now())

    return await refresher(query, board)


async def refresh_drawdown(
    query: CallbackQuery,
    person: Person,
    boards: Boards,
    refresher: Refresher,
    voice: Voice,
    clock: Clock,
) -> Toast:
    """Drawdown, anew."""

    async def board() -> tuple[Said, ...]:
        own = await boards.drawdown(person)
        if not own:
            return (views.no_account(admin=person.is_admin),)
        return views.drawdown(own, voice, clock.now())

    return await refresher(query, board)


async def refresh_status(
    query: CallbackQuery, person: Person, boards: Boards, refresher: Refresher, voice: Voice
) -> Toast:
    """Status, anew."""
    message = query.message
    private = message is not None and message.chat.type == "private"

    async def board() -> tuple[Said, ...]:
        return await _status(person, boards, voice, private=private)

    return await refresher(query, board)


async def _status(
    person: Person, boards: Boards, voice: Voice, *, private: bool
) -> tuple[Said, ...]:
    own = await boards.accounts_of(person) if private else []
    return views.status(own, await boards.system(), voice, admin=person.is_admin)
