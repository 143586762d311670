"""What is still not as it should be: empty once everybody agrees.

Looked at after the last fault of a world. The broker's books are the truth, the database what the
engine says, the chats what people read.
"""

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import msgspec

from core.domain.alerts_folded import AlertsFolded
from core.services.hearing import FOLDED, FOLDED_WITH
from tests.simulation.checks import MINIMUM_LOWEST, Watched
from tests.simulation.money import LIMIT_PERCENT
from tests.simulation.opinion import ASPECTS, CONDITIONS
from tests.simulation.truth import Trade

if TYPE_CHECKING:
    from tests.simulation.world import World

URGENT: Final = 1
"""Alerts up to this priority (0 critical, 1 warning) are never given up for nothing; what is merely
good to know waits behind them for its chat's allowance, and is not waited for here."""
SUPERSEDED: Final = "superseded"
FIGURES: Final = ("volume", "sl", "tp")


def disagreements(world: "World") -> list[str]:
    """Everything that is not as it should be once nothing goes wrong any more."""
    if world.guarding() is None:
        return ["nobody guards"]
    found = [*_jobs(world), *_speech(world), *_summaries(world)]
    for login in world.logins:
        watched = world.checks.accounts.get(login)
        found += [f"{login} was never read"] if watched is None else _account(world, watched)
    return found


def _jobs(world: "World") -> list[str]:
    rows = world.checks.rows(
        "SELECT id, state, trouble FROM close_jobs WHERE state IN ('countdown', 'closing')"
        " OR trouble IS NOT NULL"
    )
    left = world.checks.rows(
        "SELECT o.id, o.state FROM close_orders o JOIN close_jobs j ON j.id = o.job_id"
        " WHERE j.state = 'flat' AND o.state IN ('intended', 'done', 'unknown')"
    )
    found = [f"job {job_id} is {state} ({trouble})" for job_id, state, trouble in rows]
    return [*found, *(f"intent {order_id} is left {state}" for order_id, state in left)]


def _account(world: "World", watched: Watched) -> list[str]:
    login, sim = watched.login, world.sim
    found = []
    held, orders = sim.ledger.positions(login), sim.ledger.orders(login)
    out, observed = world.checks.rows(
        "SELECT unavailable_since, positions_count FROM account_state WHERE id = ?",
        watched.account_id,
    )[0]
    if out is not None:
        found.append(f"{login} is told unreadable since {out}")
    if observed != len(held):
        found.append(f"{login} is known with {observed} positions and has {len(held)}")
    if watched.latched is not None and (held or orders):
        found.append(f"{login} is latched and holds {[*held, *orders]}")
    if watched.latched is None and _is_over(world, watched):
        found.append(f"{login} is over its limit and not latched")
    return [*found, *_episodes(world, watched), *_trades(world, login)]


def _is_over(world: "World", watched: Watched) -> bool:
    equity = Fraction(world.sim.broker.value(watched.login).equity)
    if equity < MINIMUM_LOWEST:
        return True
    return any(b.peak - equity >= b.peak * LIMIT_PERCENT / 100 for b in watched.beliefs)


def _episodes(world: "World", watched: Watched) -> list[str]:
    """The open episodes are the differences there are, by kind and figure."""
    login, expected = watched.login, world.checks.truth.differences(watched.login)
    rows = world.checks.rows(
        "SELECT kind, subject, material FROM episodes WHERE account_id = ? AND resolved_at IS NULL",
        watched.account_id,
    )
    found, told = [], set()
    for kind, subject, material in rows:
        if kind in CONDITIONS:
            found.append(f"{login}: {kind} is told, and all is well")
            continue
        key = (subject, ASPECTS[kind])
        real = expected.get(key)
        told.add(key)
        if real is None or kind not in real.kinds:
            found.append(f"{login}: {kind} of {subject} is told, is {real}")
        elif key[1] in FIGURES and Decimal(material or 0) != Decimal(real.figure):
            found.append(f"{login}: {key} is told as {material}, is {real.figure}")
    if watched.latched is None:
        missed = [key for key, one in expected.items() if one.sure and key not in told]
        found += [f"{login}: {key} is not told: {expected[key]}" for key in missed]
    return found


def _trades(world: "World", login: int) -> list[str]:
    """What an executor placed is known as that trade, open or closed."""
    found = []
    held = {p.identifier for p in world.sim.ledger.positions(login).values()}
    for trade in [t for t in world.checks.truth.trades if t.login == login]:
        status, position = world.checks.rows(
            "SELECT status, position_id FROM trades WHERE id = ?", trade.number
        )[0]
        should = "open" if trade.executed[0] in held else "closed"
        if (status, position) != (should, trade.executed[0]):
            found.append(_trade_told(trade, status, position, should))
    return found


def _trade_told(trade: Trade, status: str, position: int | None, should: str) -> str:
    placed = f"{trade.executed[0]} is {should}"
    return f"{trade.login}: trade {trade.number} is {status} as {position}, {placed}"


def _speech(world: "World") -> list[str]:
    """Everything urgent was delivered, or given up for a reason that the admins were told."""
    found = []
    told = {
        row[0]
        for row in world.checks.rows("SELECT thread FROM outbox WHERE kind = 'ChatUnreachable'")
    }
    for row_id, kind, chat_id, priority, state, message_id, error in world.checks.rows(
        "SELECT id, kind, chat_id, priority, state, message_id, error FROM outbox"
        " WHERE priority <= ?",
        URGENT,
    ):
        what = f"message {row_id} ({kind} to {chat_id})"
        if state not in {"sent", "failed"}:
            found.append(f"{what} is {state}")
        elif state == "failed":
            known = any(f"unreachable:{chat_id}:" in thread for thread in told)
            known |= error in {FOLDED, FOLDED_WITH}
            if not error or not known:
                found.append(f"{what} of priority {priority} is given up: {error}")
        elif error != SUPERSEDED and (chat_id, message_id) not in world.chats.delivered:
            found.append(f"{what} is said to be sent, and is not in the chat")
    return found


def _summaries(world: "World") -> list[str]:
    """Every folded message is counted in exactly one summary of its chat."""
    folded: dict[int, int] = dict(
        world.checks.rows(
            "SELECT chat_id, count(*) FROM outbox WHERE error = ? GROUP BY chat_id", FOLDED
        )
    )
    newest: dict[tuple[int, str], int] = {}
    for chat_id, thread, payload in world.checks.rows(
        "SELECT chat_id, thread, payload FROM outbox WHERE kind = 'AlertsFolded' ORDER BY id"
    ):
        newest[chat_id, thread] = msgspec.json.decode(payload, type=AlertsFolded).messages
    counted: dict[int, int] = {}
    for (chat_id, _), messages in newest.items():
        counted[chat_id] = counted.get(chat_id, 0) + messages
    return [] if folded == counted else [f"folded by chat {folded}, summaries count {counted}"]
