"""Signals and trades: offered, answered, opened, not placed, closed."""

from bot import keyboards
from bot.i18n import t
from bot.markup import esc
from bot.views.alert_lines import at_line, headline, stops, trade, who
from bot.views.message import Audience, Message, Voice
from bot.views.numbers import gain, moment, price, slippage
from bot.views.sentences import of_close, sentence
from bot.views.words import (
    CLOSED_BY_CLIENT,
    CLOSED_BY_YOU,
    CLOSED_ICONS,
    CLOSED_OTHERWISE,
    NOT_PLACED,
    begun,
    word,
)
from core.domain.alerts import (
    OfferAnswered,
    PositionClosed,
    SignalOffered,
    TradeNotPlaced,
    TradeOpened,
)

SYMBOL_CHARS_MAX = 29


def signal_offered(alert: SignalOffered, voice: Voice, audience: Audience) -> Message:
    """A signal to follow or not, and until when."""
    lines = [
        headline(
            voice,
            t(
                "📣 Signal: {trade} for {login}",
                trade=trade(alert.symbol, alert.side, alert.volume),
                login=alert.login,
            ),
        ),
        *who(alert, audience),
        stops(alert.stop_loss, alert.take_profit, alert.price_digits),
        t(
            "Answer by {until}. Without an answer nothing is traded.",
            until=moment(alert.expires_at, voice),
        ),
    ]
    keyboard = keyboards.offer(alert.approval_id) if audience is Audience.CLIENT else ()
    return Message(html="\n".join(lines), keyboard=keyboard)


def offer_answered(alert: OfferAnswered, voice: Voice, audience: Audience) -> Message:
    """The offer's end, in the offer's place."""
    what = t(
        "{trade} on {login}", trade=trade(alert.symbol, alert.side, alert.volume), login=alert.login
    )
    answered = moment(alert.answered_at, voice)
    match alert.outcome:
        case "approved":
            title, lines = t("✅ Approved: {trade}", trade=what), _approved(alert, voice, audience)
        case "rejected":
            title, lines = (
                t("❌ Rejected: {trade}", trade=what),
                [t("Rejected at {at}. Nothing is traded.", at=answered)],
            )
        case "expired":
            title = t("⌛ Expired: {trade}", trade=what)
            lines = [t("No answer came by {until}, so nothing is traded.", until=answered)]
        case other:
            title, lines = (
                f"⏹ {begun(word({}, other))}: {what}",
                [at_line(alert.answered_at, voice)],
            )
    text = [headline(voice, title), *who(alert, audience), *lines]
    return Message(html="\n".join(text), silent=True)


def trade_opened(alert: TradeOpened, voice: Voice, audience: Audience) -> Message:
    """An approved trade is at the broker, and at what price."""
    lines = [
        headline(
            voice,
            t(
                "🔵 Opened {trade} on {login}",
                trade=trade(alert.symbol, alert.side, alert.volume),
                login=alert.login,
            ),
        ),
        *who(alert, audience),
        t(
            "Entry: {price}, expected {expected}: {slippage}",
            price=price(alert.entry_price),
            expected=price(alert.expected_entry),
            slippage=slippage(alert.slippage_pips),
        ),
        stops(alert.stop_loss, alert.take_profit),
        _from(alert.signal_id, alert.position_id),
        at_line(alert.opened_at, voice),
    ]
    return Message(html="\n".join(lines))


def trade_not_placed(alert: TradeNotPlaced, voice: Voice, audience: Audience) -> Message:
    """An approved trade that did not happen."""
    lines = [
        headline(
            voice,
            t(
                "⚠️ Not placed: {trade} on {login}",
                trade=trade(alert.symbol, alert.side, alert.volume),
                login=alert.login,
            ),
        ),
        *who(alert, audience),
        word(NOT_PLACED, alert.reason),
        t("There is no position from it, and none is expected any more.")
        if alert.signal_id is None
        else t(
            "There is no position from signal {signal_id}, and none is expected any more.",
            signal_id=alert.signal_id,
        ),
        at_line(alert.at, voice),
    ]
    return Message(html="\n".join(lines))


def position_closed(alert: PositionClosed, voice: Voice, audience: Audience) -> Message:
    """A position is gone: who closed it, at what price, with what result."""
    result = gain(alert.pnl, alert.currency)
    lines = [
        headline(voice, f"{_closed_by(alert, audience)}: {result}"),
        *who(alert, audience),
        t("Exit price: {price}", price=price(alert.exit_price)),
    ]
    if alert.note or alert.to_target_pips is not None:
        lines.append(sentence(of_close(alert), voice, audience))
    if alert.partial:
        lines.append(t("Only this part was closed; the rest stays open."))
    lines.append(_from(alert.signal_id, alert.position_id))
    lines.append(
        t(
            "Account {login}, {at}",
            login=alert.login,
            at=moment(alert.closed_at, voice),
        )
    )
    return Message(html="\n".join(lines), silent=alert.close_reason in CLOSED_BY_YOU)


def _from(signal_id: int | None, position_id: int) -> str:
    """Which signal a position is from."""
    if signal_id is None:
        return t("Position {position_id}, not from a signal", position_id=position_id)
    return t(
        "Signal {signal_id}, position {position_id}", signal_id=signal_id, position_id=position_id
    )


def _approved(alert: OfferAnswered, voice: Voice, audience: Audience) -> list[str]:
    lines = [t("Approved at {at}.", at=moment(alert.answered_at, voice))]
    if alert.expected_entry is not None:
        quote = "ask" if alert.side == "buy" else "bid"
        lines.append(
            t(
                "Expected entry: {price}, the {ask_or_bid} at that moment.",
                price=price(alert.expected_entry),
                ask_or_bid=quote,
            )
        )
    if alert.broker_symbol:
        lines.append(
            t(
                "Its broker calls the symbol {symbol}.",
                symbol=esc(alert.broker_symbol, SYMBOL_CHARS_MAX),
            )
        )
    if alert.deadline_at is not None:
        until = moment(alert.deadline_at, voice)
        lines.append(
            t(
                "Your executor has until {until} to place it. Reckoner itself places nothing.",
                until=until,
            )
            if audience is Audience.CLIENT
            else t(
                "The client's executor has until {until} to place it. "
                "Reckoner itself places nothing.",
                until=until,
            )
        )
    return lines


def _closed_by(alert: PositionClosed, audience: Audience) -> str:
    what = trade(alert.symbol, alert.side, alert.volume)
    if alert.close_reason in CLOSED_BY_YOU:
        if audience is Audience.CLIENT:
            return t(
                "You closed {trade} {where}",
                trade=what,
                where=t(CLOSED_BY_YOU[alert.close_reason]),
            )
        return t(
            "{login} closed {trade} {where}",
            login=alert.login,
            trade=what,
            where=t(CLOSED_BY_CLIENT[alert.close_reason]),
        )
    icon = CLOSED_ICONS.get(alert.close_reason, "⏹")
    if audience is Audience.ADMIN:
        what = t("{trade} on {login}", trade=what, login=alert.login)
    return f"{icon} {word(CLOSED_OTHERWISE, alert.close_reason)}: {what}"
