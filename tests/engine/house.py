"""A whole house in one process: the real services, a real SQLite file, the simulated broker.

Time moves only when the test says so. The gateway speaks the terminal protocol's bodies and passes
through the real translation, so what differs from the demo is the HTTP between.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from bot.policy import policy_from
from bot.sandbox.store import WorldStore
from core.adapters.sql.migrate import upgrade
from core.adapters.sql.store import SqlStore
from core.config import load
from core.domain.alerts import Alert
from core.domain.broker import MarginMode
from core.domain.people import Person, Role
from core.domain.signals import parse_signal
from core.people_file import AccountEntry, PeopleFile, UserEntry
from core.ports import (
    TerminalGateway,
)
from core.records import AccountRow, AccountStateRow, ApprovalRow, OutboxRow
from core.services.engine import Engine, assemble
from core.sim.faults import parse_fault
from core.sim.ledger import Account
from core.sim.simulation import PERSON, Opening, Simulation
from core.sim.symbols import SYMBOLS, SymbolTerms
from tests.engine.gateway import START, SimGateway, TestClock
from tests.fakes.audit_keys import AUDIT_KEYS
from tests.fakes.metrics import CountingMetrics
from tests.fakes.same_thread import SameThreadStore

SERVER = "Sim"
ADMIN_CHAT = -100
ADMIN = 11
ALICE, BEN, CARLA = 101, 102, 103
GBP, USD, EUR = 50001, 50002, 50003
D = Decimal
TEMPLATE: list[bytes] = []
"""The bytes of a migrated, empty database, once there is one."""

ACCOUNTS = (
    (GBP, ALICE, "GBP", MarginMode.HEDGING, "10000"),
    (USD, BEN, "USD", MarginMode.HEDGING, "12000"),
    (EUR, CARLA, "EUR", MarginMode.NETTING, "8000"),
)
PEOPLE = PeopleFile(
    users=(
        UserEntry(telegram_id=ADMIN, name="Ada", role=Role.ADMIN),
        UserEntry(telegram_id=ALICE, name="Alice", role=Role.CLIENT),
        UserEntry(telegram_id=BEN, name="Ben", role=Role.CLIENT),
        UserEntry(telegram_id=CARLA, name="Carla", role=Role.CLIENT),
    ),
    accounts=tuple(
        AccountEntry(
            login=login, server=SERVER, owner=owner, currency=currency, margin_mode=mode, name="x"
        )
        for login, owner, currency, mode, _ in ACCOUNTS
    ),
)


class House:
    """Everything, on one data directory; `restart` kills the app and starts it again."""

    begins: datetime = START
    terms: Mapping[str, SymbolTerms] = SYMBOLS

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.people = PEOPLE
        self.clock = TestClock(self.begins)
        self.metrics = CountingMetrics()
        self.settings = load(
            {},
            {
                "ADMIN_CHAT_ID": str(ADMIN_CHAT),
                "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/reckoner.db",
                **settings,
            },
            dotenv=None,
        )
        self.world = WorldStore(folder / "world.db")
        openings = [
            Opening(
                account=Account(
                    login=login,
                    name=str(owner),
                    server=SERVER,
                    currency=currency,
                    margin_mode=mode.value,
                ),
                deposit=D(deposit),
            )
            for login, owner, currency, mode, deposit in ACCOUNTS
        ]
        self.sim = Simulation(
            self.world, self.now_ms, openings, mode="manual", seed=1, symbols=self.terms
        )
        self.store: SqlStore
        self.engine: Engine
        self.gateway: SimGateway
        self.due: dict[int, datetime] = {}
        self._woken: set[int] = set()
        self.ids: dict[int, int] = {}
        self.epoch = 0

    def now_ms(self) -> int:
        """The clock for the broker."""
        return round(self.clock.instant.timestamp() * 1000)

    async def start(self) -> None:
        """Start the app as the composition root does."""
        await self._migrate()
        self.store = await SameThreadStore.open(self.settings.database_url, audit_keys=AUDIT_KEYS)
        self.epoch = await self.store.owner_epoch()
        self.engine = assemble(
            store=self.store,
            gateway=self._open_gateway(),
            clock=self.clock,
            metrics=self.metrics,
            policy=policy_from(self.settings),
            epoch=self.epoch,
            version="test",
            wake=self._wake,
        )
        prepared = await self.engine.prepare(self.people)
        self.due = dict.fromkeys(prepared.accounts, self.clock.now())
        async with self.store.reading() as tx:
            self.ids = {a.login: a.id for a in await tx.find(AccountRow)}

    def _open_gateway(self) -> TerminalGateway:
        self.gateway = SimGateway(self.sim, self.clock, self.epoch)
        return self.gateway

    async def _migrate(self) -> None:
        """Migrate once per test run; every house starts from a copy."""
        file = self.folder / "reckoner.db"
        if not TEMPLATE:
            await upgrade(self.settings.database_url)
            TEMPLATE.append(file.read_bytes())
        elif not file.exists():
            file.write_bytes(TEMPLATE[0])

    def _wake(self, account_id: int) -> None:
        self._woken.add(account_id)
        self.due[account_id] = self.clock.now()

    async def stop(self) -> None:
        """Close the app's store; the world stays."""
        await self.store.close()

    async def restart(self) -> None:
        """Lose everything that was only in memory."""
        await self.stop()
        await self.start()

    async def close(self) -> None:
        """End of the test."""
        await self.stop()
        self.world.close()

    # --- time -----------------------------------------------------------------------------------

    async def run(self, seconds: float = 0) -> None:
        """Run every cycle due up to `seconds` from now, moving the clock from one to the next."""
        end = self.clock.instant + timedelta(seconds=seconds)
        for _ in range(5000):
            account_id = min(self.due, key=lambda i: (self.due[i], i))
            due = self.due[account_id]
            if due > end:
                break
            self.clock.instant = max(self.clock.instant, due)
            self._woken.discard(account_id)
            following = await self.engine.sync(account_id)
            if account_id in self._woken:  # as the scheduler: it is due again right after
                following = self.clock.instant
            # A cycle takes time: one that is due at once is due a little later.
            self.due[account_id] = max(following, self.clock.instant + timedelta(milliseconds=20))
            await self.engine.market.pass_time()
        else:
            raise AssertionError("the clock did not get anywhere: a busy loop")
        self.clock.instant = end

    # --- people ---------------------------------------------------------------------------------

    async def person(self, telegram_id: int) -> Person:
        """A known person."""
        person = await self.engine.people.identify(telegram_id)
        assert person is not None
        return person

    async def signal(self, text: str = "XAUUSD buy 0.10 sl 1950 tp 1990") -> int:
        """Ada posts a signal; answers its id."""
        ada = await self.person(ADMIN)
        key = f"test:{self.clock.now().isoformat()}:{text}"
        posted = await self.engine.post_signal(ada, parse_signal(text), key)
        return posted.signal_id

    async def approve(self, telegram_id: int, signal_id: int) -> int:
        """A client approves their offer; answers the approval's id."""
        person = await self.person(telegram_id)
        async with self.store.reading() as tx:
            approval = await tx.first(
                ApprovalRow, signal_id=signal_id, account_id=person.account_ids[0]
            )
        assert approval is not None
        await self.engine.decide_approval(person, approval.id, approve=True)
        return approval.id

    async def execute(self, login: int) -> list[dict[str, Any]]:
        """The account's executor fetches its trades and places them, as told."""
        async with self.store.reading() as tx:
            account = await tx.first(AccountRow, login=login)
        assert account is not None
        tokens = await self.engine.tokens.keep_or_mint({})
        trades = await self.engine.expected(tokens[str(login)])
        assert trades is not None
        for trade in trades:
            self.open(
                login,
                trade["side"],
                trade["volume"],
                trade["symbol"],
                source="executor",
                sl=float(trade["stop_loss"] or 0),
                tp=float(trade["take_profit"] or 0),
                magic=trade["magic"],
                comment=trade["comment"],
            )
        return trades

    async def follow(self, telegram_id: int, login: int, text: str | None = None) -> None:
        """Signal, approval, execution, first match."""
        signal_id = await (self.signal(text) if text else self.signal())
        await self.approve(telegram_id, signal_id)
        await self.execute(login)
        await self.run(4)

    # --- the broker -----------------------------------------------------------------------------

    def open(
        self,
        login: int,
        side: str,
        volume: str,
        symbol: str = "XAUUSD",
        *,
        source: str = PERSON,
        reason: int = 1,
        **more: Any,
    ) -> int:
        """Open at the market; answers the ticket. The account's phone unless told otherwise."""
        body = {
            "action": 1,
            "symbol": symbol,
            "volume": float(volume),
            "type": 0 if side == "buy" else 1,
            "type_filling": 1,
            **more,
        }
        sent = self.sim.submit(login, source, body, reason=3 if source == "executor" else reason)
        self.world.commit()
        assert sent.result is not None
        assert sent.result["retcode"] == 10009, sent.result
        return int(sent.result["order"])

    def close_position(
        self, login: int, ticket: int, volume: str | None = None, reason: int = 1
    ) -> None:
        """Close by hand: 0 desktop, 1 phone, 2 web, 3 another EA."""
        position = self.sim.ledger.positions(login)[ticket]
        body = {
            "action": 1,
            "position": ticket,
            "symbol": position.symbol,
            "volume": float(volume or position.volume),
            "type": 1 if position.sign > 0 else 0,
            "type_filling": 1,
        }
        sent = self.sim.submit(login, PERSON, body, reason=reason)
        self.world.commit()
        assert sent.result is not None
        assert sent.result["retcode"] == 10009, sent.result

    def price(self, bid: str, ask: str, symbol: str = "XAUUSD") -> None:
        """Set a quote; stops and stop-outs run at once."""
        self.clock.instant += timedelta(milliseconds=1)
        self.sim.set_price(symbol, D(bid), D(ask))
        self.world.commit()

    def cash(self, login: int, amount: str, kind: str = "balance") -> None:
        """Move money in or out."""
        self.sim.broker.cash(login, D(amount), kind)
        self.world.commit()

    def fault(self, login: int, kind: str, **more: Any) -> None:
        """Make something fail."""
        self.sim.set_fault(login, parse_fault({"kind": kind, **more}, self.now_ms()))

    def sends(self, login: int, source: str = "reckoner") -> list[dict[str, Any]]:
        """Every trade request of a source, as the broker logged it."""
        log = self.world.log(f"sim.sends.{login}", 0, 10_000)
        return [body for _, body in log if body["source"] == source]

    # --- what was said and kept -------------------------------------------------------------------

    async def said(self, chat_id: int | None = None) -> list[Alert]:
        """Every alert committed, oldest first, without changes to what stands in a chat."""
        async with self.store.reading() as tx:
            where: dict[str, Any] = {} if chat_id is None else {"chat_id": chat_id}
            rows = await tx.find(OutboxRow, **where)
        rows = [row for row in rows if row.mode != "edit" or row.about_id is None]
        return [msgspec.json.decode(row.payload, type=Alert) for row in rows]

    async def kinds(self, chat_id: int) -> list[str]:
        """The kinds of alert a chat was told, in order."""
        return [type(alert).__name__ for alert in await self.said(chat_id)]

    async def rows(self, kind: type[Any], **where: Any) -> list[Any]:
        """Rows of a table."""
        async with self.store.reading() as tx:
            return await tx.find(kind, **where)

    async def state(self, login: int) -> AccountStateRow:
        """The account's state row."""
        memory = self.engine.desk.peek(self.ids[login])
        assert memory is not None
        return memory.state
