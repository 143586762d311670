"""The kinds of value that settings have, each checked as it is read.

A reader raises ValueError without words: `core.config` says what the setting accepts, and shows no
secret.
"""

import re
from datetime import time
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from core.agent_command import words_of
from core.domain.drill import WEEK_DAYS, Slot
from core.domain.quotes import Window
from core.domain.topics import GENERAL_ID, NAMES

SYMBOLS_MAX: Final = 500
"""Entries of one by-symbol map."""
PASSWORD_KEYS_MAX: Final = 16
"""The newest, and old ones until `rotate-keys` has made them needless."""
SECRET_MIN: Final = 32
SECRET_MAX: Final = 200
"""Characters of a secret that signs requests."""
NO_HOUR: Final = "none"
PIPS: Final = (
    "XAUUSD=0.10,XAGUSD=0.01,"
    "US500=1,US30=1,NAS100=1,GER40=1,UK100=1,JP225=1,FRA40=1,EU50=1,AUS200=1"
)
SPREADS: Final = (
    "XAUUSD=10,XAGUSD=10,US500=2,US30=10,NAS100=6,GER40=6,UK100=5,JP225=30,FRA40=5,EU50=5,AUS200=6"
)
TOPIC_MAX: Final = 2**31 - 1
"""A topic's number is that of its first message, which has 31 bits."""
TOPICS_ACCEPTS: Final = (
    f"GROUP=TOPIC pairs separated by commas, each group once ({', '.join(NAMES)}), "
    f"a topic being a whole number from {GENERAL_ID + 1} to {TOPIC_MAX}"
)
_TOKEN: Final = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")
FERNET_KEY: Final = re.compile(r"[A-Za-z0-9_-]{43}=")
"""32 bytes as URL-safe base64."""
CHAT_MAX: Final = 2**52
"""Telegram promises that the numbers of chats and people fit in 52 bits."""
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DIGITS: Final = re.compile(r"[0-9]{1,10}")
_CLOCK: Final = re.compile(r"[0-9]{2}:[0-9]{2}")
_WINDOW: Final = re.compile(r"[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}")


def _token(value: SecretStr | None) -> SecretStr | None:
    if value is not None and not _TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError
    return value


def _web_address(value: str | None) -> str | None:
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    return value.rstrip("/")


def _loopback(value: str) -> str:
    if value != "localhost" and not ip_address(value).is_loopback:
        raise ValueError
    return value


def _address(value: str) -> str:
    if value != "localhost":
        ip_address(value)
    return value


def _signing(value: SecretStr | None) -> SecretStr | None:
    if value is None:
        return None
    text = value.get_secret_value()
    if not SECRET_MIN <= len(text) <= SECRET_MAX or not text.isprintable() or not text.isascii():
        raise ValueError
    return value


def _engine(value: str) -> str:
    kind, _, rest = value.partition("://")
    if kind == "sqlite+aiosqlite":
        # A database in memory would be another one for each connection.
        is_one = rest.startswith("/") and rest.split("?")[0] not in {"/", "/:memory:"}
    else:
        is_one = kind == "postgresql+asyncpg" and len(urlsplit(value).path) > 1
    if not is_one:
        raise ValueError
    return value


def _chat(value: int | None) -> int | None:
    if value is not None and not 0 < abs(value) < CHAT_MAX:
        raise ValueError
    return value


def _mark(value: str) -> str:
    if not value.isprintable():
        raise ValueError
    return value


def plain_number(value: object) -> None:
    """Refuse what only a programmer takes for a number: `2_0`, or digits of another script.

    Raises ValueError.
    """
    if not isinstance(value, str) or not any(map(str.isdigit, value)):
        return
    if not _NUMBER.fullmatch(value.strip()):
        raise ValueError


def _command(value: str | None) -> str | None:
    """A command line whose quotes are closed; blank counts as not given."""
    if value is None or not value.strip():
        return None
    words_of(value)
    return value


