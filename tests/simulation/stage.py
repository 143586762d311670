"""The engine and the simulated broker on one clock, with the model between them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from core.domain.alerts import Alert, DivergenceOpened, DivergencesOpened
from core.domain.broker import AccountSnapshot
from core.ports import (
    BrokerUnavailable,
    CancelRequest,
    CheckResult,
    CloseRequest,
    SendResult,
    SnapshotRequest,
    TerminalGateway,
    TerminalHealth,
)
from core.records import AccountStateRow, OutboxRow, ReconciliationLogRow
from core.sim.simulation import PERSON
from core.sim.storm import FaultStorm
from tests.contract.spoiled_agents import AgentHouse
from tests.engine.house import ACCOUNTS, House
from tests.simulation.opinion import GROWING, Opinion
from tests.simulation.watch import Model, must

CYCLES_MAX: Final = 20_000
REST_S: Final = 45
"""Long enough for every deal to be shown, for what is waited for, and for a close of everything."""
UNCHANGED_S: Final = 12
OUTBOX: Final = GROWING.index(OutboxRow)
QUIET: Final = tuple(
    at for at, kind in enumerate(GROWING) if kind not in {OutboxRow, ReconciliationLogRow}
)
SETTINGS: Final = {"PRICE_GAP_ALERT_PERCENT": "100"}
"""Gaps are not closed here: what the market guard does is its own tests' matter."""


class Killed(Exception):
    """The app is killed at this very point."""


class SeenGateway:
    """A gateway whose readings the model sees, and at whose calls the app may be killed."""

    def __init__(self, inner: TerminalGateway, stage: "Stage") -> None:
        self._inner = inner
        self._stage = stage

    def health(self, login: int, server: str) -> TerminalHealth | None:
        """As it is."""
        return self._inner.health(login, server)

    async def snapshot(self, request: SnapshotRequest) -> AccountSnapshot:
        """Read; only a cycle asks for deals of the past."""
        self._stage.blow()
        is_cycle = request.deals_since < self._stage.house.clock.now()
        self._stage.kill_here()
        try:
            snapshot = await self._inner.snapshot(request)
        except BrokerUnavailable:
            if is_cycle:
                self._stage.model.failed(request.login)
            raise
        if is_cycle:
            self._stage.model.read(request.login)
        self._stage.kill_here()
        return snapshot

    async def send(self, request: CloseRequest | CancelRequest) -> SendResult:
        """Send."""
        self._stage.acted = True
        self._stage.kill_here()
        try:
            return await self._inner.send(request)
        finally:
            self._stage.model.look()
            self._stage.kill_here()

    async def check(self, request: CloseRequest) -> CheckResult:
        """Check."""
        return await self._inner.check(request)


