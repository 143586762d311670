"""What is remembered of quotes is bounded, and forgets what was seen longest ago."""

from msgspec.structs import replace

from core.domain.quotes import MarketPolicy
from core.services.market_watch import TRACKS_MAX, MarketWatch
from tests.fakes.memory_store import MemoryStore
from tests.unit.domain.make import D, snapshot, spec, tick

POLICY = MarketPolicy(
    gap_percent=D(5),
    spread_pips=D(2),
    spread_pips_by_symbol={},
    pip_by_symbol={},
    grace_s=120,
    hold_s=900,
)


def test_the_symbol_seen_longest_ago_is_forgotten_past_the_bound() -> None:
    watch = MarketWatch(MemoryStore(), POLICY)

    def look(name: str) -> None:
        quote = tick(name, "1.10000", "1.10010", 1)
        reading = snapshot(ticks={name: quote}, symbols={name: replace(spec(), name=name)})
        watch.look(reading)

    for number in range(TRACKS_MAX):
        look(f"S{number}")
    server = snapshot().state.server
    assert watch.track(server, "S0") is not None
    look("S0")  # seen again: S1 is the oldest now
    look("ONE MORE")
    assert watch.track(server, "S1") is None
    assert watch.seen(server, "S1") is None
    assert watch.track(server, "S0") is not None
    assert watch.track(server, "ONE MORE") is not None
