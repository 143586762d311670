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
    PauseLength.HOUR: later("1 h"),
    PauseLength.LONG: later("4 h"),
}
LABELS: Final[Mapping[Pausable, str]] = {
    Pausable.MARKET: later("Market"),
    Pausable.SIGNALS: later("Signals"),
}
RESUMES: Final[Mapping[Pausable, str]] = {
    Pausable.MARKET: later("Resume market"),
    Pausable.SIGNALS: later("Resume signals"),
}
REASONS: Final[Mapping[PauseReason, str]] = {
    PauseReason.BROKER: later("broker at work"),
    PauseReason.QUOTES: later("bad quotes"),
    PauseReason.NEWS: later("news"),
    PauseReason.HOLIDAY: later("holiday"),
}
"""What is kept of a pause's reason; who reads of it reads it in their own language."""
PER_ROW: Final = 2


def board(paused: Mapping[Pausable, Pause]) -> Keyboard:
    """Every length for what runs, one way back for what is paused."""
    rows: list[tuple[Button, ...]] = []
    for what in Pausable:
        if what in paused:
            press = ResumePress(what=what, since_ms=since_ms(paused[what]))
            rows.append((Button(t(RESUMES[what]), press.pack(), "success"),))
            continue
        rows.append(
            tuple(
                Button(
                    f"{t(LABELS[what])}: {t(label)}", PausePress(what=what, length=length).pack()
                )
                for length, label in LENGTHS.items()
            )
        )
    return tuple(rows)


def reasons(what: Pausable, length: PauseLength) -> Keyboard:
    """Each says what it does; Back does nothing."""
    buttons = [
        Button(
            t("Pause: {reason}", reason=t(label)),
            PauseReasonPress(what=what, length=length, reason=reason).pack(),
            "danger",
        )
        for reason, label in REASONS.items()
    ]
    back = PausePress(what=what, length=PauseLength.BACK)
    return in_rows([*buttons, Button(t("Back"), back.pack())], PER_ROW)
