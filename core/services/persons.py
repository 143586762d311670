"""A person as a value, from their rows."""

from collections.abc import Iterable

from core.domain.people import Person, Role
from core.ports import Transaction
from core.records import AccountRow, UserRow


def person_from(user: UserRow, account_ids: Iterable[int]) -> Person:
    """The person of a row, with the accounts that are theirs."""
    return Person(
        user_id=user.id,
        telegram_id=user.telegram_id,
        name=user.name,
        role=Role(user.role),
        time_zone=user.time_zone,
        language=user.language or user.app_language or "",
        account_ids=tuple(account_ids),
    )


async def person_of(tx: Transaction, user: UserRow) -> Person:
    """The person with the accounts that are theirs now."""
    accounts = await tx.find(AccountRow, user_id=user.id, enabled=True)
    return person_from(user, (account.id for account in accounts))
