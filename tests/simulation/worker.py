"""One process of Reckoner in the simulation: the real services, scheduler and notifier.

What differs from the composition root (bot/app.py): the clockwork's tick is a timer of the driven
loop, and a lease of the simulation stands where the file lock is.
"""

import asyncio
import itertools
import random
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace
from sqlalchemy import URL

from bot.notifier import Notifier
from bot.policy import policy_from
from bot.views.message import Voice
from core.adapters.sql.store import WRITER_WAIT_S, SqlStore
from core.domain.audit import AuditKeys
from core.domain.audit_check import verify
from core.domain.broker import AccountSnapshot
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
    StoreUnavailable,
    TerminalHealth,
)
from core.records import AuditRow, LeaseRow
from core.services.engine import Engine, assemble
from scheduler import Scheduler
from tests.engine.gateway import SimGateway
from tests.fakes.audit_keys import AUDIT_KEYS
from tests.fakes.metrics import CountingMetrics
from tests.simulation import chat
from tests.simulation.checks import Sending
from tests.simulation.inline_sqlite import engines
from tests.simulation.leases import RENEW_S, Lease
from tests.simulation.line import LINE, Line

if TYPE_CHECKING:
    from tests.simulation.world import World

POLL_S: Final = 3.0
"""How often the outbox is looked at when nobody calls: what is committed here wakes it at once."""
HOUSEKEEPING_S: Final = 20.0
LIMITS_EVERY: Final = 3
"""Limits are looked after once in so many rounds of housekeeping: each minute, as in the app."""
READ_TIMEOUT_S: Final = 10.0
SEND_TIMEOUT_S: Final = 20.0
TRAVEL_S: Final = (0.005, 0.08)
DONE: Final = 10009
TIMEOUTS: Final = (10012, 10031)
"""Answers that tell nothing: the request timed out, or the connection was lost."""
LATE_S: Final = 1.2
"""The longest that a request is on its way after its process has died: below the quiet period."""


class WorkerClock:
    """The host's clock: it may be set."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def now(self) -> datetime:
        """As this host has it."""
        return self._world.now() + self._world.wall_moved

    def steady_s(self) -> float:
        """How time really passes."""
        return self._world.now_s()

    async def rest_until(self, due: datetime) -> bool:
        """Time passes by itself."""
        del due
        return False


class FarGateway:
    """Terminals at the other end of a line: what is asked takes time, and answers get lost."""

    def __init__(self, world: "World", line: Line, clock: WorkerClock, epoch: int) -> None:
        self._world = world
        self._line = line
        self._clock = clock
        self.epoch = epoch
        self._near = SimGateway(world.sim, clock, epoch)  # type: ignore[arg-type] # a clock that moves

    def health(self, login: int, server: str) -> TerminalHealth | None:
        """Not known."""
        return self._near.health(login, server)

    async def snapshot(self, request: SnapshotRequest) -> AccountSnapshot:
        """Read, within the time allowed."""
        began = self._clock.now()
        began_s = self._world.now_s()
        await self._line.step("ask", *TRAVEL_S)
        self._world.blow()
        if self._world.meets("read_lost"):
            await self._line.step("ask", READ_TIMEOUT_S, READ_TIMEOUT_S)
            raise BrokerUnavailable("no answer in time")
        snapshot = await self._near.snapshot(request)
        seen = self._world.checks.looked(request, snapshot, self.epoch)
        await self._line.step("answer", *TRAVEL_S)
        snapshot = replace(snapshot, began_at=began, observed_at=self._clock.now())
        self._world.checks.arrived(request, snapshot, began_s, seen)
        return snapshot

    async def send(self, request: CloseRequest | CancelRequest) -> SendResult:
        """Send. Once it has left, it arrives, whatever becomes of this process."""
        await self._line.step("send")
        sending = self._world.checks.sending(request, self.epoch)
        answer: asyncio.Future[SendResult] = asyncio.get_running_loop().create_future()
        self._world.spawn(self._deliver(request, answer, sending), "request")
        try:
            async with asyncio.timeout(SEND_TIMEOUT_S):
                result = await answer
        except TimeoutError:
            raise OutcomeUnknown("no answer in time") from None
        except NotSent:
            sending.unknown = False
            raise
        else:
            sending.unknown = result.retcode in TIMEOUTS
            sending.done = result.retcode == DONE and result.volume == sending.volume
            return result
        finally:
            await self._line.step("sent")
            sending.ended_s = self._world.now_s()

    async def check(self, request: CloseRequest) -> CheckResult:
        """Check; the worlds rehearse nothing."""
        return await self._near.check(request)

    async def _deliver(
        self,
        request: CloseRequest | CancelRequest,
        answer: "asyncio.Future[SendResult]",
        sending: Sending,
    ) -> None:
        """The broker's end of it."""
        late = self._world.meets("send_late")
        await asyncio.sleep(
            self._line.draws.uniform(*((TRAVEL_S[1], LATE_S) if late else TRAVEL_S))
        )
        self._world.blow()
        if self._world.meets("send_dropped"):
            if not answer.done():
                answer.set_exception(OutcomeUnknown("connection reset"))
            return
        try:
            result = await self._near.send(request)
        except (StaleEpoch, OutcomeUnknown, NotSent) as error:
            if isinstance(error, StaleEpoch):
                self._world.checks.counts["stale refused"] += 1
            if isinstance(error, OutcomeUnknown):
                self._world.checks.executed(sending)
            if not answer.done():
                answer.set_exception(error)
        else:
            self._world.checks.executed(sending)
            if not answer.done() and not self._world.meets("send_lost"):
                answer.set_result(result)
        self._world.checks.look()


