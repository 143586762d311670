"""One seed, one world: a broker with up to five accounts, a chat, a disk, and one or two workers.

Everything that happens in it is drawn from the seed and recorded; the same seed gives the same
record. Faults end before the world does: then all must agree within `AGREE_S`.
"""

import asyncio
import hashlib
import random
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec import Struct

from core.config import load
from core.domain.broker import MarginMode
from core.domain.people import Role
from core.people_file import AccountEntry, PeopleFile, UserEntry
from core.sim.ledger import Account
from core.sim.simulation import Opening, Simulation
from core.sim.storm import FaultStorm
from tests.engine.house import ADMIN, ADMIN_CHAT, SERVER
from tests.simulation import crashes
from tests.simulation.agreement import disagreements
from tests.simulation.chat import Chats
from tests.simulation.checks import FLAT_BOUND_S, Checks
from tests.simulation.deeds import BY_NAME, DEEDS
from tests.simulation.inline_sqlite import DISKS, Disk
from tests.simulation.journal import MemoryJournal
from tests.simulation.leases import Leases
from tests.simulation.worker import Worker

T = TypeVar("T")
START: Final = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
ACCOUNTS_DRAWN: Final = (1, 1, 1, 1, 2, 2, 3, 5)
CURRENCIES: Final = (("GBP", "10000"), ("USD", "12000"), ("EUR", "8000"))
RESTART_S: Final = (0.2, 4.0)
SPEECH_S: Final = 105.0
"""The longest that something urgent waits for a chat: a back-off (30 s), a flood (12 s), and a
minute of the group's allowance."""
AGREE_S: Final = FLAT_BOUND_S + SPEECH_S
"""So long after the last fault everything agrees."""
AGREED_LOOKS: Final = 4
"""So many looks in a row find nothing: chance agrees once, while something is under way."""


class Plan(Struct, frozen=True, kw_only=True):
    """What a seed draws before anything runs."""

    accounts: int
    shared: bool
    lasts_s: float
    idle_s: int
    deeds: int
    mishaps: int
    ambushes: int
    """Of the moments at which a close begins or goes on, how many in ten meet a fault."""
    falls: bool
    """Whether prices fall early, on positions that were opened before."""


def planned(seed: int) -> Plan:
    """The world's outline."""
    draws = random.Random(f"{seed}:plan")  # noqa: S311 - a test's dice
    is_long = draws.random() < 0.03
    return Plan(
        accounts=draws.choice(ACCOUNTS_DRAWN),
        shared=not is_long and draws.random() < 0.35,
        lasts_s=3600.0 if is_long else draws.choice((15.0, 20.0, 30.0, 45.0)),
        idle_s=60 if is_long else draws.choice((10, 10, 20)),
        deeds=draws.randint(3, 12),
        mishaps=draws.choice((0, 0, 1, 2, 3, 5)),
        ambushes=draws.choice((0, 3, 6, 9)),
        falls=draws.random() < 0.8,
    )


