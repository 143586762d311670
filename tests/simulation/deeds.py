"""What people, executors and the market do in a world, drawn by its seed."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from core.domain.signals import parse_signal
from core.ports import BrokerUnavailable, StaleEpoch, StoreUnavailable
from core.services.errors import Refused
from core.sim.ledger import Position
from core.sim.simulation import PERSON
from tests.simulation.truth import Trade

if TYPE_CHECKING:
    from tests.simulation.world import World

SYMBOLS: Final = ("XAUUSD", "EURUSD")
HELD_MAX: Final = 6
ORDERS_MAX: Final = 3
FOREIGN_MAGIC: Final = 4242
ENDS: Final = (Refused, StoreUnavailable, StaleEpoch, BrokerUnavailable)
"""How a person's request may end: the bot's error router answers each of them."""
LEAST_EQUITY: Final = 3_000


async def signal(world: "World") -> str:
    """An admin posts a signal and a client approves it."""
    worker, login = world.guarding(), world.one_of(world.logins)
    if worker is None or worker.engine is None or world.is_netting(login):
        return "nobody to ask"
    engine, symbol = worker.engine, world.one_of(SYMBOLS)
    side, volume = world.one_of(("buy", "sell")), world.one_of(("0.10", "0.30", "1.00"))
    quote = world.sim.market.quotes[symbol]
    point = world.sim.market.symbols[symbol].point
    sign = 1 if side == "buy" else -1
    stop = (quote.bid * (1000 - sign * world.whole(30, 60)) / 1000).quantize(point)
    text = f"{symbol} {side} {volume} sl {stop}"

    async def asked() -> None:
        try:
            ada = await engine.people.identify(world.admin_id)
            client = await engine.people.identify(world.owner(login))
            assert ada is not None
            assert client is not None
            key = f"world:{world.now_s()}"
            posted = await engine.post_signal(ada, parse_signal(text), key)
            for offer in world.checks.rows(
                "SELECT id FROM approvals WHERE signal_id = ? AND account_id = ?",
                posted.signal_id,
                world.checks.accounts[login].account_id,
            ):
                await engine.decide_approval(client, offer[0], approve=True)
        except (*ENDS, KeyError) as refused:
            world.tell(f"not approved: {refused}")

    worker.call(asked())
    return f"{login}: {text}"


async def execute(world: "World") -> str:
    """Every account's executor asks what to place, and places it once."""
    worker = world.guarding()
    if worker is None or worker.engine is None:
        return "nobody to ask"
    engine = worker.engine
    for login in world.logins:

        async def fetched(login: int = login) -> None:
            try:
                for handed in await engine.expected(world.tokens.get(str(login), "")) or []:
                    _place(world, login, handed)
            except StoreUnavailable as error:
                world.tell(f"executor of {login}: {error}")

        worker.call(fetched())
    return "executors ask"


def _place(world: "World", login: int, handed: dict[str, Any]) -> None:
    key = (login, handed["magic"])
    if key in world.placed:
        return
    world.placed.add(key)
    body = {
        "action": 1,
        "symbol": handed["symbol"],
        "volume": float(handed["volume"]),
        "type": 0 if handed["side"] == "buy" else 1,
        "type_filling": 1,
        "sl": float(handed["stop_loss"] or 0),
        "tp": float(handed["take_profit"] or 0),
        "magic": handed["magic"],
        "comment": handed["comment"],
    }
    sent = world.sim.submit(login, "executor", body, reason=3)
    world.tell(f"{login}: executor places {handed['trade_id']}: {sent.retcode}")
    if sent.retcode not in (10009, 10010) or sent.result is None:
        return
    expected, deadline = world.checks.rows(
        "SELECT expected_entry, deadline_at FROM trades WHERE id = ?", handed["trade_id"]
    )[0]
    world.checks.truth.trades.append(
        Trade(
            number=handed["trade_id"],
            login=login,
            symbol=handed["symbol"],
            sign=1 if handed["side"] == "buy" else -1,
            volume=Decimal(handed["volume"]),
            stop_loss=Decimal(handed["stop_loss"] or 0),
            take_profit=Decimal(handed["take_profit"] or 0),
            expected_entry=Decimal(expected) / 10**8,
            deadline_ms=world.ms_of(deadline),
            magic=handed["magic"],
            comment=handed["comment"],
            executed=[sent.result["order"]],
        )
    )


def _held(world: "World") -> list[tuple[int, Position]]:
    return [(n, p) for n in world.logins for p in world.sim.ledger.positions(n).values()]


async def open_by_hand(world: "World") -> str:
    """Somebody opens, large enough to be in danger."""
    able = [n for n in world.logins if len(world.sim.ledger.positions(n)) < HELD_MAX]
    if not able:
        return "nobody opens"
    login, symbol, side = world.one_of(able), world.one_of(SYMBOLS), world.whole(0, 1)
    volume = world.one_of((0.1, 0.5, 1.0, 2.0, 3.0))
    reason = world.whole(0, 3)
    body = {"action": 1, "symbol": symbol, "volume": volume, "type": side}
    body |= {"magic": FOREIGN_MAGIC, "comment": "other"} if reason == 3 else {}
    return f"{login}: opens {symbol} {side} {volume}: {_act(world, login, body, reason)}"


