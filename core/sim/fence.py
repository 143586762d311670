"""The fencing token of each account: the newest owner seen, durable before it counts.

An epoch is counted by one database: two databases reach the same number by themselves, so the
number and who came with it are remembered together.
"""

from typing import Final

from core.sim.ledger import Journal

EPOCH_MAX: Final = 2**63 - 1


class Stale(Exception):
    """Another owner has the account: `epoch_max` is its epoch."""

    def __init__(self, epoch_max: int) -> None:
        super().__init__(f"stale epoch, the newest is {epoch_max}")
        self.epoch_max = epoch_max


class Fence:
    """Refuses whoever is not the newest owner of a login; of two with one epoch, the second."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        kept = journal.load("sim.epoch")
        self._newest = {
            int(login): (int(body["epoch"]), str(body.get("owner", "")))
            for login, body in kept.items()
        }

    def newest(self, login: int) -> int:
        """The highest epoch seen, 0 before the first."""
        return self._newest.get(login, (0, ""))[0]

    def admit(self, login: int, epoch: int, owner: str = "") -> None:
        """Let this owner act now; a newer one is committed first. Raises Stale.

        An owner without a name is one like any other, except that a named one of the same epoch
        takes its place: it may be the same, seen before names were kept.
        """
        newest, known = self._newest.get(login, (0, ""))
        if epoch < newest or (epoch == newest and known not in {"", owner}):
            raise Stale(newest)
        if (epoch, owner) != (newest, known):
            self._journal.put("sim.epoch", login, {"epoch": epoch, "owner": owner})
            self._journal.commit()
            self._newest[login] = epoch, owner
