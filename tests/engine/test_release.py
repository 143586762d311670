"""A lock is lifted by asking, granting and proof, and then lasts no longer; by nothing else."""

from decimal import Decimal

import pytest

from core.domain import alerts as a
from core.services.errors import Refused
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, USD, House
from tests.engine.test_drawdown_guard import equity, fall, hold_gold

D = Decimal


async def test_release_is_asked_granted_proved(house: House) -> None:
    """Client asks, admin grants, two flat reads, and the peak restarts at the trusted equity."""
    await hold_gold(house)
    await fall(house, "1957.00")
    await house.run(6)
    ben, ada = await house.person(BEN), await house.person(ADMIN)
    account = house.ids[USD]
    with pytest.raises(Refused) as early:
        await house.engine.answer_release(ada, account, grant=True)
    assert early.value.code == "release_not_asked"
    await house.engine.ask_release(ben, account)
    assert "ReleaseAsked" in await house.kinds(ADMIN_CHAT)
    assert "ReleaseAsked" in await house.kinds(BEN), "a trace of what they asked"
    with pytest.raises(Refused) as client:
        await house.engine.answer_release(ben, account, grant=True)
    assert client.value.code == "not_admin"
    await house.engine.answer_release(ada, account, grant=True)
    assert (await house.state(USD)).latched_at is not None
    await house.run(5)
    state = await house.state(USD)
    assert state.latched_at is None
    assert state.peak_equity == state.equity == equity("1957.00")
    answers = [x.state for x in await house.said(BEN) if isinstance(x, a.ReleaseAnswered)]
    assert answers == ["granted", "released"]


async def test_a_release_beside_money_that_no_deal_explains_lasts(house: House) -> None:
    """A deposit whose deal is late is no gain yet: a peak with it in would be broken at once."""
    await hold_gold(house)
    await fall(house, "1957.00")
    await house.run(6)
    house.cash(USD, "4000")
    late = house.sim.ledger.deals(USD)[-1].ticket
    house.gateway.hide(lambda d: d.ticket == late)
    await house.run(15)
    assert (await house.state(USD)).written_off == 4000
    account = house.ids[USD]
    await house.engine.ask_release(await house.person(BEN), account)
    await house.engine.answer_release(await house.person(ADMIN), account, grant=True)
    await house.run(30)
    state = await house.state(USD)
    assert (state.latched_at, state.drawdown_percent) == (None, D(0))
    assert state.peak_equity == equity("1957.00")
    house.gateway.show_all()
    await house.run(5)
    state = await house.state(USD)
    assert (state.peak_equity, state.drawdown_percent) == (equity("1957.00") + 4000, D(0))


async def test_release_is_refused_below_the_minimum_equity(house: House) -> None:
    """Nobody can release an account that would breach at once."""
    house.cash(USD, "-11800")
    await house.run(12)
    house.cash(USD, "-120", "commission")
    await house.run(12)
    assert (await house.state(USD)).latch_reason == "minimum_equity"
    with pytest.raises(Refused) as refused:
        await house.engine.ask_release(await house.person(BEN), house.ids[USD])
    assert refused.value.code == "below_minimum"


async def test_anothers_account_cannot_be_asked_for(house: House) -> None:
    """Alice is not Ben."""
    with pytest.raises(Refused) as refused:
        await house.engine.ask_release(await house.person(ALICE), house.ids[USD])
    assert refused.value.code == "not_yours"
