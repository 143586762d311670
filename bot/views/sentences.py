"""One sentence for every row of the taxonomy, such as the client would say it.

Whoever tells of a divergence or an end fills in a `Fact` and gets the sentence, in messages and in
lists alike. A word of no row says nothing: it is shown as it is.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from msgspec import Struct

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
    return f"a {order_type}" if order_type else "a pending order"


class _Told:
    """A fact beside its reader: the parts sentences are made of."""

    def __init__(self, fact: Fact, voice: Voice, audience: Audience) -> None:
        self.fact = fact
        self.voice = voice
        self.own = audience is Audience.CLIENT
        self.your = "your" if self.own else "the client's"
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
        return ", at target"
    return f", {pips(abs(value))} {'before' if value > 0 else 'past'} target"


def _by_client(place: str) -> Callable[[_Told], str]:
    def told(t: _Told) -> str:
        who = "you" if t.own else "the client"
        where = (CLOSED_BY_YOU if t.own else CLOSED_BY_CLIENT)[place]
        return f"{who} closed this {where} at {t.at}{t.result}{to_target(t.fact.to_target_pips)}."

    return told


def _moved(level: str) -> Callable[[_Told], str]:
    def told(t: _Told) -> str:
        if not t.expected:
            return f"a {level} was set on {t.your} {t.what} at {t.observed}; the signal has none."
        return f"the {level} of {t.your} {t.what} was moved from {t.expected} to {t.observed}."

    return told


def _slipped(t: _Told) -> str:
    points = t.fact.slippage_points
    more = "" if points is None else f" ({points.normalize():f} points)"
    return f"{t.your} {t.what} was filled at {t.observed}, {t.off}{more} worse than expected."


def _by_hand(t: _Told) -> str:
    who = "you" if t.own else "the client"
    how = OPENED_BY.get(t.fact.opened_by, "by hand")
    return f"{who} opened {t.what} {how}; no signal called for it."


def _by_program(t: _Told) -> str:
    number = f" with the number {t.fact.magic}" if t.fact.magic else ""
    return f"a program{number} opened {t.what}; no signal called for it."


def _money_moved(t: _Told) -> str:
    amount = t.fact.pnl or Decimal(0)
    way = "came into" if amount >= 0 else "left"
    return f"{money(abs(amount), t.fact.currency)} {way} the account at {t.at}."


SENTENCES: Mapping[str, Callable[[_Told], str]] = {
    "entry_slippage": _slipped,
    "partial_fill": lambda t: (
        f"only {t.observed} of {t.expected} lots of {t.your} {t.pair} were filled."
    ),
    "split_fill": lambda t: f"a further part of {t.your} trade, {t.what}, was filled at {t.at}.",
    "over_volume": lambda t: (
        f"{t.your} {t.pair} holds {t.observed} lots; {t.expected} were approved."
    ),
    "scaled_in": lambda t: (
        f"somebody added to {t.your} {t.pair}: {t.observed} lots instead of {t.expected}."
    ),
    "scaled_out": lambda t: (
        f"a part of {t.your} {t.pair} was closed: {t.observed} of {t.expected} lots are left."
    ),
    "duplicate_execution": lambda t: (
        f"{t.your} trade was placed more than once: this {t.what} is one too many."
    ),
    "late_execution": lambda t: (
        f"{t.your} {t.what} was opened at {t.observed}, after its deadline at {t.expected}."
    ),
    "not_executed": lambda t: f"{t.your} {t.what} was not placed.",
    "direction_mismatch": lambda t: (
        f"{t.your} trade in {esc(t.fact.symbol)} should be {t.expected}, and it is {t.observed}."
    ),
    "netting_reversed": lambda t: (
        f"an order turned {t.your} {esc(t.fact.symbol)} position round: "
        f"it was {t.expected} and is {t.observed} now."
    ),
    "symbol_mismatch": lambda t: f"{t.your} trade in {t.expected} was placed in {t.observed}.",
    "sl_moved": _moved("stop loss"),
    "sl_removed": lambda t: f"the stop loss of {t.your} {t.what} at {t.expected} was removed.",
    "sl_missing": lambda t: f"{t.your} {t.what} never had its stop loss at {t.expected}.",
    "tp_moved": _moved("take profit"),
    "tp_removed": lambda t: f"the take profit of {t.your} {t.what} at {t.expected} was removed.",
    "tp_missing": lambda t: f"{t.your} {t.what} never had its take profit at {t.expected}.",
    "unknown_position_manual": _by_hand,
    "unknown_position_foreign_ea": _by_program,
    "unknown_position_orphan": lambda t: (
        f"{t.what} carries Reckoner's mark, and Reckoner knows no open trade that it is."
    ),
    "unknown_pending_order": lambda t: (
        f"{_a(t.expected)} waits to open {t.what} at {t.observed}; no signal called for it."
    ),
    "missing_unexplained": lambda t: (
        f"{t.your} {t.what} is gone, and the broker has not said why yet."
    ),
    "manual_close_desktop": _by_client("client_desktop"),
    "manual_close_mobile": _by_client("client_mobile"),
    "manual_close_web": _by_client("client_web"),
    "foreign_ea_close": lambda t: f"another program closed this at {t.at}{t.result}.",
    "reckoner_close": lambda t: f"Reckoner closed this at {t.at}{t.result}.",
    "stop_loss": lambda t: f"its stop loss closed this at {t.at}{t.result}.",
    "take_profit": lambda t: f"its take profit closed this at {t.at}{t.result}.",
    "stop_out": lambda t: f"the broker closed this for want of margin at {t.at}{t.result}.",
    "close_by": lambda t: f"this was closed by an opposite position at {t.at}{t.result}.",
    "netting_reversal": lambda t: f"an order the other way closed this at {t.at}{t.result}.",
    "rollover_close": lambda t: f"the broker closed this at the rollover, {t.at}{t.result}.",
    "other_close": lambda t: (
        f"this was closed at {t.at}{t.result}, for a reason that Reckoner does not know."
    ),
    "rollover_reopen": lambda t: (
        f"the broker closed {t.what} and opened it again at the rollover, {t.at}; it goes on."
    ),
    "exit_slippage": lambda t: (
        f"this was closed at {t.at}, {t.off} worse than its stop or target{t.result}."
    ),
    "gap_fill": lambda t: (
        f"the price jumped over the stop loss: this was closed at {t.at}, {t.off} beyond "
        f"it{t.result}."
    ),
    "balance_operation": _money_moved,
    "pnl_mismatch": lambda t: (
        f"the balance changed by {gain(t.fact.pnl or Decimal(0), t.fact.currency)}, "
        "and no deal explains it."
    ),
    "wrong_account": lambda t: (
        f"at {t.at} the terminal answered for another account than it was asked about."
    ),
    "stale_data": lambda t: (
        f"at {t.at} no price had moved on {t.your} account for long: its figures may be old."
    ),
}
