"""The MetaTrader5 module's surface over a bench: its functions, and terminals to plug in."""

from types import ModuleType
from typing import Any

from core.sim import metatrader5
from core.sim.peer import Peer
from tests.unit.sim.bench import Bench

CLOSED = (-10004, "No IPC connection")
BROKEN = (-10002, "IPC recv failed")
FINE = (1, "Success")


class Surface:
    """`core.sim.metatrader5` by its own names: `mt5.positions_get()`."""

    def __init__(self, bench: Bench) -> None:
        self._module: ModuleType = metatrader5
        self._bench = bench
        self.peers: dict[int, Peer] = {}

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the module has
        return getattr(self._module, name)

    @staticmethod
    def path(login: int) -> str:
        """Where the terminal of an account is."""
        return rf"C:\terminals\{login}\terminal64.exe"

    def plug(self, login: int) -> Peer:
        """Run a terminal of an account."""
        self.peers[login] = Peer(self._bench.sim, login)
        metatrader5.plug(self.path(login), self.peers[login])
        return self.peers[login]

    def send(self, **request: Any) -> Any:  # noqa: ANN401 - a result or None
        """`order_send` of a request."""
        return metatrader5.order_send(request)

    def open(self, side: str = "buy", volume: float = 0.1, **more: Any) -> int:
        """Open gold at the market; answers the ticket. Must be executed."""
        sent = self.send(**deal(side, volume), **more)
        assert sent is not None, metatrader5.last_error()
        assert sent.retcode == 10009, sent
        return int(sent.order)


def deal(side: str = "buy", volume: float = 0.1, symbol: str = "XAUUSD") -> dict[str, Any]:
    """A market order's fields; gold fills immediate-or-cancel."""
    return {
        "action": 1,
        "symbol": symbol,
        "volume": volume,
        "type": 0 if side == "buy" else 1,
        "type_filling": 1,
    }
