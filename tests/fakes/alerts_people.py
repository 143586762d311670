"""People who ask to be let in."""

from datetime import timedelta
from typing import Any

from core.domain import alerts_people as p
from tests.fakes.alerts_links import link_alerts
from tests.fakes.clock import START

ACCOUNT: dict[str, Any] = {
    "account_id": 7,
    "login": 50001,
    "client": "Sam <b>Smith</b>",
    "currency": "GBP",
}


def access_asked(**changes: Any) -> p.AccessAsked:
    """Sam asks, whom nobody knows."""
    facts: dict[str, Any] = {
        "request_id": 3,
        "telegram_id": 999,
        "name": "Sam <b>Smith</b>",
        "username": "sam_nobody",
        "waiting": 1,
        "at": START,
    }
    return p.AccessAsked(**{**facts, **changes})


def access_answered(**changes: Any) -> p.AccessAnswered:
    """Ada lets Sam in four minutes later."""
    facts: dict[str, Any] = {
        "request_id": 3,
        "telegram_id": 999,
        "name": "Sam <b>Smith</b>",
        "username": "sam_nobody",
        "approved": True,
        "by": "Ada",
        "asked_at": START,
        "at": START + timedelta(minutes=4),
    }
    return p.AccessAnswered(**{**facts, **changes})


def people_alerts() -> list[p.PeopleAlert]:
    """Each kind, in each of its forms."""
    return [
        access_asked(),
        access_asked(username="", waiting=4),
        access_answered(),
        access_answered(approved=False),
        p.AccessDecided(request_id=3, approved=True, at=START),
        p.AccessDecided(request_id=3, approved=True, links=True, at=START),
        p.AccessDecided(request_id=3, approved=False, at=START),
        p.AccountGiven(**ACCOUNT, before="Ada", at=START),
        p.AccountTaken(**ACCOUNT, at=START),
        *(
            p.StandingChanged(
                telegram_id=999, name="Sam <b>Smith</b>", blocked=blocked, by="Ada", at=START
            )
            for blocked in (True, False)
        ),
        *link_alerts(),
    ]
