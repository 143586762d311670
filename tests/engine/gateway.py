"""The clock that a test turns, and the simulated terminals as a gateway."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

from core.adapters.terminal import translate
from core.adapters.terminal.outcomes import certainly_not_sent
from core.adapters.terminal.requests import trade_request
from core.domain.broker import AccountSnapshot, Deal
from core.ports import (
    BrokerUnavailable,
    CancelRequest,
    CheckResult,
    CloseRequest,
    NotSent,
    OutcomeUnknown,
    SendResult,
    SnapshotRequest,
    StaleEpoch,
    TerminalHealth,
)
from core.sim.fence import Stale
from core.sim.simulation import Simulation
from core.sim.terminal import Terminal

START = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


class TestClock:
    """Stands still until told otherwise."""

    __test__ = False

    def __init__(self, start: datetime = START) -> None:
        self.instant = start

    def now(self) -> datetime:
        """The instant it stands at."""
        return self.instant

    def steady_s(self) -> float:
        """Nobody sets this clock but the test."""
        return self.now().timestamp()

    async def rest_until(self, due: datetime) -> bool:
        """Leave time to the test."""
        del due
        return False


class SimGateway:
    """The simulated terminals, in this process."""

    def __init__(self, sim: Simulation, clock: TestClock, epoch: int) -> None:
        self._sim = sim
        self._terminal = Terminal(sim)
        self._clock = clock
        self._epoch = epoch
        self.reads = 0
        self.before_call: Callable[[str], None] = lambda _verb: None
        self.after_call: Callable[[str], None] = lambda _verb: None
        self.as_read: Callable[[AccountSnapshot], AccountSnapshot] = lambda snapshot: snapshot
        self.server_moved = timedelta()
        """How far the server's clock has moved without the gateway knowing it yet."""
        self.healths: dict[int, TerminalHealth] = {}

    def hide(self, is_late: Callable[[Deal], bool]) -> None:
        """Show no deal that is late, until `show_all`."""
        self.as_read = lambda s: replace(s, deals=tuple(d for d in s.deals if not is_late(d)))

    def show_all(self) -> None:
        """Show everything as it is."""
        self.as_read = lambda snapshot: snapshot

    def health(self, login: int, server: str) -> TerminalHealth | None:
        """What a test says."""
        del server
        return self.healths.get(login)

    async def snapshot(self, request: SnapshotRequest) -> AccountSnapshot:
        """Read through the real translation."""
        self._admit(request.login)
        self.before_call("snapshot")
        self.reads += 1
        began = self._clock.now()
        since_ms = int((request.deals_since - self.server_moved).timestamp() * 1000)
        body = self._terminal.snapshot(request.login, since_ms, request.symbols)
        body = msgspec.json.decode(msgspec.json.encode(body))
        self._sim.journal.commit()
        self.after_call("snapshot")
        snapshot = translate.snapshot(
            body,
            account_id=request.account_id,
            login=request.login,
            server=request.server,
            began_at=began,
            observed_at=self._clock.now(),
        )
        if self.server_moved:
            by = self.server_moved
            deals = tuple(replace(d, executed_at=d.executed_at + by) for d in snapshot.deals)
            snapshot = replace(snapshot, deals=deals)
        return self.as_read(snapshot)

    async def send(self, request: CloseRequest | CancelRequest) -> SendResult:
        """Send through the real request builder."""
        self._admit(request.login)
        self.before_call("send")
        sent = self._terminal.send(request.login, trade_request(request), self._epoch)
        self._sim.journal.commit()
        self.after_call("send")
        if sent.result is None:
            code, text = sent.error or (0, "")
            error = NotSent if certainly_not_sent(code) else OutcomeUnknown
            raise error(f"{code} {text}")
        return translate.send_result(sent.result)

    async def check(self, request: CloseRequest) -> CheckResult:
        """Check through the real request builder."""
        self._admit(request.login)
        self.before_call("check")
        sent = self._terminal.check(request.login, trade_request(request))
        if sent.result is None:
            raise BrokerUnavailable(f"order_check failed: {sent.error}")
        return translate.check_result(sent.result)

    def _admit(self, login: int) -> None:
        try:
            self._sim.fence.admit(login, self._epoch)
        except Stale as error:
            raise StaleEpoch(str(error)) from error
