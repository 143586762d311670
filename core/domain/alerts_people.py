"""Who asks to be let in, and what became of it. The union in `core.domain.alerts` has them."""

from datetime import datetime

from core.domain.alert_parts import AccountAlert, AlertBase
from core.domain.alerts_links import AnyLinkAlert


class AccessAsked(AlertBase, frozen=True, kw_only=True):
    """Somebody unknown asks to be let in. `waiting` requests there are, this one included."""

    request_id: int
    telegram_id: int
    name: str
    username: str
    waiting: int
    at: datetime


class AccessAnswered(AlertBase, frozen=True, kw_only=True):
    """The request's end, in the place of the question, at the admins and at who asked."""

    request_id: int
    telegram_id: int
    name: str
    username: str
    approved: bool
    by: str
    asked_at: datetime
    at: datetime


class AccessDecided(AlertBase, frozen=True, kw_only=True):
    """The same as news to whoever asked: an edited message makes no sound.

    `links`: whether they may link an account in the chat.
    """

    request_id: int
    approved: bool
    at: datetime
    links: bool = False


class AccountGiven(AccountAlert, frozen=True, kw_only=True):
    """An account has another owner, who brought an invitation: `client`. `before` had it."""

    before: str
    at: datetime


class AccountTaken(AccountAlert, frozen=True, kw_only=True):
    """The same to whoever had the account before."""

    at: datetime


class StandingChanged(AlertBase, frozen=True, kw_only=True):
    """An admin has blocked somebody, or lifted their block."""

    telegram_id: int
    name: str
    blocked: bool
    by: str
    at: datetime


PeopleAlert = (
    AccessAsked
    | AccessAnswered
    | AccessDecided
    | AccountGiven
    | AccountTaken
    | StandingChanged
    | AnyLinkAlert
)
