"""Lines that many alerts share."""

from datetime import datetime
from decimal import Decimal

from bot.i18n import later, t
from bot.markup import esc
from bot.views.message import Audience, Voice, marked
from bot.views.numbers import between, lots, moment, money, price_or_none
from core.domain.alert_parts import AccountAlert
from core.domain.money import HUNDRED

LOCKED = later(
    "The account is locked: nothing new may be opened, and anything that appears is closed."
)


def headline(voice: Voice, text: str) -> str:
    """The first line: bold, with the mark before it."""
    return f"<b>{marked(voice, text)}</b>"


def who(alert: AccountAlert, audience: Audience) -> list[str]:
    """Whose account it is; clients know that themselves."""
    if audience is Audience.CLIENT:
        return []
    return [t("Client: {client}, account {login}", client=esc(alert.client), login=alert.login)]


def trade(symbol: str, side: str, volume: Decimal) -> str:
    """`XAUUSD buy 0.10`."""
    return f"{esc(symbol)} {esc(side)} {lots(volume)}"


def stops(stop_loss: Decimal | None, take_profit: Decimal | None, digits: int | None = None) -> str:
    """Both levels of a trade."""
    return t(
        "Stop loss: {stop_loss}, take profit: {take_profit}",
        stop_loss=price_or_none(stop_loss, digits),
        take_profit=price_or_none(take_profit, digits),
    )


def stops_within(stop_loss: Decimal | None, take_profit: Decimal | None) -> str:
    """The same within a sentence."""
    return t(
        "stop loss: {stop_loss}, take profit: {take_profit}",
        stop_loss=price_or_none(stop_loss),
        take_profit=price_or_none(take_profit),
    )


def at_line(at: datetime, voice: Voice) -> str:
    """When it happened."""
    return t("Time: {at}", at=moment(at, voice))


def over_line(over_at: datetime, told_at: datetime, voice: Voice, *, closed: bool) -> str:
    """When what a message told of ended: by its close, or, without one, by the release."""
    at = moment(over_at, voice, today=told_at)
    if not closed:
        return t("Over at {at}: the account was released.", at=at)
    return t(
        "Over at {at}, proved flat, after {span}. The result is in a message of its own.",
        at=at,
        span=between(told_at, over_at),
    )


def headroom_past(equity: Decimal, peak: Decimal | None, limit_percent: Decimal) -> Decimal | None:
    """How far equity is below the drawdown limit's floor; None where it is not."""
    if peak is None:
        return None
    past = peak * (HUNDRED - limit_percent) / HUNDRED - equity
    return past if past > 0 else None


def more(count: int, shown: int) -> list[str]:
    """That there are others than those shown, where there are."""
    return [t("and {count} more", count=count - shown)] if count > shown else []


def equity_line(equity: Decimal, peak: Decimal | None, currency: str) -> str:
    """Equity, beside the peak it is measured against."""
    if peak is None:
        return t("Equity: {equity}", equity=money(equity, currency))
    return t(
        "Equity: {equity}, peak {peak}", equity=money(equity, currency), peak=money(peak, currency)
    )
