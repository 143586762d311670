"""One sentence for every row of the taxonomy, such as the client would say it.

Whoever tells of a divergence or an end fills in a `Fact` and gets the sentence, in messages and in
lists alike. A word of no row says nothing: it is shown as it is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from msgspec import Struct

from bot.i18n import later, t
from bot.markup import esc
from bot.views.message import Audience, Voice
from bot.views.numbers import clock, gain, lots, money, pips, price
from bot.views.words import CLOSED_BY_CLIENT, CLOSED_BY_YOU, OPENED_BY
from core.domain.alerts import DivergenceOpened, PositionClosed
from core.domain.divergences import reason_of, row_of
from core.domain.findings import Kind


class Fact(Struct, frozen=True, kw_only=True):
    """What a sentence is about: the stored word of the taxonomy and the figures that go with it.

    `expected` and `observed` are decimal text, a word, or an instant (ISO), as a finding has them.
    Slippage in pips and points, adverse positive; `pnl` in `currency`.
    """

    reason: str
    symbol: str
    side: str
    volume: Decimal
    at: datetime
    expected: str = ""
    observed: str = ""
    slippage_pips: Decimal | None = None
    slippage_points: Decimal | None = None
    to_target_pips: Decimal | None = None
    pnl: Decimal | None = None
    currency: str = ""
    magic: int = 0
    opened_by: int = 0


def _a(order_type: str) -> str:
    return f"a {order_type}" if order_type else t("a pending order")


class _Told:
    """A fact beside its reader: the parts sentences are made of."""

    def __init__(self, fact: Fact, voice: Voice, audience: Audience) -> None:
        self.fact = fact
        self.voice = voice
        self.own = audience is Audience.CLIENT
        self.your = "your" if self.own else t("the client's")
        self.pair = f"{esc(fact.symbol)} {esc(fact.side)}"
        self.what = f"{self.pair} {lots(fact.volume)}"
        self.at = clock(fact.at, voice)
        self.expected = self._figure(fact.expected)
        self.observed = self._figure(fact.observed)

    def _figure(self, text: str) -> str:
        """A price or a volume as people write it, an instant as a time, a word as it is."""
        try:
            value = Decimal(text)
        except InvalidOperation:
            return self._instant(text)
        if not value.is_finite():
            return esc(text)
        row = row_of(self.fact.reason)
        return lots(value) if row is not None and row.code in _OF_LOTS else price(value)

    def _instant(self, text: str) -> str:
        try:
            return clock(datetime.fromisoformat(text), self.voice)
        except (ValueError, TypeError, OverflowError):
            return esc(text)

    @property
    def result(self) -> str:
        """`, +12.40 GBP`, nothing where it is not known."""
        pnl = self.fact.pnl
        return "" if pnl is None else f", {gain(pnl, self.fact.currency)}"

    @property
    def off(self) -> str:
        """How far off: `6.0 pips`."""
        return pips(abs(self.fact.slippage_pips or Decimal(0)))


_OF_LOTS = frozenset({Kind.PARTIAL_FILL, Kind.OVER_VOLUME, Kind.SCALED_IN, Kind.VOLUME_REDUCED})


def sentence(fact: Fact, voice: Voice, audience: Audience) -> str:
    """The sentence, as Telegram HTML."""
    row = row_of(fact.reason)
    if row is None:
        return esc(fact.reason.replace("_", " "))
    told = SENTENCES[row.reason](_Told(fact, voice, audience))
    return told[:1].upper() + told[1:]


def of_divergence(alert: DivergenceOpened) -> Fact:
    """The fact an alert about a difference tells."""
    return Fact(
        reason=reason_of(alert.finding, alert.origin),
        symbol=alert.symbol,
        side=alert.side,
        volume=alert.volume,
        at=alert.at,
        expected=alert.expected,
        observed=alert.observed,
        slippage_pips=alert.slippage_pips,
        slippage_points=alert.slippage_points,
        magic=alert.magic,
        opened_by=alert.opened_by,
    )


def of_close(alert: PositionClosed) -> Fact:
    """The fact an alert about an end tells."""
    return Fact(
        reason=alert.note or reason_of(alert.close_reason),
        symbol=alert.symbol,
        side=alert.side,
        volume=alert.volume,
        at=alert.closed_at,
        slippage_pips=alert.slippage_pips,
        to_target_pips=alert.to_target_pips,
        pnl=alert.pnl,
        currency=alert.currency,
    )


def to_target(value: Decimal | None) -> str:
    """`, 47.0 pips before target`, nothing where there is no target."""
    if value is None:
        return ""
    if not value:
        return t(", at target")
    return t(
        ", {pips} {what} target", pips=pips(abs(value)), what="before" if value > 0 else "past"
    )


def _by_client(place: str) -> Callable[[_Told], str]:
    def said(told: _Told) -> str:
        who = "you" if told.own else t("the client")
        where = (CLOSED_BY_YOU if told.own else CLOSED_BY_CLIENT)[place]
        return t(
            "{who} closed this {where} at {at}{result}{to_target}.",
            who=who,
            where=where,
            at=told.at,
            result=told.result,
            to_target=to_target(told.fact.to_target_pips),
        )

    return said


def _moved(level: str) -> Callable[[_Told], str]:
    def said(told: _Told) -> str:
        if not told.expected:
            return t(
                "a {level} was set on {your} {what} at {observed}; the signal has none.",
                level=level,
                your=told.your,
                what=told.what,
                observed=told.observed,
            )
        return t(
            "the {level} of {your} {what} was moved from {expected} to {observed}.",
            level=level,
            your=told.your,
            what=told.what,
            expected=told.expected,
            observed=told.observed,
        )

    return said


def _slipped(told: _Told) -> str:
    points = told.fact.slippage_points
    more = "" if points is None else t(" ({normalize} points)", normalize=f"{points.normalize():f}")
    return t(
        "{your} {what} was filled at {observed}, {off}{more} worse than expected.",
        your=told.your,
        what=told.what,
        observed=told.observed,
        off=told.off,
        more=more,
    )


def _by_hand(told: _Told) -> str:
    who = "you" if told.own else t("the client")
    how = OPENED_BY.get(told.fact.opened_by, "by hand")
    return t(
        "{who} opened {what} {how}; no signal called for it.", who=who, what=told.what, how=how
    )


def _by_program(told: _Told) -> str:
    number = t(" with the number {magic}", magic=told.fact.magic) if told.fact.magic else ""
    return t(
        "a program{number} opened {what}; no signal called for it.", number=number, what=told.what
    )


def _money_moved(told: _Told) -> str:
    amount = told.fact.pnl or Decimal(0)
    way = t("came into") if amount >= 0 else "left"
    return t(
        "{money} {way} the account at {at}.",
        money=money(abs(amount), told.fact.currency),
        way=way,
        at=told.at,
    )


SENTENCES: Mapping[str, Callable[[_Told], str]] = {
    "entry_slippage": _slipped,
    "partial_fill": lambda told: t(
        "only {observed} of {expected} lots of {your} {pair} were filled.",
        observed=told.observed,
        expected=told.expected,
        your=told.your,
        pair=told.pair,
    ),
    "split_fill": lambda told: t(
        "a further part of {your} trade, {what}, was filled at {at}.",
        your=told.your,
        what=told.what,
        at=told.at,
    ),
    "over_volume": lambda told: t(
        "{your} {pair} holds {observed} lots; {expected} were approved.",
        your=told.your,
        pair=told.pair,
        observed=told.observed,
        expected=told.expected,
    ),
    "scaled_in": lambda told: t(
        "somebody added to {your} {pair}: {observed} lots instead of {expected}.",
        your=told.your,
        pair=told.pair,
        observed=told.observed,
        expected=told.expected,
    ),
    "scaled_out": lambda told: t(
        "a part of {your} {pair} was closed: {observed} of {expected} lots are left.",
        your=told.your,
        pair=told.pair,
        observed=told.observed,
        expected=told.expected,
    ),
    "duplicate_execution": lambda told: t(
        "{your} trade was placed more than once: this {what} is one too many.",
        your=told.your,
        what=told.what,
    ),
    "late_execution": lambda told: t(
        "{your} {what} was opened at {observed}, after its deadline at {expected}.",
        your=told.your,
        what=told.what,
        observed=told.observed,
        expected=told.expected,
    ),
    "not_executed": lambda told: t("{your} {what} was not placed.", your=told.your, what=told.what),
    "direction_mismatch": lambda told: t(
        "{your} trade in {symbol} should be {expected}, and it is {observed}.",
        your=told.your,
        symbol=esc(told.fact.symbol),
        expected=told.expected,
        observed=told.observed,
    ),
    "netting_reversed": lambda told: t(
        "an order turned {your} {symbol} position round: it was {expected} and is {observed} now.",
        your=told.your,
        symbol=esc(told.fact.symbol),
        expected=told.expected,
        observed=told.observed,
    ),
    "symbol_mismatch": lambda told: t(
        "{your} trade in {expected} was placed in {observed}.",
        your=told.your,
        expected=told.expected,
        observed=told.observed,
    ),
    "sl_moved": _moved(later("stop loss")),
    "sl_removed": lambda told: t(
        "the stop loss of {your} {what} at {expected} was removed.",
        your=told.your,
        what=told.what,
        expected=told.expected,
    ),
    "sl_missing": lambda told: t(
        "{your} {what} never had its stop loss at {expected}.",
        your=told.your,
        what=told.what,
        expected=told.expected,
    ),
    "tp_moved": _moved(later("take profit")),
    "tp_removed": lambda told: t(
        "the take profit of {your} {what} at {expected} was removed.",
        your=told.your,
        what=told.what,
        expected=told.expected,
    ),
    "tp_missing": lambda told: t(
        "{your} {what} never had its take profit at {expected}.",
        your=told.your,
        what=told.what,
        expected=told.expected,
    ),
    "unknown_position_manual": _by_hand,
    "unknown_position_foreign_ea": _by_program,
    "unknown_position_orphan": lambda told: t(
        "{what} carries Reckoner's mark, and Reckoner knows no open trade that it is.",
        what=told.what,
    ),
    "unknown_pending_order": lambda told: t(
        "{a} waits to open {what} at {observed}; no signal called for it.",
        a=_a(told.expected),
        what=told.what,
        observed=told.observed,
    ),
    "missing_unexplained": lambda told: t(
        "{your} {what} is gone, and the broker has not said why yet.",
        your=told.your,
        what=told.what,
    ),
    "manual_close_desktop": _by_client("client_desktop"),
    "manual_close_mobile": _by_client("client_mobile"),
    "manual_close_web": _by_client("client_web"),
    "foreign_ea_close": lambda told: t(
        "another program closed this at {at}{result}.", at=told.at, result=told.result
    ),
    "reckoner_close": lambda told: t(
        "Reckoner closed this at {at}{result}.", at=told.at, result=told.result
    ),
    "stop_loss": lambda told: t(
        "its stop loss closed this at {at}{result}.", at=told.at, result=told.result
    ),
    "take_profit": lambda told: t(
        "its take profit closed this at {at}{result}.", at=told.at, result=told.result
    ),
    "stop_out": lambda told: t(
        "the broker closed this for want of margin at {at}{result}.", at=told.at, result=told.result
    ),
    "close_by": lambda told: t(
        "this was closed by an opposite position at {at}{result}.", at=told.at, result=told.result
    ),
    "netting_reversal": lambda told: t(
        "an order the other way closed this at {at}{result}.", at=told.at, result=told.result
    ),
    "rollover_close": lambda told: t(
        "the broker closed this at the rollover, {at}{result}.", at=told.at, result=told.result
    ),
    "other_close": lambda told: t(
        "this was closed at {at}{result}, for a reason that Reckoner does not know.",
        at=told.at,
        result=told.result,
    ),
    "rollover_reopen": lambda told: t(
        "the broker closed {what} and opened it again at the rollover, {at}; it goes on.",
        what=told.what,
        at=told.at,
    ),
    "exit_slippage": lambda told: t(
        "this was closed at {at}, {off} worse than its stop or target{result}.",
        at=told.at,
        off=told.off,
        result=told.result,
    ),
    "gap_fill": lambda told: t(
        "the price jumped over the stop loss: this was closed at {at}, {off} beyond it{result}.",
        at=told.at,
        off=told.off,
        result=told.result,
    ),
    "balance_operation": _money_moved,
    "pnl_mismatch": lambda told: t(
        "the balance changed by {gain}, and no deal explains it.",
        gain=gain(told.fact.pnl or Decimal(0), told.fact.currency),
    ),
    "wrong_account": lambda told: t(
        "at {at} the terminal answered for another account than it was asked about.", at=told.at
    ),
    "stale_data": lambda told: t(
        "at {at} no price had moved on {your} account for long: its figures may be old.",
        at=told.at,
        your=told.your,
    ),
}
