"""What may happen on the stage: the rules that both drivers share.

What is left out, and why: trades of several signals on one netting position, additions to one
before its own deal was read, and split fills (they have their own tests:
tests/engine/test_matching.py), answers of a wrong account (a block waits for an admin), gaps, and
empty answers, which nothing tells from the truth where only orders are held.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Final

from msgspec import Struct

from core.records import ApprovalRow
from core.services.errors import Refused
from core.sim.faults import parse_fault
from core.sim.ledger import Position
from tests.engine.house import ACCOUNTS, ADMIN
from tests.simulation import mishaps
from tests.simulation.dice import Dice, lots, one_of
from tests.simulation.mishaps import holders
from tests.simulation.stage import Killed, Stage
from tests.simulation.truth import Trade
from tests.simulation.watch import must

SYMBOLS: Final = ("XAUUSD", "EURUSD")
OPEN_MAX: Final = 6
"""Positions of one account beyond which a person opens no more."""
PENDING_MAX: Final = 3
FOREIGN_MAGIC: Final = 4242
WITHDRAWN_SHARE: Final = 3
LEAST_EQUITY: Final = 2_500
PAUSES_S: Final = (0, 1, 4, 12)
"""How long the world then stands still."""

UNWATCHED: Final = frozenset(
    {"open_by_hand", "close_by_hand", "flip", "move_levels", "place_order", "money", "price"}
)
"""What happens without the app."""

Act = Callable[[Stage, Dice], Awaitable[str]]


class Rule(Struct, frozen=True):
    """One thing that may happen: how often beside the others, whether it can now, and how."""

    name: str
    weight: int
    can: Callable[[Stage], bool]
    act: Act


def _any_position(stage: Stage, dice: Dice) -> tuple[int, Position]:
    login = one_of(dice, holders(stage))
    return login, one_of(dice, list(stage.model.truth.held(login).values()))


def _is_net(login: int) -> bool:
    return next(mode for one, _, _, mode, _ in ACCOUNTS if one == login).value != "hedging"


def _net_of(stage: Stage, login: int, symbol: str) -> bool:
    return any(p.symbol == symbol for p in stage.model.truth.held(login).values())


def _is_attributed(stage: Stage, login: int) -> bool:
    """Whether every trade's own deal was read: on a net position, others would blur its price."""
    truth, booked = stage.model.truth, stage.model.accounts[login].booked
    firsts = [t.executed[0] for t in truth.trades if t.executed and t.login == login]
    held = truth.held(login)
    own = (truth.deals_of(login, one)[0].ticket for one in firsts if one in held)
    return not _is_net(login) or all(ticket in booked for ticket in own)


def _waiting(stage: Stage) -> list[Trade]:
    return [t for t in stage.model.truth.trades if not t.executed]


def _recent(stage: Stage) -> list[Trade]:
    return stage.model.truth.trades[-4:]


# --- signals and executors -----------------------------------------------------------------------


async def signal(stage: Stage, dice: Dice) -> str:
    """A signal is posted and one client approves it; the executor is handed the trade."""
    login, owner = one_of(dice, [(login, owner) for login, owner, *_ in ACCOUNTS])
    symbol, sign, volume = one_of(dice, SYMBOLS), one_of(dice, (1, -1)), lots(dice, Decimal(2))
    quote = stage.house.sim.market.quotes[symbol]
    point = stage.house.sim.market.symbols[symbol].point
    stop, target = (
        (quote.bid * (1000 + way * sign * dice.whole(4, 60)) / 1000).quantize(point)
        if dice.whole(0, 4)
        else Decimal(0)
        for way in (-1, 1)
    )
    side = "buy" if sign > 0 else "sell"
    levels = (f" sl {stop}" if stop else "") + (f" tp {target}" if target else "")
    text = f"{symbol} {side} {volume}{levels}"
    expected = quote.ask if sign > 0 else quote.bid
    now_ms = stage.house.now_ms()
    try:
        signal_id = await stage.house.signal(text)
        offers = await stage.house.rows(
            ApprovalRow, signal_id=signal_id, account_id=stage.house.ids[login]
        )
        if not offers:
            state = await stage.house.state(login)
            must(state.latched_at is not None, f"{login}: was not asked and is not locked")
            return f"{login}: {text} not offered: it is locked"
        await stage.house.approve(owner, signal_id)
    except Refused as refused:
        return f"{login}: {text} refused: {refused.code}"
    (approval,) = await stage.house.rows(
        ApprovalRow, signal_id=signal_id, account_id=stage.house.ids[login]
    )
    handed = await stage.house.engine.expected(stage.tokens[f"{login}"]) or []
    (mine,) = [t for t in handed if t["comment"].endswith(f"-{approval.id}")]
    stage.model.add(
        Trade(
            number=approval.id,
            login=login,
            symbol=symbol,
            sign=sign,
            volume=volume,
            stop_loss=stop,
            take_profit=target,
            expected_entry=expected,
            deadline_ms=now_ms + 120_000,
            magic=mine["magic"],
            comment=mine["comment"],
        )
    )
    return f"{login}: {text}, approved as {approval.id}"


