"""Buttons under /pause."""

from collections.abc import Mapping
from typing import Final

from bot.callbacks import PauseLength, PausePress, PauseReason, PauseReasonPress, ResumePress
from bot.i18n import later, t
from bot.keyboards import in_rows
from bot.views.message import Button, Keyboard
from core.domain.pauses import Pausable, Pause, since_ms

LENGTHS: Final[Mapping[PauseLength, str]] = {
    PauseLength.SHORT: later("15 min"),
    PauseLength.HOUR: "1 h",
    PauseLength.LONG: "4 h",
}
LABELS: Final[Mapping[Pausable, str]] = {
    Pausable.MARKET: later("Market"),
    Pausable.SIGNALS: later("Signals"),
}
REASONS: Final[Mapping[PauseReason, str]] = {
    PauseReason.BROKER: later("broker at work"),
    PauseReason.QUOTES: later("bad quotes"),
    PauseReason.NEWS: "news",
    PauseReason.HOLIDAY: "holiday",
}
PER_ROW: Final = 2


def board(paused: Mapping[Pausable, Pause]) -> Keyboard:
    """Every length for what runs, one way back for what is paused."""
    rows: list[tuple[Button, ...]] = []
    for what in Pausable:
        if what in paused:
            press = ResumePress(what=what, since_ms=since_ms(paused[what]))
            rows.append(
                (
                    Button(
                        t("Resume {labels}", labels=t(LABELS[what]).lower()),
                        press.pack(),
                        "success",
                    ),
                )
            )
            continue
        rows.append(
            tuple(
                Button(f"{t(LABELS[what])}: {label}", PausePress(what=what, length=length).pack())
                for length, label in LENGTHS.items()
            )
        )
    return tuple(rows)


def reasons(what: Pausable, length: PauseLength) -> Keyboard:
    """Each says what it does; Back does nothing."""
    buttons = [
        Button(
            t("Pause: {label}", label=label),
            PauseReasonPress(what=what, length=length, reason=reason).pack(),
            "danger",
        )
        for reason, label in REASONS.items()
    ]
    back = PausePress(what=what, length=PauseLength.BACK)
    return in_rows([*buttons, Button(t("Back"), back.pack())], PER_ROW)
