"""What one person may change about another's standing, and what a list of people shows."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from core.domain.people import Role

USERS_PER_PAGE: Final = 8
CONFIRM_S_MAX: Final = 60
"""How long a preview may be confirmed."""
SEEN_EVERY: Final = timedelta(minutes=10)
"""How exactly it is known when somebody was last seen."""
ADMINS: Final = frozenset({Role.ADMIN, Role.OWNER})
ADMIN_ROLES: Final = tuple(sorted(role.value for role in ADMINS))
"""The same as the store finds them."""
ORDER: Final = (Role.PENDING, Role.OWNER, Role.ADMIN, Role.CLIENT, Role.BLOCKED)
"""Who waits for something comes first."""


class Change(StrEnum):
    """What may be changed of somebody."""

    APPROVE = "approve"
    BLOCK = "block"
    UNBLOCK = "unblock"


class UserLine(Struct, frozen=True, kw_only=True):
    """One person as the list shows them. `seen_at` is None where they never wrote or pressed.

    `file_role` is None where the people file does not list them, `request_id` where they have not
    asked to be let in.
    """

    user_id: int
    telegram_id: int
    name: str
    role: Role
    file_role: Role | None
    logins: tuple[int, ...]
    seen_at: datetime | None
    blocked_at: datetime | None
    request_id: int | None


class UsersPage(Struct, frozen=True, kw_only=True):
    """A page of the list, the first of them 0. `counts` are of everybody."""

    lines: tuple[UserLine, ...]
    page: int
    pages: int
    counts: dict[str, int]


class Preview(Struct, frozen=True, kw_only=True):
    """What is about to be done to whom, to be confirmed until `expires_at`, once, by who asked."""

    confirmation_id: int
    line: UserLine
    expires_at: datetime


def refusal(  # noqa: PLR0911 - one reason each
    change: Change,
    *,
    actor_id: int,
    actor_role: Role,
    line: UserLine,
    active_admins: int,
) -> str | None:
    """Why the actor may not change this of somebody, as a refusal's code; None where they may.

    Admins change clients and those who wait; of admins and owners only an owner changes anything,
    nobody of themselves, and one who is active always stays.
    """
    if actor_role not in ADMINS:
        return "not_admin"
    if actor_id == line.user_id:
        return "not_yourself"
    concerns = line.file_role if change is Change.UNBLOCK else line.role
    if concerns in ADMINS and actor_role is not Role.OWNER:
        return "owners_only"
    match change:
        case Change.APPROVE:
            if line.role is not Role.PENDING:
                return "not_pending"
            return "listed_in_file" if line.file_role is not None else None
        case Change.BLOCK:
            if line.role is Role.BLOCKED:
                return "blocked_already"
            return "last_admin" if line.role in ADMINS and active_admins <= 1 else None
        case Change.UNBLOCK:
            if line.role is not Role.BLOCKED:
                return "not_blocked_person"
            return "listed_in_file" if line.file_role is Role.BLOCKED else None


def role_when_unblocked(line: UserLine) -> Role:
    """The role somebody gets back: the people file's, else the least there is."""
    return line.file_role or Role.CLIENT


def in_order(lines: list[UserLine]) -> list[UserLine]:
    """Those who wait first, those who are blocked last; by name among the same."""
    return sorted(lines, key=lambda x: (ORDER.index(x.role), x.name.casefold(), x.user_id))
