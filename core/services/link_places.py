"""Which terminal an account that is linked in the chat gets."""

from collections.abc import Iterable

from core.domain.linking import LinkPolicy, Place
from core.records import TerminalRow


def free_place(policy: LinkPolicy, login: int, rows: Iterable[TerminalRow]) -> Place | None:
    """A terminal that no account has; None where none is left."""
    taken = [Place(path=row.path, host=row.host) for row in rows]
    return policy.places.free(login, taken)
