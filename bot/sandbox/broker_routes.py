"""The broker's side of the world over HTTP: its truth, its market, a person's trades, its faults.

Numbers are JSON numbers, instants ISO 8601 UTC. Every change is committed before it is answered.
Errors are `{"error": "<field>: what was expected"}`: 400 for bad input, 404 for what does not
exist, 409 for what the trade server refuses.
"""

from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec
from aiohttp import web

from core.sim import structs
from core.sim.codes import RETCODE_TEXT, SUCCESS, Action, OrderType, Retcode
from core.sim.faults import BadFault, parse_fault
from core.sim.ledger import Position
from core.sim.market import MODES, REPLAY
from core.sim.server_time import ServerTime
from core.sim.simulation import PERSON, Sent, Simulation, iso, sends_log

Body = dict[str, Any]
Act = Callable[[int, Body], Body]

BY: Final = {"desktop": 0, "mobile": 1, "web": 2, "ea": 3}
"""DEAL_REASON by the platform a person trades on."""
SIDES: Final = {"buy": OrderType.BUY, "sell": OrderType.SELL}
PENDING_TYPES: Final = {
    "buy_limit": OrderType.BUY_LIMIT,
    "sell_limit": OrderType.SELL_LIMIT,
    "buy_stop": OrderType.BUY_STOP,
    "sell_stop": OrderType.SELL_STOP,
}
CASH_KINDS: Final = ("balance", "credit", "commission")
SENDS_SHOWN_MAX: Final = 10_000
AMOUNT_MAX: Final = Decimal(1_000_000_000)
MAGIC_MAX: Final = 2**63 - 1

PERSON_REFUSED: Final = {
    Retcode.INVALID_VOLUME: (400, "volume: expected 0.01 to 100 lots in steps of 0.01"),
    Retcode.INVALID_CLOSE_VOLUME: (400, "volume: expected at most the position's volume"),
    Retcode.INVALID_PRICE: (400, "price: expected a price on the far side of the market"),
    Retcode.INVALID_STOPS: (400, "sl: expected sl and tp on their own sides of the market"),
    Retcode.NO_MONEY: (409, "volume: expected less, the free margin does not carry it"),
    Retcode.NO_CHANGES: (409, "sl: expected sl or tp other than they are"),
    Retcode.POSITION_CLOSED: (404, "ticket: expected an open position"),
}
"""What a person is told when the trade server refuses: the status, and the field to blame."""