def _execute(stage: Stage, dice: Dice, trade: Trade) -> str:
    kind = one_of(dice, ("", "", "", "partial_fill", "slippage", "comment_overwritten"))
    if kind:
        more = {"points": dice.whole(-60, 900)} if kind == "slippage" else {}
        fault = {"kind": kind, "to": "executor", "times": 1, **more}
        stage.house.sim.set_fault(trade.login, parse_fault(fault, stage.house.now_ms()))
    body = {
        "action": 1,
        "symbol": trade.symbol,
        "volume": float(trade.volume),
        "type": 0 if trade.sign > 0 else 1,
        "type_filling": 1,
        "sl": float(trade.stop_loss),
        "tp": float(trade.take_profit),
        "magic": trade.magic,
        "comment": trade.comment,
    }
    sent = stage.house.sim.submit(trade.login, "executor", body, reason=3)
    stage.house.world.commit()
    if sent.retcode in (10009, 10010) and sent.result is not None:
        trade.executed.append(sent.result["order"])
    return f"{trade.login}: {trade.number} executed {kind}: {sent.retcode} {trade.executed}"


def _may_execute(stage: Stage, trade: Trade) -> bool:
    return not (_is_net(trade.login) and _net_of(stage, trade.login, trade.symbol))


def can_execute(stage: Stage) -> bool:
    """Whether a trade waits, on an account where it does not join another's position."""
    return any(_may_execute(stage, t) for t in _waiting(stage))


async def execute(stage: Stage, dice: Dice) -> str:
    """An executor places a trade, late or not, in part or not, with whatever slippage."""
    trade = one_of(dice, [t for t in _waiting(stage) if _may_execute(stage, t)])
    return _execute(stage, dice, trade)


def _twice(stage: Stage) -> list[Trade]:
    return [
        t for t in _recent(stage) if t.executed and not _is_net(t.login) and _is_filled(stage, t)
    ]


def _is_filled(stage: Stage, trade: Trade) -> bool:
    """Whether its position is there, with no room left for a second fill."""
    deals = stage.model.truth.deals_of(trade.login, trade.executed[0])
    is_held = trade.executed[0] in stage.model.truth.held(trade.login)
    return is_held and deals[0].volume == trade.volume


async def execute_again(stage: Stage, dice: Dice) -> str:
    """An executor places a trade twice."""
    return _execute(stage, dice, one_of(dice, _twice(stage)))


# --- the owner, and other programs ---------------------------------------------------------------


async def open_by_hand(stage: Stage, dice: Dice) -> str:
    """Somebody opens: desktop, phone, web, or another expert. It flips a net position, too."""
    login = one_of(dice, [one for one in stage.logins if _is_attributed(stage, one)])
    reason = dice.whole(0, 3)
    symbol, side, volume = one_of(dice, SYMBOLS), dice.whole(0, 1), lots(dice)
    body = {"action": 1, "symbol": symbol, "volume": float(volume), "type": side}
    body |= {"magic": FOREIGN_MAGIC, "comment": "other"} if reason == 3 else {}
    code = stage.act(login, body, reason)
    return f"{login}: opened by {reason}: {symbol} {'sell' if side else 'buy'} {volume}: {code}"


async def close_by_hand(stage: Stage, dice: Dice) -> str:
    """Somebody closes a position or a part of it."""
    login, held = _any_position(stage, dice)
    volume = lots(dice, held.volume) if dice.whole(0, 1) else held.volume
    reason = dice.whole(0, 3)
    body = {
        "action": 1,
        "position": held.ticket,
        "symbol": held.symbol,
        "volume": float(volume),
        "type": 1 if held.sign > 0 else 0,
    }
    late_ms = 0 if dice.whole(0, 3) else dice.whole(1, 20_000)
    if late_ms:
        stage.house.fault(login, "deal_delayed", ms=late_ms, times=1)
    code = stage.act(login, body, reason)
    text = f"{volume} of {held.volume}: {code}, shown {late_ms} ms later"
    return f"{login}: {held.identifier} closed by {reason}: {text}"


def _nets(stage: Stage) -> list[tuple[int, Position]]:
    return [
        (login, held)
        for login in stage.logins
        if _is_net(login) and _is_attributed(stage, login)
        for held in stage.model.truth.held(login).values()
    ]


