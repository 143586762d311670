"""Structures as real terminals printed them, read through the agent's code and the gateway.

Every figure is typed from the printed sources that facts (mt5, 9 and 1.4) name: MetaQuotes' sample
positions, a public account's figures, an ECN broker's entry deal, an accepted pending order.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from core.adapters.mt5.gateway import Mt5Gateway
from core.adapters.mt5.local import LocalAgents
from core.domain.broker import Side
from core.ports import CancelRequest, CloseRequest, SnapshotRequest, TerminalLink
from core.sim.mt5_types import SPECS, StructSequence, build
from tests.contract.terminals import LIMITS, Background, Directory, Now, Soon
from tests.fakes.metrics import CountingMetrics

LOGIN: Final = 25115284
SERVER: Final = "MetaQuotes-Demo"
D = Decimal
OPENED_S: Final = 1_583_917_200
"""2020-03-11 09:00:00 in the server's clock, which is two hours ahead."""
POSITIONS: Final = (
    # ticket, side, lots, open, now, profit
    (548297723, 1, 0.01, 1.09301, 1.10104, -8.03),
    (548655158, 0, 0.01, 1.08676, 1.10099, 14.23),
    (548663803, 0, 0.01, 1.08640, 1.10099, 14.59),
    (548847168, 0, 0.01, 1.09545, 1.10099, 5.54),
    (548847194, 0, 0.02, 1.09536, 1.10099, 11.26),
)


def made(name: str, /, **parts: Any) -> StructSequence:
    """A structure of the wheel: what is not given is zero, empty or false."""
    fields: dict[str, Any] = {field: kind() for field, kind in SPECS[name].items()}
    if name == "OrderSendResult":
        fields["request"] = {field: kind() for field, kind in SPECS["TradeRequest"].items()}
    return build(name, fields | parts)


class Recorded:
    """A module that answers what was printed, whatever is asked."""

    __name__ = "recorded"

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.account: dict[str, Any] = {
            "login": LOGIN,
            "server": SERVER,
            "currency": "USD",
            "currency_digits": 2,
            "trade_allowed": True,
            "trade_expert": True,
            "margin_mode": 2,
            "balance": 941.54,
            "profit": 2.37,
            "equity": 943.91,
            "margin": 2.36,
            "margin_level": 39996.18644067797,
        }
        self.positions: tuple[StructSequence, ...] = ()
        self.deals: tuple[StructSequence, ...] = ()
        self.orders: tuple[StructSequence, ...] = ()
        self.result = made("OrderSendResult", retcode=10009)

    def initialize(self, *_: object, **__: object) -> bool:
        """Always there."""
        return True

    def shutdown(self) -> bool:
        """Nothing to end."""
        return True

    def version(self) -> tuple[int, int, str]:
        """What MetaQuotes printed."""
        return 500, 2367, "23 Mar 2020"

    def last_error(self) -> tuple[int, str]:
        """Never asked for."""
        return 1, "Success"

    def account_info(self) -> StructSequence:
        """The account."""
        return made("AccountInfo", **self.account)

    def terminal_info(self) -> StructSequence:
        """A terminal that is connected and may trade."""
        return made("TerminalInfo", connected=True, trade_allowed=True, build=2366)

    def positions_get(self, **asked: Any) -> tuple[StructSequence, ...]:
        """The positions, or the one with that ticket."""
        wanted = asked.get("ticket")
        return tuple(p for p in self.positions if wanted in {None, p[0]})

    def orders_get(self, **asked: Any) -> tuple[StructSequence, ...]:
        """The orders, or the one with that ticket."""
        wanted = asked.get("ticket")
        return tuple(o for o in self.orders if wanted in {None, o[0]})

    def positions_total(self) -> int:
        """How many."""
        return len(self.positions)

    def orders_total(self) -> int:
        """How many."""
        return len(self.orders)

    def history_deals_get(self, *_: object, **__: object) -> tuple[StructSequence, ...]:
        """The deals."""
        return self.deals

    def symbols_get(self, *_: object) -> tuple[StructSequence, ...]:
        """All the broker's symbols."""
        return tuple(self.symbol_info(name) for name in ("EURUSD", "GBPUSD"))

    def symbol_info(self, name: str) -> StructSequence:
        """A currency pair in the market watch."""
        return made(
            "SymbolInfo",
            name=name,
            path=f"Forex\\{name}",
            currency_base=name[:3],
            currency_profit=name[3:],
            currency_margin=name[:3],
            digits=5,
            point=1e-05,
            select=True,
            trade_mode=4,
            trade_exemode=2,
            filling_mode=1,
            trade_contract_size=100000.0,
            volume_min=0.01,
            volume_max=500.0,
            volume_step=0.01,
        )

    def symbol_info_tick(self, name: str) -> StructSequence:
        """The quote at which the sample positions stand."""
        bid = 1.10099 if name == "EURUSD" else 1.27
        time_s = OPENED_S + 60
        return made("Tick", time=time_s, time_msc=time_s * 1000, bid=bid, ask=bid + 5e-05)

    def order_send(self, request: dict[str, Any]) -> StructSequence:
        """Keep the request and answer as told."""
        self.sent.append(request)
        return self.result


@pytest.fixture
def recorded() -> Recorded:
    """The printed account, with nothing open."""
    return Recorded()