def _fernet_keys(value: SecretStr | None) -> SecretStr | None:
    if value is None or not value.get_secret_value().strip():
        return None
    keys = [part.strip() for part in value.get_secret_value().split(",")]
    if len(keys) > PASSWORD_KEYS_MAX or not all(FERNET_KEY.fullmatch(key) for key in keys):
        raise ValueError
    return SecretStr(",".join(keys))


def _by_symbol(value: object) -> object:
    """`XAUUSD=10,US500=2` as a map; a map stays one."""
    if not isinstance(value, str):
        return value
    figures: dict[str, Decimal] = {}
    for entry in filter(None, (part.strip() for part in value.split(","))):
        symbol, equals, figure = (word.strip() for word in entry.partition("="))
        try:
            number = Decimal(figure)
        except InvalidOperation:
            raise ValueError from None
        if not (symbol and equals and number.is_finite() and number > 0) or symbol in figures:
            raise ValueError
        figures[symbol] = number
    return figures


def _topics(value: object) -> object:
    """`guard=12,market=15` as a map; a map stays one."""
    if not isinstance(value, str):
        return value
    topics: dict[str, int] = {}
    for entry in filter(None, (part.strip() for part in value.split(","))):
        name, _, digits = (word.strip() for word in entry.partition("="))
        if name not in NAMES or name in topics or not _DIGITS.fullmatch(digits):
            raise ValueError
        topics[name] = int(digits)
    if not all(GENERAL_ID < topic_id <= TOPIC_MAX for topic_id in topics.values()):
        raise ValueError
    return topics


def _window(value: object) -> object:
    """`23:55-00:15` as a part of the day, `none` for no time at all; a window stays one."""
    if not isinstance(value, str):
        return value
    if value.strip().lower() == NO_HOUR:
        return None
    if not _WINDOW.fullmatch(value.strip()):
        raise ValueError
    begin, end = map(time.fromisoformat, value.strip().split("-"))
    if begin == end:
        raise ValueError
    return Window(begin, end)


def _week_slot(value: object) -> object:
    """`wed 10:00` as a moment of the week (UTC), `none` for none; a slot stays one."""
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if text == NO_HOUR:
        return None
    day, _, clock = text.partition(" ")
    if day not in WEEK_DAYS or not _CLOCK.fullmatch(clock):
        raise ValueError
    return Slot(WEEK_DAYS.index(day), time.fromisoformat(clock))


def _hour(value: object) -> object:
    """`none` for no hour at all."""
    return None if isinstance(value, str) and value.strip().lower() == NO_HOUR else value


Address = Annotated[str, AfterValidator(_address)]
SigningSecret = Annotated[SecretStr | None, AfterValidator(_signing)]
Token = Annotated[SecretStr | None, AfterValidator(_token)]
ChatNumber = Annotated[int | None, AfterValidator(_chat)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
Loopback = Annotated[str, AfterValidator(_loopback)]
DatabaseAddress = Annotated[str, AfterValidator(_engine)]
Mark = Annotated[str, AfterValidator(_mark)]
CommandLine = Annotated[str | None, AfterValidator(_command)]
FernetKeys = Annotated[SecretStr | None, AfterValidator(_fernet_keys)]
CloseFirstWord = Literal["largest_loss", "largest_profit", "largest_exposure", "oldest", "newest"]
Hour = Annotated[int | None, BeforeValidator(_hour)]
WeekSlot = Annotated[Any, NoDecode, BeforeValidator(_week_slot)]
AdminTopics = Annotated[Any, NoDecode, BeforeValidator(_topics)]
DayWindow = Annotated[Any, NoDecode, BeforeValidator(_window)]
BySymbol = Annotated[
    dict[str, Decimal], NoDecode, BeforeValidator(_by_symbol), Field(max_length=SYMBOLS_MAX)
]