async def flip(stage: Stage, dice: Dice) -> str:
    """Somebody turns a net position round: the identifier stays, the ticket does not."""
    login, held = one_of(dice, _nets(stage))
    reason, volume = dice.whole(0, 3), held.volume + lots(dice)
    side = 1 if held.sign > 0 else 0
    body = {"action": 1, "symbol": held.symbol, "volume": float(volume), "type": side}
    code = stage.act(login, body, reason)
    return f"{login}: {held.identifier} flipped by {reason} with {volume}: {code}"


def _opposites(stage: Stage) -> list[tuple[int, Position, Position]]:
    return [
        (login, one, other)
        for login in stage.logins
        for one in stage.model.truth.held(login).values()
        for other in stage.model.truth.held(login).values()
        if not _is_net(login) and one.symbol == other.symbol and one.sign > other.sign
    ]


async def close_by(stage: Stage, dice: Dice) -> str:
    """Two opposite positions are closed against each other."""
    login, one, other = one_of(dice, _opposites(stage))
    code = stage.act(login, {"action": 10, "position": one.ticket, "position_by": other.ticket})
    return f"{login}: {one.identifier} closed by {other.identifier}: {code}"


async def move_levels(stage: Stage, dice: Dice) -> str:
    """Somebody moves or removes a stop or a target."""
    login, held = _any_position(stage, dice)
    quote = stage.house.sim.market.quotes[held.symbol]
    point = stage.house.sim.market.symbols[held.symbol].point
    levels = {"sl": held.sl, "tp": held.tp}
    which, way = one_of(dice, (("sl", -held.sign), ("tp", held.sign)))
    far = dice.whole(0, 60)
    level = (quote.bid * (1000 + way * far) / 1000).quantize(point) if far else Decimal(0)
    levels[which] = level
    body = {"action": 6, "position": held.ticket, "symbol": held.symbol}
    code = stage.act(login, body | {name: float(one) for name, one in levels.items()})
    return f"{login}: {which} of {held.identifier} to {level}: {code}"


async def place_order(stage: Stage, dice: Dice) -> str:
    """Somebody places a pending order, near enough to be met some day."""
    login, symbol, kind = one_of(dice, stage.logins), one_of(dice, SYMBOLS), dice.whole(2, 5)
    quote = stage.house.sim.market.quotes[symbol]
    point = stage.house.sim.market.symbols[symbol].point
    way = -1 if kind in (2, 5) else 1
    price = (quote.bid * (1000 + way * dice.whole(2, 20)) / 1000).quantize(point)
    body = {"action": 5, "symbol": symbol, "volume": 0.05, "type": kind, "price": float(price)}
    return f"{login}: order {kind} {symbol} at {price}: {stage.act(login, body)}"


def _orders(stage: Stage) -> list[tuple[int, int]]:
    ledger = stage.house.sim.ledger
    return [(login, ticket) for login in stage.logins for ticket in ledger.orders(login)]


async def cancel_order(stage: Stage, dice: Dice) -> str:
    """Somebody removes a pending order."""
    login, ticket = one_of(dice, _orders(stage))
    return f"{login}: order {ticket} cancelled: {stage.act(login, {'action': 8, 'order': ticket})}"


async def money(stage: Stage, dice: Dice) -> str:
    """Money comes in or goes out, is lent, or is charged."""
    login = one_of(dice, stage.logins)
    kind = one_of(dice, ("balance", "balance", "balance", "credit", "commission"))
    amount = Decimal(dice.whole(1, 300_000)) / 100
    if kind == "commission":
        amount = -amount / 100
    elif dice.whole(0, 1):
        free = stage.model.truth.equity(login) - LEAST_EQUITY
        credit = stage.house.sim.ledger.accounts[login].credit
        most = min(free, credit) if kind == "credit" else free / WITHDRAWN_SHARE
        amount = -min(amount, most)
    amount = amount.quantize(Decimal("0.01"))
    if amount == 0 or (amount < 0 and kind != "commission" and amount > -1):
        return f"{login}: no {kind} moved"
    late_ms = dice.whole(1, 20_000) if dice.whole(0, 2) == 0 else 0
    if late_ms:
        stage.house.fault(login, "deal_delayed", ms=late_ms, times=1)
    stage.house.cash(login, f"{amount}", kind)
    return f"{login}: {kind} {amount}, shown {late_ms} ms later"


async def price(stage: Stage, dice: Dice) -> str:
    """A price moves, now and then far."""
    symbol = one_of(dice, SYMBOLS)
    reach = one_of(dice, (2, 8, 8, 30))
    tenths = dice.whole(-reach, reach)
    bid = stage.house.sim.market.quotes[symbol].bid
    low, high = (1200, 3200) if symbol == "XAUUSD" else (Decimal("0.7"), Decimal("1.6"))
    tenths = abs(tenths) if bid < low else -abs(tenths) if bid > high else tenths
    stage.move(symbol, tenths)
    return f"{symbol} by {tenths / 10} % to {stage.house.sim.market.quotes[symbol].bid}"


