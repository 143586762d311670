"""One message on its way to one chat: send, edit or reply, and what Telegram's answer means."""

from enum import StrEnum

from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import ReplyParameters
from msgspec import Struct
from msgspec.structs import replace

from bot import keyboards
from bot.markup import ELLIPSIS, TEXT_UNITS_MAX, pages, plain, shortened
from bot.views.message import Message

SEND_TIMEOUT_S = 20
FORMS_MAX = 5
"""As sent, as no edit or reply, in General, in plain text, without buttons."""
PAGES_MAX = 10
"""Messages that one alert may take; what is beyond them is left out, and an ellipsis says so."""
ERROR_CHARS_MAX = 200
NOT_MODIFIED = "message is not modified"
CANNOT_EDIT = ("message to edit not found", "message can't be edited", "MESSAGE_ID_INVALID")
BAD_MARKUP = ("can't parse entities", "message is too long", "ENTIT", "message text is empty")
BAD_BUTTONS = ("BUTTON_", "inline keyboard", "reply markup")
GONE_TOPIC = ("message thread not found", "TOPIC_")
"""A topic that was deleted or closed, or a group that has none any more."""
GONE_CHAT = ("chat not found", "user is deactivated", "bot was kicked", "PEER_ID_INVALID")


class Fate(StrEnum):
    """What became of one attempt."""

    SENT = "sent"
    WAIT = "wait"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    MIGRATED = "migrated"
    REFUSED = "refused"


class Outcome(Struct, frozen=True, kw_only=True):
    """An attempt's fate. `wait_s` for WAIT, `chat_id` the new address for MIGRATED.

    `pages` are the messages that arrived, also where a later one of them did not. `astray_id` is
    the topic that did not take it, so that it went to General.
    """

    fate: Fate
    message_id: int | None = None
    wait_s: float = 0.0
    chat_id: int = 0
    error: str = ""
    pages: int = 0
    astray_id: int | None = None


class Parcel(Struct, frozen=True, kw_only=True):
    """What to send where. `edit_id` the message to edit, `reply_id` the message to answer.

    `topic_id` is where it goes if it is neither: an answer goes where the answered message is,
    which may have been sent when topics were others. `in_plain` sends the words without markup.
    """

    chat_id: int
    message: Message
    edit_id: int | None = None
    reply_id: int | None = None
    topic_id: int | None = None
    in_plain: bool = False


async def deliver(bot: Bot, parcel: Parcel) -> Outcome:
    """Send it, in as many messages as it takes; the first of them is what later ones edit.

    Never raises for anything Telegram or the network does.
    """
    first_id: int | None = None
    astray_id: int | None = None
    for number, html in enumerate(_pages(parcel.message.html)):
        message = replace(parcel.message, html=html)
        page = replace(parcel, message=message)
        if number:
            message = replace(message, keyboard=())
            page = replace(page, message=message, edit_id=None, reply_id=first_id)
        outcome = await _deliver_page(bot, page)
        if outcome.fate is not Fate.SENT:
            return replace(outcome, pages=number)
        first_id = outcome.message_id if number == 0 else first_id
        astray_id = astray_id or outcome.astray_id
    return Outcome(fate=Fate.SENT, message_id=first_id, pages=number + 1, astray_id=astray_id)


def _pages(html: str) -> list[str]:
    found = [page for page in pages(html) if plain(page).strip()] or [html]
    if len(found) > PAGES_MAX:
        found = [*found[: PAGES_MAX - 1], ELLIPSIS]
    return found


