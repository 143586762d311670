"""Which terminal an account that is linked in the chat gets, and whether it has one already."""

from collections.abc import Iterable

from core.domain.access import shown_name
from core.domain.linking import LinkPolicy, Place, Places
from core.ports import Transaction
from core.records import AccountRow, TerminalRow, UserRow


def free_place(policy: LinkPolicy, login: int, rows: Iterable[TerminalRow]) -> Place | None:
    """A terminal that no account has; None where none is left."""
    taken = [Place(path=row.path, host=row.host) for row in rows]
    return policy.places.free(login, taken)


async def known_as(tx: Transaction, places: Places, login: int, server: str) -> str:
    """Whose an account is that Reckoner has already; empty where it has none such.

    Servers are compared without regard to case: a terminal that an operator has linked is as good
    as an account. So is one of the same number elsewhere, where both would have one terminal.
    """
    for account in await tx.find(AccountRow, login=login):
        if places.are_one(account.server, server):
            owner = await tx.get(UserRow, account.user_id)
            return "?" if owner is None else shown_name(owner.name)
    for link in await tx.find(TerminalRow, login=login):
        if places.are_one(link.server, server):
            return "the operator"
    return ""
