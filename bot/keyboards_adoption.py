"""Buttons under the question which trade a position is. Pure, like `bot.keyboards`."""

from collections.abc import Sequence

from bot.callbacks import AdoptPress, AdoptVerb
from bot.i18n import t
from bot.views.message import Button, Keyboard
from bot.views.numbers import lots, slippage_short
from core.domain.adoption import Choice
from core.domain.alerts_adoption import PositionQuestion

LABEL_CHARS_MAX = 48
LISTED_MAX = 10
"""Questions with a button in a list; the others are counted."""


def choices(alert: PositionQuestion) -> Keyboard:
    """One row for each candidate, and one for what is none of them."""
    rows = [
        (_button(alert, _label(choice), AdoptVerb.TRADE, choice.trade_id),)
        for choice in alert.asked.choices
    ]
    none = t("None of these") if rows else t("Leave it unknown")
    last = (
        _button(alert, t("A trade of its own"), AdoptVerb.OWN),
        _button(alert, none, AdoptVerb.NONE),
    )
    return (*rows, last)


def take_back(alert: PositionQuestion) -> Keyboard:
    """The way to undo an adoption."""
    return ((_button(alert, t("Take it back"), AdoptVerb.BACK),),)


def again(alert: PositionQuestion) -> Keyboard:
    """The way back to a question that was declined."""
    return ((_button(alert, t("Answer again"), AdoptVerb.SHOW),),)


def listed(cards: Sequence[PositionQuestion]) -> Keyboard:
    """A button for each of several questions, which shows it."""
    return tuple((_button(card, _name(card), AdoptVerb.SHOW),) for card in cards[:LISTED_MAX])


def _button(alert: PositionQuestion, label: str, verb: AdoptVerb, trade_id: int = 0) -> Button:
    press = AdoptPress(
        question_id=alert.question_id, version=alert.version, verb=verb, trade_id=trade_id
    )
    return Button(label, press.pack())


def _label(choice: Choice) -> str:
    """`Signal 5: 0.10 lots, 2.0 pips worse`."""
    off = ""
    if choice.off_pips is not None:
        off = f", {slippage_short(choice.off_pips)}"
    return t(
        "Signal {signal_id}: {volume} lots{off}",
        signal_id=choice.signal_id,
        volume=lots(choice.volume),
        off=off,
    )[:LABEL_CHARS_MAX]


def _name(card: PositionQuestion) -> str:
    asked = card.asked
    return f"{card.login}: {asked.symbol} {asked.side} {lots(asked.volume)}"[:LABEL_CHARS_MAX]
