"""The words of an incident's page: codes of the audit and of orders, as people read them."""

from bot.i18n import later, t
from core.domain import audit_words as words

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
    words.ALERT_SENT: later("a message about it reached Telegram, or was given up"),
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
    "margin_level_percent": later("margin level percent"),
    "positions": later("positions"),
    "orders": later("orders"),
    "broker_at": later("broker at"),
    "received_at": later("received at"),
    "trusted": later("trusted"),
    "stale": later("stale"),
}
"""The figures of a reading, in the order of the page."""
LIMITS = {
    "max_drawdown_percent": later("max drawdown percent"),
    "warn_drawdown_percent": later("warn drawdown percent"),
    "minimum_equity": later("minimum equity"),
    "min_equity_gbp": later("min equity gbp"),
    "gbp_rate": later("gbp rate"),
    "gbp_rate_at": later("gbp rate at"),
    "countdown_s": later("countdown s"),
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
    "hold1h": later("hold1h"),
    "session": later("session"),
    "dismiss": later("dismiss"),
}


def plainly(table: dict[str, str], code: str) -> str:
    """The table's words for a code, or the code with its underscores as spaces. Not escaped yet."""
    return t(table[code]) if code in table else code.replace("_", " ")
