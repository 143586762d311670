"""What Reckoner keeps - accounts, chats, tokens - is for the user who runs it, and nobody else."""

import os
from typing import Final

OTHERS: Final = 0o077
"""The rights of the group and of everybody else."""


def keep_to_this_user() -> None:
    """Give others no right to what this process and its children make: files, directories.

    Windows knows no such rights; there the directory's own hold.
    """
    os.umask(OTHERS)