class SharedStore(SqlStore):
    """The store, owned by lease: a frozen owner's lock would keep every other out."""

    lease: Lease

    def __init__(
        self,
        url: URL,
        *,
        writer_wait_s: float = WRITER_WAIT_S,
        audit_keys: AuditKeys | None = None,
    ) -> None:
        super().__init__(url, writer_wait_s=writer_wait_s, audit_keys=audit_keys)
        self._writer, self._readers = engines()

    async def owner_epoch(self) -> int:
        """Write down the epoch of our lease. Raises StoreUnavailable where a newer one is there."""
        async with self.writing() as tx:
            row = await tx.first(LeaseRow)
            if row is not None and row.epoch >= self.lease.epoch:
                raise StoreUnavailable("another owner has come meanwhile")
            if row is None:
                await tx.insert(
                    LeaseRow(
                        shard=0,
                        host_group="default",
                        owner=self.lease.owner,
                        epoch=self.lease.epoch,
                        expires_at=None,
                    )
                )
            else:
                await tx.update(
                    LeaseRow, {"id": row.id}, owner=self.lease.owner, epoch=self.lease.epoch
                )
        self._fenced_by = self.lease.epoch
        return self.lease.epoch


class PatientNotifier(Notifier):
    """The notifier, which looks less often by itself: it is called at each commit here."""

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        except TimeoutError:
            return


