"""One alert of every kind, with plausible figures, for tests that go through all of them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.domain import alerts as a
from core.domain import alerts_app as own
from core.domain import alerts_money as m
from core.domain.alert_parts import GroupItem, TicketResult, Unguarded
from tests.fakes.alerts_audit import heads_recorded
from tests.fakes.alerts_closing import watched
from tests.fakes.alerts_digest import day_of, digest
from tests.fakes.alerts_folded import foldeds
from tests.fakes.alerts_market import markets
from tests.fakes.alerts_money import moneys
from tests.fakes.alerts_over import overs
from tests.fakes.alerts_people import people_alerts
from tests.fakes.alerts_rules import rules
from tests.fakes.alerts_terminal import ACCOUNT, EARLIER, SOON, terminals
from tests.fakes.clock import START
from tests.fakes.questions import adoptions

GOLD: dict[str, Any] = {"symbol": "XAUUSD", "side": "buy", "volume": Decimal("0.10000000")}


def tickets(count: int) -> tuple[TicketResult, ...]:
    """So many closed tickets."""
    return tuple(
        TicketResult(
            ticket=900001 + n,
            symbol="XAUUSD",
            side="buy",
            volume=Decimal("0.10"),
            outcome="closed",
            price=Decimal("1949.80000000"),
            profit=Decimal("-12.00000000"),
            attempts=1 + n % 2,
        )
        for n in range(count)
    )


def every_alert() -> list[a.Alert]:
    """Every kind of the union at least once, with its variants."""
    return [
        *_trades(),
        *_divergences(),
        *terminals(),
        *adoptions(),
        *moneys(),
        *rules(),
        *_guard(),
        *_closing(),
        *_release(),
        *markets(),
        *_app(),
        *overs(),
        *foldeds(),
    ]


def breach(**changes: Any) -> a.GuardBreached:
    """The guard closes everything after a countdown."""
    facts: dict[str, Any] = {
        "job_id": 3,
        "rule": "drawdown",
        "drawdown_percent": Decimal("20.4412"),
        "limit_percent": Decimal(20),
        "equity": Decimal("7955.88"),
        "peak_equity": Decimal(10000),
        "minimum_equity": Decimal(100),
        "positions_count": 3,
        "orders_count": 1,
        "deadline_at": START + timedelta(seconds=10),
        "skip_reason": "",
        "at": START,
    }
    return a.GuardBreached(**ACCOUNT, **{**facts, **changes})


def confirmed(**changes: Any) -> a.CloseConfirmed:
    """Proved flat."""
    facts: dict[str, Any] = {
        "job_id": 3,
        "reason": "drawdown",
        "scope": "account",
        "results": tickets(3),
        "total_pnl": Decimal("-2044.12"),
        "equity": Decimal("7950.00"),
        "balance": Decimal("7950.00"),
        "triggered_at": START - timedelta(seconds=10),
        "equity_at_trigger": Decimal("7955.88"),
        "drawdown_percent": Decimal("20.4412"),
        "limit_percent": Decimal(20),
        "started_at": START,
        "flat_at": START + timedelta(seconds=4),
        "latched": True,
    }
    return a.CloseConfirmed(**ACCOUNT, **{**facts, **changes})


def offer(**changes: Any) -> a.SignalOffered:
    """A signal to follow or not."""
    facts: dict[str, Any] = {
        "approval_id": 11,
        "signal_id": 5,
        "stop_loss": Decimal(1950),
        "take_profit": Decimal(1990),
        "expires_at": SOON,
        "price_digits": 2,
    }
    return a.SignalOffered(**ACCOUNT, **GOLD, **{**facts, **changes})


def closed(**changes: Any) -> a.PositionClosed:
    """A position closed by its client."""
    facts: dict[str, Any] = {
        "position_id": 900001,
        "trade_id": 4,
        "signal_id": 5,
        "exit_price": Decimal("1951.24000000"),
        "pnl": Decimal("12.40000000"),
        "close_reason": "client_mobile",
        "closed_at": START,
    }
    return a.PositionClosed(**{**ACCOUNT, **GOLD, **facts, **changes})


def started(**changes: Any) -> own.AppStarted:
    """Reckoner runs again."""
    facts: dict[str, Any] = {
        "version": "0.1.0",
        "accounts": 4,
        "latched": 1,
        "unfinished_closes": 1,
        "open_warnings": 2,
        "last_read_at": None,
        "at": START,
    }
    return own.AppStarted(**{**facts, **changes})


def standing(**changes: Any) -> own.AppStanding:
    """The first look is done: one account has no terminal, one cannot be closed."""
    facts: dict[str, Any] = {
        "started": started(),
        "guarded": 2,
        "latched": 1,
        "unguarded": (
            Unguarded(50003, "no terminal is linked"),
            Unguarded(50004, "", ("autotrading_off",)),
        ),
        "at": START + timedelta(seconds=20),
    }
    return own.AppStanding(**{**facts, **changes})


def finding(kind: str, **changes: Any) -> a.DivergenceOpened:
    """A divergence of one kind."""
    facts: dict[str, Any] = {
        "episode_id": 31,
        "finding": kind,
        "subject": "900001",
        "expected": "1950.00",
        "observed": "1945.50",
        "at": START,
    }
    return a.DivergenceOpened(**ACCOUNT, **GOLD, **{**facts, **changes})


def items(pnl: Decimal | None = None, finding: str = "") -> tuple[GroupItem, ...]:
    """The first lines of a message about many."""
    return tuple(
        GroupItem(
            subject=str(900001 + n),
            symbol="XAUUSD",
            side="buy",
            volume=Decimal("0.10"),
            pnl=pnl,
            finding=finding,
        )
        for n in range(4)
    )


def _trades() -> list[a.Alert]:
    answered: dict[str, Any] = {"approval_id": 11, "signal_id": 5, "answered_at": START}
    return [
        offer(),
        offer(stop_loss=None, take_profit=None),
        a.OfferAnswered(
            **ACCOUNT,
            **GOLD,
            **answered,
            outcome="approved",
            expected_entry=Decimal("1950.12"),
            deadline_at=SOON,
        ),
        a.OfferAnswered(**ACCOUNT, **GOLD, **answered, outcome="rejected"),
        a.OfferAnswered(**ACCOUNT, **GOLD, **answered, outcome="expired"),
        a.TradeOpened(
            **ACCOUNT,
            **GOLD,
            trade_id=4,
            signal_id=5,
            position_id=900001,
            entry_price=Decimal("1950.35"),
            expected_entry=Decimal("1950.12"),
            slippage_pips=Decimal("2.3"),
            stop_loss=Decimal(1945),
            take_profit=None,
            opened_at=START,
        ),
        a.TradeNotPlaced(**ACCOUNT, **GOLD, trade_id=4, signal_id=5, reason="deadline", at=START),
        closed(),
        closed(close_reason="stop_out", pnl=Decimal("-812.5"), signal_id=None, partial=True),
        closed(close_reason="close_by"),
        closed(close_reason="netting_reversal"),
        closed(to_target_pips=Decimal("47.00")),
        closed(close_reason="stop_loss", note="gap_fill", slippage_pips=Decimal("60.00")),
        a.PositionsClosed(
            **ACCOUNT,
            close_reason="stop_loss",
            count=12,
            pnl=Decimal("-144.00"),
            items=items(pnl=Decimal("-12.00")),
            at=START,
        ),
    ]


def _divergences() -> list[a.Alert]:
    kinds = (
        "partial_fill",
        "volume_reduced",
        "sl_moved",
        "tp_removed",
        "direction_mismatch",
        "duplicate_execution",
        "missing_unexplained",
        "unknown_pending_order",
        "scaled_in",
        "sl_missing",
        "tp_missing",
        "netting_reversed",
        "symbol_mismatch",
        "late_execution",
    )
    return [
        finding("entry_slippage", slippage_pips=Decimal("7.25")),
        *(finding(kind) for kind in kinds),
        finding("unknown_position", expected="", observed="0.10", opened_by=1, changed=True),
        finding("sl_moved", expected="", observed="1950.00"),
        finding("sl_removed", observed="", lasting_since=EARLIER),
        finding("over_volume", observed="0.40", changed=True, worse=True),
        a.DivergencesOpened(
            **ACCOUNT, finding="unknown_position", count=4, items=items(), at=START
        ),
        a.DivergencesOpened(
            **ACCOUNT, finding="sl_moved", count=4, items=items(), changed=True, at=START
        ),
        a.DivergencesOpened(
            **ACCOUNT,
            finding="mixed",
            count=6,
            items=items(finding="sl_removed"),
            severity="critical",
            lasting_since=EARLIER,
            at=START,
        ),
        a.DivergenceResolved(
            **ACCOUNT,
            episode_id=31,
            finding="sl_moved",
            subject="900001",
            symbol="XAUUSD",
            side="buy",
            volume=Decimal("0.10"),
            expected="1950",
            observed="1940.5",
            slippage_pips=None,
            how="closed:stop_loss",
            opened_at=EARLIER,
            resolved_at=START,
        ),
    ]


def _guard() -> list[a.Alert]:
    return [
        a.DrawdownWarning(
            **ACCOUNT,
            drawdown_percent=Decimal("15.2"),
            warn_percent=Decimal(15),
            limit_percent=Decimal(20),
            equity=Decimal(8480),
            peak_equity=Decimal(10000),
            headroom=Decimal(480),
            at=START,
        ),
        a.DrawdownEased(
            **ACCOUNT,
            drawdown_percent=Decimal("14.9"),
            warn_percent=Decimal(15),
            equity=Decimal(8510),
            warned_at=EARLIER,
            at=START,
        ),
        breach(),
        breach(deadline_at=None, skip_reason="far_past_limit"),
        breach(rule="minimum_equity", equity=Decimal("95.5"), deadline_at=None),
        breach(positions_count=0, orders_count=0, deadline_at=None),
        breach(obstacles=("autotrading_off",)),
        m.CashFlowSeen(
            **ACCOUNT,
            amount=Decimal(-500),
            equity=Decimal(90),
            peak_before=Decimal(600),
            peak_after=Decimal(100),
            below_minimum=True,
            at=START,
        ),
        m.BalanceUnexplained(**ACCOUNT, amount=Decimal(-50), since=EARLIER, at=START),
        a.LimitsChanged(
            **ACCOUNT,
            max_drawdown_percent=Decimal("25.0"),
            warn_drawdown_percent=Decimal(20),
            min_equity_gbp=Decimal(100),
            pending=True,
            effective_at=START + timedelta(hours=24),
            at=START,
        ),
    ]


def _closing() -> list[a.Alert]:
    troubles = ("market_closed", "autotrading_off", "rejected", "unknown_outcome")
    return [
        confirmed(),
        confirmed(scope="XAUUSD", reason="market_gap", latched=False),
        confirmed(results_missing=True),
        confirmed(completed=True),
        *(
            a.CloseTrouble(
                **ACCOUNT,
                job_id=3,
                scope="account",
                trouble=trouble,
                detail="Market closed",
                open_positions=2,
                open_orders=0,
                next_try_at=SOON,
                at=START,
            )
            for trouble in (*troubles, "cannot_trade", "terminal_blocked")
        ),
        *watched(),
    ]


def _release() -> list[a.Alert]:
    return [
        a.ReleaseAsked(
            **ACCOUNT,
            equity=Decimal(7950),
            peak_equity=Decimal(10000),
            minimum_equity=Decimal(100),
            latch_reason="drawdown",
            latched_at=EARLIER,
            at=START,
        ),
        *(
            a.ReleaseAnswered(
                **ACCOUNT,
                state=state,
                by="" if state == "released" else "Olga",
                asked_at=EARLIER,
                equity=Decimal(7950),
                peak_equity=Decimal(7950),
                at=START,
            )
            for state in ("granted", "released", "refused")
        ),
    ]


def _app() -> list[a.Alert]:
    return [
        started(),
        started(last_read_at=EARLIER),
        standing(),
        standing(guarded=4, unguarded=()),
        own.AppStopping(accounts=4, open_positions=6, unfinished_closes=1, at=START),
        own.AppStopping(
            accounts=2, open_positions=0, unfinished_closes=0, at=START, never_read=(50003, 50004)
        ),
        own.PauseChanged(what="market", by="Ada", at=START, until=SOON, reason="broker at work"),
        own.PauseChanged(what="signals", by="Ada", at=START),
        own.PauseChanged(what="market", by="", at=START),
        own.SignalByProgram(
            signal_id=12,
            author="Ada",
            symbol="XAUUSD",
            side="buy",
            volume=Decimal("0.10"),
            offered=3,
            skipped=("50002 is locked and was not asked",),
            expires_at=SOON,
            at=START,
        ),
        a.ChatUnreachable(
            chat_id=900,
            person="Ann Smith",
            alert="GuardBreached",
            reason="Forbidden: bot was blocked by the user",
            at=START,
        ),
        own.ChatReachable(
            chat_id=900, person="Ann Smith", since=EARLIER, missed=3, at=START, here=True
        ),
        own.ChatReachable(chat_id=-1005, person="", since=EARLIER, missed=1, at=START),
        own.ChatMoved(old_id=-1001, new_id=-1_001_777, at=START),
        digest(),
        heads_recorded(),
        *people_alerts(),
        digest(day_of(), day_of(login=50002, currency="USD", trades=0, won=0, lost=0)),
    ]
