"""Buttons: exact labels, and data that fits and reads back."""

import pytest
from aiogram.filters.callback_data import CallbackData

from bot import keyboards
from bot.callbacks import (
    ApprovalPress,
    ApprovalVerb,
    BoardKind,
    ChartPress,
    ExposurePress,
    RefreshPress,
    ReleaseAnswerPress,
    ReleaseAskPress,
    ReleaseVerb,
    WarningCopyPress,
    WarningPress,
    WarningReason,
    WarningReasonPress,
    WarningVerb,
    WizardPress,
    WizardVerb,
)
from bot.views.message import Button, Keyboard

ID_MAX = 2**63 - 1
TELEGRAM_ID_MAX = 2**52 - 1
LONGEST_SYMBOL = "A" * 29

EVERY: list[CallbackData] = [
    *(ApprovalPress(approval_id=ID_MAX, verb=verb) for verb in ApprovalVerb),
    *(WarningPress(warning_id=ID_MAX, version=ID_MAX, verb=verb) for verb in WarningVerb),
    *(
        WarningReasonPress(warning_id=ID_MAX, version=ID_MAX, verb=verb, reason=reason)
        for verb in WarningVerb
        for reason in WarningReason
    ),
    *(WarningCopyPress(warning_id=ID_MAX, version=ID_MAX, verb=verb) for verb in WarningVerb),
    ReleaseAskPress(account_id=ID_MAX),
    *(ReleaseAnswerPress(account_id=ID_MAX, verb=verb) for verb in ReleaseVerb),
    *(RefreshPress(board=board) for board in BoardKind),
    ChartPress(account_id=ID_MAX),
    ExposurePress(account_id=ID_MAX),
    *(
        WizardPress(
            verb=verb, asker=TELEGRAM_ID_MAX, symbol=LONGEST_SYMBOL, side="sell", volume="1.00"
        )
        for verb in WizardVerb
    ),
]


def labels(keyboard: Keyboard) -> list[list[str]]:
    return [[button.label for button in row] for row in keyboard]


@pytest.mark.parametrize("press", EVERY, ids=lambda press: press.pack()[:12])
def test_the_largest_data_fits_and_reads_back(press: CallbackData) -> None:
    packed = press.pack()
    assert len(packed.encode()) <= 64
    assert type(press).unpack(packed) == press


def test_every_prefix_is_its_own_and_ends_in_a_version() -> None:
    prefixes = {type(press).__prefix__ for press in EVERY}
    assert len(prefixes) == len({type(press) for press in EVERY})
    assert all(prefix[-1].isdigit() for prefix in prefixes)


def test_only_a_gap_can_be_closed_now() -> None:
    second = ["Hold until day's end", "Dismiss"]
    assert labels(keyboards.warning(1, 1, closes=True)) == [
        ["Close now", "Hold 15 min", "Hold 1 h"],
        second,
    ]
    assert labels(keyboards.warning(1, 1, closes=False)) == [["Hold 15 min", "Hold 1 h"], second]


def test_the_labels_people_are_told_of() -> None:
    assert labels(keyboards.offer(1)) == [["Approve", "Reject"]]
    assert labels(keyboards.ask_release(1)) == [["Ask for release"]]
    assert labels(keyboards.answer_release(1)) == [["Grant release", "Refuse"]]


def test_a_form_offers_so_many_symbols_and_no_more() -> None:
    most = keyboards.WIZARD_SYMBOLS_MAX
    for count in (most, most + 1):
        symbols = tuple(f"S{n}" for n in range(count))
        shown = [label for row in labels(keyboards.wizard_symbols(1, symbols)) for label in row]
        assert shown == [*symbols[:most], "Cancel"]


def test_no_message_has_more_rows_than_telegram_takes() -> None:
    rows: Keyboard = tuple((Button("x", "y"),) for _ in range(keyboards.ROWS_MAX + 1))
    sent = keyboards.markup(rows)
    assert sent is not None
    assert len(sent.inline_keyboard) == keyboards.ROWS_MAX
    assert keyboards.markup(()) is None
