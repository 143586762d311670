"""A simulated broker on a bench: a store in a temporary file, a clock that the test moves."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.sandbox.store import WorldStore
from core.sim.faults import parse_fault
from core.sim.ledger import Account, Deal, Position
from core.sim.simulation import PERSON, Opening, Sent, Simulation
from core.sim.terminal import Terminal

START_MS = 1_700_000_000_000
HEDGING_GBP, HEDGING_USD, NETTING_EUR = 50001, 50002, 50003

D = Decimal


def opening(login: int, currency: str, mode: str, deposit: str) -> Opening:
    """An account with its deposit, at leverage 100."""
    account = Account(
        login=login, name=f"n{login}", server="Sim", currency=currency, margin_mode=mode
    )
    return Opening(account=account, deposit=D(deposit))


OPENINGS = (
    opening(HEDGING_GBP, "GBP", "hedging", "10000"),
    opening(HEDGING_USD, "USD", "hedging", "12000"),
    opening(NETTING_EUR, "EUR", "netting", "8000"),
)


class Bench:
    """One simulation; `reopen` throws the objects away and reads the file again."""

    def __init__(self, folder: Path, openings: Sequence[Opening] = OPENINGS) -> None:
        self.now = START_MS
        self._folder = folder
        self._openings = openings
        self.store = WorldStore(folder / "world.db")
        self.sim = self._build()

    def _build(self) -> Simulation:
        return Simulation(self.store, lambda: self.now, self._openings, mode="manual", seed=1)

    def reopen(self) -> None:
        """Commit, close and read everything back."""
        self.store.commit()
        self.crash()

    def crash(self) -> None:
        """Lose what was not committed and read the rest back."""
        self.store.close()
        self.store = WorldStore(self._folder / "world.db")
        self.sim = self._build()

    @property
    def terminal(self) -> Terminal:
        """The terminals of all accounts."""
        return Terminal(self.sim)

    def send(self, login: int, source: str = PERSON, **request: Any) -> Sent:
        """Send a raw trade request."""
        return self.sim.submit(login, source, request)

    def trade(
        self, login: int, side: str, volume: float, symbol: str = "XAUUSD", **more: Any
    ) -> int:
        """Open at the market for a person; answers the order's ticket. Must be executed."""
        sent = self.send(
            login,
            action=1,
            symbol=symbol,
            volume=volume,
            type=0 if side == "buy" else 1,
            **more,
        )
        assert sent.result is not None
        assert sent.retcode == 10009, sent.result
        return int(sent.result["order"])

    def price(self, symbol: str, bid: str, ask: str) -> int:
        """Tell a price; answers how many fills it caused."""
        return self.sim.set_price(symbol, D(bid), D(ask))

    def fault(self, login: int, kind: str, **figures: Any) -> None:
        """Put a fault in force."""
        self.sim.set_fault(login, parse_fault({"kind": kind, **figures}, self.now))

    def positions(self, login: int) -> list[Position]:
        """Open positions."""
        return list(self.sim.ledger.positions(login).values())

    def deals(self, login: int) -> list[Deal]:
        """All deals after the deposit."""
        return self.sim.ledger.deals(login)[1:]

    def balance(self, login: int) -> Decimal:
        """Balance in the account's currency."""
        return self.sim.ledger.accounts[login].balance
