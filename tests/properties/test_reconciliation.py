"""Reconciliation of whole accounts (the numbers are `core.domain.reconciliation`'s invariants)."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from core.domain.broker import Deal, PendingOrder, Position, Side
from core.domain.episodes import CONFIRMED_AFTER, Opened, advance
from core.domain.reconciliation import Policy, Reconciliation, reconcile
from core.records import EpisodeRow, TradeRow
from tests.unit.domain.make import NOW, D, at, deal, pending, position, snapshot, trade

POLICY = Policy(
    slippage_pips_max=D(5), missing_observations_min=1, pip_by_symbol={"XAUUSD": D("0.10")}
)
BEYOND: dict[str, dict[str, Any]] = {
    "entry_slippage": {"price_open": D("1970.81")},
    "over_volume": {"volume": D("0.11")},
    "volume_reduced": {"volume": D("0.09")},
    "sl_moved": {"stop_loss": D("1950.01")},
    "sl_removed": {"stop_loss": None},
    "tp_moved": {"take_profit": D("1989.99")},
    "tp_removed": {"take_profit": None},
    "direction_mismatch": {"side": Side.SELL},
    "late_execution": {"opened_at": at(65.001)},
}
"""One step past each tolerance. The deadline is at 60 s, 5 s are allowed past it."""
WITHIN: list[dict[str, Any]] = [
    {},
    {"price_open": D("1970.80")},  # five pips
    {"price_open": D("1900.00")},  # better than expected
    {"profit": D(-900), "swap": D(-3), "price_current": D(1)},
    {"comment": "[sl 1950.00]", "magic": 0},  # written over by the server
    {"opened_at": at(65)},
]

CONFIRMED = max(CONFIRMED_AFTER.values())


class Account:
    """A drawn account: what it should hold, what it holds, and what must be said of it."""

    def __init__(self) -> None:
        self.trades: list[TradeRow] = []
        self.held: list[Position] = []
        self.orders: list[PendingOrder] = []
        self.deals: dict[int, list[Deal]] = {}
        self.named: list[tuple[str, str]] = []
        self.matched: set[int] = set()
        self.over: set[int] = set()

    def add(self, what: str, within: dict[str, Any]) -> None:
        """One more trade, or thing that is none, of this kind."""
        n = len(self.trades) + len(self.held) + len(self.orders) + 1
        identifier = 900000 + n
        tag = {"magic": 7000 + n, "comment": f"rk:{n}"}
        if what == "stranger":
            self.held.append(position(n, identifier=identifier, magic=5, comment="x"))
            self.named.append(("unknown_position", str(identifier)))
        elif what == "order":
            self.orders.append(pending(800000 + n))
            self.named.append(("unknown_pending_order", str(800000 + n)))
        elif what == "waiting":
            self.trades.append(trade(n, status="pending", position_id=None, observed_volume=None))
        elif what == "missing":
            self.trades.append(trade(n))
            self.named.append(("missing_unexplained", str(identifier)))
        elif what == "closed":
            self.trades.append(trade(n))
            self.deals[identifier] = [deal(n, position_id=identifier)]
            self.over.add(n)
        elif what == "split":
            halves = {"volume": D("0.05"), **tag}
            self.trades.append(trade(n, other_position_ids=[identifier + 500]))
            self.held.append(position(identifier, **halves))
            self.held.append(position(identifier + 500, **halves))
            self.matched.add(n)
        elif what == "twice":
            self.trades.append(trade(n))
            self.held.append(position(identifier, **tag))
            self.held.append(position(identifier + 500, **tag))
            self.named.append(("duplicate_execution", str(identifier + 500)))
            self.matched.add(n)
        else:
            self.trades.append(trade(n))
            changes = BEYOND.get(what, within)
            self.held.append(position(n, identifier=identifier, **{**tag, **changes}))
            if what in BEYOND:
                self.named.append((what, str(identifier)))
            self.matched.add(n)

    def read(self, before: Reconciliation | None = None) -> Reconciliation:
        """The opinion on it as it is now."""
        reading = snapshot(*self.held, *self.orders)
        return reconcile(tuple(self.trades), reading, self.deals, frozenset(), POLICY, before)

    def shuffle(self, random: Any) -> None:  # noqa: ANN401 - hypothesis' own
        """Let everything arrive in another order."""
        for each in (self.trades, self.held, self.orders, *self.deals.values()):
            random.shuffle(each)
        items = list(self.deals.items())
        random.shuffle(items)
        self.deals = dict(items)


OTHERS = ("stranger", "order", "waiting", "missing", "closed", "split", "twice", "sound")


@st.composite
def accounts(draw: st.DrawFn, among: tuple[str, ...] = (*BEYOND, *OTHERS)) -> Account:
    """Accounts of up to eight such things."""
    account = Account()
    for what in draw(st.lists(st.sampled_from(among), max_size=8)):
        account.add(what, draw(st.sampled_from(WITHIN)))
    return account


def said(opinion: Reconciliation) -> dict[str, Any]:
    """Everything an opinion says, in no order."""
    return {
        "findings": sorted(opinion.findings, key=lambda f: f.key),
        "matched": {m.trade.id: (m.position, m.slippage_pips) for m in opinion.matches},
        "gone": {g.trade.id: g.closure for g in opinion.gone},
        "missing": {(m.trade.id, m.position_id, m.count) for m in opinion.missing},
        "unknown": {p.identifier for p in opinion.unknown},
    }


@settings(max_examples=60)
@given(accounts(among=("sound", "split", "waiting", "closed")))
def test_a_book_agrees_with_itself(account: Account) -> None:
    """1."""
    opinion = account.read()
    assert (opinion.findings, opinion.unknown, opinion.missing) == ((), (), ())
    assert {m.trade.id for m in opinion.matches} == account.matched


@settings(max_examples=150)
@given(accounts())
def test_each_difference_beyond_tolerance_is_named_once_and_each_within_not_at_all(
    account: Account,
) -> None:
    """2, 3 and 5."""
    opinion = account.read()
    assert sorted((f.kind.value, f.subject) for f in opinion.findings) == sorted(account.named)
    assert {m.trade.id for m in opinion.matches} == account.matched
    assert {g.trade.id for g in opinion.gone} == account.over


@settings(max_examples=100)
@given(accounts(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_is_irrelevant(account: Account, random: Any) -> None:  # noqa: ANN401 - hypothesis' own
    """4."""
    first = said(account.read())
    for _ in range(2):
        account.shuffle(random)
        assert said(account.read()) == first


MOVES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "price": {"price_current": D("1969.00"), "profit": D("-13.00")},
    "stop": {"stop_loss": D("1949.50")},
    "lots": {"volume": D("0.02")},
    "entry": {"price_open": D("1999.00")},
    "turned": {"side": Side.SELL},
}


@settings(max_examples=150)
@given(
    accounts(),
    st.lists(st.sampled_from((*MOVES, "gone")), min_size=16, max_size=16),
    st.integers(0, 1),
)
def test_the_opinion_before_changes_nothing_but_the_work(
    account: Account, moves: list[str], orders_left: int
) -> None:
    """6: whatever moved between the two readings."""
    before = account.read()
    account.orders = account.orders[:orders_left]
    account.held = [
        replace(p, **MOVES[move])
        for p, move in zip(account.held, moves, strict=False)
        if move != "gone"
    ]
    again, fresh = account.read(before), account.read()
    assert again.findings == fresh.findings
    assert [(m.trade, m.slippage_pips, m.findings) for m in again.matches] == [
        (m.trade, m.slippage_pips, m.findings) for m in fresh.matches
    ]
    assert (again.gone, again.missing, again.unknown) == (fresh.gone, fresh.missing, fresh.unknown)


@settings(max_examples=60)
@given(accounts())
def test_the_same_reading_twice_opens_nothing_new(account: Account) -> None:
    """Law 4: `advance` is idempotent over what reconciliation finds."""
    opinion = account.read()
    waited = {f.key: NOW - CONFIRMED for f in opinion.findings}
    events = advance({}, opinion.findings, NOW, waited).events
    assert all(isinstance(event, Opened) for event in events)
    assert len(events) == len(account.named)
    known = {
        f.key: EpisodeRow(
            account_id=1,
            kind=f.kind.value,
            subject=f.subject,
            material=f.material,
            detail={},
            opened_at=NOW,
            changed_at=NOW,
        )
        for f in opinion.findings
    }
    assert advance(known, account.read(opinion).findings, NOW, waited).events == ()


@settings(max_examples=60)
@given(accounts(among=("sound", "split", *BEYOND, "stranger", "order")))
def test_an_unchanged_account_costs_no_second_thought(account: Account) -> None:
    """The very opinion comes back, equal values from a new translation included."""
    opinion = account.read()
    assert opinion.settled
    account.held = [replace(p, stop_loss=p.stop_loss and D(str(p.stop_loss))) for p in account.held]
    assert account.read(opinion) is opinion
