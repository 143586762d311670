"""An account that its client links in the private chat. `core.domain.alerts_people` has them."""

from datetime import datetime
from decimal import Decimal

from core.domain.alert_parts import AlertBase


class LinkAlert(AlertBase, frozen=True, kw_only=True):
    """What every one of them names: the request, the account as it was given, and whose it is.

    `renewal`: the account is guarded already, and gets its new password.
    """

    request_id: int
    login: int
    server: str
    client: str
    telegram_id: int
    at: datetime
    renewal: bool = False


class LinkAsked(LinkAlert, frozen=True, kw_only=True):
    """A client asks for an account to be guarded; only admins read it.

    `known` says that the account cannot be linked so, because Reckoner has it already, and whose
    it is. `waiting` requests there are, this one included. `rivals` are the other clients whose
    request for the same account is open: one of them can have it at most.
    """

    known: str = ""
    waiting: int = 1
    rivals: tuple[str, ...] = ()


class LinkAnswered(LinkAlert, frozen=True, kw_only=True):
    """What became of the question, in its place, for the admins.

    `state` is a word of `core.domain.linking.LinkState`; `by` is empty where nobody decided it.
    """

    state: str
    by: str
    asked_at: datetime


class LinkNews(LinkAlert, frozen=True, kw_only=True):
    """The same as news to the client; who refuses is not named."""

    state: str


class LinkEnded(LinkAlert, frozen=True, kw_only=True):
    """The broker was asked, and did not let the account in; or was not reached. For both.

    `failure` is a word of `core.domain.linking.Failure`.
    """

    failure: str


class AccountLinked(LinkAlert, frozen=True, kw_only=True):
    """The account is guarded from now on, within these limits. For both."""

    account_id: int
    currency: str
    max_drawdown_percent: Decimal
    warn_drawdown_percent: Decimal
    min_equity_gbp: Decimal


class PasswordRenewed(LinkAlert, frozen=True, kw_only=True):
    """The broker takes the new password of an account, and the old one is forgotten. For both."""


class WordsLeft(AlertBase, frozen=True, kw_only=True):
    """A message that may show a password could not be removed; its writer has to do it.

    `in_group`: it was written where others read.
    """

    telegram_id: int
    in_group: bool
    at: datetime


class RequestDamaged(AlertBase, frozen=True, kw_only=True):
    """What was kept of a request cannot be read any more, so it has ended. For both.

    `client` is empty and `telegram_id` 0 where not even whose it was can be read.
    """

    request_id: int
    client: str
    telegram_id: int
    at: datetime


AnyLinkAlert = (
    LinkAsked
    | LinkAnswered
    | LinkNews
    | LinkEnded
    | AccountLinked
    | PasswordRenewed
    | WordsLeft
    | RequestDamaged
)
