"""What may be journalled of an update: never words that could be a password.

The journal keeps updates, so that none is lost; but of what people write it needs commands only,
and of a group's words the invitations' codes that somebody has shown there. Whatever else they
write in private is taken where it is answered, in the transaction that journals it, and the
journal gets who wrote, where and when. The same holds for what a message only shows again: the one
it answers, quotes or pins.

A command keeps its name, and what stands behind it where it takes something; one below a picture
is one, too. `/link` takes nothing: whoever writes something behind it, in private or in a group,
has written down what the questions are for, and it leaves the chat. Of somebody who was asked for a
password not long ago (`Heard.near`) it keeps what cannot be one: a name there is, numbers, and
words that are the same for everybody.
"""

import re
from difflib import get_close_matches
from functools import cache
from typing import Final, Protocol
from zoneinfo import available_timezones

from aiogram.types import CallbackQuery, Message, Update
from msgspec.structs import replace

from bot.i18n import languages, speaking, t
from bot.middlewares.door import SHOWN_CODE, shown_codes
from bot.views.commands import COMMANDS
from bot.views.replies import BY_RULE, MEANT
from core.domain.hearing import Group, Level
from core.domain.link_heard import NOTHING, Ask, Heard
from core.ports import KeysUnusable, Secret, Transaction
from core.services.link_hearing import Said

LINK: Final = "/link"
CANCEL: Final = "/cancel"
HELP: Final = "/help"
REMOVAL: Final = "remove"
REMOVE: Final = f"{LINK} {REMOVAL}"
"""Stands in the journal for words that are to leave the chat. Nobody can write it: of what people
write after the command nothing is kept. In a group it names the bot that was named."""
REFUSED: Final = "refused"
"""Stands there for a conversation that was not begun; the code of the refusal follows."""
NAMES: Final = frozenset(command.name for command in COMMANDS) | BY_RULE | frozenset(MEANT)
"""Commands there are, and those that people look for."""
TAKING: Final = frozenset(command.name for command in COMMANDS if command.usage)
"""Commands that take something."""
START: Final = "start"
"""Takes an invitation's code in private; in a group a code is kept whatever it stands behind."""
UNKNOWN: Final = "/"
"""Stands for a command whose name is not kept."""
MISTYPED_MIN: Final = 0.75
"""How alike a mistyped command and the one that was meant are at least, from 0 to 1."""
_FIRST: Final = re.compile(r"/(?P<name>\w{1,32})(?P<mention>@\w{1,32})?", re.ASCII)
"""The most that a command and a bot's name can be at Telegram."""
_NUMBER: Final = re.compile(r"[0-9][0-9.:-]{0,17}", re.ASCII)
"""A login, a number, a date, or hours."""
FIXED: Final = "chart day week quiet off none zone language app"
WORDS: Final = frozenset(
    word for words in (Group, Level, languages(), FIXED.split()) for word in words
)
"""What may stand behind a client's commands, written so; time zones come to it."""


class Hears(Protocol):
    """`core.services.link_talks`, where linking in the chat is on."""

    async def hear(self, tx: Transaction, said: Said) -> Heard:
        """Take a message of somebody's."""
        ...

    def expects(self, telegram_id: int) -> bool:
        """Whether this person's next words are the password, as far as memory knows."""
        ...


class NotHeard(Exception):
    """What is kept of the conversations cannot be used for an update; the text says which kind."""

    def __init__(self, update_id: int, kind: str) -> None:
        super().__init__(kind)
        self.update_id = update_id


