"""What buttons carry: ids and verbs, in at most 64 bytes. The prefix ends in a version.

Data is never authority: every press is checked again against the database. A button whose data no
class here reads is from an older version, and is answered so.
"""

from enum import StrEnum
from typing import Annotated, Final

from aiogram.filters.callback_data import CallbackData
from pydantic import Field

from core.domain.history import HistoryFilter
from core.domain.pauses import Pausable
from core.domain.periods import Span

ID_MAX: Final = 2**63 - 1
"""What the database can hold, and Telegram's own ids with it: a forged larger one is no id."""
PAGE_MAX: Final = 1_000_000
Id = Annotated[int, Field(ge=0, le=ID_MAX)]
Page = Annotated[int, Field(ge=0, le=PAGE_MAX)]


class ApprovalVerb(StrEnum):
    """Answers to an offered signal."""

    APPROVE = "yes"
    REJECT = "no"


class WarningVerb(StrEnum):
    """Answers to a market warning, the words the service takes; `back` takes none of them."""

    CLOSE = "close"
    HOLD = "hold"
    HOLD_LONG = "hold1h"
    HOLD_SESSION = "session"
    DISMISS = "dismiss"
    BACK = "back"


class WarningReason(StrEnum):
    """Why an admin answers so: what a button can say."""

    NEWS = "news"
    BAD_QUOTE = "bad_quote"
    ROLLOVER = "rollover"
    HEDGED = "hedged"
    AGREED = "agreed"


class ReleaseVerb(StrEnum):
    """Answers to a client who asks for release."""

    GRANT = "grant"
    REFUSE = "refuse"


class BoardKind(StrEnum):
    """Boards that can be refreshed in place."""

    POSITIONS = "positions"
    DRAWDOWN = "drawdown"
    STATUS = "status"
    ACCOUNTS = "accounts"
    WARNINGS = "warnings"


class WizardVerb(StrEnum):
    """Steps of the signal form: one letter each, to leave room for long symbol names."""

    SYMBOL = "s"
    SIDE = "d"
    VOLUME = "v"
    POST = "p"
    CANCEL = "c"


class ApprovalPress(CallbackData, prefix="ap1"):
    """Approve or reject an offer."""

    approval_id: Id
    verb: ApprovalVerb


class WarningPress(CallbackData, prefix="mw1"):
    """Choose an answer to one version of a market warning; its reason is asked for next."""

    warning_id: Id
    version: Id
    verb: WarningVerb


class WarningCopyPress(WarningPress, prefix="mc1"):
    """The same from a copy of the warning, which only the press itself can redraw."""


class WarningReasonPress(CallbackData, prefix="mr1"):
    """The same with its reason: this is what answers."""

    warning_id: Id
    version: Id
    verb: WarningVerb
    reason: WarningReason


class WarningReasonCopyPress(WarningReasonPress, prefix="mq1"):
    """The same from a copy of the warning."""


class PauseLength(StrEnum):
    """How long a button pauses; `back` pauses nothing."""

    SHORT = "15m"
    HOUR = "1h"
    LONG = "4h"
    BACK = "back"


class PauseReason(StrEnum):
    """Why, as far as a button can say it."""

    BROKER = "broker"
    QUOTES = "quotes"
    NEWS = "news"
    HOLIDAY = "holiday"


class PausePress(CallbackData, prefix="pz1"):
    """Choose what to pause, and how long; its reason is asked for next."""

    what: Pausable
    length: PauseLength


class PauseReasonPress(CallbackData, prefix="pr1"):
    """The same with its reason: this is what pauses."""

    what: Pausable
    length: PauseLength
    reason: PauseReason


class ResumePress(CallbackData, prefix="ps2"):
    """End the pause that began then: another one since is not meant."""

    what: Pausable
    since_ms: Id


class ReleaseAskPress(CallbackData, prefix="ra1"):
    """Ask for an account's release."""

    account_id: Id


class ReleaseAnswerPress(CallbackData, prefix="rg1"):
    """Grant or refuse an account's release."""

    account_id: Id
    verb: ReleaseVerb


class UnblockPress(CallbackData, prefix="ub2"):
    """Clear an account's blocked terminal: of this block, and of no later one.

    `blocked_ms` is when the block began, UTC, milliseconds.
    """

    account_id: Id
    blocked_ms: Id


class AdoptVerb(StrEnum):
    """What a button under a question does: answer it, take the answer back, or show it (again)."""

    TRADE = "t"
    OWN = "o"
    NONE = "n"
    BACK = "b"
    SHOW = "s"


