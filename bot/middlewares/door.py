"""The door: what somebody without rights may do, which is to be told so once, and to ask.

Everything else of theirs is silence; a press is always answered, or it would spin on.
"""

import asyncio
import re
from typing import Any

import structlog
from aiogram.types import CallbackQuery, Message

from bot import menus
from bot.callbacks import AccessAskPress
from bot.i18n import t
from bot.limits import Recently
from bot.markup import plain
from bot.middlewares.context import Answerer, Toast
from bot.middlewares.errors import what
from bot.services import Access, People, UseInvitation
from bot.speaker import Speaker
from bot.views import people as views
from bot.views import refusals
from bot.views.message import Message as Said
from core.domain.access import Requester
from core.domain.invitations import CODE_LENGTH, HELLO
from core.domain.people import Person, Role
from core.services.errors import Refused

STRANGER_SPAN_S = 3600.0
STRANGERS_MAX = 2_000
"""Strangers remembered; each is answered once per span."""
WARNED_SPAN_S = 60.0
WARNED_MAX = 1_000
"""People in groups remembered who were warned of their password; each is once per span."""
START = "/start"
SHOWN_CODES_MAX = 50
"""Codes of one message that are looked up: it has no room for more."""
SHOWN_CODE = re.compile(
    rf"(?:/start(?:@\w+)?\s+|[?&]start=)([A-Za-z0-9_-]{{{CODE_LENGTH}}})(?![A-Za-z0-9_-])"
)
"""A code as people show it to others: the command, or the link itself."""
log = structlog.get_logger(__name__)


class Door:
    """Answers those who may not pass."""

    def __init__(self, people: People, access: Access, use_invitation: UseInvitation) -> None:
        self._people = people
        self._access = access
        self._use_invitation = use_invitation
        self._seen = Recently(STRANGER_SPAN_S, STRANGERS_MAX)
        self._warned = Recently(WARNED_SPAN_S, WARNED_MAX)

    async def turn_away(
        self,
        event: Message | CallbackQuery,
        data: dict[str, Any],
        person: Person | None,
        telegram_id: int,
    ) -> None:
        """One polite answer, then silence, or the one thing a stranger may ask for."""
        if person is None and isinstance(event, CallbackQuery) and _asks(event, telegram_id):
            await self._ask(event, data)
            return
        code = start_code(event)
        if code and isinstance(event, Message) and event.chat.type == "private":
            try:
                await use_code(event, code, data, self._use_invitation)
            except Refused as refused:
                if refused.code != "too_many_codes":
                    await self._people.turn_away(telegram_id, f"code: {refused.code}")
                    raise
            else:
                return
        now_s = asyncio.get_running_loop().time()
        first = self._seen.first((telegram_id, type(event).__name__), now_s)
        standing = "stranger" if person is None else person.role.value
        await self._people.turn_away(telegram_id, f"{standing}: {what(event)}")
        if first:
            log.info("turned_away", telegram_id=telegram_id)
        if isinstance(event, CallbackQuery):
            answerer: Answerer = data["answerer"]
            text = views.stranger_press(telegram_id) if person is None else _standing(person)
            await answerer.once(Toast(plain(text), alert=True))
        elif first:
            speaker: Speaker = data["speaker"]
            await speaker.say(event, _answer(event, person, telegram_id))

    async def void(self, event: Message | CallbackQuery, data: dict[str, Any]) -> bool:
        """End a code that somebody has shown to a group, whoever it was; whether it was one."""
        if not isinstance(event, Message) or event.chat.type == "private":
            return False
        who = 0 if event.from_user is None else event.from_user.id
        ended = [await self._use_invitation.void(code, who) for code in shown_codes(event)]
        if not any(ended):
            return False
        speaker: Speaker = data["speaker"]
        await speaker.say(event, Said(html=t(views.CODE_IN_GROUP)))
        return True

    async def warn(self, event: Message, data: dict[str, Any]) -> None:
        """Tell whoever wrote behind `/link` in a group what to do now; once a minute each.

        Not as a reply: that would show the words again while they stand there.
        """
        who, removed = event.from_user, bool(data.get("removed"))
        assert who is not None  # noqa: S101 - checked by access
        now_s = asyncio.get_running_loop().time()
        if self._warned.first((event.chat.id, who.id, removed), now_s):
            speaker: Speaker = data["speaker"]
            warning = views.password_in_group(who.id, who.full_name, removed=removed)
            await speaker.say(event, warning, reply=False)

    async def _ask(self, press: CallbackQuery, data: dict[str, Any]) -> None:
        """Ask to be let in, for whoever was shown the button. It asks once: then it is gone."""
        user = press.from_user
        asker = Requester(telegram_id=user.id, name=user.full_name, username=user.username or "")
        answerer: Answerer = data["answerer"]
        speaker: Speaker = data["speaker"]
        try:
            await self._access.ask(asker)
        except Refused as refused:
            if refused.code != "already_known":  # two presses at once: the other one has asked
                raise
        await answerer.once(Toast(t(views.REQUEST_SENT)))
        await speaker.without_buttons(press)


def shown_codes(event: Message) -> list[str]:
    """Every code in a message's words, and in the links behind them."""
    links = [entity.url or "" for entity in event.entities or event.caption_entities or ()]
    texts = [event.text or event.caption or "", *links]
    found = [shown.group(1) for text in texts for shown in SHOWN_CODE.finditer(text)]
    return list(dict.fromkeys(found))[:SHOWN_CODES_MAX]


def start_code(event: Message | CallbackQuery) -> str:
    """The code after /start; empty where there is none."""
    text = (event.text or "") if isinstance(event, Message) else ""
    command, _, rest = text.partition(" ")
    rest = rest.strip()
    return rest if command.partition("@")[0].lower() == START and rest != HELLO else ""


async def use_code(
    message: Message, code: str, data: dict[str, Any], use_invitation: UseInvitation
) -> None:
    """Take a code in a private chat. What it gives is told by an alert. Raises Refused."""
    user, bot = message.from_user, message.bot
    assert user is not None and bot is not None  # noqa: S101, PT018 - checked by access
    who = Requester(telegram_id=user.id, name=user.full_name, username=user.username or "")
    redeemed = await use_invitation(who, code)
    if redeemed.is_new:
        await menus.give(bot, user.id, links=bool(data.get("links")))
        speaker: Speaker = data["speaker"]
        await speaker.say(message, views.welcome(redeemed))


def _asks(press: CallbackQuery, telegram_id: int) -> bool:
    """Whether it is the button to ask, pressed by whom it was made for, in their own chat."""
    prefix = f"{AccessAskPress.__prefix__}:"
    if press.data is None or not press.data.startswith(prefix):
        return False
    if press.message is None or press.message.chat.id != telegram_id:
        return False
    return press.data == AccessAskPress(asker=telegram_id).pack()


def _answer(event: Message, person: Person | None, telegram_id: int) -> Said:
    if person is None:
        return views.stranger(telegram_id, in_private=event.chat.type == "private")
    return Said(html=_standing(person))


def _standing(person: Person) -> str:
    return t(refusals.PENDING) if person.role is Role.PENDING else t(refusals.BLOCKED)
