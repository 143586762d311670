"""Why an order, a symbol or a market's warning is not as asked."""

from datetime import timedelta
from decimal import Decimal

from bot.i18n import later, t
from bot.markup import esc
from bot.views import obstacles
from bot.views.message import Voice
from bot.views.numbers import percent, pips, span
from bot.views.refusal_parts import Facts
from bot.views.refusal_parts import outside as _outside

NAMES_MAX = 5
VOLUMES = {
    "volume": later("volume {volume}"),
    "minimum": later("minimum {minimum}"),
    "maximum": later("maximum {maximum}"),
    "step": later("step {step}"),
}
"""What a refused volume comes with: itself, and the symbol's bounds in lots."""


def _symbol(facts: Facts) -> str:
    return _outside(facts, "symbol") or t("this symbol")


def no_price(facts: Facts, _voice: Voice) -> str:
    """No price to go by."""
    return t("There is no current price for {symbol}. Try again soon.", symbol=_symbol(facts))


def wrong_stop(facts: Facts, _voice: Voice) -> str:
    """A stop on the wrong side."""
    names = {"sl": t("stop loss"), "tp": t("take profit")}
    which = next(
        (names[str(v)] for v in facts.values() if str(v) in names), t("stop loss or target")
    )
    return t("The {which} is on the wrong side of the market. Nothing was posted.", which=which)


def unknown_symbol(facts: Facts, _voice: Voice) -> str:
    """A symbol not quoted."""
    return t(
        "No linked account trades {symbol}. Check the broker's own name for it.",
        symbol=_symbol(facts),
    )


def cannot_close(facts: Facts, _voice: Voice) -> str:
    """A warning that closes nothing."""
    return obstacles.refusal([str(word) for word in facts.get("obstacles", ())])


def no_such_symbol(facts: Facts, _voice: Voice) -> str:
    """A symbol nobody has."""
    return t(
        "This account's broker has no {symbol}, so the signal cannot be followed here.",
        symbol=_symbol(facts),
    )


def ambiguous(facts: Facts, _voice: Voice) -> str:
    """A name of several symbols."""
    names = ", ".join(esc(str(name), 29) for name in list(facts.get("names", ()))[:NAMES_MAX])
    symbol = _outside(facts, "symbol") or t("This symbol")
    return t(
        "{symbol} may be any of {names} at this account's broker, and I do not "
        "guess. The signal has to name one of them.",
        symbol=symbol,
        names=names,
    )


def not_tradable(facts: Facts, _voice: Voice) -> str:
    """A symbol that cannot be traded."""
    return t(
        "The broker lets nobody open {symbol} in this direction now. Nothing is traded.",
        symbol=_symbol(facts),
    )


def bad_volume(facts: Facts, _voice: Voice) -> str:
    """A volume that the symbol does not take."""
    bounds = ", ".join(
        t(text, **{key: esc(str(facts[key]))}) for key, text in VOLUMES.items() if key in facts
    )
    if not bounds:
        return t("The broker does not take this volume.")
    return t("The broker does not take this volume ({bounds}).", bounds=bounds)


def market(facts: Facts, voice: Voice) -> str:
    """Why nothing new of a symbol is opened now."""
    del voice
    figure, most = Decimal(facts.get("figure", 0)), Decimal(facts.get("limit", 0))
    match str(facts.get("kind", "")):
        case "gap":
            why = t("its price jumped by {figure} just now", figure=percent(figure, most))
        case "spread":
            why = t(
                "its spread is {figure}, over its limit of {most}",
                figure=pips(figure),
                most=pips(most),
            )
        case "still":
            why = t(
                "its price has not changed for {length}",
                length=span(timedelta(seconds=int(figure))),
            )
        case _:
            why = t("its market is not in order")
    return t(
        "Nothing new of {symbol} is opened now: {why}. Try again when that is over.",
        symbol=_symbol(facts),
        why=why,
    )
