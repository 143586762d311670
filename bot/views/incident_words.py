"""The words of an incident's page: codes of the audit and of orders, as people read them."""

from bot.i18n import later, t
from bot.views.retcodes import sentence
from core.domain import audit_words as words
from core.records import AuditRow, CloseOrderRow
from core.services.hearing import BY_CHOICE, FOLDED, FOLDED_WITH, MUTED_BLOCKED

ACTIONS = {
    words.GUARD_WARNED: later("the guard warned"),
    words.GUARD_BREACHED: later("a limit was broken, confirmed by a second reading; locked"),
    words.CLOSE_STARTED: later("closing began"),
    words.CLOSE_INTENDED: later("a request was decided on, and written down before it was sent"),
    words.CLOSE_ANSWERED: later("the trade server answered"),
    words.CLOSE_CONFIRMED: later("flat, proved by two readings"),
    words.CLOSE_SUPERSEDED: later("taken over by the whole account's close"),
    words.LATCH_REAPPEARED: later("something was opened on the locked account"),
    words.RELEASE_ASKED: later("the client asked to be unlocked"),
    words.RELEASE_GRANTED: later("an admin granted it"),
    words.RELEASE_REFUSED: later("an admin refused it"),
    words.LATCH_RELEASED: later("unlocked"),
    words.TRADE_CANCELLED: later("an approved trade was withdrawn"),
    words.CASH_FLOW: later("money came in or went out"),
    words.MARKET_WARNED: later("the market guard warned, or the warning changed"),
    words.MARKET_ANSWERED: later("an admin answered"),
    words.MARKET_RESOLVED: later("the market warning was over"),
    words.TERMINAL_BLOCKED: later("the terminal answered for another account: blocked"),
    words.TERMINAL_CLEARED: later("an admin unblocked the terminal"),
}
READING = {
    "equity": later("equity"),
    "balance": later("balance"),
    "credit": later("credit"),
    "profit": later("profit"),
    "margin": later("margin"),
    "margin_level_percent": later("margin level"),
    "positions": later("positions"),
    "orders": later("orders"),
    "broker_at": later("newest price"),
    "received_at": later("read at"),
    "trusted": later("trusted"),
    "stale": later("stale"),
}
"""The figures of a reading, in the order of the page."""
LIMITS = {
    "max_drawdown_percent": later("drawdown limit"),
    "warn_drawdown_percent": later("warning level"),
    "minimum_equity": later("minimum equity"),
    "min_equity_gbp": later("minimum equity in GBP"),
    "gbp_rate": later("GBP rate"),
    "gbp_rate_at": later("GBP rate of"),
    "countdown_s": later("time to act"),
}
MOMENTS = {
    "warned": later("warned"),
    "decided": later("decided"),
    "flat": later("flat"),
    "unlocked": later("unlocked"),
}
JOB_STATES = {
    "countdown": later("countdown"),
    "closing": later("closing"),
    "flat": later("flat"),
    "superseded": later("superseded"),
}
ORDER_ACTIONS = {"close": later("close"), "cancel": later("cancel")}
ORDER_STATES = {
    "intended": later("intended"),
    "done": later("done"),
    "refused": later("refused"),
    "unknown": later("unknown"),
    "settled": later("settled"),
}
VERBS = {
    "close": later("close"),
    "hold": later("hold"),
    "hold1h": later("hold 1 h"),
    "session": later("hold until day's end"),
    "dismiss": later("dismiss"),
}


CLOSED_BY = {
    "client_desktop": later("the client, in the terminal"),
    "client_mobile": later("the client, on the phone"),
    "client_web": later("the client, in the browser"),
    "foreign_ea": later("an expert advisor"),
    "stop_loss": later("its stop loss"),
    "take_profit": later("its take profit"),
    "stop_out": later("the broker's stop-out"),
    "reckoner": "Reckoner",
    "close_by": later("close-by"),
    "rollover": later("a rollover"),
    "other": later("somebody unknown"),
}
TOLD = {
    "DrawdownWarning": later("the warning"),
    "GuardBreached": later("the breach"),
    "CloseConfirmed": later("the result"),
    "CloseTrouble": later("what hinders the close"),
    "LatchedReappeared": later("what appeared on the locked account"),
    "ReleaseAsked": later("the request for release"),
    "ReleaseAnswered": later("the answer to it"),
    "MarketWarning": later("the market"),
    "LimitsChanged": later("changed limits"),
    "RuleBroken": later("the rule"),
    "GuardBlind": later("missing readings"),
}
"""What a message was about, by its kind."""
ENGINE = "engine"
"""The actor of what Reckoner itself decides."""
DONE_WORDS = "request executed"
"""What MetaTrader's servers say to a request that is done: its code says the same."""


def actor(link: AuditRow) -> str:
    """Who decided: a person's name, or Reckoner. Not escaped yet."""
    return "Reckoner" if link.actor == ENGINE else link.actor


def step(link: AuditRow) -> str:
    """What a link tells of. Not escaped yet."""
    if link.action != words.ALERT_SENT:
        return plainly(ACTIONS, link.action)
    about = plainly(TOLD, str(link.detail.get("kind", "")))
    error = link.detail.get("error")
    if not error:
        return t("a message about {about} reached Telegram", about=about)
    return t("a message about {about}: {fate}", about=about, fate=_fate(str(error)))


def _fate(error: str) -> str:
    """Why a message did not go out, by how its outbox row says so."""
    if error == MUTED_BLOCKED:
        return t("not sent, its reader is blocked")
    if error.startswith(BY_CHOICE):
        return t("not sent, its reader has switched it off")
    if error in {FOLDED, FOLDED_WITH}:
        return t("not sent, counted in a summary")
    return t("given up: {error}", error=error)


def answer(order: CloseOrderRow) -> tuple[str, str]:
    """What the server answered, and its own words where they say more. Not escaped yet."""
    theirs = order.error or ""
    if order.retcode is None:
        return "", theirs
    if theirs.strip().lower() == DONE_WORDS:
        theirs = ""
    return f"{order.retcode}: {sentence(order.retcode)}", theirs


def plainly(table: dict[str, str], code: str) -> str:
    """The table's words for a code, or the code with its underscores as spaces. Not escaped yet."""
    return t(table[code]) if code in table else code.replace("_", " ")
