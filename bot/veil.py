"""What may be journalled of an update: never words that could be a password.

The journal keeps updates whole, so that none is lost; but of what people write it needs commands
only. Whatever else they write in private is taken where it is answered, in the transaction that
journals it, and the journal gets the message without it. The same holds for what a message only
shows again: the one it answers, quotes or pins.
"""

from typing import Final, Protocol

from aiogram.types import CallbackQuery, Message, Update

from bot.views.commands import COMMANDS
from core.ports import Transaction
from core.services.link_talks import NOTHING, Ask, Heard

LINK: Final = "/link"
CANCEL: Final = "/cancel"
REMOVE: Final = f"{LINK} remove"
"""Stands in the journal for words that are to leave the chat. Nobody can write it: of what people
write after the command nothing is kept."""
REFUSED: Final = f"{LINK} refused "
"""Stands for a conversation that was not begun; the code of the refusal follows."""
NAMES: Final = frozenset(command.name for command in COMMANDS)


class Hears(Protocol):
    """`core.services.link_talks`, where linking in the chat is on."""

    async def hear(
        self, tx: Transaction, telegram_id: int, ask: Ask, text: str | None, *, private: bool
    ) -> Heard:
        """Take a message of somebody's."""
        ...

    def expects(self, telegram_id: int) -> bool:
        """Whether this person's next words are the password, as far as memory knows."""
        ...


class Veil:
    """Takes what is not to be kept out of updates. Without `hears` there is no conversation."""

    def __init__(self, hears: Hears | None = None) -> None:
        self._hears = hears

    async def __call__(self, tx: Transaction, update: Update) -> Update:
        """Take the words, and give what may be kept. Raises StoreUnavailable."""
        if update.callback_query is not None:
            press = _without_others(update.callback_query)
            return _with(update, callback_query=press)
        message = update.message
        if message is None:
            return _with(update)
        return _with(update, message=_kept(message, await self._heard(tx, message)))

    def is_expected(self, update: Update) -> bool:
        """Whether it is probably a password, asked of memory alone: the database may be away."""
        message = update.message
        if self._hears is None or message is None or message.from_user is None:
            return False
        private = message.chat.type == "private"
        other = _command(message).removeprefix("/") in NAMES
        return private and not other and self._hears.expects(message.from_user.id)

    async def _heard(self, tx: Transaction, message: Message) -> Heard:
        who = message.from_user
        if self._hears is None or who is None or who.is_bot or message.sender_chat is not None:
            return NOTHING
        command = _command(message)
        ask = {LINK: Ask.BEGIN, CANCEL: Ask.CANCEL}.get(command, Ask.WORDS)
        if ask is Ask.WORDS and command.removeprefix("/") in NAMES:
            return NOTHING  # another command: it waits for nothing, and ends nothing
        private = message.chat.type == "private"
        return await self._hears.hear(tx, who.id, ask, message.text, private=private)


def _kept(message: Message, heard: Heard) -> Message:
    """What is kept of a message with which this was done."""
    if heard.remove:
        return _bare(message, REMOVE)
    if heard.refused:
        return _bare(message, f"{REFUSED}{heard.refused}")
    if heard.is_ours:
        return _bare(message, LINK)
    if _command(message) == LINK:  # with its mention: it may be another bot's
        return _bare(message, (message.text or "").split()[0])
    if heard.conceal or (message.chat.type == "private" and not _command(message)):
        return _bare(message, None)
    return _alone(message)


def is_to_remove(update: Update) -> bool:
    """Whether a kept update's message is to leave the chat."""
    return update.message is not None and update.message.text == REMOVE


def _command(message: Message) -> str:
    """`/link` of `/LINK@reckoner_bot words`; empty where it is no command."""
    text = message.text or ""
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
    """Who wrote, where and when; and other words, or none."""
    said = {} if text is None else {"text": text}
    bare = Message(
        message_id=message.message_id,
        date=message.date,
        chat=message.chat,
        from_user=message.from_user,
        **said,  # type: ignore[arg-type]
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
