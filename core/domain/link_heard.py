"""What a message is to the conversations that link accounts, and what was done with it."""

from enum import StrEnum
from typing import Final

from msgspec import Struct


class Ask(StrEnum):
    """What somebody's message is, before its words are looked at."""

    BEGIN = "begin"
    CANCEL = "cancel"
    OTHER = "other"
    """Another command: it waits for nothing, and ends nothing."""
    WORDS = "words"
    """Anything that is no command: an answer, if one is waited for."""


class Heard(Struct, frozen=True, kw_only=True):
    """What was done with a message.

    `is_ours`: it belongs to a conversation. `remove`: its words may be a password, so it is to
    leave the chat at once. `near`: it is no answer, but they were asked not long ago, so that of
    its words only what cannot be a password may be journalled. `refused`: why no conversation was
    begun, a code of `core.services.errors.Refused`.
    """

    is_ours: bool = False
    remove: bool = False
    near: bool = False
    refused: str = ""


NOTHING: Final = Heard()
