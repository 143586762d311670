"""Codes of the domain as words for people. An unknown code is shown as it is, never guessed at."""

from bot.markup import esc
from core.domain.broker import DealReason

UNKNOWN_CHARS_MAX = 200

CLOSED_BY_YOU = {
    "client_mobile": "on your phone",
    "client_web": "in the web terminal",
    "client_desktop": "in the desktop terminal",
}
CLOSED_BY_CLIENT = {
    "client_mobile": "on their phone",
    "client_web": "in the web terminal",
    "client_desktop": "in the desktop terminal",
}
CLOSED_OTHERWISE = {
    "foreign_ea": "Closed by another EA",
    "stop_loss": "Stop loss reached",
    "take_profit": "Take profit reached",
    "stop_out": "Broker's stop-out",
    "reckoner": "Closed by Reckoner",
    "close_by": "Closed by close-by",
    "netting_reversal": "Closed by netting",
    "rollover": "Closed by a rollover",
    "other": "Closed",
}
CLOSED_ICONS = {"stop_loss": "🛑", "take_profit": "🎯", "stop_out": "🔴"}
OPENED_BY = {
    DealReason.CLIENT: "by hand, in the desktop terminal",
    DealReason.MOBILE: "by hand, on a phone",
    DealReason.WEB: "by hand, in the web terminal",
    DealReason.EXPERT: "by an expert advisor",
    DealReason.STOP_LOSS: "by a stop loss",
    DealReason.TAKE_PROFIT: "by a take profit",
    DealReason.STOP_OUT: "by a stop-out",
    DealReason.ROLLOVER: "by a rollover",
}
FINDINGS = {
    "entry_slippage": "Slipped entry",
    "partial_fill": "Only partly filled",
    "over_volume": "More volume than approved",
    "scaled_in": "Volume added",
    "volume_reduced": "Volume reduced",
    "sl_moved": "Stop loss moved",
    "sl_removed": "Stop loss removed",
    "sl_missing": "No stop loss",
    "tp_moved": "Take profit moved",
    "tp_removed": "Take profit removed",
    "tp_missing": "No take profit",
    "unknown_position": "Unknown position",
    "unknown_pending_order": "Unknown pending order",
    "missing_unexplained": "Position missing",
    "direction_mismatch": "Opposite direction",
    "netting_reversed": "Turned round",
    "symbol_mismatch": "Another symbol",
    "duplicate_execution": "Placed twice",
    "late_execution": "Placed late",
    "not_executed": "Not placed",
    "balance_operation": "Money moved",
    "pnl_mismatch": "Balance not explained",
    "wrong_account": "Another account answered",
    "stale_data": "No fresh data",
}
FINDINGS_NEW = {"sl_moved": "Stop loss set", "tp_moved": "Take profit set"}
"""The same where there was nothing before."""
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
    "unknown_position": "Reckoner does not close it for that reason; the drawdown and market "
    "guards apply to it as to any other.",
    "unknown_pending_order": "Reckoner does not remove it for that reason; where a guard closes, "
    "it is removed.",
    "sl_removed": "The position has no stop loss now.",
    "sl_missing": "The position has no stop loss.",
    "missing_unexplained": "Reckoner goes on looking for the deal that explains it.",
    "duplicate_execution": "The same trade was placed more than once.",
}
REASONS = {
    "drawdown": "drawdown limit",
    "minimum_equity": "minimum equity",
    "latched": "account is locked",
    "market_gap": "price gap",
    "market_spread": "wide spread",
}
SKIPS = {
    "": "",
    "below_minimum": "Equity is below the minimum, so there is no countdown.",
    "far_past_limit": "The loss is far past the limit, so there is no countdown.",
    "near_stop_out": "The broker's own stop-out is near, so there is no countdown.",
}
TROUBLES = {
    "market_closed": "The market is closed.",
    "autotrading_off": "Automated trading is switched off in the terminal.",
    "rejected": "The broker refused the request.",
    "unknown_outcome": "The broker did not answer; Reckoner looks at the account before it tries "
    "again.",
    "cannot_trade": "The account may not trade.",
    "terminal_blocked": "Its terminal answered for another account, so nothing is sent to it.",
}
GUARDS = {
    "unarmed": "⚪ Guard not armed yet",
    "clear": "🟢 Guard watching",
    "warned": "🟠 Drawdown warning",
    "countdown": "🔴 Countdown to closing",
    "closing": "🔴 Closing now",
    "latched": "🔒 Locked",
}
OUTCOMES = {
    "closed": "closed",
    "cancelled": "cancelled",
    "gone": "already gone",
    "open": "being closed",
}
NOT_PLACED = {
    "deadline": "It was not placed in time.",
    "guard": "The guard withdrew it before it was placed.",
}
ENDED = {
    "client_mobile": "closed on the client's phone",
    "client_web": "closed in the web terminal",
    "client_desktop": "closed in the desktop terminal",
    "foreign_ea": "closed by an expert advisor",
    "stop_loss": "closed by its stop loss",
    "take_profit": "closed by its take profit",
    "stop_out": "closed by the broker's stop-out",
    "reckoner": "closed by Reckoner",
    "netting_reversal": "closed by an order the other way",
}
RESOLVED = {
    "as_expected": "it is as expected again",
    "closed": "the position is closed",
    "gone": "it is gone",
    "cancelled": "cancelled by Reckoner",
    "adopted": "a person said which trade it is",
}
WARNING_STATES = {
    "open": "waiting for an answer",
    "held": "on hold",
    "dismissed": "dismissed",
    "closing": "closing",
    "resolved": "over",
}

OVERRIDES = {
    "close": "Close now",
    "hold": "Hold",
    "hold1h": "Hold 1 h",
    "session": "Hold until day's end",
    "dismiss": "Dismiss",
}
OVERRIDE_REASONS = {
    "news": "news",
    "bad_quote": "bad quote",
    "rollover": "rollover",
    "hedged": "hedged elsewhere",
    "agreed": "agreed with the client",
}


def reason(text: str) -> str:
    """An override's reason: a button's, or what an admin wrote."""
    return OVERRIDE_REASONS.get(text) or esc(text, UNKNOWN_CHARS_MAX)


def word(table: dict[str, str], key: str) -> str:
    """The table's words for a code; the code itself, made harmless, where the table has none."""
    return table[key] if key in table else esc(key.replace("_", " "), UNKNOWN_CHARS_MAX)


def opened_by(reason: int, magic: int = 0) -> str:
    """Who opened a position, from MetaTrader's reason code, with the number a program gave it."""
    number = f", a program with the number {magic}" if magic else ""
    return OPENED_BY.get(reason, f"in a way MetaTrader calls reason {reason}") + number


def ended(how: str, *, own: bool) -> str:
    """How a divergence ended; `closed:stop_loss` names the reason of the close.

    `own` where the reader is the client whose account it is.
    """
    code, _, reason = how.partition(":")
    if own and code == "closed" and reason in CLOSED_BY_YOU:
        return f"you closed it {CLOSED_BY_YOU[reason]}"
    return word(ENDED, reason) if reason and code == "closed" else word(RESOLVED, how)


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 position`, `3 positions`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def scope(closing: str) -> str:
    """What a close job closes: `everything`, or a symbol's name."""
    return "everything" if closing == "account" else esc(closing, UNKNOWN_CHARS_MAX)


def holdings(positions: int, orders: int) -> str:
    """`3 positions and 1 pending order`, or `nothing`."""
    parts = [plural(positions, "position")] if positions else []
    parts += [plural(orders, "pending order")] if orders else []
    return " and ".join(parts) or "nothing"
