"""Codes of the domain as words for people. An unknown code is shown as it is, never guessed at."""

from bot.i18n import later, t, tn
from bot.markup import esc
from core.domain.broker import DealReason

UNKNOWN_CHARS_MAX = 200

CLOSED_BY_YOU = {
    "client_mobile": later("on your phone"),
    "client_web": later("in the web terminal"),
    "client_desktop": later("in the desktop terminal"),
}
CLOSED_BY_CLIENT = {
    "client_mobile": later("on their phone"),
    "client_web": later("in the web terminal"),
    "client_desktop": later("in the desktop terminal"),
}
CLOSED_OTHERWISE = {
    "foreign_ea": later("Closed by another EA"),
    "stop_loss": later("Stop loss reached"),
    "take_profit": later("Take profit reached"),
    "stop_out": later("Broker's stop-out"),
    "reckoner": later("Closed by Reckoner"),
    "close_by": later("Closed by close-by"),
    "netting_reversal": later("Closed by netting"),
    "rollover": later("Closed by a rollover"),
    "other": later("Closed"),
}
CLOSED_ICONS = {"stop_loss": "🛑", "take_profit": "🎯", "stop_out": "🔴"}
OPENED_BY = {
    DealReason.CLIENT: later("by hand, in the desktop terminal"),
    DealReason.MOBILE: later("by hand, on a phone"),
    DealReason.WEB: later("by hand, in the web terminal"),
    DealReason.EXPERT: later("by an expert advisor"),
    DealReason.STOP_LOSS: later("by a stop loss"),
    DealReason.TAKE_PROFIT: later("by a take profit"),
    DealReason.STOP_OUT: later("by a stop-out"),
    DealReason.ROLLOVER: later("by a rollover"),
}
FINDINGS = {
    "entry_slippage": later("slipped entry"),
    "partial_fill": later("only partly filled"),
    "over_volume": later("more volume than approved"),
    "scaled_in": later("volume added"),
    "volume_reduced": later("volume reduced"),
    "sl_moved": later("stop loss moved"),
    "sl_removed": later("stop loss removed"),
    "sl_missing": later("no stop loss"),
    "tp_moved": later("take profit moved"),
    "tp_removed": later("take profit removed"),
    "tp_missing": later("no take profit"),
    "unknown_position": later("unknown position"),
    "unknown_pending_order": later("unknown pending order"),
    "missing_unexplained": later("position missing"),
    "direction_mismatch": later("opposite direction"),
    "netting_reversed": later("turned round"),
    "symbol_mismatch": later("another symbol"),
    "duplicate_execution": later("placed twice"),
    "late_execution": later("placed late"),
    "not_executed": later("not placed"),
    "balance_operation": later("money moved"),
    "pnl_mismatch": later("balance not explained"),
    "wrong_account": later("another account answered"),
    "stale_data": later("no fresh data"),
}
"""As they stand within a sentence; `begun` makes a headline of one."""
FINDINGS_NEW = {"sl_moved": later("stop loss set"), "tp_moved": later("take profit set")}
"""The same where there was nothing before."""
NEW_LEVELS = {"sl_moved": later("Stop loss"), "tp_moved": later("Take profit")}
"""Which level that is."""
FINDING_FIGURES = {
    "entry_slippage": "price",
    "partial_fill": "lots",
    "over_volume": "lots",
    "scaled_in": "lots",
    "volume_reduced": "lots",
    "sl_moved": "price",
    "sl_removed": "price",
    "sl_missing": "price",
    "tp_moved": "price",
    "tp_removed": "price",
    "tp_missing": "price",
    "direction_mismatch": "side",
    "netting_reversed": "side",
}
FINDING_NOTES = {
    "unknown_position": later(
        "Reckoner does not close it for that reason; the drawdown and market "
        "guards apply to it as to any other."
    ),
    "unknown_pending_order": later(
        "Reckoner does not remove it for that reason; where a guard closes, it is removed."
    ),
    "sl_removed": later("The position has no stop loss now."),
    "sl_missing": later("The position has no stop loss."),
    "missing_unexplained": later("Reckoner goes on looking for the deal that explains it."),
    "duplicate_execution": later("The same trade was placed more than once."),
}
REASONS = {
    "drawdown": later("drawdown limit"),
    "minimum_equity": later("minimum equity"),
    "latched": later("account is locked"),
    "market_gap": later("price gap"),
    "market_spread": later("wide spread"),
}
SKIPS = {
    "": "",
    "below_minimum": later("Equity is below the minimum, so there is no countdown."),
    "far_past_limit": later("The loss is far past the limit, so there is no countdown."),
    "near_stop_out": later("The broker's own stop-out is near, so there is no countdown."),
}
TROUBLES = {
    "market_closed": later("The market is closed."),
    "autotrading_off": later("Automated trading is switched off in the terminal."),
    "rejected": later("The broker refused the request."),
    "unknown_outcome": later(
        "The broker did not answer; Reckoner looks at the account before it tries again."
    ),
    "cannot_trade": later("The account may not trade."),
    "terminal_blocked": later(
        "Its terminal answered for another account, so nothing is sent to it."
    ),
}
GUARDS = {
    "unarmed": later("⚪ Guard not armed yet"),
    "clear": later("🟢 Guard watching"),
    "warned": later("🟠 Drawdown warning"),
    "countdown": later("🔴 Countdown to closing"),
    "closing": later("🔴 Closing now"),
    "latched": later("🔒 Locked"),
}
OUTCOMES = {
    "closed": later("closed"),
    "cancelled": later("cancelled"),
    "gone": later("already gone"),
    "open": later("being closed"),
}
NOT_PLACED = {
    "deadline": later("It was not placed in time."),
    "guard": later("The guard withdrew it before it was placed."),
}
ENDED = {
    "client_mobile": later("closed on the client's phone"),
    "client_web": later("closed in the web terminal"),
    "client_desktop": later("closed in the desktop terminal"),
    "foreign_ea": later("closed by an expert advisor"),
    "stop_loss": later("closed by its stop loss"),
    "take_profit": later("closed by its take profit"),
    "stop_out": later("closed by the broker's stop-out"),
    "reckoner": later("closed by Reckoner"),
    "netting_reversal": later("closed by an order the other way"),
    "close_by": later("closed against another position"),
    "rollover": later("closed by a rollover"),
    "other": later("closed"),
}
RESOLVED = {
    "as_expected": later("it is as expected again"),
    "otherwise": later("it differs in another way now"),
    "closed": later("the position is closed"),
    "gone": later("it is gone"),
    "cancelled": later("cancelled by Reckoner"),
    "adopted": later("a person said which trade it is"),
}
WARNING_STATES = {
    "open": later("waiting for an answer"),
    "held": later("on hold"),
    "dismissed": later("dismissed"),
    "closing": later("closing"),
    "resolved": later("over"),
}

