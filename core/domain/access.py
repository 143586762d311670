"""Who is let in, and by whom: what a request says, and what the people file has to say to it.

Somebody has rights only where an admin, an invitation or the people file gave them. For those whom
the file lists it decides: a button may take their rights away, and gives none that the file does
not give.
"""

from datetime import datetime
from typing import Final

from msgspec import Struct

from core.domain.people import Role

REQUESTS_WAITING_MAX: Final = 20
"""Requests that may wait at the same time: strangers must not fill the admins' chat."""
NAME_LENGTH_MAX: Final = 64
NAMELESS: Final = "somebody without a name"


class Requester(Struct, frozen=True, kw_only=True):
    """Who asks, by what Telegram says of them. `username` is empty where they have none."""

    telegram_id: int
    name: str
    username: str = ""


class AccessDecision(Struct, frozen=True, kw_only=True):
    """What an admin decided of a request."""

    telegram_id: int
    name: str
    approved: bool
    at: datetime


def shown_name(text: str) -> str:
    """A name that somebody gave themselves, fit to be kept and shown: one line, bounded.

    Characters that nobody sees (such as those that turn the writing round) are left out.
    """
    kept = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(kept.split())[:NAME_LENGTH_MAX].rstrip() or NAMELESS


def role_after_enrolment(
    *, in_file: Role, file_role_before: str | None, blocked_by_hand: bool
) -> Role:
    """The role of somebody whom the people file lists, as it is read.

    It is the file's, unless an admin has blocked them and the file says of them what it said then:
    reading the same file again lifts no block.
    """
    is_unchanged = file_role_before == in_file.value
    return Role.BLOCKED if blocked_by_hand and is_unchanged else in_file
