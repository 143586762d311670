"""/report: a day or a week of one account, with chart and file."""

import asyncio
import re
from datetime import date

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message
from msgspec import Struct

from bot.callbacks import ReportPress
from bot.i18n import later, t
from bot.limits import Recently
from bot.middlewares.context import Toast
from bot.routers.logins import is_login
from bot.services import Reports
from bot.speaker import Speaker
from bot.views import boards, refusals, replies
from bot.views import report as views
from bot.views.message import Message as Said
from bot.views.message import Voice
from core.domain.people import Person
from core.domain.periods import Span
from core.domain.report import AccountReport
from core.ports import Clock
from core.services.errors import Refused

SHARED = {"role": "client", "shared": True}
WORDS_MAX = 3
"""The span, a date, a login."""
AGAIN_S = 5.0
"""The same report is sent to one person at most once in this span, however often it is asked for:
it is a picture and a file."""
ASKERS_MAX = 1_000
NO_ACCOUNT = ("not_yours", "not_found")
"""Refusals of a login."""
TOO_SOON = later("That report was sent a moment ago")
DAY_MIN = date(1970, 1, 1).toordinal()
DAY_MAX = date(9000, 1, 1).toordinal()
"""Days whose week, and the day before it, can be counted."""
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
"""The one form of date that is understood; `fromisoformat` takes weeks too."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What a person asked to have reported."""

    span: Span = Span.DAY
    day: date | None = None
    login: int | None = None


class BadWord(Exception):
    """A word of /report that is no span, date or login."""


def build() -> Router:
    """Reports: a client's own accounts, and any for admins."""
    router = Router(name="reports")
    recently = Recently(AGAIN_S, ASKERS_MAX)
    router.message.register(report, Command("report"), flags=SHARED)

    async def pressed(
        query: CallbackQuery,
        callback_data: ReportPress,
        person: Person,
        reports: Reports,
        speaker: Speaker,
        voice: Voice,
    ) -> Toast:
        """Another period of the same account, as a new message."""
        if callback_data.asker != person.telegram_id:
            return Toast(t(refusals.FOREIGN), alert=True)
        if not recently.first(callback_data.pack(), asyncio.get_running_loop().time()):
            return Toast(t(TOO_SOON))
        day = _date(callback_data.day)
        found = await reports.by_account(person, callback_data.account_id, callback_data.span, day)
        await speaker.show(query, await _words(found, person, voice))
        return Toast()

    router.callback_query.register(pressed, ReportPress.filter(), flags=SHARED)
    return router


async def report(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    reports: Reports,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
) -> None:
    """One account's report; where several are the asker's own, which one is asked first."""
    try:
        wanted = read(command.args or "")
    except BadWord as bad:
        await speaker.say(message, replies.bad_report(str(bad)))
        return
    if wanted.login is None and message.chat.type != "private":
        await speaker.say(message, replies.name_login("report day"))
        return
    if wanted.login is None and not person.account_ids:
        await speaker.say(message, boards.no_account(admin=person.is_admin))
        return
    spoken = voice.to(person.time_zone)
    if wanted.login is None and len(person.account_ids) > 1:
        day = wanted.day or views.today(clock.now(), spoken)
        accounts = await reports.accounts(person)
        await speaker.say(
            message, views.which(wanted.span, day, person.telegram_id, accounts, spoken)
        )
        return
    try:
        found = await reports.by_login(person, wanted.login, wanted.span, wanted.day)
    except Refused as refused:
        if refused.code in NO_ACCOUNT and wanted.login is not None:
            # A number that is nobody's account may be meant as days: say what the command takes.
            raise Refused(refused.code, **refused.facts, asked="report") from refused
        raise
    await speaker.say(message, await _words(found, person, voice))


async def _words(found: AccountReport, person: Person, voice: Voice) -> Said:
    """The report as a message, made in a thread: a file of ten thousand deals takes a while."""
    return await asyncio.to_thread(
        views.report, found, voice.to(person.time_zone), person.telegram_id
    )


def read(text: str) -> Wanted:
    """`week 2026-03-04 50001`, in any order, each at most once. Raises BadWord."""
    given: dict[str, Span | date | int] = {}
    words = text.split()
    if len(words) > WORDS_MAX:
        raise BadWord(words[WORDS_MAX])
    for word in words:
        name, value = _word(word)
        if name in given:
            raise BadWord(word)
        given[name] = value
    return Wanted(**given)  # type: ignore[arg-type] # each name has its own kind of value


def _word(word: str) -> tuple[str, Span | date | int]:
    if word.lower() in {span.value for span in Span}:
        return "span", Span(word.lower())
    if is_login(word):
        return "login", int(word)
    try:
        if DATE.fullmatch(word):
            return "day", date.fromisoformat(word)
    except ValueError:
        raise BadWord(word) from None
    raise BadWord(word)


def _date(ordinal: int) -> date:
    """The day that a button carries. Raises Refused not_found for none."""
    if not DAY_MIN <= ordinal <= DAY_MAX:
        raise Refused("not_found")
    return date.fromordinal(ordinal)
