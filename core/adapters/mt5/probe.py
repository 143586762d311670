"""Go an account's whole way to its broker once, look, and tell how far it led. Closes nothing.

The same agent, the same messages as the gateway's; but where the gateway says "unavailable" and
tries again, this says at which step, and with what words.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from core.adapters.mt5.answers import WRONG_ACCOUNT, check_account, refusal_of
from core.adapters.mt5.catalogue import Catalogue, newest_tick_ms
from core.adapters.mt5.channel import SHUTDOWN_WAIT_S, AgentProcess, Answer, Channel, Lost, NotAsked
from core.adapters.mt5.readings import deals_from_s
from core.adapters.mt5.shared import HELLO_S_MAX, Limits, hello, question
from core.adapters.terminal import translate
from core.adapters.terminal.requests import trade_request
from core.domain.broker import AccountSnapshot, Position, Side
from core.domain.broker_time import BrokerClock, Look, observe
from core.domain.close_request import close_volume, filling_modes
from core.domain.permissions import obstacles
from core.domain.rates import gbp_rate
from core.domain.readiness import CloseTried, Found, Stage, Symbols, Trouble
from core.domain.retcodes import INVALID_FILL
from core.ports import BrokerUnavailable, Clock, CloseRequest, TerminalLink, WrongAccount

WATCH_S: Final = 20.0
"""How long prices are watched where nothing is known of the broker's clock ..."""
WATCH_KNOWN_S: Final = 4.0
"""... and where what is known only has to be confirmed."""
LOOK_INTERVAL_S: Final = 1.0
CLOSES_MAX: Final = 20
"""Positions whose close is tried with `order_check`; the oldest tickets first."""
LOGIN_CODES: Final = frozenset({-6, -10005})
"""Authorization failed; the login state was not reached in time (facts: mt5, 1.3)."""

Open = Callable[[Sequence[str], Path], Awaitable[Channel]]
Rest = Callable[[float], Awaitable[None]]


class Wanted(Struct, frozen=True, kw_only=True):
    """What to look at. `needed`: symbols of open signals and trades; `named`: those of settings."""

    link: TerminalLink
    argv: Sequence[str]
    log_path: Path
    limits: Limits
    needed: tuple[str, ...] = ()
    named: tuple[str, ...] = ()


