"""Domain values -> buttons. Pure: the same state always gives the same keyboard."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

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
    UnblockPress,
    WarningCopyPress,
    WarningPress,
    WarningReason,
    WarningReasonCopyPress,
    WarningReasonPress,
    WarningVerb,
    WizardPress,
    WizardVerb,
)
from bot.i18n import later, t
from bot.views.message import Button, Keyboard
from core.domain.answers import blocked_ms
from core.domain.broker import Side

WIZARD_SYMBOLS_MAX = 12
WIZARD_VOLUMES = tuple(Decimal(text) for text in ("0.01", "0.05", "0.10", "0.20", "0.50", "1.00"))
BUTTONS_PER_ROW = 3
REASONS_PER_ROW = 2
CHARTS_MAX = 12
"""Accounts that get a chart button of their own."""
ROWS_MAX = 24
"""Rows of buttons under one message; Telegram takes a hundred buttons."""


def offer(approval_id: int) -> Keyboard:
    """Approve or reject an offered signal."""
    return (
        (
            Button(
                t("Approve"),
                ApprovalPress(approval_id=approval_id, verb=ApprovalVerb.APPROVE).pack(),
                "success",
            ),
            Button(
                t("Reject"),
                ApprovalPress(approval_id=approval_id, verb=ApprovalVerb.REJECT).pack(),
                "danger",
            ),
        ),
    )


VERB_LABELS = {
    WarningVerb.CLOSE: later("Close now"),
    WarningVerb.HOLD: later("Hold 15 min"),
    WarningVerb.HOLD_LONG: later("Hold 1 h"),
    WarningVerb.HOLD_SESSION: later("Hold today"),
    WarningVerb.DISMISS: later("Dismiss"),
}
REASON_LABELS = {
    WarningReason.NEWS: later("news"),
    WarningReason.BAD_QUOTE: later("bad quote"),
    WarningReason.ROLLOVER: later("rollover"),
    WarningReason.HEDGED: later("hedged"),
    WarningReason.AGREED: later("agreed with client"),
}


def warning(warning_id: int, version: int, *, closes: bool, copy: bool = False) -> Keyboard:
    """Answers to a market warning. Only one that closes has something to bring forward (law 15).

    `copy` under an answer to /warnings.
    """
    press_kind = WarningCopyPress if copy else WarningPress

    def button(label: str, verb: WarningVerb, style: str | None = None) -> Button:
        press = press_kind(warning_id=warning_id, version=version, verb=verb)
        return Button(label, press.pack(), style)

    close = (button(t("Close now"), WarningVerb.CLOSE, "danger"),) if closes else ()
    return (
        (
            *close,
            button(t("Hold 15 min"), WarningVerb.HOLD),
            button(t("Hold 1 h"), WarningVerb.HOLD_LONG),
        ),
        (
            button(t("Hold until day's end"), WarningVerb.HOLD_SESSION),
            button(t("Dismiss"), WarningVerb.DISMISS),
        ),
    )


def warning_reasons(
    warning_id: int, version: int, verb: WarningVerb, *, copy: bool = False
) -> Keyboard:
    """Why? The second press answers; Back shows the answers again.

    Each button says what it does: the message above may be about somebody else's answer.
    """
    press_kind = WarningReasonCopyPress if copy else WarningReasonPress
    back_kind = WarningCopyPress if copy else WarningPress
    buttons = [
        Button(
            f"{t(VERB_LABELS[verb])}: {t(label)}",
            press_kind(warning_id=warning_id, version=version, verb=verb, reason=reason).pack(),
        )
        for reason, label in REASON_LABELS.items()
    ]
    back = back_kind(warning_id=warning_id, version=version, verb=WarningVerb.BACK)
    return in_rows([*buttons, Button(t("Back"), back.pack())], REASONS_PER_ROW)


def ask_release(account_id: int, *, suffix: str = "") -> Keyboard:
    """The client's way out of a latch."""
    data = ReleaseAskPress(account_id=account_id).pack()
    return ((Button(f"{t('Ask for release')}{suffix}", data),),)