class Veil:
    """Takes what is not to be kept out of updates. Without `hears` there is no conversation."""

    def __init__(self, hears: Hears | None = None) -> None:
        self._hears = hears

    async def __call__(self, tx: Transaction, update: Update, *, unheard: bool = False) -> Update:
        """Take the words, and give what may be kept. Raises StoreUnavailable and NotHeard.

        `unheard`: it was NotHeard before. No conversation takes it, and of its words nothing is
        kept that could be a password.
        """
        if update.callback_query is not None:
            press = _without_others(update.callback_query)
            return _with(update, callback_query=press)
        message = update.message
        if message is None:
            return _with(update)
        heard = _feared(message) if unheard else await self._heard(tx, message, update.update_id)
        if _tells_all(message):
            heard = replace(heard, remove=True)
        return _with(update, message=_kept(message, heard))

    def is_expected(self, update: Update) -> bool:
        """Whether it is probably a password, asked of memory alone: the database may be away."""
        message = update.message
        if self._hears is None or message is None or message.from_user is None:
            return False
        private = message.chat.type == "private"
        other = _ask(message) is not Ask.WORDS
        return private and not other and self._hears.expects(message.from_user.id)

    async def _heard(self, tx: Transaction, message: Message, update_id: int) -> Heard:
        who = message.from_user
        if self._hears is None or who is None or who.is_bot or message.sender_chat is not None:
            return NOTHING
        try:
            return await self._hears.hear(tx, _said_by(who.id, message))
        except (KeysUnusable, LookupError, ValueError) as error:
            # From None: the cause's text could quote the words.
            raise NotHeard(update_id, type(error).__name__) from None


def _said_by(telegram_id: int, message: Message) -> Said:
    return Said(
        telegram_id=telegram_id,
        ask=_ask(message),
        text=None if message.text is None else Secret(message.text),
        private=message.chat.type == "private",
        written_at=message.date,
    )


def _ask(message: Message) -> Ask:
    command = _command(message)
    ask = {LINK: Ask.BEGIN, CANCEL: Ask.CANCEL}.get(command, Ask.WORDS)
    name = command.removeprefix("/")
    alone = len(_said(message).split()) == 1
    is_other = name in NAMES or (alone and _is_mistyped(name))
    return Ask.OTHER if ask is Ask.WORDS and is_other else ask


def _is_mistyped(name: str) -> bool:
    """Whether it is so near to a command that it is one with a mistake, and no password."""
    return name.isalpha() and bool(get_close_matches(name, NAMES, n=1, cutoff=MISTYPED_MIN))


def _feared(message: Message) -> Heard:
    """What is done with a message that may be an answer, as far as anybody knows."""
    private = message.chat.type == "private"
    return Heard(near=True, remove=private and _ask(message) is Ask.WORDS)


def _kept(message: Message, heard: Heard) -> Message:
    """What is kept of a message with which this was done."""
    if heard.is_ours or heard.remove:
        refused = [REFUSED, heard.refused] if heard.refused else []
        removal = [REMOVAL] if heard.remove else []
        return _bare(message, " ".join([f"{LINK}{_mention(message)}", *removal, *refused]))
    private = message.chat.type == "private"
    said = _of_command(message, near=heard.near, private=private)
    if not private:
        codes = [code for code in shown_codes(message) if code not in (said or "")]
        said = " ".join([*filter(None, [said]), *(f"?start={code}" for code in codes)])
    return _bare(message, said or None)


def _of_command(message: Message, *, near: bool, private: bool) -> str | None:
    """What is kept of a command; None where it is none, or in a group nobody's."""
    text = _said(message)
    if private and text.strip(" /?!.").casefold() in _help_words():
        return HELP  # whoever is afraid writes no slash
    if not text.startswith("/"):
        return None
    first = text.split(maxsplit=1)[0]
    found = _FIRST.fullmatch(first)
    if found is None or (near and not _is_known(found)):
        return UNKNOWN if private else None
    name = found["name"].lower()
    # A phone's keyboard begins a message with a capital: /Positions is /positions.
    plain = f"/{name}{found['mention'] or ''}"
    whole = plain + text.removeprefix(first)
    return whole if _keeps_rest(name, whole, near=near, private=private) else plain