class World:
    """The world of one seed."""

    def __init__(self, seed: int, folder: Path, template: bytes, *, keeps: bool = False) -> None:
        self.seed = seed
        self.plan = planned(seed)
        self.draws = self._dice("world")
        self.loop = asyncio.get_running_loop()
        self.trace: list[str] = []
        self._keeps = keeps
        self._hash = hashlib.sha256()
        self.database = f"{folder}/{seed}.db"
        Path(self.database).write_bytes(template)
        self.disk = DISKS[self.database] = Disk(Path(self.database), self._dice("disk"))
        self.disk.on_commit = self._committed
        self.chats = Chats(self._dice("chats"))
        self.leases = Leases()
        self.admin_chat_id, self.admin_id = ADMIN_CHAT, ADMIN
        self.wall_moved = timedelta()
        self.is_shared = self.plan.shared
        self._clients = self._drawn_accounts()
        self.people = self._people()
        self.settings = self._settings()
        self.sim = self._simulated_broker()
        self.checks = Checks(self)
        self.tokens: dict[str, str] = {}
        self.placed: set[tuple[int, int]] = set()
        self.storm: FaultStorm | None = None
        self.wire: dict[str, tuple[float, float]] = {}
        self.workers: list[Worker] = []
        self._born = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self.stopping = self.healed = False

    # --- what is drawn --------------------------------------------------------------------------

    def _dice(self, name: str) -> random.Random:
        return random.Random(f"{self.seed}:{name}")  # noqa: S311 - a test's dice

    def one_of(self, options: Sequence[T]) -> T:
        """One of several."""
        return options[self.draws.randrange(len(options))]

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self.draws.randint(low, high)

    def _drawn_accounts(self) -> list[tuple[int, int, str, MarginMode, str]]:
        made = []
        for number in range(self.plan.accounts):
            currency, deposit = self.one_of(CURRENCIES)
            mode = MarginMode.NETTING if self.whole(0, 3) == 0 else MarginMode.HEDGING
            made.append((50001 + number, 101 + number, currency, mode, deposit))
        return made

    def _people(self) -> PeopleFile:
        users = [UserEntry(telegram_id=ADMIN, name="Ada", role=Role.ADMIN)]
        users += [
            UserEntry(telegram_id=owner, name=f"Client {owner}", role=Role.CLIENT)
            for _, owner, *_ in self._clients
        ]
        accounts = tuple(
            AccountEntry(
                login=login, server=SERVER, owner=owner, currency=currency, margin_mode=mode,
                name="x",
            )
            for login, owner, currency, mode, _ in self._clients
        )  # fmt: skip
        return PeopleFile(users=tuple(users), accounts=accounts)

    def _settings(self) -> Any:  # noqa: ANN401 - core.config.Settings
        slow = self.plan.idle_s > 30
        return load(
            {},
            {
                "ADMIN_CHAT_ID": str(ADMIN_CHAT),
                "DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
                "PRICE_GAP_ALERT_PERCENT": "100",
                "RECONCILIATION_SYNC_INTERVAL_S": str(self.plan.idle_s),
                "SYNC_INTERVAL_OPEN_S": "60" if slow else "5",
                "SYNC_INTERVAL_FAST_S": "5" if slow else "2",
            },
            dotenv=None,
        )

    def _simulated_broker(self) -> Simulation:
        openings = [
            Opening(
                account=Account(
                    login=login,
                    name=str(owner),
                    server=SERVER,
                    currency=currency,
                    margin_mode=mode.value,
                ),
                deposit=Decimal(deposit),
            )
            for login, owner, currency, mode, deposit in self._clients
        ]
        return Simulation(MemoryJournal(), self.now_ms, openings, mode="manual", seed=self.seed)

    @property
    def logins(self) -> list[int]:
        """Every account."""
        return [login for login, *_ in self._clients]

    def owner(self, login: int) -> int:
        """Whose it is."""
        return next(owner for one, owner, *_ in self._clients if one == login)

    def is_netting(self, login: int) -> bool:
        """Whether it keeps one position of each symbol."""
        return self.sim.ledger.accounts[login].is_netting

    # --- time and record --------------------------------------------------------------------------

    def now_s(self) -> float:
        """Seconds since the world began."""
        return self.loop.time()

    def now(self) -> datetime:
        """The true instant."""
        return START + timedelta(microseconds=round(self.loop.time() * 1e6))

    def now_ms(self) -> int:
        """The broker's clock, UTC."""
        return round(START.timestamp() * 1000) + round(self.loop.time() * 1000)

    @staticmethod
    def ms_of(stored: str) -> int:
        """Milliseconds of an instant as it is stored."""
        return round(datetime.fromisoformat(stored).replace(tzinfo=UTC).timestamp() * 1000)

    def tell(self, text: str) -> None:
        """Record what happens."""
        line = f"{self.now_s():9.3f} {text}"
        self._hash.update(line.encode())
        if self._keeps:
            self.trace.append(line)

    def note(self, text: str) -> None:
        """Record a detail, for whoever reads the record."""
        if self._keeps:
            self.trace.append(f"{self.now_s():9.3f}   {text}")

    def fingerprint(self) -> str:
        """What the same seed must repeat."""
        return f"{self._hash.hexdigest()[:24]}-{self.checks.digest()[:24]}"

    def _committed(self) -> None:
        self.checks.committed()
        if self.checks.has_more_to_say():
            for worker in self.workers:
                worker.committed()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """A task of the world's own, which no crash of a worker ends."""
        task = self.loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- faults -----------------------------------------------------------------------------------

    def meets(self, kind: str) -> bool:
        """Whether something goes wrong on the way to a terminal, this time."""
        found = self.wire.get(kind)
        return found is not None and self.now_s() < found[0] and self.draws.random() < found[1]

    def blow(self) -> None:
        """Let the storm at the broker do what is due."""
        if self.storm is not None:
            self.storm.blow(self.sim)
            if self.sim.now_ms() > self.storm.over_ms:
                self.storm = None

    def ambush(self, login: int) -> None:
        """A close has begun or got on: now a fault meets it, where the seed says so."""
        if not self.healed and self.whole(1, 10) <= self.plan.ambushes:
            self.tell(f"ambush of {login}: {crashes.ambush(self, login)}")

    # --- workers ------------------------------------------------------------------------------

    def guarding(self) -> Worker | None:
        """A worker that can be asked."""
        return next((w for w in self.workers if w.line.alive and w.guarding), None)

    async def _keep_running(self, place: int) -> None:
        """What the system's supervisor does: a process that ended is started again."""
        while not self.stopping:
            self._born += 1
            worker = Worker(self, f"w{place}.{self._born}", self._dice(f"worker{self._born}"))
            self.workers.append(worker)
            worker.start()
            await worker.line.ended.wait()
            await worker.line.buried()
            self.workers.remove(worker)
            if not self.is_shared:
                self.leases = Leases(self.leases.epoch)  # a file lock ends with its process
            await asyncio.sleep(self.draws.uniform(*RESTART_S))

    # --- the world's life ---------------------------------------------------------------------

    async def live(self) -> None:
        """From its beginning until all faults are over and everything agrees."""
        for place in range(2 if self.is_shared else 1):
            self.spawn(self._keep_running(place), "supervisor")
        await self.until(lambda: self.guarding() is not None, 30.0)
        await asyncio.sleep(2.0)
        began_s, weights = self.now_s(), [deed.weight for deed in DEEDS]
        for at_s, name in sorted(self._moments()):
            await asyncio.sleep(max(0.0, began_s + at_s - self.now_s()))
            if self.checks.wrong is not None:
                return
            if name == "mishap":
                self.tell(f"mishap: {crashes.mishap(self)}")
                continue
            deed = BY_NAME.get(name) or self.draws.choices(DEEDS, weights)[0]
            self.tell(f"{deed.name}: {await deed.act(self)}")
            self.checks.look()
        crashes.heal(self)
        await self._agree()

    def _moments(self) -> list[tuple[float, str]]:
        """What happens when, seconds from the beginning; "" is any deed."""
        last_s, plan = self.plan.lasts_s, self.plan
        moments = [(self.draws.uniform(0, last_s), "") for _ in range(plan.deeds)]
        moments += [(self.draws.uniform(0, last_s), "mishap") for _ in range(plan.mishaps)]
        if plan.falls:
            opened = 2 * plan.accounts + 1
            moments += [(self.draws.uniform(0, 3), "open") for _ in range(opened)]
            moments += [(self.draws.uniform(3, min(last_s, 60)), "crash") for _ in range(4)]
        return moments

    async def _agree(self) -> None:
        """Everything agrees in time, and what agreed once stays so."""
        slow_s = 2 * self.plan.idle_s
        end_s, agreed = self.now_s() + AGREE_S + slow_s, 0
        while agreed < AGREED_LOOKS and self.checks.wrong is None:
            await asyncio.sleep(max(1.0, self.plan.idle_s / 4))
            self.checks.look()
            left = disagreements(self)
            agreed = 0 if left else agreed + 1
            if left and self.now_s() > end_s:
                after_s = self.now_s() - end_s + AGREE_S + slow_s
                of = f"{left[0]} (of {len(left)})"
                self.checks.fail(f"not agreed after {after_s:.0f} s: {of}")
        worker = self.guarding()
        if worker is not None and self.checks.wrong is None:
            for text in await worker.call(worker.audit_breaks()):
                self.checks.fail(text)

    async def until(self, is_so: Any, most_s: float) -> bool:  # noqa: ANN401 - a question without arguments
        """Wait until something is so, at most so long."""
        end_s = self.now_s() + most_s
        while not is_so():
            if self.now_s() > end_s:
                return False
            await asyncio.sleep(0.25)
        return True

    async def end(self) -> None:
        """Nothing of it stays."""
        self.stopping = True
        for worker in list(self.workers):
            worker.line.kill()
        for task in list(self._tasks):
            task.cancel()
        while self._tasks:
            await asyncio.wait(list(self._tasks))
        for worker in list(self.workers):
            await worker.line.buried()
        self.checks.close()
        DISKS.pop(self.database)
