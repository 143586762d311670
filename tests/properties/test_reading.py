"""Reconciliation, episodes and signals (the numbers are the modules' invariants)."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json
from msgspec.structs import replace

from core.domain.broker import Position
from core.domain.episodes import (
    TOLD_EVER_MAX,
    Changed,
    Event,
    Lasting,
    Opened,
    Resolved,
    advance,
    detail_after,
)
from core.domain.findings import Finding, Kind
from core.domain.reconciliation import Policy, reconcile
from core.domain.signals import BadSignal, check_levels, parse_signal
from core.records import EpisodeRow, TradeRow
from tests.unit.domain.make import NOW, D, position, snapshot, trade

POLICY = Policy(
    slippage_pips_max=D(5), missing_observations_min=1, pip_by_symbol={"XAUUSD": D("0.10")}
)
BREAKS: dict[str, dict[str, Any]] = {
    "entry_slippage": {"price_open": D("1970.81")},
    "over_volume": {"volume": D("0.11")},
    "volume_reduced": {"volume": D("0.09")},
    "sl_moved": {"stop_loss": D("1950.01")},
    "sl_removed": {"stop_loss": None},
    "tp_moved": {"take_profit": D("1989.99")},
    "tp_removed": {"take_profit": None},
}
WITHIN: list[dict[str, Any]] = [
    {},
    {"price_open": D("1970.80")},  # five pips
    {"price_open": D("1900.00")},  # better than expected
    {"ticket": 5},  # the identifier counts
    {"profit": D(-900), "swap": D(-3), "price_current": D(1)},
    {"comment": "[sl 1950.00]", "magic": 0},
]


def kinds(trades: list[TradeRow], held: list[Position]) -> list[tuple[str, str]]:
    """Every difference, in no order."""
    found = reconcile(trades, snapshot(*held), {}, frozenset(), POLICY).findings
    return sorted((f.kind.value, f.subject) for f in found)


@settings(max_examples=60)
@given(
    st.lists(st.sampled_from([*BREAKS, None]), min_size=1, max_size=6),
    st.lists(st.sampled_from(WITHIN), min_size=6, max_size=6),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_each_difference_is_named_once_and_what_is_within_not_at_all_in_any_order(
    broken: list[str | None],
    harmless: list[dict[str, Any]],
    stranger: bool,  # noqa: FBT001 - hypothesis gives it
    random: Any,  # noqa: ANN401 - hypothesis' own
) -> None:
    """2 and 4."""
    trades, held, expected = [], [], []
    for n, kind in enumerate(broken, 1):
        trades.append(trade(n))
        tag: dict[str, Any] = {"magic": 7000 + n, "comment": f"rk:{n}", "ticket": 900000 + n}
        changes = harmless[n - 1] if kind is None else BREAKS[kind]
        facts = {**tag, "identifier": 900000 + n, **changes}
        if facts["ticket"] == 5:
            facts["ticket"] = n
        held.append(position(**facts))
        if kind is not None:
            expected.append((kind, str(900000 + n)))
    if stranger:
        held.append(position(77, magic=5, comment="x"))
        expected.append(("unknown_position", "77"))
    for _ in range(2):
        assert kinds(trades, held) == sorted(expected)
        random.shuffle(trades)
        random.shuffle(held)


FINDINGS = st.lists(
    st.builds(
        Finding,
        kind=st.sampled_from((Kind.SL_MOVED, Kind.PARTIAL_FILL, Kind.OVER_VOLUME)),
        subject=st.sampled_from(("1", "2", "3")),
        trade_id=st.none(),
        signal_id=st.none(),
        approval_id=st.none(),
        symbol=st.just("XAUUSD"),
        side=st.sampled_from(("buy", "sell")),
        volume=st.sampled_from((D(1), D(2), D(5))),
        expected=st.just(""),
        observed=st.just(""),
        material=st.sampled_from(("a", "b")),
        slippage_pips=st.none(),
        magic=st.just(0),
        opened_by=st.just(0),
        price=st.none(),
    ),
    max_size=5,
    unique_by=lambda f: f.key,
)


class Kept:
    """What is kept of an account's episodes, and how often each was told."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], EpisodeRow] = {}
        self.observed: Mapping[tuple[str, str], datetime] = {}
        self.told: Counter[tuple[str, str]] = Counter()

    def take(self, findings: list[Finding], now: datetime) -> tuple[Event, ...]:
        """A reading, applied as the engine records it."""
        step = advance(self.rows, findings, now, self.observed)
        self.observed = step.observed
        for event in step.events:
            match event:
                case Opened(finding):
                    assert finding.key not in self.rows
                    self.rows[finding.key] = row(finding, now)
                case Changed(episode, finding):
                    assert episode.material != finding.material
                    self.rows[finding.key] = replace(
                        episode,
                        material=finding.material,
                        detail=detail_after(event),
                        changed_at=now,
                    )
                case Lasting(episode, finding):
                    self.rows[finding.key] = replace(episode, detail=detail_after(event))
                case Resolved(episode):
                    del self.rows[episode.kind, episode.subject]
            if not isinstance(event, Resolved):
                self.told[event.finding.key] += not isinstance(event, Changed) or event.told
        return step.events

    def restart(self) -> None:
        """Only what is in the rows is kept, as the database keeps it."""
        self.observed = {}
        for key, one in self.rows.items():
            self.rows[key] = replace(one, detail=json.decode(json.encode(one.detail)))