class Stage:
    """One simulation: what is on it, and the time that passes there."""

    def __init__(self, folder: Path, *, agents: bool = False) -> None:
        made = AgentHouse if agents else House
        self.house = made(folder, **SETTINGS)
        self._open_gateway: Callable[[], TerminalGateway] = self.house._open_gateway  # noqa: SLF001 - the seam between engine and terminals
        self.house._open_gateway = lambda: SeenGateway(self._open_gateway(), self)  # type: ignore[method-assign] # noqa: SLF001 - the same
        self.model = Model(self.house.sim, agents=agents)
        self.opinion = Opinion(self.house, self.model)
        self.tokens: dict[str, str] = {}
        self.storm: FaultStorm | None = None
        self.calls_to_live: int | None = None
        """Calls to a terminal until the app is killed; None where it lives on."""
        self.acted = False

    async def start(self) -> None:
        """Begin with three flat accounts that have been read."""
        await self.house.start()
        for _ in range(60):
            if all(self._is_read(login) for login in self.logins):
                break
            await self.house.run(1)
        self.tokens = await self.house.engine.tokens.keep_or_mint({})
        for login in self.logins:
            self.model.begin_with(login)

    def _is_read(self, login: int) -> bool:
        memory = self.house.engine.desk.peek(self.house.ids[login])
        return memory is not None and memory.snapshot is not None

    @property
    def logins(self) -> list[int]:
        """Every account."""
        return [login for login, *_ in ACCOUNTS]

    async def close(self) -> None:
        """End it."""
        await self.house.close()

    # --- faults ----------------------------------------------------------------------------------

    def blow(self) -> None:
        """Let the storm do what is due."""
        if self.storm is not None:
            self.storm.blow(self.house.sim)
            if self.house.sim.now_ms() > self.storm.over_ms:
                self.storm = None

    def kill_here(self) -> None:
        """Kill the app where its calls are counted out."""
        if self.calls_to_live is None:
            return
        self.calls_to_live -= 1
        if self.calls_to_live < 0:
            self.calls_to_live = None
            raise Killed

    def note_ours(self, login: int) -> None:
        """Keep which orders are Reckoner's: the books do not say."""
        self.model.truth.ours |= {s["order"] for s in self.house.sends(login) if s["order"]}

    def heal(self) -> None:
        """End every fault."""
        self.storm = None
        self.calls_to_live = None
        for login in self.logins:
            self.house.sim.clear_faults(login)

    # --- time ------------------------------------------------------------------------------------

    async def run(self, seconds: float) -> None:
        """Run every cycle due; as `House.run`, with the model looking on."""
        house = self.house
        end = house.clock.instant + timedelta(seconds=seconds)
        for _ in range(CYCLES_MAX):
            account_id = min(house.due, key=lambda i: (house.due[i], i))
            if house.due[account_id] > end:
                break
            house.clock.instant = max(house.clock.instant, house.due[account_id])
            await self._cycle(account_id)
        else:
            raise AssertionError("the clock did not get anywhere: a busy loop")
        house.clock.instant = end
        self.model.look()

    async def _cycle(self, account_id: int) -> None:
        house = self.house
        login = next(login for login, i in house.ids.items() if i == account_id)
        house.sim.broker.pass_time()
        self.model.look()
        self.model.begin(login)
        self.acted = False
        try:
            following = await house.engine.sync(account_id)
            await house.engine.market.pass_time()
        except Killed:
            await self._killed(login)
            return
        house.due[account_id] = max(following, house.clock.instant + timedelta(milliseconds=20))
        self.model.look()
        await self._committed(login)

    async def _committed(self, login: int) -> None:
        memory = self.house.engine.desk.peek(self.house.ids[login])
        if memory is not None:
            self.model.end(login, memory.state)

    async def _killed(self, login: int) -> None:
        """Of the cycle stays what was committed before the app acted."""
        watched = self.model.accounts[login]
        committed = watched.pending if self.acted else None
        await self.restart()
        if committed is not None:
            state = await self._kept(login)
            self.model.look()
            watched.pending = committed
            self.model.end(login, state)

    async def _kept(self, login: int) -> AccountStateRow:
        async with self.house.store.reading() as tx:
            state = await tx.get(AccountStateRow, self.house.ids[login])
        assert state is not None
        return state

    async def restart(self) -> None:
        """Kill the app and start it again."""
        await self.stop()
        await self.start_again()

    async def stop(self) -> None:
        """Kill the app and leave it down."""
        self.model.restarted()
        await self.house.stop()

    async def start_again(self) -> None:
        """Start it, after a stop."""
        self.model.truth.started_ms = self.house.now_ms()
        await self.house.start()

    async def check(self) -> None:
        """Compare all there is to compare now."""
        self.model.look()
        await self.opinion.take()
        self.opinion.check_always()
        for login in self.logins:
            if self.model.accounts[login].clean:
                await self.opinion.check(login)

    async def rest(self) -> None:
        """Let all faults end and everything come to an end; then nothing new may happen."""
        self.heal()
        await self.run(REST_S)
        await self.check()
        for login in self.logins:
            must(self.model.accounts[login].clean, f"{login} does not come to rest")
        if any(self._waits(login) for login in self.logins):
            return
        before = await self.opinion.sizes()
        await self.run(UNCHANGED_S)
        after = await self.opinion.sizes()
        if before != after:
            held_back = await self._held_back(before[OUTBOX])
            must(
                [before[at] for at in QUIET] == [after[at] for at in QUIET] and held_back,
                f"nothing happened, and rows were written: {before} -> {after}",
            )

    async def _held_back(self, since_id: int) -> bool:
        """Whether all that was told since are told by the clock: each once, to each chat.

        What changes often is told at longer and longer intervals, and the last change when its
        interval is over; what lasts is told again after a while, which the opinion judges.
        """
        rows = await self.house.rows(OutboxRow, id__gt=since_id)
        told = [(row.chat_id, msgspec.json.decode(row.payload, type=Alert)) for row in rows]
        named: list[tuple[int, str, str]] = []
        for chat_id, alert in told:
            match alert:
                case DivergenceOpened(changed=True) | DivergenceOpened(lasting_since=datetime()):
                    named.append((chat_id, alert.subject, alert.finding))
                case DivergencesOpened(lasting_since=datetime()):
                    kinds = (i.finding or alert.finding for i in alert.items)
                    together = zip((i.subject for i in alert.items), kinds, strict=True)
                    named += [(chat_id, subject, kind) for subject, kind in together]
                case _:
                    return False
        return bool(named) and len(named) == len(set(named))

    def _waits(self, login: int) -> bool:
        """Whether something of the engine's own runs out by itself."""
        memory = self.house.engine.desk.peek(self.house.ids[login])
        return memory is None or any(t.status == "pending" for t in memory.trades.values())

    # --- the account's owner ---------------------------------------------------------------------

    def act(self, login: int, body: dict[str, Any], reason: int = 1) -> int:
        """A person's request on their own platform; answers the trade server's code."""
        sent = self.house.sim.submit(login, PERSON, body, reason=reason)
        self.house.world.commit()
        return int(sent.retcode or 0)

    def move(self, symbol: str, tenths_percent: int) -> None:
        """Move a price, keeping its spread; stops and stop-outs run at once."""
        quote = self.house.sim.market.quotes[symbol]
        point = self.house.sim.market.symbols[symbol].point
        bid = (quote.bid * (1000 + tenths_percent) / 1000).quantize(point)
        spread = quote.ask - quote.bid
        self.house.price(f"{bid}", f"{bid + spread}", symbol)

    def pass_a_moment(self, ms: int = 1) -> None:
        """Let the clock go on, so that two things do not share an instant."""
        self.house.clock.instant += timedelta(milliseconds=ms)
