"""The taxonomy: every way an account can differ, and every way a position can end, one row each.

A row's `reason` is the word in `reconciliation_logs.divergence_reason`; it never changes its
meaning once stored. `code` is the word the engine itself uses: an episode's kind, a trade's close
reason, or a note beside a fill. docs/divergences.md prints this table.
"""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct

from core.domain.findings import CloseReason, Closure, Finding, Kind, Note, Origin


class Role(StrEnum):
    """Whether a row is a difference that lasts, the cause of an end, or a remark about a fill."""

    DIVERGENCE = "divergence"
    END = "end"
    NOTE = "note"


class Severity(StrEnum):
    """How much of somebody's attention it asks for."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Divergence(Struct, frozen=True, kw_only=True):
    """One row: the stored word, the code it belongs to, and the rule that decides it."""

    reason: str
    code: Kind | CloseReason | Note
    role: Role
    severity: Severity
    rule: str


def _row(
    code: Kind | CloseReason | Note, severity: Severity, rule: str, reason: str = ""
) -> Divergence:
    role = Role.DIVERGENCE if isinstance(code, Kind) else Role.END
    return Divergence(
        reason=reason or code.value,
        code=code,
        role=Role.NOTE if isinstance(code, Note) else role,
        severity=severity,
        rule=rule,
    )


_INFO, _WARNING, _CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL

DIVERGENCES = (
    # --- how a trade was filled
    _row(
        Kind.ENTRY_SLIPPAGE,
        _WARNING,
        "Filled more than MAX_SLIPPAGE_PIPS worse than the expected entry; worse is positive, in "
        "pips and in points.",
    ),
    _row(
        Kind.PARTIAL_FILL,
        _WARNING,
        "All positions of the trade together hold less than approved, and never held more.",
    ),
    _row(
        Note.SPLIT_FILL,
        _INFO,
        "A further position with the trade's tag fits into what is still to be filled.",
    ),
    _row(
        Kind.OVER_VOLUME,
        _WARNING,
        "More is held than approved, and every known entry is the trade's own.",
    ),
    _row(
        Kind.SCALED_IN,
        _WARNING,
        "More is held than approved, because an entry deal that is not the trade's added to it.",
    ),
    _row(
        Kind.VOLUME_REDUCED,
        _WARNING,
        "Less is held than approved, and less than was once held: a part was closed.",
        reason="scaled_out",
    ),
    _row(
        Kind.DUPLICATE_EXECUTION,
        _WARNING,
        "A position carries the tag of a trade that has all its volume already.",
    ),
    _row(
        Kind.LATE_EXECUTION,
        _WARNING,
        "The position was opened later than the trade's deadline and 5 s.",
    ),
    _row(
        Kind.NOT_EXECUTED,
        _WARNING,
        "No position, order or deal of the trade by its deadline and 5 s, or the guard withdrew "
        "it.",
    ),
    _row(
        Kind.DIRECTION_MISMATCH,
        _CRITICAL,
        "The trade's position is on the other side, and no deal turned it round.",
    ),
    _row(
        Kind.NETTING_REVERSED,
        _CRITICAL,
        "The trade's position is on the other side since a deal (INOUT) went through zero.",
    ),
    _row(
        Kind.SYMBOL_MISMATCH,
        _CRITICAL,
        "Both halves of a trade's tag are on a position of a symbol that is not the trade's, by "
        "the broker's name or by Reckoner's.",
    ),
    # --- what became of its levels
    _row(Kind.SL_MOVED, _WARNING, "The stop loss is another than the signal's, or was added."),
    _row(Kind.SL_REMOVED, _WARNING, "No stop loss where the signal has one; there was one before."),
    _row(Kind.SL_MISSING, _WARNING, "No stop loss where the signal has one; there never was one."),
    _row(Kind.TP_MOVED, _WARNING, "The take profit is another than the signal's, or was added."),
    _row(
        Kind.TP_REMOVED,
        _WARNING,
        "No take profit where the signal has one; there was one before.",
    ),
    _row(
        Kind.TP_MISSING,
        _WARNING,
        "No take profit where the signal has one; there never was one.",
    ),
    # --- what nobody called for, and what vanished
    _row(
        Kind.UNKNOWN_POSITION,
        _WARNING,
        "No trade's, without a magic number and not opened by a program.",
        reason="unknown_position_manual",
    ),
    _row(
        Kind.UNKNOWN_POSITION,
        _WARNING,
        "No trade's, opened by a program or with a magic number, and without a tag of ours.",
        reason="unknown_position_foreign_ea",
    ),
    _row(
        Kind.UNKNOWN_POSITION,
        _CRITICAL,
        "No trade's that is known, but its comment is a tag of ours.",
        reason="unknown_position_orphan",
    ),
    _row(
        Kind.UNKNOWN_PENDING_ORDER,
        _WARNING,
        "A pending order whose magic number is no unplaced trade's.",
    ),
    _row(
        Kind.MISSING_UNEXPLAINED,
        _CRITICAL,
        "A trade's position is not in MISSING_OBSERVATIONS_MIN complete readings in a row, and "
        "its deals do not account for it.",
    ),
    # --- why something ended
    _row(
        CloseReason.CLIENT_DESKTOP,
        _INFO,
        "The last exit deal's reason is CLIENT (0).",
        reason="manual_close_desktop",
    ),
    _row(
        CloseReason.CLIENT_MOBILE,
        _INFO,
        "The last exit deal's reason is MOBILE (1).",
        reason="manual_close_mobile",
    ),
    _row(
        CloseReason.CLIENT_WEB,
        _INFO,
        "The last exit deal's reason is WEB (2).",
        reason="manual_close_web",
    ),
    _row(
        CloseReason.FOREIGN_EA,
        _WARNING,
        "The last exit deal's reason is EXPERT (3), and no close job sent for it.",
        reason="foreign_ea_close",
    ),
    _row(
        CloseReason.RECKONER,
        _INFO,
        "The last exit deal's reason is EXPERT (3), and a close job sent for it.",
        reason="reckoner_close",
    ),
    _row(CloseReason.STOP_LOSS, _INFO, "The last exit deal's reason is SL (4)."),
    _row(CloseReason.TAKE_PROFIT, _INFO, "The last exit deal's reason is TP (5)."),
    _row(
        CloseReason.STOP_OUT,
        _CRITICAL,
        "The last exit deal's reason is SO (6): the broker ran out of margin.",
    ),
    _row(CloseReason.CLOSE_BY, _INFO, "The last exit deal's entry is OUT_BY (3)."),
    _row(
        CloseReason.NETTING_REVERSAL,
        _WARNING,
        "The last exit deal is an order the other way on a netting account: its entry is INOUT "
        "(2), or it is another trade's own.",
    ),
    _row(
        CloseReason.ROLLOVER,
        _WARNING,
        "The last exit deal's reason is ROLLOVER (7), and the position did not come back.",
        reason="rollover_close",
    ),
    _row(
        CloseReason.OTHER,
        _WARNING,
        "The last exit deal has a reason that this table does not know.",
        reason="other_close",
    ),
    _row(
        Note.ROLLOVER_REOPEN,
        _INFO,
        "Exit and entry deals with the reason ROLLOVER (7) on a position that is still there: its "
        "ticket and price are new, its identifier is not.",
    ),
    _row(
        Note.EXIT_SLIPPAGE,
        _WARNING,
        "Closed by its stop or target, more than MAX_SLIPPAGE_PIPS worse than that level; worse is "
        "positive.",
    ),
    _row(
        Note.GAP_FILL,
        _WARNING,
        "Closed by its stop, more than five times MAX_SLIPPAGE_PIPS beyond it: the price jumped "
        "over the stop.",
    ),
    # --- the account itself
    _row(
        Kind.BALANCE_OPERATION,
        _INFO,
        "A deal that is no buy and no sell moved the balance: deposit, withdrawal, credit, charge, "
        "correction, bonus, commission, interest, dividend, tax.",
    ),
    _row(
        Kind.PNL_MISMATCH,
        _CRITICAL,
        "Balance and credit are not the sum of all deals, by more than rounding, for longer than "
        "BALANCE_EXPLANATION_WAIT_S.",
    ),
    _row(
        Kind.WRONG_ACCOUNT,
        _CRITICAL,
        "The terminal answered with another login or server than asked for.",
    ),
    _row(
        Kind.STALE_DATA,
        _WARNING,
        "Positions are held and no quote of the account has moved for 20 minutes, in a session; "
        "over with a quote of at most a minute.",
    ),
)

BY_REASON: Mapping[str, Divergence] = {row.reason: row for row in DIVERGENCES}
STORED_BEFORE: Mapping[str, str] = {
    "volume_reduced": "scaled_out",
    "unknown_position": "unknown_position_foreign_ea",
    "balance_unexplained": "pnl_mismatch",
}
"""Words of rows written before this table, and the row each means (`unknown_position`: any)."""

_BY_CODE: Mapping[str, str] = {row.code.value: row.reason for row in DIVERGENCES}


def reason_word(finding: Finding) -> str:
    """The stored reason of a finding."""
    return reason_of(finding.kind.value, finding.origin)


def end_word(closure: Closure) -> str:
    """The stored reason of an end: what was odd about its fill, else who or what closed it."""
    return closure.note or reason_of(closure.reason.value)


def reason_of(code: str, origin: str = "") -> str:
    """The stored reason that a code means; an unknown position's depends on where it came from.

    A code of no row, from a newer version, is its own word.
    """
    if code == Kind.UNKNOWN_POSITION:
        return f"{code}_{origin or Origin.FOREIGN_EA.value}"
    return _BY_CODE.get(code, code)


def row_of(word: str) -> Divergence | None:
    """The row that a stored word means, old words included; None for one of no row."""
    return BY_REASON.get(STORED_BEFORE.get(word, word))


def severity_of(code: str, origin: str = "") -> Severity:
    """How much attention a code asks for; one of no row, from a newer version, is a warning."""
    row = BY_REASON.get(reason_of(code, origin))
    return Severity.WARNING if row is None else row.severity
