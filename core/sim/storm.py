"""Faults by seed: a schedule drawn once, the same for the same seed, and over at a known instant.

A simulation test lets time pass and calls `blow` at each step; when the storm is over, nothing of
it is left in force, so that what the engine believes can be compared with the truth.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from core.sim.codes import LAST_ERROR_TEXT, RETCODE_TEXT
from core.sim.faults import FUNCTIONS, MOMENTS, VERBS, Fault, parse_fault
from core.sim.simulation import Simulation

GUSTS_MAX: Final = 10_000
TIMES_DRAWN_MAX: Final = 3
LASTS_SHARE: Final = 0.1
"""The longest a gust lasts, as a share of the storm."""
HOUR_S: Final = 3600
SLIPPAGE_POINTS: Final = 50
HIDES_MS_MAX: Final = 20_000
"""The longest a deal is hidden, or a closed position shown."""

Body = dict[str, Any]
Draw = Callable[[random.Random], Body]

PLAIN: Final = (
    "read_fails", "empty_read", "requote", "reject", "partial_fill", "invalid_fill",
    "market_closed", "autotrading_off", "timeout_not_executed", "timeout_after_execution",
    "link_drops", "investor", "trade_disabled", "expert_disabled", "tradeapi_disabled",
    "disconnected", "rollover_renumber",
)  # fmt: skip
"""Kinds that need no figure."""
LASTING: Final = frozenset(
    {"disconnected", "investor", "trade_disabled", "expert_disabled", "tradeapi_disabled",
     "autotrading_off", "trade_mode"}
)  # fmt: skip
"""Kinds that last for a time rather than for a number of uses."""
WAITING: Final = ("slow", "hang")
"""Kinds that take real time of whoever calls."""


def _plain(_draws: random.Random) -> Body:
    return {}


def _wait(draws: random.Random) -> Body:
    return {"ms": draws.randint(1, 2_000), **_call(draws, VERBS)}


def _call(draws: random.Random, verbs: Sequence[str]) -> Body:
    return {"verb": draws.choice(verbs), "when": draws.choice(MOMENTS)}


DRAWS: Final[dict[str, Draw]] = {
    **dict.fromkeys(PLAIN, _plain),
    **dict.fromkeys(WAITING, _wait),
    "drop_connection": lambda draws: _call(draws, VERBS),
    "call_fails": lambda draws: {
        "code": draws.choice(tuple(LAST_ERROR_TEXT)),
        **_call(draws, FUNCTIONS),
    },
    "retcode": lambda draws: {
        "code": draws.choice(tuple(RETCODE_TEXT)),
        "when": draws.choice(MOMENTS),
    },
    "wrong_login": lambda draws: (
        {"verb": draws.choice(FUNCTIONS)} if draws.random() < 0.5 else {}  # noqa: PLR2004 - half
    ),
    "slippage": lambda draws: {"points": draws.randint(-SLIPPAGE_POINTS, SLIPPAGE_POINTS)},
    "deal_delayed": lambda draws: {"ms": draws.randint(1, HIDES_MS_MAX)},
    "done_early": lambda draws: {"ms": draws.randint(1, HIDES_MS_MAX // 10)},
    "comment_overwritten": lambda draws: {"text": draws.choice(("", "broker", "x" * 29))},
    "clock_jump": lambda draws: {"of": "server", "s": draws.choice((-HOUR_S, HOUR_S))},
}
"""How each kind's figures are drawn. `trade_mode` needs the symbols and is drawn apart."""
KINDS_DRAWN: Final = (*(kind for kind in DRAWS if kind not in WAITING), "trade_mode")


class Gust(Struct, frozen=True, kw_only=True):
    """One fault of a storm: from when to when, true UTC milliseconds, and on which login."""

    from_ms: int
    to_ms: int
    login: int
    fault: Fault


class FaultStorm:
    """Draws `gusts` faults over `span_ms` milliseconds from an instant on. Print its seed."""

    def __init__(  # noqa: PLR0913 - a storm is named by all of them
        self,
        seed: int,
        logins: Sequence[int],
        *,
        from_ms: int,
        span_ms: int,
        gusts: int = 100,
        kinds: Sequence[str] = KINDS_DRAWN,
        symbols: Sequence[str] = ("XAUUSD",),
    ) -> None:
        if not 0 <= gusts <= GUSTS_MAX:
            raise ValueError(f"gusts: expected 0 to {GUSTS_MAX}")
        self.seed = seed
        self.over_ms = from_ms + span_ms
        """From here on nothing is in force."""
        self.settled_ms = self.over_ms + HIDES_MS_MAX
        """From here on nothing that was done meanwhile is hidden any more."""
        self._draws = random.Random(seed)  # noqa: S311 - a test's dice, not a secret
        self._symbols = symbols
        drawn = (self._gust(logins, from_ms, span_ms, kinds) for _ in range(gusts))
        self.schedule = sorted(drawn, key=lambda gust: gust.from_ms)
        self._next = 0
        self._blowing: list[tuple[Gust, Fault]] = []

    def _gust(
        self, logins: Sequence[int], from_ms: int, span_ms: int, kinds: Sequence[str]
    ) -> Gust:
        draws = self._draws
        kind = draws.choice(kinds)
        starts_ms = from_ms + draws.randrange(span_ms)
        ends_ms = starts_ms + draws.randint(1, max(1, int(span_ms * LASTS_SHARE)))
        body: Body = {"kind": kind}
        if kind == "trade_mode":
            body |= {"symbol": draws.choice(self._symbols), "mode": draws.randint(0, 3)}
        else:
            body |= DRAWS[kind](draws)
        if kind not in LASTING:
            body["times"] = draws.randint(1, TIMES_DRAWN_MAX)
        return Gust(
            from_ms=starts_ms,
            to_ms=min(ends_ms, from_ms + span_ms),
            login=draws.choice(logins),
            fault=parse_fault(body, starts_ms),
        )

    def blow(self, simulation: Simulation) -> list[Gust]:
        """End what is over and put in force what is due now; answers what began."""
        now_ms = simulation.now_ms()
        began = []
        while self._next < len(self.schedule) and self.schedule[self._next].from_ms <= now_ms:
            gust = self.schedule[self._next]
            self._next += 1
            # A copy: uses are counted in it, and the schedule stays as it was drawn.
            fault = replace(gust.fault)
            simulation.set_fault(gust.login, fault)
            self._blowing.append((gust, fault))
            began.append(gust)
        for gust, fault in self._blowing:
            if gust.to_ms <= now_ms and fault.kind == "clock_jump":
                simulation.set_fault(gust.login, replace(fault, s=-fault.s))
            elif gust.to_ms <= now_ms:
                simulation.end_fault(gust.login, fault)
        self._blowing = [one for one in self._blowing if one[0].to_ms > now_ms]
        return began