@cache
def _help_words() -> frozenset[str]:
    """What asks for help, in every language that there is."""
    words: set[str] = set()
    for language in languages():
        with speaking(language):
            words.add(t("help").casefold())
    return frozenset(words)


def _is_known(command: re.Match[str]) -> bool:
    """Whether there is such a command, said to nobody or to a bot: their names end so."""
    mention = (command["mention"] or "bot").lower()
    name = command["name"].lower()
    return (name in NAMES or _is_mistyped(name)) and mention.endswith("bot")


def _keeps_rest(name: str, text: str, *, near: bool, private: bool) -> bool:
    """Whether what stands behind a command is kept."""
    if name == START:
        return private and (not near or SHOWN_CODE.fullmatch(text) is not None)
    if name not in TAKING:
        return False
    return not near or all(_is_plain(word) for word in text.split()[1:])


def _is_plain(word: str) -> bool:
    """Whether it is a number, or a word that is the same for everybody."""
    return _NUMBER.fullmatch(word) is not None or word in WORDS or word in _zones()


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_to_remove(update: Update) -> bool:
    """Whether a kept update's message is to leave the chat."""
    return update.message is not None and is_removal(update.message)


def is_removal(message: Message) -> bool:
    """The same of a kept message."""
    command, _, rest = (message.text or "").partition(" ")
    return command.partition("@")[0] == LINK and rest.split(" ")[0] == REMOVAL


def named_bot(message: Message) -> str:
    """The bot that a kept command names; empty where it names none."""
    return (message.text or "").partition(" ")[0].partition("@")[2]


def _mention(message: Message) -> str:
    """`@reckoner_bot` of a command in a group; in private there is one bot only."""
    first = next(iter(_said(message).split()), "")
    found = None if message.chat.type == "private" else _FIRST.fullmatch(first)
    return "" if found is None else found["mention"] or ""


def _said(message: Message) -> str:
    """Its words; those below a picture or a file are as good."""
    return message.text or message.caption or ""


def _tells_all(message: Message) -> bool:
    """Whether somebody answers `/link`'s questions before they are asked."""
    words = _said(message).split()
    private = message.chat.type == "private"
    is_command = private or (bool(words) and _FIRST.fullmatch(words[0]) is not None)
    return _command(message) == LINK and len(words) > 1 and is_command


def _command(message: Message) -> str:
    """`/link` of `/LINK@reckoner_bot words`; empty where it is no command."""
    text = _said(message)
    return text.split(maxsplit=1)[0].partition("@")[0].lower() if text.startswith("/") else ""


def _with(
    update: Update, *, message: Message | None = None, callback_query: CallbackQuery | None = None
) -> Update:
    """Nothing but this: an edited message, or whatever Telegram may still send, is not needed."""
    kept: dict[str, Message | CallbackQuery] = {}
    if message is not None:
        kept["message"] = message
    if callback_query is not None:
        kept["callback_query"] = callback_query
    return Update(update_id=update.update_id, **kept).as_(update.bot)  # type: ignore[arg-type]


def _bare(message: Message, text: str | None) -> Message:
    """Who wrote, where and when; and these words, or none."""
    facts = ("sender_chat", "message_thread_id", "is_topic_message")
    said = {name: getattr(message, name) for name in facts if getattr(message, name) is not None}
    if text is not None:
        said["text"] = text
    bare = Message(
        message_id=message.message_id,
        date=message.date,
        chat=message.chat,
        from_user=message.from_user,
        **said,
    )
    return bare.as_(message.bot)


def _alone(message: Message) -> Message:
    """Without the messages that it shows again."""
    shown = ("reply_to_message", "external_reply", "quote", "pinned_message")
    again = {name: None for name in shown if getattr(message, name, None) is not None}
    return message.model_copy(update=again) if again else message


def _without_others(press: CallbackQuery) -> CallbackQuery:
    message = press.message
    if not isinstance(message, Message):
        return press
    alone = _alone(message)
    return press if alone is message else press.model_copy(update={"message": alone})
