"""The gateway finds a broker's symbols, and reads what turns money into pounds."""

from collections import Counter
from decimal import Decimal

import pytest

from core.adapters.mt5.catalogue import FOUND_MAX, Catalogue
from core.ports import (
    TerminalStarting,
)
from tests.fakes.agents import CATALOGUE, answering
from tests.unit.mt5.bench import Bench


async def test_a_symbol_is_found_under_the_brokers_name_and_both_are_told(bench: Bench) -> None:
    snapshot = await bench.read("XAUUSD", "EURUSD.r", "NOSUCH")

    assert snapshot.aliases == {"XAUUSD": "XAUUSD.r"}
    assert {"XAUUSD.r", "EURUSD.r"} <= snapshot.symbols.keys()
    assert snapshot.ticks["XAUUSD.r"].bid == Decimal("2420.07")


async def test_a_symbol_that_may_be_several_is_told_as_such_and_is_none_of_them(
    bench: Bench,
) -> None:
    gold = next(each for each in bench.agents.catalogue if each["name"] == "XAUUSD.r")
    bench.agents.catalogue.append({**gold, "name": "XAUUSD.z"})
    snapshot = await bench.read("XAUUSD")

    assert snapshot.ambiguous == {"XAUUSD": ("XAUUSD.r", "XAUUSD.z")}
    assert snapshot.aliases == {}
    assert (await bench.read("EURUSD.r")).ambiguous == {}


async def test_what_turns_the_accounts_and_the_positions_currencies_into_pounds_is_read(
    bench: Bench,
) -> None:
    """A position in yen at a dollar account: both come with the first reading that shows them."""
    bench.agents.currency = "USD"
    assert (await bench.read()).ticks.keys() == {"GBPUSD.r"}

    bench.agents.position(symbol="USDJPY.r")
    assert (await bench.read()).ticks.keys() == {"GBPUSD.r", "USDJPY.r"}
    asked = [set(each["symbols"]) for each in bench.agents.said if each["verb"] == "snapshot"]
    assert len(asked) == 4  # each new currency made one reading be repeated

    await bench.read()
    asked = [set(each["symbols"]) for each in bench.agents.said if each["verb"] == "snapshot"]
    assert len(asked) == 5


async def test_what_turns_the_money_of_a_symbol_asked_for_into_pounds_is_read(
    bench: Bench,
) -> None:
    """Yen by way of dollars, for an account that holds nothing."""
    assert (await bench.read("USDJPY")).ticks.keys() == {"USDJPY.r", "GBPUSD.r"}


async def test_what_is_read_for_the_clock_alone_is_not_shown(bench: Bench) -> None:
    snapshot = await bench.read()

    assert "EURUSD.r" in bench.agents.said[-1]["symbols"]
    assert snapshot.ticks == {}
    assert snapshot.symbols == {}


async def test_symbols_are_read_again_each_hour_and_sooner_where_one_is_missing(
    bench: Bench,
) -> None:
    def catalogues() -> int:
        return bench.agents.verbs().count("symbols")

    await bench.read("EURUSD")
    bench.clock.move(3599)
    await bench.read("EURUSD")
    assert catalogues() == 1
    bench.clock.move(1)
    await bench.read("EURUSD")
    assert catalogues() == 2

    bench.agents.catalogue.append(
        {**bench.agents.catalogue[0], "name": "EURGBP.r", "currency_profit": "GBP"}
    )
    bench.clock.move(59)
    await bench.read("EURGBP")
    assert catalogues() == 2
    bench.clock.move(1)
    assert (await bench.read("EURGBP")).aliases == {"EURGBP": "EURGBP.r"}
    assert catalogues() == 3


async def test_a_symbol_that_may_be_several_is_not_missing(bench: Bench) -> None:
    """The whole catalogue would be read again each minute, and change nothing."""
    gold = next(each for each in bench.agents.catalogue if each["name"] == "XAUUSD.r")
    bench.agents.catalogue.append({**gold, "name": "XAUUSD.z"})
    await bench.read("XAUUSD")
    bench.clock.move(3599)
    await bench.read("XAUUSD")

    assert bench.agents.verbs().count("symbols") == 1


@pytest.mark.parametrize(("others", "looked_up"), [(FOUND_MAX - 1, 1), (FOUND_MAX, 2)])
def test_only_the_last_look_ups_are_kept(
    monkeypatch: pytest.MonkeyPatch, others: int, looked_up: int
) -> None:
    asked: Counter[object] = Counter()

    def resolved(name: str, _listings: object) -> None:
        asked[name] += 1

    def crossed(currencies: frozenset[str], _listings: object) -> tuple[str, ...]:
        asked[currencies] += 1
        return ()

    monkeypatch.setattr("core.adapters.mt5.catalogue.resolve", resolved)
    monkeypatch.setattr("core.adapters.mt5.catalogue.crosses", crossed)
    catalogue = Catalogue.of([{**CATALOGUE[0], "name": f"EURUSD.{others}"}])
    for name in ("FIRST", *(f"X{number}" for number in range(others)), "FIRST"):
        assert catalogue.lacks(name)
        assert catalogue.crosses([name]) == ()

    assert (asked["FIRST"], asked[frozenset({"FIRST"})]) == (looked_up, looked_up)


async def test_a_terminal_that_knows_no_symbols_yet_is_not_up(bench: Bench) -> None:
    bench.agents.will("symbols", answering(lambda answer: answer.update(catalogue=[])))

    with pytest.raises(TerminalStarting, match="knows no symbols yet"):
        await bench.read()
