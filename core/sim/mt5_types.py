"""The result types of the MetaTrader5 wheel: its fields, in its order, of its Python types.

The wheel's are C struct sequences: tuples with names, whose module is `builtins`, that have an
`_asdict()` but neither `_fields` nor `_replace`, and that cannot be pickled because `builtins` does
not know them. Copies, comparisons and hashes are a tuple's; as JSON they are a bare list.
"""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, Final, Self

Body = dict[str, Any]

_KINDS: Final[dict[str, type]] = {"i": int, "f": float, "b": bool, "s": str}


class StructSequence(tuple[Any, ...]):
    """A tuple with names. Made of a sequence of exactly its length."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()

    def __new__(cls, sequence: Iterable[Any]) -> Self:
        """Make one of its values in order. Raises TypeError for another number of them."""
        made = super().__new__(cls, sequence)
        wanted = len(cls.__match_args__)
        if len(made) != wanted:
            raise TypeError(
                f"{cls.__name__}() takes a {wanted}-sequence ({len(made)}-sequence given)"
            )
        return made

    def __reduce__(self) -> tuple[type, tuple[tuple[Any, ...]]]:
        # A copy is made of the type and a plain tuple; a pickle fails at the type's name.
        return type(self), (tuple(self),)

    def __repr__(self) -> str:
        shown = zip(self.__match_args__, self, strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown)})"

    def _asdict(self) -> Body:
        """Its values by name; structures inside stay structures."""
        return dict(zip(self.__match_args__, self, strict=True))


def _fields(spec: str) -> dict[str, type]:
    """Names and types of `a b:i c:f`: a kind stands after the last of those it is for."""
    found: dict[str, type] = {}
    waiting: list[str] = []
    for word in spec.split():
        name, _, kind = word.partition(":")
        waiting.append(name)
        if kind:
            found |= dict.fromkeys(waiting, _KINDS[kind])
            waiting.clear()
    return found


SPECS: Final[dict[str, dict[str, type]]] = {
    "AccountInfo": _fields(
        "login trade_mode leverage limit_orders margin_so_mode:i trade_allowed trade_expert:b "
        "margin_mode currency_digits:i fifo_close:b balance credit profit equity margin "
        "margin_free margin_level margin_so_call margin_so_so margin_initial margin_maintenance "
        "assets liabilities commission_blocked:f name server currency company:s"
    ),
    "TradePosition": _fields(
        "ticket time time_msc time_update time_update_msc type magic identifier reason:i volume "
        "price_open sl tp price_current swap profit:f symbol comment external_id:s"
    ),
    "TradeOrder": _fields(
        "ticket time_setup time_setup_msc time_done time_done_msc time_expiration type type_time "
        "type_filling state magic position_id position_by_id reason:i volume_initial "
        "volume_current price_open sl tp price_current price_stoplimit:f symbol comment "
        "external_id:s"
    ),
    "TradeDeal": _fields(
        "ticket order time time_msc type entry magic position_id reason:i volume price commission "
        "swap profit fee:f symbol comment external_id:s"
    ),
    "TradeRequest": _fields(
        "action magic order:i symbol:s volume price stoplimit sl tp:f deviation type type_filling "
        "type_time expiration:i comment:s position position_by:i"
    ),
    "Tick": _fields("time:i bid ask last:f volume time_msc flags:i volume_real:f"),
    "BookInfo": _fields("type:i price:f volume:i volume_dbl:f"),
    "TerminalInfo": _fields(
        "community_account community_connection connected dlls_allowed trade_allowed "
        "tradeapi_disabled email_enabled ftp_enabled notifications_enabled mqid:b build maxbars "
        "codepage ping_last:i community_balance retransmission:f company name language path "
        "data_path commondata_path:s"
    ),
    "SymbolInfo": _fields(
        "custom:b chart_mode:i select visible:b session_deals session_buy_orders "
        "session_sell_orders volume volumehigh volumelow time digits spread:i spread_float:b "
        "ticks_bookdepth trade_calc_mode trade_mode start_time expiration_time trade_stops_level "
        "trade_freeze_level trade_exemode swap_mode swap_rollover3days:i margin_hedged_use_leg:b "
        "expiration_mode filling_mode order_mode order_gtc_mode option_mode option_right:i bid "
        "bidhigh bidlow ask askhigh asklow last lasthigh lastlow volume_real volumehigh_real "
        "volumelow_real option_strike point trade_tick_value trade_tick_value_profit "
        "trade_tick_value_loss trade_tick_size trade_contract_size trade_accrued_interest "
        "trade_face_value trade_liquidity_rate volume_min volume_max volume_step volume_limit "
        "swap_long swap_short margin_initial margin_maintenance session_volume session_turnover "
        "session_interest session_buy_orders_volume session_sell_orders_volume session_open "
        "session_close session_aw session_price_settlement session_price_limit_min "
        "session_price_limit_max margin_hedged price_change price_volatility price_theoretical "
        "price_greeks_delta price_greeks_theta price_greeks_gamma price_greeks_vega "
        "price_greeks_rho price_greeks_omega price_sensitivity:f basis category currency_base "
        "currency_profit currency_margin bank description exchange formula isin name page path:s"
    ),
    "OrderSendResult": _fields(
        "retcode deal order:i volume price bid ask:f comment:s request_id retcode_external:i"
    ),
    "OrderCheckResult": _fields(
        "retcode:i balance equity profit margin margin_free margin_level:f comment:s"
    ),
}
"""Names and types of every structure's plain fields; results also end with their `request`."""

WITH_REQUEST: Final = frozenset({"OrderSendResult", "OrderCheckResult"})


def _make(name: str) -> type[StructSequence]:
    names = (*SPECS[name], *(("request",) if name in WITH_REQUEST else ()))
    body: dict[str, Any] = {field: property(itemgetter(at)) for at, field in enumerate(names)}
    body |= {"__slots__": (), "__module__": "builtins", "__match_args__": names}
    return type(name, (StructSequence,), body)


TYPES: Final[dict[str, type[StructSequence]]] = {name: _make(name) for name in SPECS}
"""The types by name."""


def build(name: str, body: Mapping[str, Any]) -> StructSequence:
    """Make a structure of its values by name. Raises KeyError where one is missing."""
    values = [kind(body[field]) for field, kind in SPECS[name].items()]
    if name in WITH_REQUEST:
        values.append(build("TradeRequest", body["request"]))
    return TYPES[name](values)
