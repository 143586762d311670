"""The composition root: the only place where concrete classes meet.

Owns every task and the order of starting and stopping. The engine guards before Telegram is
reached and goes on without it; Telegram is a way to talk, not a condition.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import aiohttp
import structlog
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import AiogramError, TelegramMigrateToChat
from prometheus_client import CollectorRegistry

from bot import api_part, linking_part, logs, shell
from bot.keys import AuditKeyHome, Keys
from bot.markup import esc, plain
from bot.notifier import Notifier
from bot.policy import policy_from
from bot.polling import Poller
from bot.version import VERSION
from bot.web import Web
from core.adapters.clock import SystemClock
from core.adapters.metrics import PrometheusMetrics
from core.adapters.mt5.channel import AgentProcess, NotAsked
from core.adapters.mt5.gateway import Mt5Gateway
from core.adapters.mt5.shared import Limits
from core.adapters.sql.migrate import upgrade
from core.adapters.sql.store import SqlStore
from core.adapters.sql.terminals import SqlTerminals
from core.adapters.terminal.http_gateway import HttpTerminalGateway
from core.agent_command import AGENTS_DIR, CommandError, agent_command
from core.config import Settings
from core.people_file import PeopleFile
from core.ports import Clock, StaleEpoch, StoreUnavailable, TerminalLink
from core.services.engine import Engine, assemble
from core.services.first_look import FirstLook
from core.services.link_checks import LogsIn
from core.sim.remote_clock import RemoteClock
from scheduler import (
    CARDS_INTERVAL_S,
    DIGEST_INTERVAL_S,
    DRILL_INTERVAL_S,
    HOUSEKEEPING_INTERVAL_S,
    LIMITS_INTERVAL_S,
    Scheduler,
)

log = structlog.get_logger(__name__)

APP_FILE: Final = "app.json"
HELLO_BACKOFF_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 15.0)
"""Waits between attempts to reach Telegram at the start; the last one repeats."""
STORE_ALARM_S: Final = 60.0
"""While the store is unavailable the admin chat is told directly at most this often (law 5)."""
STORE_ALARM: Final = (
    "🔴 The database cannot be written. Reckoner cannot act on any account until it is back."
)
OWNERSHIP_LOST: Final = (
    "🔴 This Reckoner has stopped and guards nothing: a terminal obeys another owner. {why}\n"
    "If another Reckoner runs for these accounts, its /status says whether it guards them. If none "
    "does, this one's database is new or was brought back from a copy: docs/connect-windows.md, "
    "“this terminal has served a newer owner”, says what to do."
)
ALARM_MAX_S: Final = 10.0
"""How long an alarm may take: a stop waits for the one that the ownership is lost."""
WHY_CHARS_MAX: Final = 300
DRAIN_POLLER_S: Final = 5.0
DRAIN_NOTIFIER_S: Final = 3.0


class Nursery:
    """Starts tasks, keeps hold of them, logs what they raise, and cancels them at the end."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, None], name: str = "") -> asyncio.Task[None]:
        """Start a task."""
        task = asyncio.create_task(work, name=name or None)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("task_failed", task=task.get_name(), exc_info=task.exception())

    async def close(self) -> None:
        """Cancel what is left and wait for it."""
        for task in list(self._tasks):
            task.cancel()
        while self._tasks:
            await asyncio.wait(list(self._tasks))