async def close_by_hand(world: "World") -> str:
    """Somebody closes a position, or a part of it."""
    held = _held(world)
    if not held:
        return "nothing to close"
    login, one = world.one_of(held)
    part = world.whole(0, 2) == 0 and one.volume >= Decimal("0.2")
    volume = Decimal("0.10") if part else one.volume
    body = {
        "action": 1,
        "position": one.ticket,
        "symbol": one.symbol,
        "volume": float(volume),
        "type": 1 if one.sign > 0 else 0,
    }
    return (
        f"{login}: closes {volume} of {one.ticket}: {_act(world, login, body, world.whole(0, 3))}"
    )


async def move_levels(world: "World") -> str:
    """Somebody moves a stop."""
    held = _held(world)
    if not held:
        return "nothing to move"
    login, one = world.one_of(held)
    quote = world.sim.market.quotes[one.symbol]
    point = world.sim.market.symbols[one.symbol].point
    level = (quote.bid * (1000 - one.sign * world.whole(20, 60)) / 1000).quantize(point)
    body = {"action": 6, "position": one.ticket, "symbol": one.symbol, "sl": float(level)}
    return f"{login}: stop of {one.ticket} to {level}: {_act(world, login, body)}"


async def place_order(world: "World") -> str:
    """Somebody places a pending order, near enough to be met."""
    login, symbol, kind = world.one_of(world.logins), world.one_of(SYMBOLS), world.whole(2, 5)
    if len(world.sim.ledger.orders(login)) >= ORDERS_MAX:
        return "orders enough"
    quote = world.sim.market.quotes[symbol]
    point = world.sim.market.symbols[symbol].point
    way = -1 if kind in (2, 5) else 1
    price = (quote.bid * (1000 + way * world.whole(2, 20)) / 1000).quantize(point)
    body = {"action": 5, "symbol": symbol, "volume": 0.2, "type": kind, "price": float(price)}
    return f"{login}: order {kind} {symbol} at {price}: {_act(world, login, body)}"


async def cash(world: "World") -> str:
    """Money comes in or goes out."""
    login = world.one_of(world.logins)
    sum_ = Decimal(world.whole(100, 300_000)) / 100
    if world.whole(0, 1):
        free = world.sim.broker.value(login).equity - LEAST_EQUITY
        sum_ = -min(sum_, max(free, Decimal(0)) / 3).quantize(Decimal("0.01"))
    if abs(sum_) < 1:
        return "no money moves"
    world.sim.broker.cash(login, sum_, "balance")
    return f"{login}: {sum_} of cash"


async def price(world: "World") -> str:
    """A price moves a little."""
    return _move(world, world.whole(-6, 6))


async def crash(world: "World") -> str:
    """A price moves far: somebody is over the limit, unless nobody holds anything."""
    return _move(world, world.one_of((-1, 1)) * world.whole(9, 28))


def _move(world: "World", thousandths: int) -> str:
    symbol = world.one_of(SYMBOLS)
    quote = world.sim.market.quotes[symbol]
    point = world.sim.market.symbols[symbol].point
    low, high = (1200, 3200) if symbol == "XAUUSD" else (Decimal("0.7"), Decimal("1.6"))
    way = abs(thousandths) if quote.bid < low else -abs(thousandths)
    by = thousandths if low <= quote.bid <= high else way
    bid = (quote.bid * (1000 + by) / 1000).quantize(point)
    world.sim.set_price(symbol, bid, bid + (quote.ask - quote.bid))
    return f"{symbol} by {by / 10} % to {bid}"


async def release(world: "World") -> str:
    """The client of a latched account asks, and an admin grants."""
    worker = world.guarding()
    latched = [w for w in world.checks.accounts.values() if w.latched is not None]
    if worker is None or worker.engine is None or not latched:
        return "nobody to release"
    engine, watched = worker.engine, world.one_of(latched)

    async def asked() -> None:
        try:
            client = await engine.people.identify(world.owner(watched.login))
            ada = await engine.people.identify(world.admin_id)
            assert ada is not None
            assert client is not None
            await engine.ask_release(client, watched.account_id)
            await engine.answer_release(ada, watched.account_id, True)  # noqa: FBT003 - the port's own signature
        except ENDS as refused:
            world.tell(f"not released: {refused}")

    worker.call(asked())
    return f"{watched.login}: a release is asked for"


def _act(world: "World", login: int, body: dict[str, Any], reason: int = 1) -> int:
    sent = world.sim.submit(login, PERSON, body, reason=reason)
    return int(sent.retcode or 0)


class Deed(Struct, frozen=True):
    """Something that is done, and how often beside the others."""

    name: str
    weight: int
    act: Callable[["World"], Awaitable[str]]


DEEDS: Final = (
    Deed("signal", 4, signal),
    Deed("execute", 6, execute),
    Deed("open", 9, open_by_hand),
    Deed("close", 3, close_by_hand),
    Deed("levels", 2, move_levels),
    Deed("order", 2, place_order),
    Deed("cash", 2, cash),
    Deed("price", 5, price),
    Deed("crash", 7, crash),
    Deed("release", 3, release),
)
BY_NAME: Final = {deed.name: deed for deed in DEEDS}