class Refused(Exception):
    """An answer other than 200: its status, and `<field>: what was expected`."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class BrokerRoutes:
    """Everything under `/broker`."""

    def __init__(self, simulation: Simulation) -> None:
        self._sim = simulation

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Answer the routes to register."""
        acts: dict[str, Act] = {
            "open": self._open,
            "close": self._close,
            "modify": self._modify,
            "cash": self._cash,
            "pending": self._pending,
            "fault": self._fault,
        }
        return [
            web.get("/broker", self._answering(self._overview)),
            web.get("/broker/market", self._answering(self._quotes)),
            web.post("/broker/market", self._answering(self._set_market)),
            web.get("/broker/{login}", self._answering(self._account)),
            *(
                web.post(f"/broker/{{login}}/{verb}", self._answering(self._on_account(act)))
                for verb, act in acts.items()
            ),
            web.delete("/broker/{login}/fault", self._answering(self._clear_faults)),
        ]

    def _answering(
        self, handler: Callable[[web.Request], Awaitable[Body]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            try:
                body, status = await handler(request), 200
            except Refused as refused:
                body, status = {"error": str(refused)}, refused.status
            self._sim.journal.commit()
            return web.Response(
                body=msgspec.json.encode(body), status=status, content_type="application/json"
            )

        return answer

    def _on_account(self, act: Act) -> Callable[[web.Request], Awaitable[Body]]:
        async def handle(request: web.Request) -> Body:
            login = self._login(request)
            return act(login, await _body(request))

        return handle

    def _login(self, request: web.Request) -> int:
        text = request.match_info["login"]
        if not text.isdecimal() or int(text) not in self._sim.ledger.accounts:
            known = ", ".join(map(str, self._sim.logins))
            raise Refused(404, f"login: expected one of {known}")
        return int(text)

    async def _overview(self, _request: web.Request) -> Body:
        return {"accounts": [self._head(login) for login in self._sim.logins]}

    def _head(self, login: int) -> Body:
        account = self._sim.ledger.accounts[login]
        value = self._sim.broker.value(login)
        return {
            "login": login,
            "name": account.name,
            "server": account.server,
            "currency": account.currency,
            "margin_mode": account.margin_mode,
            "leverage": account.leverage,
            "balance": float(account.balance),
            "credit": float(account.credit),
            "profit": float(value.profit),
            "equity": float(value.equity),
            "margin": float(value.margin),
            "margin_free": float(value.margin_free),
            "margin_level": float(value.margin_level),
            "connected": self._sim.is_connected(login),
        }

    async def _account(self, request: web.Request) -> Body:
        login = self._login(request)
        view, clock = self._sim.view(login), self._sim.cache.clock(login)
        head = self._sim.journal.head(sends_log(login))
        sends = self._sim.journal.log(sends_log(login), max(0, head - SENDS_SHOWN_MAX))
        return {
            **self._head(login),
            "positions": [
                {**_legible(one, clock), "side": "buy" if one["type"] == 0 else "sell"}
                for one in view["positions"]
            ],
            "orders": [_legible(one, clock) for one in view["orders"]],
            "deals": [
                {
                    **_legible(structs.trade_deal(deal, clock), clock),
                    "visible_at": iso(deal.visible_ms),
                }
                for deal in self._sim.ledger.deals(login)
            ],
            "order_sends": [entry for _, entry in sends],
            "faults": [msgspec.to_builtins(one) for one in self._sim.faults.active(login)],
        }

    async def _quotes(self, _request: web.Request) -> Body:
        market = self._sim.market
        quotes = [
            {
                "symbol": name,
                "bid": float(quote.bid),
                "ask": float(quote.ask),
                "digits": market.symbols[name].digits,
                "mode": market.mode(name),
                "at": iso(market.tick_ms(name)),
            }
            for name, quote in market.quotes.items()
        ]
        return {"quotes": quotes}

    async def _set_market(self, request: web.Request) -> Body:
        body = await _body(request)
        symbol, market = self._symbol(body), self._sim.market
        if market.mode(symbol) == REPLAY:
            raise Refused(409, f"symbol: {symbol} follows the recorded ticks")
        if "mode" not in body and "bid" not in body and "ask" not in body:
            raise Refused(400, "bid: expected bid and ask, or mode")
        mode = _word(body, "mode", dict.fromkeys(MODES, 0)) if "mode" in body else None
        quote = None
        if "bid" in body or "ask" in body:
            quote = _number(body, "bid"), _number(body, "ask")
            if not 0 < quote[0] <= quote[1]:
                raise Refused(400, "bid: expected a positive price, not above the ask")
        if mode is not None:
            market.set_mode(symbol, mode)
        fills = self._sim.set_price(symbol, *quote) if quote is not None else 0
        bid, ask = market.quotes[symbol].bid, market.quotes[symbol].ask
        return {
            "symbol": symbol,
            "bid": float(bid),
            "ask": float(ask),
            "mode": market.mode(symbol),
            "fills": fills,
        }

    def _symbol(self, body: Body) -> str:
        symbol = body.get("symbol")
        if not isinstance(symbol, str) or symbol not in self._sim.market.symbols:
            known = ", ".join(self._sim.market.symbols)
            raise Refused(400, f"symbol: expected one of {known}")
        return symbol

    def _open(self, login: int, body: Body) -> Body:
        request = self._entry(body)
        request |= {"action": Action.DEAL, "type": SIDES[_word(body, "side", SIDES)]}
        return self._submit(login, request, body)

    def _entry(self, body: Body) -> Body:
        magic, comment = body.get("magic", 0), body.get("comment", "")
        if isinstance(magic, bool) or not isinstance(magic, int) or not 0 <= magic <= MAGIC_MAX:
            raise Refused(400, "magic: expected a whole number, 0 or above")
        if not isinstance(comment, str):
            raise Refused(400, "comment: expected text")
        return {
            "symbol": self._symbol(body),
            "volume": float(_number(body, "volume")),
            "sl": float(_number(body, "sl", Decimal(0))),
            "tp": float(_number(body, "tp", Decimal(0))),
            "magic": magic,
            "comment": comment,
        }

    def _pending(self, login: int, body: Body) -> Body:
        request = self._entry(body)
        request |= {
            "action": Action.PENDING,
            "type": PENDING_TYPES[_word(body, "type", PENDING_TYPES)],
            "price": float(_number(body, "price")),
        }
        return self._submit(login, request, body)

    def _close(self, login: int, body: Body) -> Body:
        ticket = _ticket(body)
        if ticket in self._sim.ledger.orders(login):
            return self._submit(login, {"action": Action.REMOVE, "order": ticket}, body)
        held = self._position(login, ticket)
        request = {
            "action": Action.DEAL,
            "symbol": held.symbol,
            "volume": float(_number(body, "volume", held.volume)),
            "type": OrderType.SELL if held.sign > 0 else OrderType.BUY,
            "position": ticket,
        }
        return self._submit(login, request, body)

    def _modify(self, login: int, body: Body) -> Body:
        held = self._position(login, _ticket(body))
        request = {
            "action": Action.SLTP,
            "symbol": held.symbol,
            "position": held.ticket,
            "sl": float(_number(body, "sl", held.sl, none=Decimal(0))),
            "tp": float(_number(body, "tp", held.tp, none=Decimal(0))),
        }
        return self._submit(login, request, body)

    def _position(self, login: int, ticket: int) -> Position:
        held = self._sim.ledger.positions(login).get(ticket)
        if held is None:
            raise Refused(404, f"ticket: no open position {ticket} on account {login}")
        return held

    def _submit(self, login: int, request: Body, body: Body) -> Body:
        reason = BY[_word(body, "by", BY, "mobile")]
        sent = self._sim.submit(login, PERSON, request, reason=reason)
        return _executed(sent)

    def _cash(self, login: int, body: Body) -> Body:
        kind = _word(body, "kind", dict.fromkeys(CASH_KINDS, 0), "balance")
        digits = self._sim.ledger.accounts[login].digits
        amount = _number(body, "amount")
        if not amount or abs(amount) > AMOUNT_MAX or amount != round(amount, digits):
            raise Refused(400, f"amount: expected a sum other than 0 with {digits} decimals")
        deal = self._sim.broker.cash(login, amount, kind, kind.capitalize())
        return {"deal": deal.ticket, **self._head(login)}

    def _fault(self, login: int, body: Body) -> Body:
        try:
            fault = parse_fault(body, self._sim.now_ms())
        except BadFault as bad:
            raise Refused(400, str(bad)) from bad
        self._sim.set_fault(login, fault)
        return {"faults": [msgspec.to_builtins(one) for one in self._sim.faults.active(login)]}

    async def _clear_faults(self, request: web.Request) -> Body:
        self._sim.clear_faults(self._login(request))
        return {"faults": []}


def _executed(sent: Sent) -> Body:
    """A person's trade as done. Raises Refused with the field that is to blame."""
    if sent.result is None:
        raise Refused(400, f"comment: {sent.error[1] if sent.error else 'refused'}")
    retcode = sent.result["retcode"]
    if retcode not in SUCCESS:
        otherwise = (409, f"request: refused with {retcode} {RETCODE_TEXT[retcode]}")
        raise Refused(*PERSON_REFUSED.get(retcode, otherwise))
    wanted = ("retcode", "deal", "order", "volume", "price")
    return {**{name: sent.result[name] for name in wanted}, "ticket": sent.result["order"]}


async def _body(request: web.Request) -> Body:
    try:
        return msgspec.json.decode(await request.read(), type=Body)
    except msgspec.DecodeError as error:
        raise Refused(400, f"body: expected a JSON object ({error})") from error


def _number(
    body: Body, name: str, default: Decimal | None = None, none: Decimal | None = None
) -> Decimal:
    """A number of the body. `default` where it is absent, `none` where it is null."""
    value = body.get(name, default)
    if value is None and name in body and none is not None:
        value = none
    if isinstance(value, (int, float, Decimal, str)) and not isinstance(value, bool):
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("nan")
        if number.is_finite():
            return number
    raise Refused(400, f"{name}: expected a number")


def _word(body: Body, name: str, words: dict[str, int], default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or value not in words:
        raise Refused(400, f"{name}: expected {' or '.join(words)}")
    return value


def _ticket(body: Body) -> int:
    value = body.get("ticket")
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(400, "ticket: expected a whole number")
    return value


def _legible(struct: Body, clock: ServerTime) -> Body:
    """A MetaTrader structure with its times as ISO 8601 true UTC, milliseconds dropped from it."""
    return {
        name: _moment(struct, name, clock) if name.startswith("time") else value
        for name, value in struct.items()
        if not name.endswith("_msc") and name not in ("time_expiration", "type_time")
    }


def _moment(struct: Body, name: str, clock: ServerTime) -> str | None:
    server_ms = struct.get(f"{name}_msc", struct[name] * 1000)
    return iso(clock.utc_ms(server_ms)) if server_ms else None