OVERRIDES = {
    "close": later("Close now"),
    "hold": later("Hold"),
    "hold1h": later("Hold 1 h"),
    "session": later("Hold until day's end"),
    "dismiss": later("Dismiss"),
}
OVERRIDE_REASONS = {
    "news": later("news"),
    "bad_quote": later("bad quote"),
    "rollover": later("rollover"),
    "hedged": later("hedged elsewhere"),
    "agreed": later("agreed with the client"),
}


def reason(text: str) -> str:
    """An override's reason: a button's, or what an admin wrote."""
    known = OVERRIDE_REASONS.get(text)
    return t(known) if known else esc(text, UNKNOWN_CHARS_MAX)


def word(table: dict[str, str], key: str) -> str:
    """The table's words for a code; the code itself, made harmless, where the table has none."""
    return t(table[key]) if key in table else esc(key.replace("_", " "), UNKNOWN_CHARS_MAX)


def begun(text: str) -> str:
    """A text as a sentence or a headline begins with it."""
    return text[:1].upper() + text[1:]


def opened_by(reason: int, magic: int = 0) -> str:
    """Who opened a position, from MetaTrader's reason code, with the number a program gave it."""
    number = t(", a program with the number {magic}", magic=magic) if magic else ""
    how = OPENED_BY.get(reason)
    return (
        t(how) if how else t("in a way MetaTrader calls reason {reason}", reason=reason)
    ) + number


def ended(how: str, *, own: bool) -> str:
    """How a divergence ended; `closed:stop_loss` names the reason of the close.

    `own` where the reader is the client whose account it is.
    """
    code, _, reason = how.partition(":")
    if own and code == "closed" and reason in CLOSED_BY_YOU:
        return t("you closed it {where}", where=t(CLOSED_BY_YOU[reason]))
    return word(ENDED, reason) if reason and code == "closed" else word(RESOLVED, how)


def scope(closing: str) -> str:
    """What a close job closes: `everything`, or a symbol's name."""
    return t("everything") if closing == "account" else esc(closing, UNKNOWN_CHARS_MAX)


def holdings(positions: int, orders: int) -> str:
    """`3 positions and 1 pending order`, or `nothing`."""
    open_positions = tn("{n} position", "{n} positions", positions)
    pending = tn("{n} pending order", "{n} pending orders", orders)
    if positions and orders:
        return t("{positions} and {orders}", positions=open_positions, orders=pending)
    if positions:
        return open_positions
    return pending if orders else t("nothing")