def answer_release(account_id: int) -> Keyboard:
    """The admin's answer to it."""
    grant = ReleaseAnswerPress(account_id=account_id, verb=ReleaseVerb.GRANT)
    refuse = ReleaseAnswerPress(account_id=account_id, verb=ReleaseVerb.REFUSE)
    return (
        (
            Button(t("Grant release"), grant.pack(), "success"),
            Button(t("Refuse"), refuse.pack(), "danger"),
        ),
    )


def unblock(account_id: int, login: int, blocked_at: datetime) -> Keyboard:
    """The admin's way to clear a terminal that answered for another account: this time, once."""
    press = UnblockPress(account_id=account_id, blocked_ms=blocked_ms(blocked_at))
    return ((Button(t("Unblock {login}", login=login), press.pack()),),)


def refresh(board: BoardKind) -> Keyboard:
    """Show the same board with new figures."""
    return ((Button(t("Refresh"), RefreshPress(board=board).pack()),),)


def charts(accounts: Sequence[tuple[int, int]]) -> Keyboard:
    """One chart button per (account id, login)."""
    buttons = [
        Button(t("Chart {login}", login=login), ChartPress(account_id=account_id).pack())
        for account_id, login in accounts[:CHARTS_MAX]
    ]
    return in_rows(buttons)


def exposure(accounts: Sequence[tuple[int, int]]) -> Keyboard:
    """One exposure button per (account id, login)."""
    named = accounts[:CHARTS_MAX]
    buttons = [
        Button(
            t("Exposure") if len(named) == 1 else t("Exposure {login}", login=login),
            ExposurePress(account_id=account_id).pack(),
        )
        for account_id, login in named
    ]
    return in_rows(buttons)


def wizard_symbols(asker: int, symbols: Sequence[str]) -> Keyboard:
    """First step of the signal form."""
    buttons = [
        Button(symbol, WizardPress(verb=WizardVerb.SYMBOL, asker=asker, symbol=symbol).pack())
        for symbol in symbols[:WIZARD_SYMBOLS_MAX]
    ]
    return (*in_rows(buttons), _cancel(asker))


def wizard_sides(asker: int, symbol: str) -> Keyboard:
    """Second step."""
    row = tuple(
        Button(
            side.value.capitalize(),
            WizardPress(verb=WizardVerb.SIDE, asker=asker, symbol=symbol, side=side.value).pack(),
        )
        for side in (Side.BUY, Side.SELL)
    )
    return (row, _cancel(asker))


def wizard_volumes(asker: int, symbol: str, side: str) -> Keyboard:
    """Third step."""
    buttons = [
        Button(
            str(volume),
            WizardPress(
                verb=WizardVerb.VOLUME, asker=asker, symbol=symbol, side=side, volume=str(volume)
            ).pack(),
        )
        for volume in WIZARD_VOLUMES
    ]
    return (*in_rows(buttons), _cancel(asker))


def wizard_post(asker: int, symbol: str, side: str, volume: str) -> Keyboard:
    """Last step: look at it, then post."""
    press = WizardPress(verb=WizardVerb.POST, asker=asker, symbol=symbol, side=side, volume=volume)
    return ((Button(t("Post"), press.pack(), "success"), *_cancel(asker)),)


def in_rows(buttons: Sequence[Button], per_row: int = BUTTONS_PER_ROW) -> Keyboard:
    """Buttons in rows a phone can show."""
    return tuple(tuple(buttons[at : at + per_row]) for at in range(0, len(buttons), per_row))


def markup(keyboard: Keyboard) -> InlineKeyboardMarkup | None:
    """Telegram's form of a keyboard; None where there are no buttons."""
    if not keyboard:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [
                InlineKeyboardButton(
                    text=button.label,
                    callback_data=None if button.url else button.data,
                    url=button.url,
                    style=button.style,
                )
                for button in row
            ]
            for row in keyboard[:ROWS_MAX]
        ]
    )


def _cancel(asker: int) -> tuple[Button, ...]:
    return (Button(t("Cancel"), WizardPress(verb=WizardVerb.CANCEL, asker=asker).pack()),)
