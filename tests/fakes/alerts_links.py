"""Accounts that clients link in the chat."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.domain import alerts_links as k
from core.domain.linking import Failure, LinkState
from tests.fakes.clock import START

ASKED: dict[str, Any] = {
    "request_id": 4,
    "login": 50005,
    "server": "Broker-Live",
    "client": "Sam <b>Smith</b>",
    "telegram_id": 999,
    "at": START + timedelta(minutes=4),
}


def link_asked(**changes: Any) -> k.LinkAsked:
    """Sam asks for an account."""
    return k.LinkAsked(**{**ASKED, **changes})


def link_answered(state: LinkState, **changes: Any) -> k.LinkAnswered:
    """What became of it, four minutes after it was asked."""
    facts: dict[str, Any] = {"state": state.value, "by": "Ada", "asked_at": START}
    return k.LinkAnswered(**{**ASKED, **facts, **changes})


def account_linked(**changes: Any) -> k.AccountLinked:
    """The broker has let it in."""
    facts: dict[str, Any] = {
        "account_id": 9,
        "currency": "GBP",
        "max_drawdown_percent": Decimal(20),
        "warn_drawdown_percent": Decimal(15),
        "min_equity_gbp": Decimal(100),
    }
    return k.AccountLinked(**{**ASKED, **facts, **changes})


def link_alerts() -> list[k.AnyLinkAlert]:
    """Each kind, in each of its forms."""
    ends = (LinkState.APPROVED, LinkState.REFUSED, LinkState.CANCELLED, LinkState.EXPIRED)
    news = (LinkState.APPROVED, LinkState.REFUSED, LinkState.EXPIRED)
    return [
        link_asked(),
        link_asked(known="Ben <i>", waiting=3),
        link_asked(waiting=3, rivals=("Ben <i>",)),
        *(link_answered(state) for state in ends),
        *(k.LinkNews(**ASKED, state=state.value) for state in news),
        k.LinkNews(**{**ASKED, "login": 0, "server": ""}, state=LinkState.EXPIRED.value),
        *(k.LinkEnded(**ASKED, failure=failure.value) for failure in Failure),
        account_linked(),
        k.LinkNews(**ASKED, state=LinkState.EXPIRED.value, renewal=True),
        *(k.LinkEnded(**ASKED, failure=failure.value, renewal=True) for failure in Failure),
        k.PasswordRenewed(**ASKED, renewal=True),
        *(
            k.RequestDamaged(request_id=4, client=name, telegram_id=number, at=START)
            for name, number in (("Sam <b>Smith</b>", 999), ("", 0))
        ),
        *(k.WordsLeft(telegram_id=999, in_group=group, at=START) for group in (False, True)),
    ]
