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
from bot.views.words import CLOSED_BY_CLIENT, CLOSED_BY_YOU, OPENED_BY, begun
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


BY_HAND = later("by hand")


def _a(order_type: str) -> str:
    return t("a {order_type}", order_type=order_type) if order_type else t("a pending order")


class _Told:
    """A fact beside its reader: the parts sentences are made of."""

    def __init__(self, fact: Fact, voice: Voice, audience: Audience) -> None:
        self.fact = fact
        self.voice = voice
        self.own = audience is Audience.CLIENT
        self.symbol = esc(fact.symbol)
        self.pair = f"{self.symbol} {esc(fact.side)}"
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

    def whose(self, what: str) -> str:
        """`your XAUUSD buy 0.10`, `the client's XAUUSD buy 0.10`."""
        return t("your {trade}", trade=what) if self.own else t("the client's {trade}", trade=what)

    @property
    def trade(self) -> str:
        """`your trade`, without what it is."""
        return t("your trade") if self.own else t("the client's trade")

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
    return begun(SENTENCES[row.reason](_Told(fact, voice, audience)))


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
    if value > 0:
        return t(", {pips} before target", pips=pips(value))
    return t(", {pips} past target", pips=pips(-value))


def _of_pair(text: str) -> Callable[[_Told], str]:
    """Of whose trade, without its lots: the text has them, as they should be and as they are."""
    return lambda told: _compared(text, told, told.pair)


def _of_trade(text: str) -> Callable[[_Told], str]:
    """Of whose trade, with its lots."""
    return lambda told: _compared(text, told, told.what)


def _compared(text: str, told: _Told, what: str) -> str:
    return t(text, trade=told.whose(what), observed=told.observed, expected=told.expected)


def _end(text: str) -> Callable[[_Told], str]:
    """Of what ended it, when and with what result."""
    return lambda told: t(text, at=told.at, result=told.result)


def _by_client(place: str) -> Callable[[_Told], str]:
    def said(told: _Told) -> str:
        figures = {
            "where": t((CLOSED_BY_YOU if told.own else CLOSED_BY_CLIENT)[place]),
            "at": told.at,
            "result": told.result,
            "to_target": to_target(told.fact.to_target_pips),
        }
        if told.own:
            return t("you closed this {where} at {at}{result}{to_target}.", **figures)
        return t("the client closed this {where} at {at}{result}{to_target}.", **figures)

    return said


def _moved(level: str) -> Callable[[_Told], str]:
    def said(told: _Told) -> str:
        if not told.expected:
            return t(
                "a {level} was set on {trade} at {observed}; the signal has none.",
                level=t(level),
                trade=told.whose(told.what),
                observed=told.observed,
            )
        return t(
            "the {level} of {trade} was moved from {expected} to {observed}.",
            level=t(level),
            trade=told.whose(told.what),
            expected=told.expected,
            observed=told.observed,
        )

    return said


def _slipped(told: _Told) -> str:
    points = told.fact.slippage_points
    in_points = "" if points is None else t(" ({points} points)", points=f"{points.normalize():f}")
    return t(
        "{trade} was filled at {observed}, {pips}{in_points} worse than expected.",
        trade=told.whose(told.what),
        observed=told.observed,
        pips=told.off,
        in_points=in_points,
    )


def _by_hand(told: _Told) -> str:
    how = t(OPENED_BY.get(told.fact.opened_by, BY_HAND))
    if told.own:
        return t("you opened {trade} {how}; no signal called for it.", trade=told.what, how=how)
    return t("the client opened {trade} {how}; no signal called for it.", trade=told.what, how=how)


def _by_program(told: _Told) -> str:
    if not told.fact.magic:
        return t("a program opened {trade}; no signal called for it.", trade=told.what)
    return t(
        "a program with the number {magic} opened {trade}; no signal called for it.",
        magic=told.fact.magic,
        trade=told.what,
    )


def _money_moved(told: _Told) -> str:
    amount = told.fact.pnl or Decimal(0)
    moved = money(abs(amount), told.fact.currency)
    if amount >= 0:
        return t("{money} came into the account at {at}.", money=moved, at=told.at)
    return t("{money} left the account at {at}.", money=moved, at=told.at)