class AdoptPress(CallbackData, prefix="aq1"):
    """Answer one version of the question which trade a position is. `trade_id` is 0 for none."""

    question_id: Id
    version: Id
    verb: AdoptVerb
    trade_id: Id = 0


class RefreshPress(CallbackData, prefix="rf1"):
    """Show a board anew in its place."""

    board: BoardKind


class ChartPress(CallbackData, prefix="dc1"):
    """Draw one account's drawdown chart."""

    account_id: Id


class ExposurePress(CallbackData, prefix="ex1"):
    """Draw one account's exposure by symbol."""

    account_id: Id


class HistoryVerb(StrEnum):
    """What a button under a history does: show a page, or offer the symbols or accounts."""

    SHOW = "p"
    SYMBOLS = "s"
    ACCOUNTS = "n"


class HistoryPress(CallbackData, prefix="hs1"):
    """A page of an account's history, bound to who asked (a Telegram id).

    `symbol_id` is a deal whose symbol is meant, 0 for all. `as_of` is the unix second that the
    pages are of, 0 for now.
    """

    verb: HistoryVerb
    asker: Id
    account_id: Id
    kind: HistoryFilter
    symbol_id: Id = 0
    page: Page = 0
    as_of: Id = 0


class ReportPress(CallbackData, prefix="rp1"):
    """A report on an account, bound to who asked. `day` is the proleptic ordinal of a date."""

    span: Span
    asker: Id
    account_id: Id
    day: Id


class WizardPress(CallbackData, prefix="sw1", sep="|"):
    """A step of the signal form: everything chosen so far, bound to who asked (a Telegram id).

    The choice travels in the button, so that the form outlives a restart. What it says is checked
    like typed text before it is posted.
    """

    verb: WizardVerb
    asker: Id
    symbol: str = ""
    side: str = ""
    volume: str = ""


class AccessAskPress(CallbackData, prefix="ak1"):
    """Ask to be let in. `asker` is the Telegram id that was shown the button."""

    asker: Id


class AccessVerb(StrEnum):
    """Answers to somebody who asks to be let in."""

    APPROVE = "yes"
    BLOCK = "block"


class UsersVerb(StrEnum):
    """What a button under /users does."""

    LIST = "l"
    CARD = "c"
    APPROVE = "a"
    BLOCK = "b"
    UNBLOCK = "u"


class UsersPress(CallbackData, prefix="us1"):
    """A page of the people, one of them, or a change of one; bound to who asked (a Telegram id)."""

    verb: UsersVerb
    asker: Id
    page: Page
    user_id: Id = 0


class ConfirmPress(CallbackData, prefix="cf1"):
    """Do what was previewed, or leave it; bound to who asked. `page` is that of its list."""

    asker: Id
    confirmation_id: Id
    yes: bool
    page: Page


class AccessAnswerPress(CallbackData, prefix="aa1"):
    """Let somebody in as a client, or block them."""

    request_id: Id
    verb: AccessVerb


class TokenPress(CallbackData, prefix="tk1"):
    """End a token of the HTTP API. `asker` is the Telegram id that asked for the list."""

    asker: Id
    token_id: Id


class AlarmPress(CallbackData, prefix="al1"):
    """Say that one has an alarm."""

    alarm_id: Id


class LinkVerb(StrEnum):
    """What a button of the conversation that links an account does."""

    SERVER = "s"
    CANCEL = "c"


class LinkPress(CallbackData, prefix="lk1"):
    """Choose a server by its number in the list, or end the conversation; for nobody else."""

    request_id: Id
    verb: LinkVerb
    number: Id = 0


class RenewPress(CallbackData, prefix="rn1"):
    """Give the new password of an account whose broker refuses the one that is kept."""

    account_id: Id


class LinkAnswerPress(CallbackData, prefix="la1"):
    """An admin's answer to a client who asks for an account to be guarded."""

    request_id: Id
    approve: bool


class SettingsVerb(StrEnum):
    """What a button of the settings does: set something, or show the page to choose it from."""

    LEVEL = "l"
    QUIET = "q"
    ZONE = "z"
    ZONES = "zs"
    LANGUAGE = "g"
    LANGUAGES = "gs"
    SHOW = "s"


class SettingsPress(CallbackData, prefix="se1", sep="|"):
    """Change one of the asker's own settings, of the version that was shown.

    `value` is what would be written in the command: `market silent`, `22:00-07:00`, `off`, a zone,
    a language.
    """

    asker: Id
    version: Id
    verb: SettingsVerb
    value: str = ""