class _Ended(Exception):
    """The way ends here."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


class Probe:
    """Goes the way for one owner: every message carries its epoch."""

    def __init__(
        self,
        *,
        epoch: int,
        owner: str,
        clock: Clock,
        start: Open = AgentProcess.start,
        rest: Rest = asyncio.sleep,
    ) -> None:
        self._epoch, self._owner = epoch, owner
        self._clock = clock
        self._start = start
        self._rest = rest

    async def __call__(self, wanted: Wanted) -> Found:
        """Go the way and tell; whatever was started has ended when this returns."""
        way = _Way(self._epoch, self._owner, self._clock, self._rest, wanted)
        try:
            async with asyncio.timeout(HELLO_S_MAX):
                channel = await self._start(wanted.argv, wanted.log_path)
        except OSError as error:  # TimeoutError is one
            text = f"{wanted.argv[0]}: {error.strerror or error or 'not started in time'}"
            return way.ended(Trouble(stage=Stage.AGENT, kind="start", text=text))
        try:
            return await way.go(channel)
        finally:
            await channel.kill()


class _Way:
    """One account's way, and what has been found on it so far."""

    def __init__(self, epoch: int, owner: str, clock: Clock, rest: Rest, wanted: Wanted) -> None:
        self._epoch, self._owner = epoch, owner
        self._clock = clock
        self._rest = rest
        self._wanted = wanted
        self._link = wanted.link
        self._limits = wanted.limits
        self.found = Found(login=wanted.link.login, path=wanted.link.path, host=wanted.link.host)

    def ended(self, trouble: Trouble) -> Found:
        """What was found, and where it ended."""
        return replace(self.found, trouble=trouble)

    async def go(self, channel: Channel) -> Found:
        """Go as far as it leads."""
        try:
            await self._connect(channel)
            catalogue = await self._catalogue(channel)
            snapshot = await self._read(channel, catalogue)
            if snapshot is not None:
                await self._try_closes(channel, snapshot)
            with contextlib.suppress(_Ended):  # all is found; the agent is ended whatever it says
                await self._ask(channel, Stage.READING, "shutdown", within_s=SHUTDOWN_WAIT_S)
        except _Ended as end:
            return self.ended(end.trouble)
        except (KeyError, TypeError, ValueError) as error:
            text = f"an answer that is not as it must be: {type(error).__name__}: {error}"
            return self.ended(Trouble(stage=Stage.READING, kind="lost", text=text))
        return self.found

    async def _connect(self, channel: Channel) -> None:
        """Start agent and terminal, log in, and look at what the terminal permits."""
        began = self._clock.now()
        first = hello(self._link, self._limits)
        await self._ask(channel, Stage.AGENT, "hello", first, HELLO_S_MAX)
        answer = await self._ask_about(channel, Stage.TERMINAL, "connect", {}, self._limits.start_s)
        terminal, account = answer["terminal"], answer["account"]
        self.found = replace(
            self.found,
            build=answer["build"],
            took_s=(self._clock.now() - began).total_seconds(),
            connected=bool(terminal["connected"]),
            obstacles=obstacles(
                account_trade_allowed=bool(account["trade_allowed"]),
                account_trade_expert=bool(account["trade_expert"]),
                terminal_trade_allowed=bool(terminal["trade_allowed"]),
                terminal_tradeapi_disabled=bool(terminal["tradeapi_disabled"]),
                connected=bool(terminal["connected"]),
                held=(),
                symbols={},
            ),
            fifo_close=bool(account["fifo_close"]),
            currency=str(account["currency"]),
            margin_mode=translate.MARGIN_MODES[account["margin_mode"]].value,
        )

    async def _catalogue(self, channel: Channel) -> Catalogue:
        answer = await self._ask_about(channel, Stage.READING, "symbols", {}, self._limits.start_s)
        try:
            return Catalogue.of(answer.get("catalogue"))
        except ValueError as error:
            text = f"no catalogue of symbols: {error}"
            raise _Ended(Trouble(stage=Stage.READING, kind="unavailable", text=text)) from error

    async def _read(self, channel: Channel, catalogue: Catalogue) -> AccountSnapshot | None:
        """Read until prices have told the broker's clock, or long enough; None without one."""
        symbols = _symbols(self._wanted, catalogue)
        rates = catalogue.crosses([self.found.currency])
        asked = sorted({*symbols.found.values(), *rates, *catalogue.for_clock()})
        self.found = replace(self.found, symbols=symbols)
        known_s = self._link.server_offset_s
        watched = BrokerClock(offset_s=known_s)
        watch_s = WATCH_S if known_s is None else WATCH_KNOWN_S
        # Without a connection no fresh price will come.
        end = self._clock.now() + timedelta(seconds=watch_s if self.found.connected else 0)
        while True:
            asked_at = self._clock.now()
            since_s = deals_from_s(asked_at, asked_at, watched.offset_s)
            fields = {"deals_from_s": since_s, "symbols": asked}
            answer = await self._ask_about(channel, Stage.READING, "snapshot", fields)
            now = self._clock.now()
            tick_ms = newest_tick_ms(answer)
            if tick_ms is not None:
                watched = observe(
                    watched, Look(tick_ms=tick_ms, asked_at=asked_at, answered_at=now)
                )
            if _is_told(watched) or now >= end:
                break
            await self._rest(LOOK_INTERVAL_S)
        if watched.offset_s is None:
            self.found = replace(self.found, read_at=now)
            return None
        return self._understood({**answer, "server_offset_s": watched.offset_s}, watched, asked_at)

    def _understood(
        self, answer: Mapping[str, Any], watched: BrokerClock, asked_at: datetime
    ) -> AccountSnapshot:
        now = self._clock.now()
        try:
            snapshot = translate.snapshot(
                answer,
                account_id=0,
                login=self._link.login,
                server=self._link.server,
                began_at=asked_at,
                observed_at=now,
            )
        except BrokerUnavailable as error:
            raise _Ended(
                Trouble(stage=Stage.READING, kind="unavailable", text=str(error))
            ) from error
        self.found = replace(
            self.found,
            read_at=now,
            obstacles=snapshot.obstacles,
            offset_s=watched.offset_s,
            offset_is_fresh=_is_told(watched),
            rate=gbp_rate(self.found.currency, snapshot.ticks, snapshot.symbols, now),
        )
        return snapshot

    async def _try_closes(self, channel: Channel, snapshot: AccountSnapshot) -> None:
        """Ask the terminal whether each open position could be closed now. Sends nothing."""
        tried = []
        for position in sorted(snapshot.positions, key=lambda each: each.ticket)[:CLOSES_MAX]:
            result: Mapping[str, Any] = {}
            for filling in filling_modes(snapshot.symbols.get(position.symbol)):
                request = _close(self._link, position, snapshot, filling)
                answer = await self._ask_about(
                    channel, Stage.READING, "check", {"request": request}
                )
                result = answer["result"]
                if result["retcode"] != INVALID_FILL:
                    break
            tried.append(
                CloseTried(
                    ticket=position.ticket,
                    symbol=position.symbol,
                    volume=position.volume,
                    retcode=int(result["retcode"]),
                    comment=str(result["comment"]),
                )
            )
        self.found = replace(self.found, closes=tuple(tried))

    async def _ask(
        self,
        channel: Channel,
        stage: Stage,
        verb: str,
        fields: dict[str, Any] | None = None,
        within_s: float | None = None,
    ) -> Answer:
        """Ask, and give a good answer. Raises _Ended for any other."""
        within_s = within_s or self._limits.read_s
        message = question(verb, fields or {}, within_s, epoch=self._epoch, owner=self._owner)
        try:
            answer = await channel.ask(message, within_s)
            if answer["ok"]:
                return answer
            said = refusal_of(answer, self._link.login, self._link.server)
        except (NotAsked, Lost) as error:
            raise _Ended(Trouble(stage=stage, kind="lost", text=str(error))) from error
        kind = said.kind
        if said.elsewhere:
            stage, kind = Stage.LOGIN, WRONG_ACCOUNT
        elif stage is Stage.TERMINAL and said.code in LOGIN_CODES:
            stage = Stage.LOGIN
        raise _Ended(Trouble(stage=stage, kind=kind, text=said.text, code=said.code))

    async def _ask_about(
        self,
        channel: Channel,
        stage: Stage,
        verb: str,
        fields: dict[str, Any],
        within_s: float | None = None,
    ) -> Answer:
        """Ask about this account. Raises _Ended also where another one answers."""
        answer = await self._ask(channel, stage, verb, fields, within_s)
        try:
            check_account(answer, self._link.login, self._link.server)
        except Lost as error:
            raise _Ended(Trouble(stage=stage, kind="lost", text=str(error))) from error
        except WrongAccount as error:
            text = str(error)
            raise _Ended(Trouble(stage=Stage.LOGIN, kind=WRONG_ACCOUNT, text=text)) from error
        return answer


