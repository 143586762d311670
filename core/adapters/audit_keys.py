"""The keys to the audit chains, in a file beside the database that nobody else may read.

Old keys stay: what was signed with them is verified with them. The file is read when it is first
needed, and again when a chain turns out to be under a key that was not in it: `audit rotate` puts
one there while Reckoner runs.
"""

import base64
from pathlib import Path
from typing import Final

from core.adapters.vault import KeyFile
from core.domain.audit import AuditKey
from core.ports import KeysUnusable

AUDIT_KEY_FILE: Final = "audit.keys"
"""Its name in DATA_DIR: one key a line, the newest first."""
FIRST_KEY_FILE: Final = "audit.keys.first"
"""The first key until every chain that there is has been put under it."""
AUDIT_KEYS_MAX: Final = 64
"""Keys that one file holds: a rotation a month for five years."""


def key_file(path: Path) -> KeyFile:
    """The file of the audit keys."""
    return KeyFile(
        path,
        keys_max=AUDIT_KEYS_MAX,
        opens="the audit",
        after_chmod="python -m bot audit rotate",
        busy="another start or `audit rotate`",
    )


class FileAuditKeys:
    """`core.domain.audit.AuditKeys` over a key file."""

    def __init__(self, file: KeyFile) -> None:
        self.file = file
        self._keys: dict[str, AuditKey] = {}
        self._newest: AuditKey | None = None

    def newest(self) -> AuditKey:
        """The key of chains that begin now. Raises KeysUnusable."""
        if self._newest is None:
            self.read()
        if self._newest is None:
            raise KeysUnusable(f"{self.file.path}: there is no key to the audit")
        return self._newest

    def find(self, key_id: str) -> AuditKey | None:
        """The key with this id; None where it is not in the file, or the file cannot be read."""
        known = self._keys.get(key_id)
        if known is not None:
            return known
        try:
            self.read()
        except KeysUnusable:
            return None
        return self._keys.get(key_id)

    def read(self) -> None:
        """Read the file again; what was read before stays known. Raises KeysUnusable."""
        keys = [AuditKey(base64.urlsafe_b64decode(text)) for text in self.file.read()]
        self._keys.update({key.id: key for key in keys})
        self._newest = keys[0]
