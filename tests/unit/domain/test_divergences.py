"""The taxonomy is closed, its words are stored for ever, and docs/divergences.md prints it."""

from enum import StrEnum
from itertools import chain
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.domain.divergences import (
    BY_REASON,
    DIVERGENCES,
    STORED_BEFORE,
    Role,
    end_word,
    reason_word,
    row_of,
)
from core.domain.findings import CloseReason, Kind, Note, Origin
from core.domain.judging import unknown
from core.domain.matching import origin
from tests.unit.domain.divergences_page import page
from tests.unit.domain.make import closure, position

PAGE = Path(__file__).parents[3] / "docs" / "divergences.md"
STORED_KINDS = [
    "entry_slippage",
    "partial_fill",
    "over_volume",
    "volume_reduced",
    "sl_moved",
    "sl_removed",
    "tp_moved",
    "tp_removed",
    "direction_mismatch",
    "duplicate_execution",
    "unknown_position",
    "unknown_pending_order",
    "missing_unexplained",
]
"""Of episodes that databases hold since version 0.1."""
STORED_REASONS = [
    "client_desktop",
    "client_mobile",
    "client_web",
    "foreign_ea",
    "stop_loss",
    "take_profit",
    "stop_out",
    "reckoner",
    "close_by",
    "rollover",
    "other",
]
TAXONOMY = [
    "entry_slippage",
    "exit_slippage",
    "partial_fill",
    "split_fill",
    "over_volume",
    "scaled_in",
    "scaled_out",
    "manual_close_desktop",
    "manual_close_mobile",
    "manual_close_web",
    "foreign_ea_close",
    "stop_loss",
    "take_profit",
    "stop_out",
    "close_by",
    "netting_reversal",
    "rollover_reopen",
    "sl_moved",
    "sl_removed",
    "sl_missing",
    "tp_moved",
    "tp_removed",
    "tp_missing",
    "unknown_position_manual",
    "unknown_position_foreign_ea",
    "unknown_position_orphan",
    "unknown_pending_order",
    "direction_mismatch",
    "symbol_mismatch",
    "duplicate_execution",
    "late_execution",
    "not_executed",
    "gap_fill",
    "balance_operation",
    "pnl_mismatch",
    "wrong_account",
    "stale_data",
]
"""What the engine was asked to be able to name."""


def test_the_page_is_what_the_code_prints() -> None:
    assert PAGE.read_text("utf-8") == page()


def test_every_code_has_its_row_and_every_word_is_one_rows() -> None:
    codes: chain[StrEnum] = chain(Kind, CloseReason, Note)
    assert {row.code for row in DIVERGENCES} == set(codes)
    words = [code.value for code in chain[StrEnum](Kind, CloseReason, Note)]
    assert len(set(words)) == len(words), "words of different lists would be equal"
    assert len(BY_REASON) == len(DIVERGENCES)
    rules = [row.rule for row in DIVERGENCES]
    assert len(set(rules)) == len(rules), "one rule each"


def test_nothing_that_was_asked_for_is_without_a_name() -> None:
    assert not set(TAXONOMY) - BY_REASON.keys()


def test_stored_words_stay_valid() -> None:
    assert [Kind(word).value for word in STORED_KINDS] == STORED_KINDS
    assert [CloseReason(word).value for word in STORED_REASONS] == STORED_REASONS
    for word in (*STORED_KINDS, "not_executed", "balance_unexplained"):
        assert row_of(word) is not None, word
    assert not STORED_BEFORE.keys() & BY_REASON.keys()
    assert row_of("never said") is None


@pytest.mark.parametrize(
    ("magic", "comment", "reason", "where"),
    [
        (0, "", 1, Origin.MANUAL),
        (0, "my own words", 0, Origin.MANUAL),
        (0, "", 3, Origin.FOREIGN_EA),
        (555, "", 1, Origin.FOREIGN_EA),
        (0, "", 99, Origin.FOREIGN_EA),  # newer servers may send more reasons
        (0, "rk-12", 3, Origin.ORPHAN),
        (761_000_012, "rk-12", 3, Origin.ORPHAN),
        (0, "rk-12x", 1, Origin.MANUAL),
        (0, "rk-", 1, Origin.MANUAL),
    ],
)
def test_an_unknown_position_says_where_it_came_from(
    magic: int, comment: str, reason: int, where: Origin
) -> None:
    held = position(magic=magic, comment=comment, reason=reason)
    assert origin(held) is where
    finding = unknown(held, Kind.UNKNOWN_POSITION, None)
    assert reason_word(finding) == f"unknown_position_{where.value}"
    assert row_of(reason_word(finding)) is not None


def test_a_finding_stored_before_origins_were_is_still_a_row() -> None:
    finding = replace(unknown(position(), Kind.UNKNOWN_POSITION, None), origin="")
    assert row_of(reason_word(finding)) is not None


def test_what_was_odd_about_a_fill_goes_before_who_closed() -> None:
    end = closure(CloseReason.STOP_LOSS)
    assert end_word(end) == "stop_loss"
    assert end_word(replace(end, note=Note.GAP_FILL.value)) == "gap_fill"
    assert end_word(closure(CloseReason.CLIENT_MOBILE)) == "manual_close_mobile"


def test_only_differences_that_last_have_episodes() -> None:
    lasting = {row.code for row in DIVERGENCES if row.role is Role.DIVERGENCE}
    assert lasting == set(Kind)
