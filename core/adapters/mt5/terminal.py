"""One account's terminal: its agent, its state, its broker's clock and symbols.

The agent is started in the background when somebody asks, and again after a rest when it has failed
(`circuit`). Whoever asks while it is not up waits a moment at most. One question is under way at a
time; what was asked last decides what is known of the terminal.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
from msgspec.structs import replace

from core.adapters.mt5 import circuit
from core.adapters.mt5.answers import (
    Failure,
    Fault,
    Refused,
    Then,
    check_account,
    refusal_of,
    verdict,
)
from core.adapters.mt5.catalogue import AGE_MAX, AGE_MAX_MISSING, Catalogue
from core.adapters.mt5.channel import SHUTDOWN_WAIT_S, Answer, Channel, Lost, LostHow, NotAsked
from core.adapters.mt5.shared import HELLO_S_MAX, Shared, hello, question
from core.adapters.terminal.rows import Rows
from core.domain.broker_time import BrokerClock, Look, observe
from core.ports import (
    BrokerUnavailable,
    LoginRefused,
    Secret,
    StaleEpoch,
    StoreUnavailable,
    TerminalHealth,
    TerminalLink,
    TerminalStarting,
    TerminalState,
    WrongAccount,
)

log = structlog.get_logger(__name__)

READ_FAILURES_MAX: Final = 3
"""So many failed reads in a row, and the terminal is connected anew."""
FAILED_CALLS: Final = frozenset({"mt5", "internal"})
"""Refusals that may be the terminal's own fault, as opposed to the request's or the account's."""


