"""A terminal that obeys another owner: its account is unguarded and says so, and no other is."""

import pytest

from core.domain.alerts_terminal import AccountUnavailable
from core.ports import StaleEpoch
from core.records import CloseJobRow, LeaseRow
from tests.engine.house import ADMIN_CHAT, GBP, USD, House


async def test_one_terminals_newer_owner_leaves_the_other_accounts_guarded(house: House) -> None:
    """It stopped the whole process, and each start after it, until its epoch was outgrown."""
    house.open(USD, "buy", "1.00")
    held = house.open(GBP, "buy", "0.10")
    await house.run(12)
    house.sim.fence.admit(GBP, 99, "another:1")

    await house.run(30)
    told = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, AccountUnavailable)]
    assert [x.login for x in told] == [GBP]
    assert "another owner" in told[0].reason

    house.price("1900.00", "1900.30")  # 100 oz: 7,030 of 12,000 USD
    await house.run(30)
    assert [job.account_id for job in await house.rows(CloseJobRow)] == [house.ids[USD]]
    assert not house.sim.ledger.positions(USD)
    assert list(house.sim.ledger.positions(GBP)) == [held]
    assert house.sends(GBP) == []


async def test_who_lost_the_store_itself_stops(house: House) -> None:
    house.sim.fence.admit(GBP, 99, "another:1")
    async with house.store.writing() as tx:
        await tx.update(LeaseRow, {"shard": 0}, epoch=99, owner="another:1")

    with pytest.raises(StaleEpoch):
        await house.run(30)


async def test_a_close_meets_a_newer_owner_and_goes_on_when_the_terminal_is_ours_again(
    house: House,
) -> None:
    house.open(USD, "buy", "1.00")
    await house.run(12)
    house.price("1900.00", "1900.30")
    house.due = {house.ids[USD]: house.clock.now()}
    reads: list[str] = []

    def after(verb: str) -> None:
        reads.append(verb)
        if len(reads) == 2:  # the breach is confirmed, and the close is about to be sent
            house.sim.fence.admit(USD, 99, "another:1")

    house.gateway.after_call = after
    await house.run(10)
    assert len(await house.rows(CloseJobRow)) == 1
    assert house.sends(USD) == []
    assert house.sim.ledger.positions(USD)

    house.gateway.after_call = lambda _: None
    house.sim.fence._newest[USD] = (house.epoch, "")  # noqa: SLF001 - the operator took it away
    await house.run(30)
    assert not house.sim.ledger.positions(USD)
    assert len(house.sends(USD)) == 1
