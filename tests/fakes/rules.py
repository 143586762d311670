"""An account of 100,000 dollars with rules, five hours before midnight in Prague."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.domain.broker import AccountSnapshot, Side
from core.domain.drawdown import Limits
from core.domain.headroom import RuleLine, always_rules, line
from core.domain.rule_board import RuleBoard, RuleEvent
from core.domain.rule_floor import RuleReading, Trusted, begin, rolled
from core.domain.rule_guard import judge
from core.domain.rules import HeldRule, Mode, RuleSet, RuleSpec
from core.rule_files import shipped
from tests.unit.domain.make import position, snapshot, spec, state

D = Decimal
NOW = datetime(2026, 3, 4, 17, 48, tzinfo=UTC)
"""5 h 12 min before midnight in Prague."""
DAILY, MAXIMUM = shipped()["two-step"].rules


def held() -> AccountSnapshot:
    """Gold for 96 % of the exposure and euros for 4 %."""
    return snapshot(
        positions=(
            position(1, volume=D("0.48"), price_current=D(2000), price_open=D(2010)),
            position(2, symbol="EURUSD", volume=D("0.04"), price_current=D(1), side=Side.SELL),
        ),
        symbols={
            "XAUUSD": spec(tick_size=D("0.01"), tick_value=D(1), digits=2),
            "EURUSD": spec(name="EURUSD", tick_size=D("0.00001"), tick_value=D(1), digits=5),
        },
        state=state(currency="USD"),
    )


def rule_line(
    rule: HeldRule, equity: str, balance: str = "100000", start: str = "100000", **more: Any
) -> RuleLine:
    """One rule that began at midnight and is read now."""
    midnight = NOW - timedelta(hours=18, minutes=48)
    before = RuleReading(at=midnight - timedelta(seconds=9), equity=D(start), balance=D(start))
    memory = begin(rule.spec, before, D(100_000))
    memory = rolled(rule.spec, memory, Trusted(before.at, D(start), D(start)), midnight)
    reading = RuleReading(at=NOW, equity=D(equity), balance=D(balance), **more)
    judged = judge(
        RuleSet(profile="x", initial=D(100_000), rules=(rule,)),
        {rule.spec.name: memory},
        Trusted(before.at, D(start), D(start)),
        reading,
    )
    kept = judged.memories[rule.spec.name]
    return line(rule, kept, reading, held(), given=True)


def rule_board(*lines: RuleLine, **changes: Any) -> RuleBoard:
    """A board of these rules."""
    facts: dict[str, Any] = {
        "account_id": 7,
        "login": 50001,
        "client": "Ann Smith",
        "currency": "USD",
        "currency_digits": 2,
        "countdown_s": 10,
        "locked_since": None,
        "profile": "two-step",
        "observed_at": NOW,
        "blind_since": None,
        "rules": lines,
        "waiting": (),
        "pending": None,
        "events": (),
    }
    return RuleBoard(**{**facts, **changes})


def enforced(spec: RuleSpec = DAILY) -> HeldRule:
    """The rule, acting."""
    return HeldRule(spec, Mode.ENFORCE)


def event(**changes: Any) -> RuleEvent:
    """It would have closed at 94,900 and missed 600 of recovery."""
    facts: dict[str, Any] = {
        "title": "Daily loss",
        "mode": "observe",
        "severity": "close_all",
        "equity": D(94900),
        "worst_equity": D(94100),
        "result": D(600),
        "opened_at": NOW - timedelta(hours=2),
        "resolved_at": NOW - timedelta(hours=1),
    }
    return RuleEvent(**{**facts, **changes})


def always(limits: Limits, equity: str) -> tuple[RuleLine, ...]:
    """The two rules that always enforce, with a peak of 100,000."""
    reading = RuleReading(at=NOW, equity=D(equity), balance=D(equity))
    return tuple(
        line(rule, memory, reading, held())
        for rule, memory in always_rules(limits, D(100_000), reading)
    )
