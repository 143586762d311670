"""Whose account is asked for: a client's own, or any account where an admin asks."""

from datetime import datetime

from core.domain.people import Person
from core.ports import Transaction
from core.records import AccountRow
from core.services.errors import Refused

SAME_LOGIN_MAX = 2
"""Accounts of one login at several servers that are looked at: two are one too many."""


async def account_of(tx: Transaction, person: Person, account_id: int) -> AccountRow:
    """The account, if this person may see it. Raises Refused: not_yours, not_found."""
    if account_id not in person.account_ids and not person.is_admin:
        raise Refused("not_yours")
    account = await tx.get(AccountRow, account_id)
    if account is None:
        raise Refused("not_found")
    return account


async def account_with(tx: Transaction, person: Person, login: int | None) -> AccountRow:
    """The account with this login; without one, the person's first.

    A login that several servers have is the person's own one among them. Raises Refused:
    not_yours (a client; whether it exists or not), no_account, and of an admin not_found,
    same_login.
    """
    if login is None:
        if not person.account_ids:
            raise Refused("no_account")
        return await account_of(tx, person, person.account_ids[0])
    own = [a for a in await tx.find(AccountRow, login=login) if a.id in person.account_ids]
    if own:
        return own[0]
    if not person.is_admin:
        raise Refused("not_yours", login=login)
    found = await tx.find(AccountRow, login=login, enabled=True, limit=SAME_LOGIN_MAX)
    if len(found) != 1:
        raise Refused("same_login" if found else "not_found", login=login)
    return found[0]


def visible_from(account: AccountRow, person: Person) -> datetime:
    """Admins see everything; an owner what came after the account was theirs."""
    return account.created_at if person.is_admin else owned_from(account)


def owned_from(account: AccountRow) -> datetime:
    """When it became its owner's."""
    return account.owned_since or account.created_at
