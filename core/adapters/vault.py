"""Brokers' passwords at rest: encrypted for one account, under keys that are no row's neighbour.

A token in the database is a Fernet token (AES-128-CBC with HMAC-SHA256, from `cryptography`) whose
plaintext names its login and server: copied to another row it opens nothing. The newest key
encrypts, older ones still decrypt, until `rotate-keys` has made them needless. Keys come from
PASSWORD_KEYS or from a file beside the database that nobody else may read; they are read anew each
time, because `link` and `rotate-keys` change them while Reckoner runs.
"""

import os
import re
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.adapters.sql.owner import FileLock
from core.config_values import FERNET_KEY, PASSWORD_KEYS_MAX
from core.ports import KeysUnusable, PasswordUnreadable, Secret, StoreLocked, StoreUnavailable

KEY_FILE: Final = "password.keys"
"""Its name in DATA_DIR: one key a line, the newest first."""
FILE_BYTES_MAX: Final = 4096
"""A file of AUDIT_KEYS_MAX keys, which are more than the passwords', has less than it."""
OTHERS: Final = 0o077
"""The rights of the group and of everybody else."""

Keys = tuple[str, ...]


class NoKeys(KeysUnusable):
    """There is no key file."""


class OpenToOthers(KeysUnusable):
    """Others may read the key file."""


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The plaintext of a token."""

    login: int
    server: str
    password: str


class Vault:
    """`core.ports.PasswordVault`: seals and unseals with whatever keys there are just then."""

    def __init__(self, read_keys: Callable[[], Keys]) -> None:
        self._read_keys = read_keys

    def seal(self, login: int, server: str, password: Secret) -> str:
        """Encrypt a password for one account, under the newest key. Raises KeysUnusable."""
        sealed = _Sealed(login=login, server=server, password=password.reveal())
        return self._fernet().encrypt(msgspec.json.encode(sealed)).decode("ascii")

    def unseal(self, login: int, server: str, token: str) -> Secret:
        """Decrypt an account's token. Raises PasswordUnreadable, saying why, without secrets."""
        try:
            plain = self._fernet().decrypt(token.encode("ascii", "replace"))
            sealed = msgspec.json.decode(plain, type=_Sealed)
        except KeysUnusable as error:
            raise PasswordUnreadable(str(error)) from None
        except InvalidToken:
            raise PasswordUnreadable("none of the keys encrypted this password") from None
        except (msgspec.DecodeError, msgspec.ValidationError):
            # From None: the cause's text could quote what was decrypted.
            raise PasswordUnreadable("what was encrypted is no password") from None
        if (sealed.login, sealed.server) != (login, server):
            raise PasswordUnreadable("this password was encrypted for another account")
        return Secret(sealed.password)

    def _fernet(self) -> MultiFernet:
        return MultiFernet([Fernet(key) for key in self._read_keys()])


class KeyFile:
    """The keys beside the database. Its directory is made with the first key.

    `opens` names what they are keys to, `after_chmod` what to do once others cannot read them any
    more, `busy` who else may hold the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        keys_max: int = PASSWORD_KEYS_MAX,
        opens: str = "the brokers' passwords",
        after_chmod: str = "python -m bot rotate-keys",
        busy: str = "another `link`, `unlink` or `rotate-keys`",
    ) -> None:
        self.path = path
        self.keys_max = keys_max
        self._opens = opens
        self._after_chmod = after_chmod
        self._busy = busy

    def read(self) -> Keys:
        """Read the keys, the newest first.

        Raises NoKeys where there is no file, KeysUnusable where it cannot be used or others can
        read it.
        """
        try:
            handle = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            raise NoKeys(f"{self.path}: there is no key to {self._opens}") from None
        except OSError as error:
            raise KeysUnusable(f"{self.path}: cannot be read: {error.strerror}") from None
        try:
            mode = os.fstat(handle).st_mode
            if not stat.S_ISREG(mode):
                raise KeysUnusable(f"{self.path}: expected a file of keys; it is no file")
            self._refuse_others(mode)
            content = os.read(handle, FILE_BYTES_MAX + 1)
        except OSError as error:
            raise KeysUnusable(f"{self.path}: cannot be read: {error.strerror}") from None
        finally:
            os.close(handle)
        keys = tuple(content.decode("ascii", "replace").split())
        if not 0 < len(keys) <= self.keys_max or not all(FERNET_KEY.fullmatch(key) for key in keys):
            raise KeysUnusable(
                f"{self.path}: expected 1 to {self.keys_max} keys, one a line; "
                "bring it back from a copy"
            )
        return keys

    def new_key(self) -> str:
        """Make a key: 32 random bytes of the operating system, as URL-safe base64."""
        return Fernet.generate_key().decode("ascii")

    def read_or_make(self) -> Keys:
        """Read the keys; make the first where there are none. Call it inside `held`."""
        try:
            return self.read()
        except NoKeys:
            self.write((self.new_key(),))
            return self.read()

    def write(self, keys: Keys) -> None:
        """Replace the file, whole, on the disk before this returns. Call it inside `held`.

        A crash leaves the old file or the new one, never a part. Raises KeysUnusable.
        """
        try:
            self._forget_drafts()
            # Exclusively, for this user only, under a name that nobody uses.
            handle, name = tempfile.mkstemp(".tmp", f".{self.path.name}.", self.path.parent)
            with os.fdopen(handle, "wb") as file:
                file.write("".join(f"{key}\n" for key in keys).encode("ascii"))
                file.flush()
                os.fsync(handle)
            Path(name).replace(self.path)
            _flush_directory(self.path.parent)
        except OSError as error:
            raise KeysUnusable(f"{self.path}: cannot be written: {error.strerror}") from None

    def move_to(self, path: Path) -> None:
        """Take another name in the same directory, on the disk before this returns.

        Raises KeysUnusable.
        """
        try:
            self.path.replace(path)
            _flush_directory(path.parent)
        except OSError as error:
            raise KeysUnusable(f"{path}: cannot be written: {error.strerror}") from None

    def _forget_drafts(self) -> None:
        """Remove what a crash of ours left, which has keys in it, and nothing of anybody else's."""
        ours = re.compile(rf"\.{re.escape(self.path.name)}\.[a-z0-9_]{{8}}\.tmp")
        for path in self.path.parent.iterdir():
            if ours.fullmatch(path.name):
                path.unlink()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other `link` and `rotate-keys` away.

        So no password is sealed under a key that is just being dropped. Raises KeysUnusable at once
        where another one is under way.
        """
        lock = FileLock(self.path.with_name(self.path.name + ".lock"))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire()
        except StoreLocked as error:
            raise KeysUnusable(
                f"{self._busy} is under way (process {error.pid}); try again when it has ended"
            ) from None
        except (StoreUnavailable, OSError) as error:
            raise KeysUnusable(f"{self.path.parent}: cannot be written: {error}") from None
        try:
            yield
        finally:
            lock.release()

    def _refuse_others(self, mode: int) -> None:
        # Windows knows no such rights; there the directory's own hold.
        if sys.platform != "win32" and mode & OTHERS:
            raise OpenToOthers(
                f"{self.path}: others may read it (mode {stat.S_IMODE(mode):04o}): "
                f"chmod 600 {self.path}, then `{self._after_chmod}`"
            )


def _flush_directory(path: Path) -> None:
    """Bring a file's new name to the disk; Windows does so by itself."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