class Worker:
    """A process, from its start to its end."""

    def __init__(self, world: "World", name: str, draws: random.Random) -> None:
        self._world = world
        self.line = Line(name, world.database, draws, world.tell, world.checks.fail)
        self.clock = WorkerClock(world)
        self.engine: Engine | None = None
        self.epoch = 0
        self.why = ""
        self.guarding = False
        self._woken = asyncio.Event()
        self._scheduler: Scheduler | None = None
        self._notifier: Notifier | None = None

    @property
    def name(self) -> str:
        """Which it is."""
        return self.line.name

    def start(self) -> None:
        """Begin."""
        context = copy_context()
        context.run(LINE.set, self.line)
        context.run(self.line.spawn, self._main(), "main")

    def call(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Let a person's request run in this process."""
        context = copy_context()
        context.run(LINE.set, self.line)
        return context.run(self.line.spawn, work, "request")

    async def audit_breaks(self) -> list[str]:
        """Where an account's audit chain does not verify."""
        assert self.engine is not None
        async with self.engine.store.reading() as tx:
            rows = await tx.find(AuditRow, order_by="sequence")
        chains: dict[int, list[AuditRow]] = {}
        for row in rows:
            chains.setdefault(row.account_id, []).append(row)
        found = {key: verify(chain, AUDIT_KEYS) for key, chain in chains.items()}
        return [f"audit of {key} breaks at {at}" for key, at in found.items() if at is not None]

    def committed(self) -> None:
        """Something was committed: there may be something to say."""
        if self._notifier is not None:
            self._notifier.wake()

    # --- its life -----------------------------------------------------------------------------

    async def _main(self) -> None:
        """Own, start, run until the end; what ends it is what would end the process."""
        try:
            lease = await self._own()
            await self._run(lease)
        except (StoreUnavailable, StaleEpoch, BrokerUnavailable) as error:
            self.why = f"{type(error).__name__}: {error}"
            self._world.tell(f"{self.name} ends: {self.why}")
        self.line.kill()

    async def _own(self) -> Lease:
        while True:
            await self.line.step("lease")
            lease = self._world.leases.claim(self.name, self._world.now_s())
            if lease is not None:
                return lease
            await asyncio.sleep(RENEW_S)

    async def _run(self, lease: Lease) -> None:
        world = self._world
        self.line.spawn(self._renew(lease), "lease")
        store = await SharedStore.open(world.settings.database_url, audit_keys=AUDIT_KEYS)
        store.lease = lease
        self.epoch = await store.owner_epoch()
        world.tell(f"{self.name} owns, epoch {self.epoch}")
        metrics = CountingMetrics()
        engine = self.engine = assemble(
            store=store,
            gateway=FarGateway(world, self.line, self.clock, self.epoch),
            clock=self.clock,
            metrics=metrics,
            policy=policy_from(world.settings),
            epoch=self.epoch,
            version="simulated",
            wake=self._wake,
        )
        prepared = await engine.prepare(world.people)
        world.tokens = await engine.tokens.keep_or_mint(world.tokens)
        self._scheduler = Scheduler(
            clock=self.clock,
            metrics=metrics,  # type: ignore[arg-type] # counts what the cycles count
            sync=partial(self._sync, engine),
            housekeeping={},
            concurrency_max=64,
            spawn=self.line.spawn,
            on_fatal=self._give_up,
            on_store_lost=self._store_lost,
        )
        for account_id in prepared.accounts:
            self._scheduler._due.put(account_id, self.clock.now())  # noqa: SLF001 - without its timer
        await engine.announce_start(prepared.last_read_at)
        self._notifier = PatientNotifier(
            chat.bot(world.chats, self.line.draws),
            store,
            self.clock,
            Voice(mark=""),
            admin_chat_id=world.admin_chat_id,
        )
        self.line.spawn(self._notifier.run(), "notifier")
        self.line.spawn(self._housekeeping(engine), "housekeeping")
        self.guarding = True
        await self._clockwork(self._scheduler)

    async def _sync(self, engine: Engine, account_id: int) -> datetime:
        due = await engine.sync(account_id)
        engine.first_look.note(account_id)
        await engine.market.pass_time()
        return due

    async def _clockwork(self, scheduler: Scheduler) -> None:
        """Run what is due; then wait for what is due next, or for whoever wakes an account."""
        while True:
            self._woken.clear()
            await scheduler._run_due()  # noqa: SLF001 - the tick without its timer
            following = scheduler._due.next()  # noqa: SLF001 - the same
            now = self.clock.now()
            wait_s = 0.5 if following is None else (following - now) / timedelta(seconds=1)
            if wait_s <= 0:
                wait_s = 0.02
            try:
                async with asyncio.timeout(wait_s + 1e-6):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _housekeeping(self, engine: Engine) -> None:
        jobs: tuple[Callable[[], Any], ...] = (
            engine.market.pass_time,
            engine.expire_offers,
            engine.first_look.tell,
            engine.align,
        )
        for round_ in itertools.count(1):
            await asyncio.sleep(HOUSEKEEPING_S)
            for job in jobs if round_ % LIMITS_EVERY == 0 else jobs[:-1]:
                try:
                    await job()
                except StoreUnavailable as error:
                    self._world.tell(f"{self.name} {error}")
                except StaleEpoch as error:
                    self._give_up(error)

    async def _renew(self, lease: Lease) -> None:
        """Hold the lease; whoever lost it ends, for it owns nothing any more."""
        if not self._world.is_shared:
            return
        while True:
            await asyncio.sleep(RENEW_S)
            await self.line.step("lease")
            # Whoever was frozen finds out as late as a renewal may be late.
            await asyncio.sleep(self.line.draws.uniform(0, RENEW_S / 4))
            if not self._world.leases.renew(lease, self._world.now_s()):
                self.why = "the lease is another's"
                self._world.tell(f"{self.name} ends: {self.why}")
                self.line.kill()

    def _wake(self, account_id: int) -> None:
        if self._scheduler is not None:
            self._scheduler.wake(account_id)
            self._woken.set()

    def _give_up(self, error: BaseException) -> None:
        self.why = f"{type(error).__name__}: {error}"
        self._world.tell(f"{self.name} ends: {self.why}")
        self.line.kill()

    async def _store_lost(self, reason: str) -> None:
        self._world.tell(f"{self.name} store lost: {reason}")