# --- time and people ------------------------------------------------------------------------------


async def wait(stage: Stage, dice: Dice) -> str:
    """Time passes."""
    seconds = one_of(dice, (1, 5, 20, 60, 130))
    await stage.run(seconds)
    return f"{seconds} s pass"


async def away(stage: Stage, dice: Dice) -> str:
    """The app is down for a while, and the world goes on without it."""
    seconds, texts = one_of(dice, (20, 70, 600)), list[str]()
    await stage.stop()
    for _ in range(dice.whole(0, 3)):
        stage.pass_a_moment(dice.whole(1, 5_000))
        one = one_of(dice, [r for r in RULES if r.name in UNWATCHED and r.can(stage)])
        texts.append(await one.act(stage, dice))
        stage.model.look()
    stage.pass_a_moment(seconds * 1000)
    await stage.start_again()
    return f"{seconds} s unwatched, {texts}"


async def rest(stage: Stage, _dice: Dice) -> str:
    """Everything comes to rest."""
    await stage.rest()
    return "rested"


def _latched(stage: Stage) -> list[tuple[int, int]]:
    return [(login, o) for login, o, *_ in ACCOUNTS if stage.model.accounts[login].latched]


async def release(stage: Stage, dice: Dice) -> str:
    """The client of a latched account asks, and an admin grants."""
    login, owner = one_of(dice, _latched(stage))
    account_id = stage.house.ids[login]
    try:
        await stage.house.engine.ask_release(await stage.house.person(owner), account_id)
    except Refused as refused:
        if refused.code != "release_already_asked":
            return f"{login}: release refused: {refused.code}"
    try:
        await stage.house.engine.answer_release(await stage.house.person(ADMIN), account_id, True)  # noqa: FBT003 - the port's own signature
    except Refused as refused:
        return f"{login}: grant refused: {refused.code}"
    return f"{login}: release granted"


def _always(_stage: Stage) -> bool:
    return True


def _all_is_read(stage: Stage) -> bool:
    """An answer names one offset: what was done before a jump must have been read before it."""
    return all(watched.clean for watched in stage.model.accounts.values())


def _has_room(stage: Stage) -> bool:
    has_room = all(len(stage.model.truth.held(login)) < OPEN_MAX for login in stage.logins)
    return has_room and any(_is_attributed(stage, login) for login in stage.logins)


RULES: Final = (
    Rule("signal", 4, lambda s: len(_waiting(s)) < PENDING_MAX, signal),
    Rule("execute", 6, can_execute, execute),
    Rule("execute_again", 1, lambda s: bool(_twice(s)), execute_again),
    Rule("open_by_hand", 3, _has_room, open_by_hand),
    Rule("close_by_hand", 5, lambda s: bool(holders(s)), close_by_hand),
    Rule("flip", 2, lambda s: bool(_nets(s)), flip),
    Rule("close_by", 2, lambda s: bool(_opposites(s)), close_by),
    Rule("move_levels", 3, lambda s: bool(holders(s)), move_levels),
    Rule("place_order", 1, lambda s: len(_orders(s)) < PENDING_MAX, place_order),
    Rule("cancel_order", 1, lambda s: bool(_orders(s)), cancel_order),
    Rule("money", 3, _always, money),
    Rule("price", 6, _always, price),
    Rule("renumber", 1, lambda s: bool(holders(s)), mishaps.renumber),
    Rule("disturb", 3, _always, mishaps.disturb),
    Rule("storm", 1, lambda s: s.storm is None, mishaps.storm),
    Rule("heal", 1, _always, mishaps.heal),
    Rule("clock_jump", 1, _all_is_read, mishaps.clock_jump),
    Rule("restart", 1, _always, mishaps.restart),
    Rule("kill_soon", 1, _always, mishaps.kill_soon),
    Rule("away", 1, _always, away),
    Rule("wait", 2, _always, wait),
    Rule("rest", 2, _always, rest),
    Rule("release", 2, lambda s: bool(_latched(s)), release),
)
BY_NAME: Final = {rule.name: rule for rule in RULES}


async def step(stage: Stage, rule: Rule, dice: Dice) -> str:
    """Let one thing happen and a moment pass, and compare all there is to compare."""
    stage.pass_a_moment()
    try:
        text = await rule.act(stage, dice)
    except Killed:
        await stage.restart()
        text = "killed"
    stage.model.look()
    pause_s = one_of(dice, PAUSES_S)
    await stage.run(pause_s)
    await stage.check()
    return f"{rule.name}: {text}; {pause_s} s"
