"""What is watched after closing began: closes that make no progress, and what re-appears."""

from bot import keyboards
from bot.i18n import later, t, tn
from bot.markup import code, esc
from bot.views.alert_lines import LOCKED, at_line, headline, more, over_line, trade, who
from bot.views.alerts_closing import SWITCH_ON, opening
from bot.views.message import Audience, Keyboard, Message, Voice, compose
from bot.views.numbers import moment, span
from bot.views.obstacles import BY_HAND
from bot.views.retcodes import sentence
from bot.views.words import begun, opened_by, word
from core.domain.alert_parts import Appeared, Blocked
from core.domain.alerts import LatchedReappeared
from core.domain.alerts_closing import CloseStalled

WHOLE_ACCOUNT = "account"
STANDS = {
    "market_closed": later("the market is closed"),
    "autotrading_off": later("automated trading is off in the terminal"),
    "rejected": later("the broker refuses it"),
    "unknown_outcome": later("no answer yet, so it is looked at"),
    "cannot_trade": later("the account may not trade"),
    "terminal_blocked": later("its terminal answered for another account"),
    "not_tried": later("waits for its turn"),
    "lingers": later("the broker says done, and it is still there"),
    "figures": later("nothing is open, but profit or margin are not zero yet"),
    "unreadable": later("the account cannot be read"),
}
ONLY_TOLD = later(
    "The account is locked. It is not closed by Reckoner, as this lock is set: close it by hand."
)


def stalled(alert: CloseStalled, voice: Voice, audience: Audience) -> Message:
    """A close that makes no progress: for how long, and what is in its way."""
    whole = alert.scope == WHOLE_ACCOUNT
    what = (
        str(alert.login)
        if whole
        else t("{symbol} on {login}", symbol=esc(alert.scope), login=alert.login)
    )
    words = {block.word for block in alert.blocks}
    lasts = span(alert.at - alert.since)
    head = [
        headline(
            voice,
            t("🔴 Still not closed: {what} - no progress for {span}", what=what, span=lasts),
        ),
        *who(alert, audience),
    ]
    rows = [_block(block, audience) for block in alert.blocks]
    rows += more(alert.more, 0)
    tail = [t(SWITCH_ON)] if "autotrading_off" in words else []
    if "terminal_blocked" in words and audience is Audience.ADMIN:
        tail.append(t("Unblock it: /unblock {login}", login=alert.login))
    if "market_closed" in words:
        tail.append(opening(alert.opens_at, alert.at, voice))
    if audience is Audience.CLIENT and words != {"market_closed"}:
        tail.append(t(BY_HAND))
    tail += [
        t(
            "Reckoner tries again at {at} and goes on until it is flat.",
            at=moment(alert.next_try_at, voice, today=alert.at),
        ),
        at_line(alert.at, voice),
    ]
    return Message(html=compose(head, rows, tail))


def _block(block: Blocked, audience: Audience) -> str:
    why = word(STANDS, block.word)
    if block.code is not None and audience is Audience.ADMIN:
        why += f" ({block.code}: {sentence(block.code, block.detail)})"
    elif block.detail and audience is Audience.ADMIN:
        why += f" ({code(block.detail)})"
    if not block.ticket:
        return f"{begun(why)}."
    what = f"#{block.ticket} {trade(block.symbol, block.side, block.volume)}"
    if block.is_order:
        what = t("order {trade}", trade=what)
    tries = tn(", {n} try", ", {n} tries", block.tries) if block.tries else ""
    return f"{what}: {why}{tries}"


def reappeared(alert: LatchedReappeared, voice: Voice, audience: Audience) -> Message:
    """Something was opened or placed on a locked account: what, by whom, and what becomes of it."""
    closes = bool(alert.job_id) and alert.over_at is None
    count = len(alert.items) + alert.more
    head = [
        headline(voice, t("🔒 {what} on locked {login}", what=_what(alert), login=alert.login)),
        *who(alert, audience),
    ]
    if closes:
        head.append(
            tn("Reckoner is cancelling it.", "Reckoner is cancelling them.", count)
            if _only_orders(alert)
            else tn("Reckoner is closing it.", "Reckoner is closing them.", count)
        )
    rows = [_item(item) for item in alert.items]
    rows += more(alert.more, 0)
    over = alert.over_at
    told = t(LOCKED) if alert.job_id else t(ONLY_TOLD)
    tail = [*([told] if over is None else []), at_line(alert.at, voice)]
    tail += [] if over is None else [over_line(over, alert.at, voice, closed=bool(alert.job_id))]
    keyboard = _ask(alert, audience) if over is None else ()  # the report has the button by then
    return Message(html=compose(head, rows, tail), keyboard=keyboard)


def _only_orders(alert: LatchedReappeared) -> bool:
    return bool(alert.items) and all(item.is_order for item in alert.items)


def _what(alert: LatchedReappeared) -> str:
    count = len(alert.items) + alert.more
    if _only_orders(alert):
        return tn("A pending order was placed", "{n} pending orders were placed", count)
    if any(item.is_order for item in alert.items):
        return t("Positions and pending orders appeared")
    return tn("A position was opened", "{n} positions were opened", count)


def _item(item: Appeared) -> str:
    """`#900001 XAUUSD buy 0.10, opened by hand, on a phone`."""
    what = f"#{item.ticket} {trade(item.symbol, item.side, item.volume)}"
    how = _how(item)
    if item.is_order:
        what = t("pending order {trade}", trade=what)
        return t("{order}, placed {how}", order=what, how=how) if how else what
    return t("{trade}, opened {how}", trade=what, how=how) if how else what


def _how(item: Appeared) -> str:
    """By whom, where that is known."""
    if item.trade_id is not None:
        return t("by your own program for a signal (trade {trade_id})", trade_id=item.trade_id)
    if item.opened_by is not None:
        return opened_by(item.opened_by, item.magic)
    return t("by a program with the number {magic}", magic=item.magic) if item.magic else ""


def _ask(alert: LatchedReappeared, audience: Audience) -> Keyboard:
    return keyboards.ask_release(alert.account_id) if audience is Audience.CLIENT else ()
