"""Logins as people type them after a command."""

from collections.abc import Sequence

from core.domain.board import AccountBoard
from core.services.errors import Refused

LOGIN_DIGITS_MAX = 18


def is_login(text: str) -> bool:
    """Whether it reads as a login at all."""
    return text.isascii() and text.isdigit() and len(text) <= LOGIN_DIGITS_MAX


def only(boards: Sequence[AccountBoard], login: str) -> list[AccountBoard]:
    """The one of these accounts that is meant; all where no login was typed.

    Raises Refused not_yours where it is none of them, whether it exists or not.
    """
    if not login:
        return list(boards)
    found = [board for board in boards if board.login == int(login)]
    if not found:
        raise Refused("not_yours", login=int(login))
    return found
