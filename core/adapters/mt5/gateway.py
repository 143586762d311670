"""The terminal gateway over agents: one agent process beside each account's terminal.

Every call is bounded in time, and nothing is concluded from a call that failed but that it failed:
a read is unavailable, a send that may have left is unknown (laws 1 and 6).
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from core.adapters.mt5 import readings
from core.adapters.mt5.answers import Refused, read_failure, send_failure
from core.adapters.mt5.catalogue import Catalogue, currencies_of, names_held, newest_tick_ms
from core.adapters.mt5.channel import Answer, Lost, LostHow, NotAsked
from core.adapters.mt5.shared import Limits, OpenChannel, Shared, Spawn, Turns
from core.adapters.mt5.terminal import Terminal
from core.adapters.process import this_process
from core.adapters.terminal import translate
from core.adapters.terminal.requests import trade_request
from core.domain.broker import AccountSnapshot
from core.domain.broker_time import Look
from core.ports import (
    AnsweredElsewhere,
    BrokerUnavailable,
    CancelRequest,
    CheckResult,
    Clock,
    CloseRequest,
    Metrics,
    NotSent,
    OutcomeUnknown,
    SendResult,
    SnapshotRequest,
    TerminalDirectory,
    TerminalHealth,
    WrongAccount,
)

STARTS_AT_ONCE_MAX: Final = 8
"""Agents and terminals that start together; more would slow each other down."""


class Mt5Gateway:
    """Speaks for one owner: every call carries its epoch. Close it when done."""

    def __init__(  # noqa: PLR0913 - the composition root names each part of the gateway's world
        self,
        *,
        directory: TerminalDirectory,
        open_channel: OpenChannel,
        epoch: int,
        clock: Clock,
        metrics: Metrics,
        spawn: Spawn,
        limits: Limits,
        owner: str | None = None,
        starts_at_once_max: int = STARTS_AT_ONCE_MAX,
        chance: random.Random | None = None,
    ) -> None:
        """`open_channel` starts an agent; `spawn` lets work go on in the background."""
        self._clock = clock
        self._limits = limits
        self._terminals: dict[tuple[int, str], Terminal] = {}
        self._shared = Shared(
            directory=directory,
            open_channel=open_channel,
            epoch=epoch,
            owner=owner or this_process(),
            clock=clock,
            metrics=metrics,
            spawn=spawn,
            limits=limits,
            turns=Turns(starts_at_once_max),
            random=chance or random.Random(),  # noqa: S311 - spreads restarts, guards nothing
            offsets={},
        )

    async def close(self) -> None:
        """End all agents."""
        await asyncio.gather(*(terminal.close() for terminal in self._terminals.values()))

    def health(self, login: int, server: str) -> TerminalHealth | None:
        """How the account's terminal is; None where nobody has asked for it yet."""
        terminal = self._terminals.get((login, server))
        return None if terminal is None else terminal.health

    def _terminal(self, login: int, server: str) -> Terminal:
        key = (login, server)
        if key not in self._terminals:
            self._terminals[key] = Terminal(self._shared, login, server)
        return self._terminals[key]

    # --- reading --------------------------------------------------------------------------------

    async def snapshot(self, request: SnapshotRequest) -> AccountSnapshot:
        """Read the account whole. Raises BrokerUnavailable, WrongAccount, StaleEpoch."""
        terminal = self._terminal(request.login, request.server)
        await terminal.ready()
        try:
            async with terminal.turn(self._limits.read_s), terminal.judging(reading=True):
                return await self._snapshot(terminal, request)
        except Refused as refused:
            raise read_failure(refused.refusal) from refused
        except (Lost, NotAsked) as error:
            raise BrokerUnavailable(f"{error}") from error

    async def _snapshot(self, terminal: Terminal, request: SnapshotRequest) -> AccountSnapshot:
        symbols, found = await self._names(terminal, request.symbols)
        for_clock = symbols.for_clock()
        wanted = {*found.values(), *symbols.crosses(terminal.currencies)}
        read = await self._read(terminal, request, wanted | for_clock)
        terminal.currencies = currencies_of(read.answer, {*read.held, *found.values()})
        crosses = set(symbols.crosses(terminal.currencies))
        if not read.timed or not crosses <= wanted:
            # Once more: with the right deals, and with what converts a currency seen just now.
            wanted |= crosses
            read = await self._read(terminal, request, wanted | for_clock)
        snapshot = readings.snapshot(
            request,
            read,
            terminal.clock,
            aliases={asked: name for asked, name in found.items() if asked != name},
            without=frozenset(for_clock - wanted - read.held),
            rows=terminal.rows,
        )
        several = {asked: names for asked in request.symbols if (names := symbols.several(asked))}
        return replace(snapshot, ambiguous=several)

    async def _read(
        self, terminal: Terminal, request: SnapshotRequest, names: set[str]
    ) -> readings.Read:
        """Ask for the account, and learn the broker's clock from the answer.

        Raises as `Terminal.ask`, and BrokerUnavailable while the clock is not known.
        """
        offset_s = terminal.clock.offset_s
        began_at = self._clock.now()
        since_s = readings.deals_from_s(request.deals_since, began_at, offset_s)
        answer = await terminal.ask(
            "snapshot", {"deals_from_s": since_s, "symbols": sorted(names)}, self._limits.read_s
        )
        observed_at = self._clock.now()
        tick_ms = newest_tick_ms(answer)
        if tick_ms is not None:
            look = Look(tick_ms=tick_ms, asked_at=began_at, answered_at=observed_at)
            await terminal.look_at_clock(look)
        if terminal.clock.offset_s is None:
            raise terminal.clock_unknown()
        return readings.Read(
            answer=answer,
            began_at=began_at,
            observed_at=observed_at,
            timed=offset_s is not None,
            held=frozenset(names_held(answer)),
        )

    async def _names(
        self, terminal: Terminal, asked: Sequence[str]
    ) -> tuple[Catalogue, dict[str, str]]:
        """The broker's symbols, and its names of those asked for that it has."""
        symbols = await terminal.symbols(self._limits.read_s)
        if any(symbols.lacks(each) for each in asked):
            symbols = await terminal.symbols(self._limits.read_s, missing=True)
        return symbols, {each: name for each in asked if (name := symbols.resolve(each))}

    # --- sending --------------------------------------------------------------------------------

    async def send(self, request: CloseRequest | CancelRequest) -> SendResult:
        """Send one request, once. Raises NotSent, OutcomeUnknown, WrongAccount, StaleEpoch.

        Given up by its caller, it raises what that is (CancelledError): the intent that was
        committed before stays open and is settled by looking.
        """
        terminal = self._terminal(request.login, request.server)
        try:
            order = trade_request(request)
        except ValueError as error:
            raise NotSent(f"{error}") from error
        try:
            await terminal.ready()
            async with terminal.turn(self._limits.send_s), terminal.judging(reading=False):
                return await self._send(terminal, order)
        except _SentElsewhere as error:
            raise AnsweredElsewhere(f"{error}") from error
        except Lost as error:
            raise OutcomeUnknown(f"{error}") from error
        except WrongAccount:
            raise
        except (BrokerUnavailable, NotAsked) as error:
            raise NotSent(f"{error}") from error
        except Refused as refused:
            raise send_failure(refused.refusal) from refused

    async def check(self, request: CloseRequest) -> CheckResult:
        """Check a close, sending nothing. Raises BrokerUnavailable, WrongAccount, StaleEpoch."""
        terminal = self._terminal(request.login, request.server)
        order = trade_request(request)
        await terminal.ready()
        try:
            async with terminal.turn(self._limits.read_s), terminal.judging(reading=True):
                answer = await terminal.ask("check", {"request": order}, self._limits.read_s)
                return translate.check_result(answer.get("result") or {})
        except Refused as refused:
            raise read_failure(refused.refusal) from refused
        except (Lost, NotAsked) as error:
            raise BrokerUnavailable(f"{error}") from error

    async def _send(self, terminal: Terminal, order: dict[str, Any]) -> SendResult:
        try:
            answer = await terminal.ask("send", {"request": order}, self._limits.send_s)
        except WrongAccount as error:
            raise _SentElsewhere(f"sent, but {error}") from error
        return _result_of(answer)


class _SentElsewhere(WrongAccount):
    """A send was answered for another account: only reading can tell what it did."""


def _result_of(answer: Answer) -> SendResult:
    """The trade server's answer. Raises Lost where it cannot be read: the order may have left."""
    try:
        return translate.send_result(answer["result"])
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise Lost(
            LostHow.MALFORMED, f"malformed result: {type(error).__name__}: {error}"
        ) from error
