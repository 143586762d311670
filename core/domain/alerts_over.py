"""The line that says that something told aloud is over.

It belongs to the union in `core.domain.alerts`.
"""

from datetime import datetime

from msgspec import Struct

from core.domain.alert_parts import AlertBase


class Ending(Struct, frozen=True, kw_only=True):
    """One thing that is over, as its line names it.

    `kind` is a word of `core.domain.endings.What`; `about` says which: a finding's word, a rule's
    title, a kind of market warning or of alarm, a person's name. `login` is 0 where it is about no
    account. `subject` tells it from others of the same name: a difference's position or order, a
    rule's id, a chat's number, a market's server. `since` is when it began, None where only its
    message's own instant is known.
    """

    kind: str
    about: str = ""
    symbol: str = ""
    login: int = 0
    since: datetime | None
    until: datetime
    subject: str = ""


class AlertsOver(AlertBase, frozen=True, kw_only=True):
    """Things told aloud in this chat that are over: an edited message makes no push."""

    endings: tuple[Ending, ...]