@pytest.fixture
async def gateway(recorded: Recorded, tmp_path: Path) -> AsyncIterator[Mt5Gateway]:
    """The gateway over the agent's code over the recorded module."""
    background = Background()
    link = TerminalLink(login=LOGIN, server=SERVER, path="recorded", server_offset_s=7200)
    opened = Mt5Gateway(
        directory=Directory(link),
        open_channel=LocalAgents(lambda _: recorded, tmp_path, inline=True).open,
        epoch=1,
        clock=Now(),
        metrics=CountingMetrics(),
        spawn=background.spawn,
        limits=LIMITS,
        owner="contract",
        chance=Soon(),
    )
    yield opened
    await opened.close()
    await background.close()


READ: Final = SnapshotRequest(
    account_id=1, login=LOGIN, server=SERVER, deals_since=datetime(2020, 1, 1, tzinfo=UTC)
)


def sample_positions() -> tuple[StructSequence, ...]:
    """MetaQuotes' sample positions of EURUSD."""
    return tuple(
        made(
            "TradePosition",
            ticket=ticket,
            identifier=ticket,
            time=OPENED_S,
            time_msc=OPENED_S * 1000,
            type=side,
            volume=lots,
            price_open=opened,
            price_current=now,
            profit=profit,
            symbol="EURUSD",
            reason=3,
        )
        for ticket, side, lots, opened, now, profit in POSITIONS
    )


async def test_the_printed_account_is_read_as_printed(
    recorded: Recorded, gateway: Mt5Gateway
) -> None:
    recorded.positions = sample_positions()[:1]
    state = (await gateway.snapshot(READ)).state

    assert (state.balance, state.profit, state.equity) == (D("941.54"), D("2.37"), D("943.91"))
    assert (state.margin, state.currency) == (D("2.36"), "USD")
    assert round(state.margin_level_percent or D(0), 2) == D("39996.19")


async def test_a_margin_level_of_zero_without_margin_is_none(
    recorded: Recorded, gateway: Mt5Gateway
) -> None:
    recorded.account |= {"margin": 0.0, "margin_level": 0.0, "profit": 0.0, "equity": 941.54}
    recorded.account |= {"margin_mode": 0}

    assert (await gateway.snapshot(READ)).state.margin_level_percent is None


async def test_the_sample_positions_are_read_to_the_cent(
    recorded: Recorded, gateway: Mt5Gateway
) -> None:
    recorded.positions = sample_positions()

    read = (await gateway.snapshot(READ)).positions

    assert [position.profit for position in read] == [
        D("-8.03"),
        D("14.23"),
        D("14.59"),
        D("5.54"),
        D("11.26"),
    ]
    assert [position.side for position in read] == [Side.SELL, *[Side.BUY] * 4]
    assert read[0].price_open == D("1.09301")
    assert {position.opened_at for position in read} == {datetime(2020, 3, 11, 7, 0, tzinfo=UTC)}


async def test_a_deposit_and_an_entry_with_its_commission_are_what_they_are(
    recorded: Recorded, gateway: Mt5Gateway
) -> None:
    at = {"time": OPENED_S, "time_msc": OPENED_S * 1000}
    recorded.deals = (
        made("TradeDeal", ticket=1, type=2, profit=1000.0, **at),
        made(
            "TradeDeal",
            ticket=2,
            order=548655158,
            position_id=548655158,
            type=0,
            entry=0,
            volume=0.01,
            price=1.08676,
            commission=-0.04,
            symbol="EURUSD",
            **at,
        ),
    )
    recorded.account |= {"margin": 0.0, "profit": 0.0, "equity": 941.54}

    deposit, entry = (await gateway.snapshot(READ)).deals

    assert (deposit.is_flow, deposit.amount, deposit.position_id) == (True, D(1000), 0)
    assert (entry.is_flow, entry.amount, entry.commission) == (False, D("-0.04"), D("-0.04"))


async def test_a_close_names_position_and_symbol_and_is_answered_as_printed(
    recorded: Recorded, gateway: Mt5Gateway
) -> None:
    recorded.positions = sample_positions()
    recorded.result = made(
        "OrderSendResult", retcode=10009, deal=535084512, order=557416535, volume=0.01, price=1.101
    )

    answer = await gateway.send(
        CloseRequest(
            login=LOGIN,
            server=SERVER,
            ticket=548655158,
            symbol="EURUSD",
            position_side=Side.BUY,
            volume=D("0.01"),
            price=D("1.10099"),
            deviation_points=20,
            filling=0,
            comment="rc:7",
        )
    )

    assert (answer.retcode, answer.deal, answer.order) == (10009, 535084512, 557416535)
    assert recorded.sent == [
        {
            "action": 1,
            "position": 548655158,
            "symbol": "EURUSD",
            "volume": 0.01,
            "price": 1.10099,
            "type": 1,
            "deviation": 20,
            "type_filling": 0,
            "comment": "rc:7",
        }
    ]
    assert type(recorded.sent[0]["volume"]) is float
    assert type(recorded.sent[0]["position"]) is int


async def test_an_answer_without_deal_and_order_is_still_its_number(
    recorded: Recorded, gateway: Mt5Gateway
) -> None:
    """A refusal answers zeros; so does a success that makes neither (facts: mt5, 1.4)."""
    recorded.orders = (made("TradeOrder", ticket=557416600, type=2, symbol="EURUSD"),)
    recorded.result = made(
        "OrderSendResult", retcode=10027, comment="AutoTrading disabled by client"
    )
    remove = CancelRequest(login=LOGIN, server=SERVER, ticket=557416600, symbol="EURUSD")

    answer = await gateway.send(remove)

    assert (answer.retcode, answer.deal, answer.order) == (10027, 0, 0)
    assert answer.comment == "AutoTrading disabled by client"