async def _deliver_page(bot: Bot, parcel: Parcel) -> Outcome:
    """Send it; where Telegram refuses the form, try again in a simpler one."""
    form = parcel
    refusal = ""
    for _ in range(FORMS_MAX):
        try:
            message_id = await _send(bot, form)
            astray_id = None if form.topic_id else parcel.topic_id
            return Outcome(fate=Fate.SENT, message_id=message_id, astray_id=astray_id)
        except TelegramBadRequest as refused:
            refusal = refused.message
            if NOT_MODIFIED in refusal:
                return Outcome(fate=Fate.SENT, message_id=form.edit_id)
            simpler = _simpler(form, refusal)
            if simpler is None:
                break
            form = simpler
        except TelegramAPIError as error:
            return _failed(error)
        except (ClientDecodeError, TimeoutError, OSError) as error:
            return Outcome(fate=Fate.UNKNOWN, error=_words(error))
    gone = any(text in refusal for text in GONE_CHAT)
    return Outcome(fate=Fate.UNREACHABLE if gone else Fate.REFUSED, error=refusal)


async def _send(bot: Bot, parcel: Parcel) -> int:
    message = parcel.message
    text = shortened(plain(message.html), TEXT_UNITS_MAX) if parcel.in_plain else message.html
    parse_mode = None if parcel.in_plain else "HTML"
    markup = keyboards.markup(message.keyboard)
    if parcel.edit_id is not None:
        await bot.edit_message_text(
            text=text,
            chat_id=parcel.chat_id,
            message_id=parcel.edit_id,
            parse_mode=parse_mode,
            reply_markup=markup,
            request_timeout=SEND_TIMEOUT_S,
        )
        return parcel.edit_id
    reply, topic_id = None, parcel.topic_id
    if parcel.reply_id is not None:
        # Without a topic it goes where the answered message is (tdlib/telegram-bot-api, issue 447).
        # Where that is gone, Telegram would put it into General: it shall refuse, and the next
        # form names the topic.
        reply = ReplyParameters(
            message_id=parcel.reply_id, allow_sending_without_reply=topic_id is None
        )
        topic_id = None
    sent = await bot.send_message(
        chat_id=parcel.chat_id,
        text=text,
        message_thread_id=topic_id,
        parse_mode=parse_mode,
        disable_notification=message.silent or None,
        reply_parameters=reply,
        reply_markup=markup,
        request_timeout=SEND_TIMEOUT_S,
    )
    return sent.message_id


def _simpler(form: Parcel, why: str) -> Parcel | None:
    """The next form to try; None where the refusal is final."""
    if form.edit_id is not None and any(text in why for text in CANNOT_EDIT):
        return replace(form, edit_id=None)
    if any(text in why for text in GONE_TOPIC):
        return _in_general(form)
    if not form.in_plain and any(text in why for text in BAD_MARKUP):
        return replace(form, in_plain=True)
    if form.message.keyboard and any(text in why for text in BAD_BUTTONS):
        return replace(form, message=replace(form.message, keyboard=()))
    if form.topic_id is not None and form.edit_id is None:
        # Whatever the words: a topic may cost a message its place, never its reader.
        return _in_general(form) if form.reply_id is None else replace(form, reply_id=None)
    return None


def _in_general(form: Parcel) -> Parcel | None:
    """The same in General, answering nothing: the answered message may be what keeps it away."""
    if form.topic_id is None and form.reply_id is None:
        return None
    return replace(form, topic_id=None, reply_id=None)


def _failed(error: TelegramAPIError) -> Outcome:
    """An answer that is no refusal of the form."""
    match error:
        case TelegramRetryAfter():
            return Outcome(fate=Fate.WAIT, wait_s=float(error.retry_after), error=_words(error))
        case TelegramMigrateToChat():
            return Outcome(
                fate=Fate.MIGRATED, chat_id=error.migrate_to_chat_id, error=_words(error)
            )
        case TelegramForbiddenError():
            return Outcome(fate=Fate.UNREACHABLE, error=_words(error))
        case TelegramNetworkError() | TelegramServerError():
            return Outcome(fate=Fate.UNKNOWN, error=_words(error))
        case _:
            return Outcome(fate=Fate.REFUSED, error=_words(error))


def _words(error: BaseException) -> str:
    text = error.message if isinstance(error, TelegramAPIError) else type(error).__name__
    return text.splitlines()[0][:ERROR_CHARS_MAX] if text else type(error).__name__
