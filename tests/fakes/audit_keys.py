"""Audit keys that are no secret."""

from core.domain.audit import AuditKey


class Ring:
    """Keys, the newest first; more may be put in."""

    def __init__(self, *seeds: int) -> None:
        self.keys = [AuditKey(bytes([seed]) * 32) for seed in seeds]

    def newest(self) -> AuditKey:
        """The first."""
        return self.keys[0]

    def find(self, key_id: str) -> AuditKey | None:
        """The one with this id."""
        return next((key for key in self.keys if key.id == key_id), None)


AUDIT_KEYS = Ring(1)
"""What the tests' stores sign with."""
