"""An account whose broker refuses its password: told for what it is, to whoever can end it."""

import pytest

from core.domain import alerts_terminal as t
from core.domain.linking import LOGIN_REFUSED
from core.domain.speech import NEW, REPLY, deliver
from core.ports import BrokerUnavailable, LoginRefused, TerminalHealth, TerminalState
from tests.engine.house import ADMIN_CHAT, BEN, USD, House


def failing(house: House, error: Exception, failures: int | None = None) -> None:
    """Readings fail so from now on; `failures`: of starts, where the terminal is known at all."""
    house.gateway.healths.pop(USD, None)
    if failures is not None:
        house.gateway.healths[USD] = TerminalHealth(
            state=TerminalState.RESTING, since=house.clock.now(), failures=failures
        )

    def call(_verb: str) -> None:
        raise error

    house.gateway.before_call = call


async def outages(house: House, chat: int = BEN) -> list[t.AccountUnavailable]:
    """What was told there of Ben's account."""
    told = [x for x in await house.said(chat) if isinstance(x, t.AccountUnavailable)]
    return [x for x in told if x.login == USD]


async def test_it_is_told_at_the_third_refused_reading(house: House) -> None:
    failing(house, LoginRefused("initialize failed: Terminal: Authorization failed (-6)"))
    await house.run(20)
    for chat in (BEN, ADMIN_CHAT):
        (alert,) = await outages(house, chat)
        assert (alert.terminal, alert.reason, alert.renewable) == ("refused", LOGIN_REFUSED, False)
        assert not alert.changed
    state = await house.state(USD)
    assert state.unavailable_reason == LOGIN_REFUSED


@pytest.mark.parametrize(("failures", "told"), [(1, 0), (2, 1)])
async def test_of_a_terminal_that_was_up_one_refusal_may_be_the_brokers_restart(
    house: House, failures: int, told: int
) -> None:
    failing(house, LoginRefused("the terminal is resting"), failures)
    await house.run(20)
    assert [x.terminal for x in await outages(house)] == ["refused"] * told


async def test_an_outage_that_turns_out_to_be_a_refused_password_is_told_once_more(
    house: House,
) -> None:
    """A terminal whose password was changed is thrown out first, and refused then."""
    failing(house, BrokerUnavailable("the terminal is not connected to the broker"))
    await house.run(20)
    failing(house, LoginRefused("initialize failed: Terminal: Authorization failed (-6)"))
    await house.run(20)
    first, second = await outages(house)
    assert (first.terminal, second.terminal, second.changed) == ("", "refused", True)
    assert first.since == second.since
    assert (deliver(first).mode, deliver(second).mode) == (NEW, REPLY)
    assert deliver(first).thread == deliver(second).thread
