"""The keys to the brokers' passwords, as the settings have them; for the composition roots."""

from contextlib import AbstractContextManager, nullcontext

from core.adapters.vault import KEY_FILE, KeyFile, NoKeys, OpenToOthers, Vault
from core.config import Settings
from core.ports import KeysUnusable


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