class App:
    """The running application."""

    def __init__(self, settings: Settings, people: PeopleFile | None) -> None:
        self._settings = settings
        self._people = people
        self._nursery = Nursery()
        self._stop = asyncio.Event()
        self._fatal: BaseException | None = None
        self._reached_telegram = False
        self._scheduler: Scheduler | None = None
        self._first_look: FirstLook | None = None
        self._bot: Bot | None = None
        self._alarm_after_s = 0.0
        self._store_is_lost = False
        self._publish: Callable[[], Awaitable[None]]
        self._log_in: LogsIn

    async def serve(self) -> None:
        """Run until told to stop. Raises what made going on impossible."""
        async with AsyncExitStack() as stack:
            await self._run(stack)
        if self._fatal is not None:
            raise self._fatal

    async def _run(self, stack: AsyncExitStack) -> None:
        settings = self._settings
        registry = CollectorRegistry()
        metrics = PrometheusMetrics(registry)
        engine = await self._engine(stack, metrics)
        self._first_look = engine.first_look
        prepared = await engine.prepare(self._people)
        bot = self._bot = _bot(settings)
        stack.push_async_callback(bot.session.close)
        linking = linking_part.build(engine, settings, self._log_in, self._added)
        conversation = shell.build(engine, settings, bot, linking)
        scheduler = self._scheduler = self._clockwork(engine, metrics, conversation, linking)
        web = Web(
            host=settings.http_host,
            port=settings.http_port,
            registry=registry,
            is_ready=self._waiting_for,
            expected=engine.expected,
        )
        await web.start()
        stack.push_async_callback(web.stop)
        api = await api_part.start(engine, settings, stack)
        self._publish = partial(_publish, engine, settings.data_dir, web.url, api)
        await self._publish()
        scheduler.start(prepared.accounts)
        await engine.announce_start(prepared.last_read_at)
        stack.push_async_callback(self._nursery.close)
        self._nursery.spawn(conversation.notifier.run(), "notifier")
        self._nursery.spawn(self._greet(conversation), "greet")
        log.info("started", version=VERSION, url=web.url, accounts=len(prepared.accounts))
        await self._until_stopped()
        await self._wind_down(engine, scheduler, conversation.poller, conversation.notifier)

    async def _engine(self, stack: AsyncExitStack, metrics: PrometheusMetrics) -> Engine:
        """Own the store, then build the engine over it."""
        settings = self._settings
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        await upgrade(settings.database_url)
        audit = AuditKeyHome(settings)
        store = await SqlStore.open(settings.database_url, audit_keys=audit.keys)
        stack.push_async_callback(store.close)
        epoch = await store.owner_epoch()
        clock = await stack.enter_async_context(_clock(settings))
        await audit.prepare(store, "engine", clock.now())
        await linking_part.prepare_keys(settings, store)
        gateway = self._gateway(epoch, clock, store, metrics)
        stack.push_async_callback(gateway.close)
        self._log_in = linking_part.log_in(settings, gateway, clock, epoch)
        stack.push_async_callback(self._nursery.close)  # once more: the gateway starts agents
        return assemble(
            store=store,
            gateway=gateway,
            clock=clock,
            metrics=metrics,
            policy=policy_from(settings),
            epoch=epoch,
            version=VERSION,
            wake=self._wake,
        )

    def _clockwork(
        self,
        engine: Engine,
        metrics: PrometheusMetrics,
        conversation: "shell.Conversation",
        linking: linking_part.Linking | None,
    ) -> Scheduler:
        return Scheduler(
            clock=engine.clock,
            metrics=metrics,
            sync=partial(self._sync, engine),
            housekeeping={
                "expire_offers": (HOUSEKEEPING_INTERVAL_S, engine.expire_offers),
                "pauses": (HOUSEKEEPING_INTERVAL_S, engine.pause_desk.pass_time),
                "market_deadlines": (HOUSEKEEPING_INTERVAL_S, engine.market.pass_time),
                "limits": (LIMITS_INTERVAL_S, engine.align),
                "first_look": (HOUSEKEEPING_INTERVAL_S, engine.first_look.tell),
                "digests": (DIGEST_INTERVAL_S, engine.send_digests),
                "alarms": (HOUSEKEEPING_INTERVAL_S, engine.alarms.pass_time),
                "drill": (DRILL_INTERVAL_S, engine.drill.by_schedule),
                "turned_away": (DIGEST_INTERVAL_S, engine.people.pass_time),
                "audit_heads": (DIGEST_INTERVAL_S, engine.record_heads),
                "cards": (CARDS_INTERVAL_S, conversation.cards.look),
                **({} if linking is None else linking.jobs(HOUSEKEEPING_INTERVAL_S)),
            },
            concurrency_max=self._settings.sync_concurrency_max,
            spawn=self._nursery.spawn,
            on_fatal=self._give_up,
            on_store_lost=self._store_lost,
            on_failing=engine.sync.failing,
        )

    async def _sync(self, engine: Engine, account_id: int) -> datetime:
        due = await engine.sync(account_id)
        engine.first_look.note(account_id)
        self._store_is_lost = False
        return due

    async def _added(self, account_id: int) -> None:
        """Guard an account that has come while we run; its executor gets a token."""
        self._wake(account_id)
        await self._publish()

    def _wake(self, account_id: int) -> None:
        if self._scheduler is not None:
            self._scheduler.wake(account_id)

    def _gateway(
        self, epoch: int, clock: Clock, store: SqlStore, metrics: PrometheusMetrics
    ) -> HttpTerminalGateway | Mt5Gateway:
        settings = self._settings
        if settings.terminal_base_url is not None:
            return HttpTerminalGateway(
                settings.terminal_base_url,
                epoch=epoch,
                clock=clock,
                read_timeout_s=settings.read_timeout_s,
                send_timeout_s=settings.send_timeout_s,
            )
        return Mt5Gateway(
            directory=SqlTerminals(store, Keys(settings).vault),
            open_channel=partial(_start_agent, settings),
            epoch=epoch,
            clock=clock,
            metrics=metrics,
            spawn=partial(self._nursery.spawn, name="terminal"),
            limits=Limits(
                read_s=settings.read_timeout_s,
                send_s=settings.send_timeout_s,
                start_s=settings.mt5_start_timeout_s,
            ),
        )

    async def _greet(self, conversation: "shell.Conversation") -> None:
        """Reach Telegram, set the menus, then take updates; the engine does not wait for this."""
        attempt = 0
        while True:
            try:
                await conversation.hello()
            except (AiogramError, aiohttp.ClientError, OSError, TimeoutError) as error:
                wait_s = HELLO_BACKOFF_S[min(attempt, len(HELLO_BACKOFF_S) - 1)]
                log.warning("telegram_unreachable", error=str(error), retry_in_s=wait_s)
                attempt += 1
                await asyncio.sleep(wait_s)
                continue
            break
        self._reached_telegram = True
        await conversation.poller.run()

    def _waiting_for(self) -> str | None:
        if self._stop.is_set():
            return "stopping"
        if self._first_look is None or not self._first_look.done:
            return "the first reading of every account"
        if self._store_is_lost:
            return "the database"
        return None if self._reached_telegram else "telegram"

    async def _until_stopped(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Windows has no loop signal handlers; there Ctrl-C arrives as KeyboardInterrupt.
            with contextlib.suppress(NotImplementedError):
                loop.add_signal_handler(number, self._stop.set)
        await self._stop.wait()

    async def _wind_down(
        self, engine: Engine, scheduler: Scheduler, poller: Poller, notifier: Notifier
    ) -> None:
        """Stop taking work, finish what is under way, say goodbye."""
        log.info("stopping")
        await poller.drain(DRAIN_POLLER_S)
        await scheduler.drain()
        if self._fatal is None:
            with contextlib.suppress(StoreUnavailable):
                await engine.announce_stop()
            notifier.wake()
            await notifier.drain(DRAIN_NOTIFIER_S)
        else:
            await self._tell_admins(OWNERSHIP_LOST.format(why=_why(self._fatal)))
        log.info("stopped")

    def _give_up(self, error: BaseException) -> None:
        """A terminal obeys another owner: this process must not act any more."""
        log.critical("ownership_lost", error=str(error))
        self._fatal = error
        self._stop.set()

    async def _store_lost(self, reason: str) -> None:
        """Tell the admins directly, unjournalled, at most once a minute (law 5)."""
        log.error("store_unavailable", error=reason)
        self._store_is_lost = True
        now_s = asyncio.get_running_loop().time()
        if now_s < self._alarm_after_s:
            return
        self._alarm_after_s = now_s + STORE_ALARM_S
        await self._tell_admins(STORE_ALARM)

    async def _tell_admins(self, text: str) -> None:
        """Send it past the outbox: where the store cannot be trusted to keep it."""
        chat_id = self._settings.admin_chat_id
        if self._bot is None or chat_id is None:
            return
        marked = f"{self._settings.message_mark} {text}".lstrip()
        try:
            async with asyncio.timeout(ALARM_MAX_S):
                try:
                    await self._bot.send_message(chat_id, marked)
                except TelegramMigrateToChat as moved:
                    await self._bot.send_message(moved.migrate_to_chat_id, marked)
        except (AiogramError, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.warning("alarm_unsent", error=str(error))


async def serve(settings: Settings, *, people: PeopleFile | None) -> None:
    """Run the app until SIGINT or SIGTERM. Raises SystemExit where a terminal obeys another."""
    logs.configure(settings.log_level, settings.log_format)
    app = App(settings, people)
    try:
        await app.serve()
    except StaleEpoch as error:
        raise SystemExit(plain(OWNERSHIP_LOST.format(why=_why(error)))) from error


def _why(error: BaseException) -> str:
    return esc(str(error), WHY_CHARS_MAX)


@asynccontextmanager
async def _clock(settings: Settings) -> AsyncIterator[Clock]:
    if settings.clock_url is None:
        yield SystemClock()
        return
    async with aiohttp.ClientSession() as session:
        clock = RemoteClock(settings.clock_url, session)
        await clock.start()
        yield clock


async def _start_agent(settings: Settings, link: TerminalLink) -> AgentProcess:
    """Start the agent beside a terminal. Raises NotAsked or OSError where that cannot be done."""
    command = agent_command(settings.mt5_agent_command)
    if command is None:
        raise NotAsked("nothing says how an agent is started: MT5_AGENT_COMMAND is not set")
    try:
        argv = command.argv(link.host)
    except CommandError as error:
        raise NotAsked(str(error)) from error
    return await AgentProcess.start(argv, settings.data_dir / AGENTS_DIR / f"{link.login}.log")


def _bot(settings: Settings) -> Bot:
    if settings.telegram_token is None:
        raise ValueError("TELEGRAM_TOKEN is not set")
    server = TelegramAPIServer.from_base(settings.telegram_api_base)
    return Bot(
        settings.telegram_token.get_secret_value(),
        session=AiohttpSession(api=server),
        default=DefaultBotProperties(parse_mode=ParseMode.HTML, link_preview_is_disabled=True),
    )


async def _publish(engine: Engine, data_dir: Path, url: str, api_url: str | None) -> None:
    """Leave address and tokens of every account where the executors look."""
    tokens = await engine.tokens.keep_or_mint(_known_tokens(data_dir))
    _write_app_file(data_dir, url, tokens, api_url)


def _known_tokens(data_dir: Path) -> dict[str, str]:
    try:
        body = json.loads((data_dir / APP_FILE).read_text())
    except (OSError, ValueError):
        return {}
    tokens = body.get("tokens") if isinstance(body, dict) else None
    return {str(k): str(v) for k, v in tokens.items()} if isinstance(tokens, dict) else {}


def _write_app_file(data_dir: Path, url: str, tokens: dict[str, str], api_url: str | None) -> None:
    """Leave address and tokens where the executors look, readable by this user only."""
    path = data_dir / APP_FILE
    draft = path.with_suffix(".tmp")
    about = {"pid": os.getpid(), "base_url": url, "api_url": api_url, "tokens": tokens}
    body = json.dumps(about, indent=1)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(body)
    draft.replace(path)