class Terminal:
    """The way to one account. All methods may be called at any time."""

    def __init__(self, shared: Shared, login: int, server: str) -> None:
        self.login = login
        self.server = server
        self._shared = shared
        now = shared.clock.now()
        self.health = TerminalHealth(state=TerminalState.STARTING, since=now, next_try_at=now)
        shared.metrics.terminal(login, self.health.state.value)
        self.clock = BrokerClock()
        self._catalogue: Catalogue | None = None
        self.currencies: set[str] = set()
        self.rows = Rows()
        self._channel: Channel | None = None
        self._secret: Secret | None = None
        self._host = ""
        self._start_failed = False
        self._lock = asyncio.Lock()
        self._came_up = asyncio.Event()
        self._fault: Fault = TerminalStarting
        self._fault_text = ""
        self._has_turn = False
        self._read_failures = 0
        self._catalogue_at = now
        self._kept_offset_s: int | None = None
        self._closed = False

    # --- its state ------------------------------------------------------------------------------

    async def ready(self) -> None:
        """Return when the terminal is up. Raises BrokerUnavailable, WrongAccount, StaleEpoch."""
        self._see_its_end()
        if self._is_up:
            return
        if self._may_start():
            patient = self._shared.turns.is_free(self._host)
            self._begin()
        else:
            patient = self.health.state is TerminalState.STARTING and self._has_turn
        if patient:
            await self._wait_a_moment()
        if not self._is_up:
            raise self._refusal()

    @property
    def _is_up(self) -> bool:
        return self.health.state is TerminalState.UP

    @asynccontextmanager
    async def turn(self, within_s: float) -> AsyncIterator[None]:
        """Be the only one who asks. Raises as `ready`; BrokerUnavailable where others take long."""
        try:
            async with asyncio.timeout(within_s):
                await self._lock.acquire()
        except TimeoutError as error:
            raise BrokerUnavailable("the terminal is busy with earlier requests") from error
        try:
            if not self._is_up:
                raise self._refusal()
            yield
        finally:
            self._lock.release()

    def _see_its_end(self) -> None:
        """Notice that the agent has ended since it was last asked."""
        if self._is_up and not self._has_agent:
            words = self._channel.last_words() if self._channel else ""
            self.fall(f"the agent has ended: {words}".rstrip(": "), counted=LostHow.DIED.value)

    def _may_start(self) -> bool:
        due = circuit.is_due(self.health, self._shared.clock.now())
        return due and not self._closed

    def _begin(self) -> None:
        self._came_up = asyncio.Event()
        if self.health.state is TerminalState.UNLINKED:
            self._change(replace(self.health, next_try_at=None))  # so it stays until it is linked
        else:
            self._wait_for_turn()
        self._shared.spawn(self._start())

    def _wait_for_turn(self) -> None:
        now = self._shared.clock.now()
        self._change(circuit.starting(self.health, now, "waiting for its turn to start"))

    async def _wait_a_moment(self) -> None:
        try:
            async with asyncio.timeout(self._shared.limits.patience_s):
                await self._came_up.wait()
        except TimeoutError:
            return

    def _refusal(self) -> BrokerUnavailable | StaleEpoch:
        health = self.health
        if self._fault not in {TerminalStarting, LoginRefused}:
            return self._fault(self._fault_text)
        if health.state is TerminalState.UNLINKED:
            return BrokerUnavailable(f"{self.login} at {self.server}: {health.reason}")
        due = f"; next try at {health.next_try_at:%H:%M:%S} UTC" if health.next_try_at else ""
        reason = f": {health.reason}" if health.reason else ""
        return self._fault(f"the terminal is {health.state}{reason}{due}")

    def _change(self, health: TerminalHealth) -> None:
        before, self.health = self.health, health
        if before.state is not health.state:
            self._shared.metrics.terminal(self.login, health.state.value)

    def fall(
        self,
        reason: str,
        *,
        counted: str = "",
        fault: Fault = TerminalStarting,
    ) -> None:
        """The terminal is not up any more: rest, then start again.

        `counted`: the word for an agent's end; `fault`: what is raised until it is up again.
        """
        if counted:
            self._shared.metrics.terminal_restarted(counted)
        said = self._redacted(reason)
        fraction = self._shared.random.random()
        now = self._shared.clock.now()
        health = circuit.resting(self.health, now, said, fraction=fraction)
        self._change(health)
        self._fault, self._fault_text = fault, said
        self._came_up.set()
        log.warning(
            "terminal_resting",
            login=self.login,
            server=self.server,
            reason=said,
            failures=health.failures,
            next_try_at=health.next_try_at,
        )

    def _redacted(self, text: str) -> str:
        """No password, wherever the text comes from (a program's last words, say)."""
        return text.replace(self._secret.reveal(), "***") if self._secret else text

    # --- its start ------------------------------------------------------------------------------

    async def _start(self) -> None:
        turns = self._shared.turns
        try:
            async with turns.looking_up:
                link = await self._shared.directory.find(self.login, self.server)
            if link is None:
                await self._end_agent()
                self._fault = TerminalStarting
                self._change(circuit.unlinked(self.health, self._shared.clock.now()))
                return
            self._secret, self._host = link.password, link.host
            if self.health.state is TerminalState.UNLINKED:
                self._wait_for_turn()
            async with turns.turn(link.host, troubled=self._start_failed):
                self._has_turn = True
                self._change(replace(self.health, reason="the agent is being started"))
                await self._come_up(link)
        except (Refused, Lost, NotAsked, BrokerUnavailable) as error:
            judged = verdict(error)
            await self._failed_to_start(error, judged.counted, judged.fault)
        except (OSError, StoreUnavailable) as error:  # TimeoutError is an OSError
            await self._failed_to_start(error)
        except BaseException:
            self.fall("the start was given up")
            raise
        finally:
            self._has_turn = False
            self._came_up.set()

    async def _come_up(self, link: TerminalLink) -> None:
        if self._closed:
            raise NotAsked("the gateway is closed")
        if not self._has_agent:
            await self._end_agent()
            async with asyncio.timeout(HELLO_S_MAX):
                self._channel = await self._shared.open_channel(link)
            if self._closed:
                raise NotAsked("the gateway is being closed")
        limits = self._shared.limits
        await self._exchange("hello", hello(link, limits), HELLO_S_MAX)
        self._change(replace(self.health, reason="the terminal starts and logs in"))
        connected = await self._exchange("connect", {}, limits.start_s)
        check_account(connected, self.login, self.server)
        await self._read_catalogue(limits.start_s)
        self._know_offset(link)
        self._read_failures = 0
        self._start_failed = False
        self._fault = TerminalStarting
        self._change(circuit.up(self.health, self._shared.clock.now()))
        log.info("terminal_up", login=self.login, server=self.server, build=connected.get("build"))

    async def _failed_to_start(
        self, error: Exception, counted: str = "", fault: Fault = TerminalStarting
    ) -> None:
        """Begin with a new agent next time, whatever this one's failure was."""
        self._start_failed = True
        text = f"{error}" or type(error).__name__
        if isinstance(error, TimeoutError):
            text = "the agent could not be started in time"
        words = self._channel.last_words() if self._channel else ""
        if words and words not in text and isinstance(error, Lost | NotAsked):
            text = f"{text}: {words}"
        await self._end_agent()
        self.fall(text, counted=counted, fault=fault)

    def _know_offset(self, link: TerminalLink) -> None:
        """Take over an offset that was told before: stored, or by another account's prices.

        Accounts of one server read one clock; each goes on to watch it by its own prices.
        """
        if self.clock.offset_s is not None:
            return
        self._kept_offset_s = link.server_offset_s
        known_s = link.server_offset_s
        if known_s is None:
            known_s = self._shared.offsets.get(self.server)
        self.clock = replace(self.clock, offset_s=known_s)

    async def _end_agent(self) -> None:
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.kill()

    async def close(self) -> None:
        """Say good-bye where that can be done quickly, and end the agent."""
        self._closed = True
        polite = self._is_up and not self._lock.locked()
        try:
            if polite and self._has_agent:
                await self._exchange("shutdown", {}, SHUTDOWN_WAIT_S)
        except (Refused, Lost, NotAsked):
            log.info("agent_not_shut_down", login=self.login, server=self.server)
        finally:
            await self._end_agent()

    # --- questions ------------------------------------------------------------------------------

    async def _exchange(self, verb: str, fields: dict[str, Any], within_s: float) -> Answer:
        """Ask and answer ok. Raises Refused, Lost or NotAsked; changes no state."""
        if self._channel is None:
            raise NotAsked("there is no agent")
        message = question(
            verb, fields, within_s, epoch=self._shared.epoch, owner=self._shared.owner
        )
        answer = await self._channel.ask(message, within_s)
        if not answer["ok"]:
            raise Refused(refusal_of(answer, self.login, self.server))
        return answer

    @asynccontextmanager
    async def judging(self, *, reading: bool) -> AsyncIterator[None]:
        """Let what is asked inside change the terminal's state; exceptions go on as they are."""
        try:
            yield
        except (Refused, Lost, NotAsked, WrongAccount) as error:
            self._judge(error, reading=reading)
            raise
        except asyncio.CancelledError:
            # The agent's answer would come for nobody: the channel has ended the agent.
            if not self._has_agent:
                self.fall("a request was given up")
            raise
        else:
            self._read_failures = 0

    @property
    def _has_agent(self) -> bool:
        return self._channel is not None and self._channel.usable

    def _judge(self, error: Failure, *, reading: bool) -> None:
        judged = verdict(error)
        if judged.then is Then.RESTART:
            self._abandon(f"{error}", counted=judged.counted, fault=judged.fault)
        elif judged.then is Then.RECONNECT:
            self.fall(f"{error}", counted=judged.counted)
        elif isinstance(error, NotAsked):
            if not self._has_agent:
                self.fall(f"{error}", counted=LostHow.DIED.value)
        elif isinstance(error, Refused) and reading and error.refusal.kind in FAILED_CALLS:
            self._read_failures += 1
            if self._read_failures >= READ_FAILURES_MAX:
                self.fall(f"{READ_FAILURES_MAX} failures in a row, the last: {error}")

    def _abandon(
        self,
        reason: str,
        *,
        counted: str = "",
        fault: Fault = TerminalStarting,
    ) -> None:
        """End the agent in the background and fall."""
        channel, self._channel = self._channel, None
        self.fall(reason, counted=counted, fault=fault)
        if channel is not None:
            self._shared.spawn(channel.kill())

    async def ask(self, verb: str, fields: dict[str, Any], within_s: float) -> Answer:
        """Ask about this account. Raises Refused, Lost, NotAsked or WrongAccount."""
        answer = await self._exchange(verb, fields, within_s)
        check_account(answer, self.login, self.server)
        return answer

    async def _read_catalogue(self, within_s: float) -> Catalogue:
        answer = await self.ask("symbols", {}, within_s)
        try:
            catalogue = Catalogue.of(answer.get("catalogue"))
        except (KeyError, TypeError, ValueError) as error:
            raise BrokerUnavailable(f"no catalogue of symbols: {error!r}") from error
        self._catalogue, self._catalogue_at = catalogue, self._shared.clock.now()
        return catalogue

    async def symbols(self, within_s: float, *, missing: bool = False) -> Catalogue:
        """The broker's symbols, read again where they are old. Raises as `ask`.

        `missing`: one that is asked for is not among them; it may have been added since.
        """
        age_max = AGE_MAX_MISSING if missing else AGE_MAX
        age = self._shared.clock.now() - self._catalogue_at
        if self._catalogue is not None and age < age_max:
            return self._catalogue
        return await self._read_catalogue(within_s)

    # --- the broker's clock ---------------------------------------------------------------------

    async def look_at_clock(self, look: Look) -> None:
        """Learn the broker's clock from a reading, and keep what is new."""
        before_s = self.clock.offset_s
        self.clock = observe(self.clock, look)
        known_s = self.clock.offset_s
        if known_s != before_s:
            log.info("broker_clock", server=self.server, offset_s=known_s, before_s=before_s)
        if known_s is not None and self.clock.fresh_at == look.answered_at:
            self._shared.offsets[self.server] = known_s
        if known_s is None or known_s == self._kept_offset_s:
            return
        try:
            await self._shared.directory.keep_offset(
                self.login, self.server, known_s, look.answered_at
            )
        except StoreUnavailable as error:
            # It is known all the same; the next reading tries again.
            log.warning("offset_not_kept", login=self.login, error=str(error))
        else:
            self._kept_offset_s = known_s

    def clock_unknown(self) -> TerminalStarting:
        """Why no time of the broker's can be told: part of a first start, until a market moves."""
        since = self.clock.fresh_at or self.clock.watched_since or self._shared.clock.now()
        few = "too few fresh prices" if self.clock.fresh_at else "no fresh price"
        return TerminalStarting(
            f"the broker's clock is not known yet: {few} since {since:%Y-%m-%d %H:%M:%S} UTC"
        )
