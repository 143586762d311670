"""Who is asking, and what they may do."""

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    """A person's standing. Pending and blocked people may do nothing."""

    CLIENT = "client"
    ADMIN = "admin"
    OWNER = "owner"
    PENDING = "pending"
    BLOCKED = "blocked"


class Person(Struct, frozen=True, kw_only=True):
    """A known person. `account_ids` are the accounts that are theirs.

    `language` is what they chose, or what their Telegram speaks; empty where neither is known.
    """

    user_id: int
    telegram_id: int
    name: str
    role: Role
    time_zone: str
    language: str = ""
    account_ids: tuple[int, ...] = ()

    @property
    def is_admin(self) -> bool:
        """Whether this person may use admin commands."""
        return self.role in (Role.ADMIN, Role.OWNER)

    @property
    def is_active(self) -> bool:
        """Whether this person may use anything."""
        return self.role in (Role.CLIENT, Role.ADMIN, Role.OWNER)
