"""Who owns the accounts, in memory: a lease as a table would keep it, fought over by two workers.

What it promises is in tests/contract/test_leases.py (DESIGN, section 7).
"""

from typing import Final

from msgspec import Struct

TTL_S: Final = 3.0
RENEW_S: Final = 1.0


class Lease(Struct, frozen=True):
    """The right to own, under an epoch that nobody had before."""

    owner: str
    epoch: int


class Leases:
    """One shard's lease. Instants are the store's own seconds: an owner's clock proves nothing."""

    def __init__(self, epoch: int = 0) -> None:
        self._owner: str | None = None
        self._epoch = epoch
        self._expires_s = 0.0

    @property
    def epoch(self) -> int:
        """The newest epoch given."""
        return self._epoch

    def claim(self, owner: str, now_s: float) -> Lease | None:
        """Take it where nobody holds it, with the next epoch; None where somebody does."""
        if self._owner is not None and now_s < self._expires_s:
            return None
        self._owner = owner
        self._epoch += 1
        self._expires_s = now_s + TTL_S
        return Lease(owner, self._epoch)

    def renew(self, lease: Lease, now_s: float) -> bool:
        """Hold it for another TTL; False where it ran out or is another's."""
        if not self.holds(lease, now_s):
            return False
        self._expires_s = now_s + TTL_S
        return True

    def holds(self, lease: Lease, now_s: float) -> bool:
        """Whether it is this owner's now."""
        same = (self._owner, self._epoch) == (lease.owner, lease.epoch)
        return same and now_s < self._expires_s

    def release(self, lease: Lease) -> None:
        """Give it up at once; another's is left alone."""
        if (self._owner, self._epoch) == (lease.owner, lease.epoch):
            self._owner = None
