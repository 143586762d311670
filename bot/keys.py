"""The keys to the brokers' passwords and to the audit, for the composition roots."""

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from core.adapters.audit_keys import AUDIT_KEY_FILE, FIRST_KEY_FILE, FileAuditKeys, key_file
from core.adapters.vault import KEY_FILE, KeyFile, NoKeys, OpenToOthers, Vault
from core.config import Settings
from core.ports import KeysUnusable, Store
from core.services.audit_keys import change_key, put_under_first


class Keys:
    """The keys to the brokers' passwords: PASSWORD_KEYS, or the file beside the database."""

    def __init__(self, settings: Settings) -> None:
        given = settings.password_keys
        self.given = () if given is None else tuple(given.get_secret_value().split(","))
        self.file = KeyFile(settings.data_dir / KEY_FILE)
        self.vault = Vault(self.read)

    def read(self) -> tuple[str, ...]:
        """Give the keys, the newest first. Raises KeysUnusable."""
        return self.given or self.file.read()

    @property
    def are_absent(self) -> bool:
        """Whether there is none at all."""
        return self._fails_with(NoKeys)

    @property
    def are_open_to_others(self) -> bool:
        """Whether the file is refused because others may read it."""
        return self._fails_with(OpenToOthers)

    def _fails_with(self, kind: type[KeysUnusable]) -> bool:
        try:
            self.read()
        except KeysUnusable as error:
            return isinstance(error, kind)
        return False

    def prepare(self) -> None:
        """Make the first key where there is none. Raises KeysUnusable. Call it inside `held`."""
        if not self.given:
            self.file.read_or_make()

    def held(self) -> AbstractContextManager[None]:
        """Keep others from changing the file; given keys change only with the environment."""
        return nullcontext() if self.given else self.file.held()


class AuditKeyHome:
    """The keys to the audit, in DATA_DIR; the first is made at the first start.

    Until every chain is under the first key, it stands in a file of its own: so an unkeyed chain is
    put under a key once in the life of an installation, and never again.
    """

    def __init__(self, settings: Settings) -> None:
        self.keys = FileAuditKeys(key_file(settings.data_dir / AUDIT_KEY_FILE))
        self._first = FileAuditKeys(key_file(settings.data_dir / FIRST_KEY_FILE))

    async def prepare(self, store: Store, actor: str, now: datetime) -> int:
        """Make the first key where there is none; answers how many older links it vouches for.

        Raises KeysUnusable, also where the chains are under a key that is not there.
        """
        if self.keys.file.path.exists():
            self.keys.read()
            return 0
        with self.keys.file.held():
            if self.keys.file.path.exists():
                self.keys.read()
                return 0
            self._first.file.read_or_make()
            count = await put_under_first(store, self._first.newest(), actor, now)
            self._first.file.move_to(self.keys.file.path)
        self.keys.read()
        return count

    async def rotate(self, store: Store, actor: str, now: datetime, *, lost: bool = False) -> int:
        """Put every chain under a new key; answers how many chains. Raises KeysUnusable.

        The key is on the disk before a link is made with it. A crash in between leaves a key in the
        file that new chains begin with and older ones do not know yet; rotate again.
        """
        file = self.keys.file
        with file.held():
            ring = () if lost and not file.path.exists() else file.read()
            if len(ring) >= file.keys_max:
                raise KeysUnusable(
                    f"{file.path}: has {file.keys_max} keys already, which is the most; the oldest "
                    "may be taken out only together with the proof of what was signed with it"
                )
            file.write((file.new_key(), *ring))
            self.keys.read()
            return await change_key(store, self.keys, self.keys.newest(), actor, now, lost=lost)
