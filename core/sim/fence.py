"""The fencing token of each account: the highest owner's epoch seen, durable before it counts."""

from typing import Final

from core.sim.ledger import Journal

EPOCH_MAX: Final = 2**63 - 1


class Stale(Exception):
    """A newer owner has spoken: `epoch_max` is its epoch."""

    def __init__(self, epoch_max: int) -> None:
        super().__init__(f"stale epoch, the newest is {epoch_max}")
        self.epoch_max = epoch_max


class Fence:
    """Refuses whoever is not the newest owner of a login."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        kept = journal.load("sim.epoch")
        self._newest = {int(login): int(body["epoch"]) for login, body in kept.items()}

    def newest(self, login: int) -> int:
        """The highest epoch seen, 0 before the first."""
        return self._newest.get(login, 0)

    def admit(self, login: int, epoch: int) -> None:
        """Let this epoch act now; a higher one is committed first. Raises Stale."""
        newest = self.newest(login)
        if epoch < newest:
            raise Stale(newest)
        if epoch > newest:
            self._journal.put("sim.epoch", login, {"epoch": epoch})
            self._journal.commit()
            self._newest[login] = epoch
