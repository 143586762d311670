"""Invitations: a code that makes whoever brings it an account's owner, once, for a while."""

import hashlib
import re
from collections import deque
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

CODE_BYTES: Final = 24
"""192 random bits: nobody finds one by trying, so what bounds attempts is about noise."""
CODE_LENGTH: Final = 32
"""Of the code as text; a Telegram start parameter has at most 64 of the same characters."""
LIFETIME: Final = timedelta(hours=48)
"""How long a code may be used."""
ATTEMPTS_MAX: Final = 5
"""Wrong codes of one person within ATTEMPTS_SPAN; after these nothing more is looked up."""
ATTEMPTS_KEPT_MAX: Final = 1_000
"""Wrong codes that are remembered, the newest: strangers must not keep the invited out."""
ATTEMPTS_SPAN: Final = timedelta(hours=1)
HELLO: Final = "hello"
"""The start parameter of a button that only leads to the private chat."""
_CODE: Final = re.compile(rf"[A-Za-z0-9_-]{{{CODE_LENGTH}}}")


class Invited(Struct, frozen=True, kw_only=True):
    """An invitation as it is made: `code` is shown this once; `owner` has the account till then."""

    code: str
    login: int
    server: str
    owner: str
    expires_at: datetime


class Redeemed(Struct, frozen=True, kw_only=True):
    """What a code gave: the account, and whether its new owner was let in by it."""

    login: int
    name: str
    is_new: bool


def code_digest(code: str) -> str:
    """What is kept of a code: its SHA-256. Codes are random, so no salt is needed."""
    return hashlib.sha256(code.encode()).hexdigest()


def is_code(text: str) -> bool:
    """Whether it may be a code at all."""
    return _CODE.fullmatch(text) is not None


class Attempts:
    """Wrong codes that were brought lately."""

    def __init__(self) -> None:
        self._wrong: deque[tuple[datetime, int]] = deque(maxlen=ATTEMPTS_KEPT_MAX)

    def is_over(self, telegram_id: int, now: datetime) -> bool:
        """Whether this person has brought too many."""
        while self._wrong and now - self._wrong[0][0] >= ATTEMPTS_SPAN:
            self._wrong.popleft()
        return sum(1 for _, who in self._wrong if who == telegram_id) >= ATTEMPTS_MAX

    def note(self, telegram_id: int, now: datetime) -> None:
        """Count a wrong one."""
        self._wrong.append((now, telegram_id))
