"""An agent's reading to an `AccountSnapshot`. Pure.

What the translation of structures leaves: the broker's clock, the window of the deals, and symbols
that were read for the clock alone.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from core.adapters.mt5.channel import Answer
from core.adapters.terminal import translate
from core.adapters.terminal.rows import Rows
from core.domain.broker import AccountSnapshot
from core.domain.broker_time import BrokerClock, restated
from core.ports import SnapshotRequest

DEALS_EARLIER: Final = timedelta(hours=1)
"""Deals are asked for from this much earlier, for the broker's clock may have been put back."""
STAMPS: Final = {"positions": ("time_msc",), "orders": ("time_setup_msc",), "deals": ("time_msc",)}
"""The times that are taken over, and that may lie before a change of the broker's clock."""


def deals_from_s(since: datetime, now: datetime, offset_s: int | None) -> int:
    """From when deals are asked for, in server time; few, for nothing, while that is not known."""
    if offset_s is None:
        return int(now.timestamp())
    return int((since - DEALS_EARLIER).timestamp()) + offset_s


class Read(Struct, frozen=True, kw_only=True):
    """An answer, and when it was asked for and had, by our clock.

    `timed`: the broker's clock was known when it was asked for, so that its deals are the right
    ones. `held`: the symbols of its positions and orders.
    """

    answer: Answer
    began_at: datetime
    observed_at: datetime
    timed: bool
    held: frozenset[str]


def snapshot(
    request: SnapshotRequest,
    read: Read,
    clock: BrokerClock,
    *,
    aliases: Mapping[str, str],
    without: frozenset[str],
    rows: Rows | None = None,
) -> AccountSnapshot:
    """The reading, without the symbols that nobody asked for, and without a future.

    While a change of the broker's clock is not yet believed, its times lie an hour ahead. What has
    been read has happened: a cursor or a price's age must not run ahead of our own clock. A deal is
    never left out for its time, which may be as wrong: the ledger knows deals by their tickets.
    Raises BrokerUnavailable or WrongAccount, as the translation does.
    """
    observed_at = read.observed_at
    account = translate.snapshot(
        {**restate(read.answer, clock, observed_at), "server_offset_s": clock.offset_s},
        account_id=request.account_id,
        login=request.login,
        server=request.server,
        began_at=read.began_at,
        observed_at=observed_at,
        rows=rows,
    )
    return replace(
        account,
        positions=tuple(
            # An object that is as it was before stays the same one.
            each if each.opened_at <= observed_at else replace(each, opened_at=observed_at)
            for each in account.positions
        ),
        deals=tuple(
            replace(deal, executed_at=min(deal.executed_at, observed_at)) for deal in account.deals
        ),
        ticks={
            name: replace(tick, at=min(tick.at, observed_at))
            for name, tick in account.ticks.items()
            if name not in without
        },
        symbols={name: spec for name, spec in account.symbols.items() if name not in without},
        aliases=dict(aliases),
    )


def restate(body: Mapping[str, Any], clock: BrokerClock, now: datetime) -> dict[str, Any]:
    """A reading whose times are all by the present offset; the same where that never changed."""
    if clock.change is None:
        return dict(body)
    return {
        **body,
        **{
            part: [_with_times(row, names, clock, now) for row in body[part]]
            for part, names in STAMPS.items()
            if isinstance(body.get(part), list)
        },
    }


def _with_times(row: object, names: tuple[str, ...], clock: BrokerClock, now: datetime) -> object:
    if not isinstance(row, dict):
        return row  # to be refused by the translation
    times = {name: row[name] for name in names if type(row.get(name)) is int and row[name] > 0}
    return {**row, **{name: restated(stamp_ms, clock, now) for name, stamp_ms in times.items()}}
