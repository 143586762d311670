"""What reconciliation costs: match and judge, per position, on pure values.

    python -m tests.benchmarks.reconcile --json

Worlds of 200 accounts with 10 positions each, every position a trade's. Each is read again
`unchanged` (the very same values), `handed` (translated anew from equal rows, as an account at rest
is), `equal` (other objects that say the same), `priced` (each position at a new price, nothing that
is judged changed), `moved` (each stop moved: a finding each), `persists` (each at a new price, the
finding of the moved stop as before), and `first` (nothing known before). The best of many rounds is
told, in nanoseconds per position. `translated` is what translating an equal reading costs.
"""

import argparse
import gc
import json
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec
from msgspec.structs import replace

from core.adapters.terminal.rows import Rows
from core.domain.broker import AccountSnapshot, Position
from core.domain.reconciliation import Policy, Reconciliation, reconcile
from core.records import TradeRow
from tests.unit.domain.make import position, snapshot, trade
from tests.unit.terminal import wire

POLICY: Final = Policy(
    slippage_pips_max=Decimal(5),
    missing_observations_min=3,
    pip_by_symbol={"XAUUSD": Decimal("0.10")},
)
AIM_CHANGED_NS: Final = 1500
AIM_UNCHANGED_NS: Final = 150
NONE: Final[frozenset[int]] = frozenset()


class World:
    """One account: its trades, and how it is read one time and the next."""

    def __init__(self, account: int, positions: int) -> None:
        ids = range(account * positions + 1, (account + 1) * positions + 1)
        self.trades: tuple[TradeRow, ...] = tuple(
            trade(n, entry_price=Decimal("1970.30")) for n in ids
        )
        held = tuple(position(900000 + n, magic=7000 + n, comment=f"rk:{n}") for n in ids)
        self.read = snapshot(*held)
        self.before = reconcile(self.trades, self.read, {}, NONE, POLICY)
        self.equal = self._with(held, {})
        self.priced = self._with(
            held, {"price_current": Decimal("1970.01"), "profit": Decimal("-2.90")}
        )
        self.moved = self._with(held, {"stop_loss": Decimal("1949.00")})
        self.moved_before = reconcile(self.trades, self.moved, {}, NONE, POLICY)
        self.moved_on = self._with(
            held, {"stop_loss": Decimal("1949.00"), "price_current": Decimal("1970.01")}
        )
        self._rows, self._body = Rows(), body_of(held)
        self.at_rest = reconcile(self.trades, self.translated(), {}, NONE, POLICY)
        self.handed = self.translated()

    def translated(self) -> AccountSnapshot:
        """What the terminal answers of the account, translated once more."""
        return wire.read(msgspec.json.decode(self._body), self._rows)

    def _with(self, held: Sequence[Position], changes: dict[str, Decimal]) -> AccountSnapshot:
        """Read again: no figure is the same object as before, as a new translation gives them."""
        read = msgspec.msgpack.decode(msgspec.msgpack.encode(held), type=tuple[Position, ...])
        return snapshot(*(replace(p, **changes) for p in read))


def body_of(held: Sequence[Position]) -> bytes:
    """A terminal's answer with these positions."""
    one = wire.BODY["positions"][0]
    rows = [
        one
        | {
            "ticket": p.ticket,
            "identifier": p.identifier,
            "type": 0,
            "sl": 1950.0,
            "tp": 1990.0,
            "magic": p.magic,
            "comment": p.comment,
        }
        for p in held
    ]
    return msgspec.json.encode(wire.BODY | {"positions": rows, "orders": [], "deals": []})


def measure(accounts: int, positions: int, rounds: int) -> dict[str, int]:
    """Nanoseconds per position of each kind of world, the best of so many rounds."""
    worlds = [World(n, positions) for n in range(accounts)]

    def again(world: World, read: AccountSnapshot) -> Reconciliation:
        return reconcile(world.trades, read, {}, NONE, POLICY, world.before)

    kinds: dict[str, Callable[[World], object]] = {
        "unchanged": lambda w: again(w, w.read),
        "handed": lambda w: reconcile(w.trades, w.handed, {}, NONE, POLICY, w.at_rest),
        "equal": lambda w: again(w, w.equal),
        "priced": lambda w: again(w, w.priced),
        "moved": lambda w: again(w, w.moved),
        "persists": lambda w: reconcile(w.trades, w.moved_on, {}, NONE, POLICY, w.moved_before),
        "first": lambda w: reconcile(w.trades, w.read, {}, NONE, POLICY),
        "translated": World.translated,
    }
    found: dict[str, int] = {}
    for kind, reconciled in kinds.items():
        best = None
        for _ in range(rounds):
            gc.collect()
            begun = time.process_time_ns()
            for world in worlds:
                reconciled(world)
            took = time.process_time_ns() - begun
            best = took if best is None else min(best, took)
        found[kind] = round((best or 0) / (accounts * positions))
    return found


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--accounts", type=int, default=200)
    parser.add_argument("--positions", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    asked = parser.parse_args()
    found = measure(asked.accounts, asked.positions, asked.rounds)
    told = {
        "accounts": asked.accounts,
        "positions": asked.positions,
        "ns_per_position": found,
        "aim_ns": {"unchanged": AIM_UNCHANGED_NS, "changed": AIM_CHANGED_NS},
    }
    if asked.json:
        print(json.dumps(told))
    else:
        for name, value in found.items():
            print(f"{name:10} {value:6} ns per position")


if __name__ == "__main__":
    main()