SENTENCES: Mapping[str, Callable[[_Told], str]] = {
    "entry_slippage": _slipped,
    "partial_fill": _of_pair(later("only {observed} of {expected} lots of {trade} were filled.")),
    "split_fill": lambda told: t(
        "a further part of {trade}, {what}, was filled at {at}.",
        trade=told.trade,
        what=told.what,
        at=told.at,
    ),
    "over_volume": _of_pair(later("{trade} holds {observed} lots; {expected} were approved.")),
    "scaled_in": _of_pair(
        later("somebody added to {trade}: {observed} lots instead of {expected}.")
    ),
    "scaled_out": _of_pair(
        later("a part of {trade} was closed: {observed} of {expected} lots are left.")
    ),
    "duplicate_execution": lambda told: t(
        "{trade} was placed more than once: this {what} is one too many.",
        trade=told.trade,
        what=told.what,
    ),
    "late_execution": _of_trade(
        later("{trade} was opened at {observed}, after its deadline at {expected}.")
    ),
    "not_executed": _of_trade(later("{trade} was not placed.")),
    "direction_mismatch": lambda told: t(
        "{trade} in {symbol} should be {expected}, and it is {observed}.",
        trade=told.trade,
        symbol=told.symbol,
        expected=told.expected,
        observed=told.observed,
    ),
    "netting_reversed": lambda told: t(
        "an order turned {position} round: it was {expected} and is {observed} now.",
        position=t("your {symbol} position", symbol=told.symbol)
        if told.own
        else t("the client's {symbol} position", symbol=told.symbol),
        expected=told.expected,
        observed=told.observed,
    ),
    "symbol_mismatch": lambda told: t(
        "{trade} in {expected} was placed in {observed}.",
        trade=told.trade,
        expected=told.expected,
        observed=told.observed,
    ),
    "sl_moved": _moved(later("stop loss")),
    "sl_removed": _of_trade(later("the stop loss of {trade} at {expected} was removed.")),
    "sl_missing": _of_trade(later("{trade} never had its stop loss at {expected}.")),
    "tp_moved": _moved(later("take profit")),
    "tp_removed": _of_trade(later("the take profit of {trade} at {expected} was removed.")),
    "tp_missing": _of_trade(later("{trade} never had its take profit at {expected}.")),
    "unknown_position_manual": _by_hand,
    "unknown_position_foreign_ea": _by_program,
    "unknown_position_orphan": lambda told: t(
        "{what} carries Reckoner's mark, and Reckoner knows no open trade that it is.",
        what=told.what,
    ),
    "unknown_pending_order": lambda told: t(
        "{order} waits to open {trade} at {observed}; no signal called for it.",
        order=_a(told.expected),
        trade=told.what,
        observed=told.observed,
    ),
    "missing_unexplained": _of_trade(
        later("{trade} is gone, and the broker has not said why yet.")
    ),
    "manual_close_desktop": _by_client("client_desktop"),
    "manual_close_mobile": _by_client("client_mobile"),
    "manual_close_web": _by_client("client_web"),
    "foreign_ea_close": _end(later("another program closed this at {at}{result}.")),
    "reckoner_close": _end(later("Reckoner closed this at {at}{result}.")),
    "stop_loss": _end(later("its stop loss closed this at {at}{result}.")),
    "take_profit": _end(later("its take profit closed this at {at}{result}.")),
    "stop_out": _end(later("the broker closed this for want of margin at {at}{result}.")),
    "close_by": _end(later("this was closed by an opposite position at {at}{result}.")),
    "netting_reversal": _end(later("an order the other way closed this at {at}{result}.")),
    "rollover_close": _end(later("the broker closed this at the rollover, {at}{result}.")),
    "other_close": _end(
        later("this was closed at {at}{result}, for a reason that Reckoner does not know.")
    ),
    "rollover_reopen": lambda told: t(
        "the broker closed {what} and opened it again at the rollover, {at}; it goes on.",
        what=told.what,
        at=told.at,
    ),
    "exit_slippage": lambda told: t(
        "this was closed at {at}, {pips} worse than its stop or target{result}.",
        at=told.at,
        pips=told.off,
        result=told.result,
    ),
    "gap_fill": lambda told: t(
        "the price jumped over the stop loss: this was closed at {at}, {pips} beyond it{result}.",
        at=told.at,
        pips=told.off,
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
        "at {at} no price had moved on {account} for long: its figures may be old.",
        at=told.at,
        account=t("your account") if told.own else t("the client's account"),
    ),
}