def row(finding: Finding, now: datetime) -> EpisodeRow:
    """The open episode of a finding."""
    return EpisodeRow(
        account_id=1,
        kind=finding.kind.value,
        subject=finding.subject,
        material=finding.material,
        detail=msgspec.to_builtins(finding),
        opened_at=now,
        changed_at=now,
    )


READINGS = st.lists(
    st.tuples(FINDINGS, st.sampled_from((0, 1, 4, 59, 61, 901, 14_400))), max_size=6
)


@given(READINGS)
def test_episodes_1_and_2_the_same_moment_twice_says_nothing_and_every_difference_is_kept(
    readings: list[tuple[list[Finding], int]],
) -> None:
    """After a wait long enough to confirm and to tell, what is kept is what is found."""
    kept, now = Kept(), NOW
    for findings, seconds in readings:
        now += timedelta(seconds=seconds)
        kept.take(findings, now)
        assert kept.take([*findings, *findings], now) == ()
        now += timedelta(hours=1)
        kept.take(findings, now)
        assert {k: e.material for k, e in kept.rows.items()} == {
            f.key: f.material for f in findings
        }


@given(FINDINGS, st.randoms(use_true_random=False))
def test_the_order_of_the_findings_is_irrelevant(findings: list[Finding], dice: Random) -> None:
    shuffled = dice.sample(findings, len(findings))
    one, other = Kept(), Kept()
    for seconds in (0, 4, 901):
        now = NOW + timedelta(seconds=seconds)
        assert set(map(repr, one.take(findings, now))) == set(map(repr, other.take(shuffled, now)))


@given(FINDINGS, st.lists(st.integers(0, 100_000), min_size=1, max_size=40))
def test_an_unchanged_difference_is_told_a_bounded_number_of_times(
    findings: list[Finding], waits: list[int]
) -> None:
    """Once, and again at the ages that its severity has: three at most, whatever the readings."""
    kept, now = Kept(), NOW
    for seconds in waits:
        now += timedelta(seconds=seconds)
        kept.take(findings, now)
    assert all(count <= 1 + 3 for count in kept.told.values())


@settings(max_examples=50)
@given(FINDINGS, FINDINGS, st.sampled_from((1, 60, 3600)))
def test_an_episode_that_flutters_for_ever_is_told_a_bounded_number_of_times(
    one: list[Finding], other: list[Finding], seconds: int
) -> None:
    """Two hundred times each of two readings of the same differences, whatever their figures."""
    kept, now = Kept(), NOW
    begun = {f.key for f in one} & {f.key for f in other}
    for n in range(400):
        now += timedelta(seconds=seconds)
        kept.take([f for f in (one, other)[n % 2] if f.key in begun], now)
    assert all(count < TOLD_EVER_MAX for count in kept.told.values())


@given(READINGS, st.lists(st.booleans(), min_size=6, max_size=6))
def test_episodes_6_a_restart_in_between_changes_nothing(
    readings: list[tuple[list[Finding], int]], restarts: list[bool]
) -> None:
    """What waited to be confirmed is confirmed by the time that each restart comes."""
    kept, restarted, now = Kept(), Kept(), NOW
    for (findings, seconds), restart in zip(readings, restarts, strict=False):
        for wait in (seconds, 3):
            now += timedelta(seconds=wait)
            said, again = kept.take(findings, now), restarted.take(findings, now)
            assert json.encode(said) == json.encode(again)
        if restart:
            restarted.restart()
            assert restarted.take(findings, now) == ()
        assert json.encode([*kept.rows.values()]) == json.encode([*restarted.rows.values()])


WORDS = st.sampled_from(
    ("XAUUSD", "buy", "SELL", "0.10", "sl", "tp", "1950", "0", "-1", "nan", "inf", "sNaN", "1e999",
     "1e-9", "1e12", "1_0", "٣", "0x10", "Infinity", "1e9999999999999999999")
)  # fmt: skip


@given(st.lists(WORDS | st.text(max_size=12), max_size=9).map(" ".join))
def test_any_text_is_a_signal_or_a_bad_one(text: str) -> None:
    with suppress(BadSignal):
        draft = parse_signal(text)
        for figure in (draft.volume, draft.stop_loss, draft.take_profit):
            assert figure is None or 0 < figure < Decimal(10) ** 12
            assert figure is None or figure == figure.quantize(D("0.00000001"))
        assert check_levels(draft, D(1000)) in {None, "sl", "tp"}
