"""`rotate-keys`: a new key for the brokers' passwords, and none of the old.

And what to do about keys that open nothing, in the same words wherever it is said.
"""

import asyncio
from typing import Final

from bot.cli.composition import opened_store, rotation
from bot.cli.private import keep_to_this_user
from bot.cli.run import settings_or_usage
from bot.cli.saying import complain, say
from bot.cli.words import NEW_KEY
from bot.keys import Keys
from core.config import Settings
from core.ports import KeysUnusable, StoreUnavailable
from core.services.links import PasswordsUnreadable

OLD_KEYS_GO: Final = (
    "the old keys go, and with them the passwords in older copies of the database; where such a "
    "copy must stay usable, keep a copy of {path} with it, apart"
)


def opened_again(keys: Keys, relink: str) -> str:
    """What to do where a password cannot be read. `relink` links its account, or says to."""
    if keys.are_open_to_others:
        return f"chmod 600 {keys.file.path}, then python -m bot rotate-keys; nothing is lost"
    return (
        "bring the key back (PASSWORD_KEYS, or password.keys in DATA_DIR) from where you keep its "
        f"copy; only if it is lost for good: {relink} {NEW_KEY}"
    )


def rotate_keys() -> int:
    """Do it and answer the exit status. Raises UsageError for settings that cannot be used."""
    keep_to_this_user()
    settings = settings_or_usage()
    keys = Keys(settings)
    if not keys.given and keys.file.path.exists():
        say(OLD_KEYS_GO.format(path=keys.file.path))
    try:
        with keys.held():
            said = asyncio.run(_rotate(settings, keys))
    except KeysUnusable as error:
        first = "; the first `python -m bot link` makes it" if keys.are_absent else ""
        return complain(f"{error}{first}")
    except PasswordsUnreadable as error:
        accounts = ", ".join(f"{row.login} at {row.server}" for row in error.rows)
        return complain(
            f"nothing was changed: the passwords of {accounts} cannot be decrypted "
            f"({error.reason}); {opened_again(keys, 'link these accounts again with')}, "
            "or unlink them"
        )
    except StoreUnavailable as error:
        return complain(f"the database cannot be used: {error}; every key was kept, run this again")
    say(said)
    return 0


async def _rotate(settings: Settings, keys: Keys) -> str:
    in_ring = keys.read()
    async with opened_store(settings) as store:
        rotate = rotation(store)
        if not keys.given:
            count = await rotate.in_ring(keys.file)
            return (
                f"{_passwords(count)} encrypted under a new key, {keys.file.path}; "
                "the old keys are gone"
            )
        count = await rotate.under_first(in_ring)
    if len(in_ring) == 1:
        return (
            f"{_passwords(count)} encrypted under the only key of PASSWORD_KEYS. To rotate it, "
            "put a new one and a comma before it, restart Reckoner with both, and run this again"
        )
    return (
        f"{_passwords(count)} encrypted under the first key of PASSWORD_KEYS; "
        f"the other {len(in_ring) - 1} may be taken out, wherever PASSWORD_KEYS is set"
    )


def _passwords(count: int) -> str:
    return "1 password is" if count == 1 else f"{count} passwords are"