def _is_told(watched: BrokerClock) -> bool:
    """Whether a price has just agreed with what is known of the broker's clock."""
    row = watched.row
    return watched.offset_s is not None and row is not None and row.offset_s == watched.offset_s


def _symbols(wanted: Wanted, catalogue: Catalogue) -> Symbols:
    found: dict[str, str] = {}
    missing: list[str] = []
    unused: list[str] = []
    for asked in dict.fromkeys((*wanted.needed, *wanted.named)):
        name = catalogue.resolve(asked)
        if name is not None:
            found[asked] = name
        elif catalogue.lacks(asked):
            (missing if asked in wanted.needed else unused).append(asked)
    return Symbols(
        found=found,
        missing=tuple(missing),
        ambiguous={each: names for each in wanted.needed if (names := catalogue.several(each))},
        unused=tuple(unused),
    )


def _close(
    link: TerminalLink, position: Position, snapshot: AccountSnapshot, filling: int
) -> dict[str, Any]:
    tick = snapshot.ticks.get(position.symbol)
    price = position.price_current
    if tick is not None:
        price = tick.bid if position.side is Side.BUY else tick.ask
    return trade_request(
        CloseRequest(
            login=link.login,
            server=link.server,
            ticket=position.ticket,
            symbol=position.symbol,
            position_side=position.side,
            volume=close_volume(position.volume, snapshot.symbols.get(position.symbol)),
            price=price,
            deviation_points=0,
            filling=filling,
            comment="",
        )
    )
