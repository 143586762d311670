"""/signals, and /audit: what they say of the store, on the simulated broker."""

from datetime import timedelta

import pytest

from core.services.audit_look import AuditLook
from core.services.errors import Refused
from core.services.signal_boards import ANSWERED_MAX, WAITING_MAX, SignalBoards
from tests.engine.house import ADMIN, ALICE, BEN, GBP, House


def boards(house: House) -> SignalBoards:
    return SignalBoards(house.store, house.clock)


async def test_an_offer_waits_until_it_is_answered_or_over(house: House) -> None:
    first = await house.signal()
    house.clock.instant += timedelta(seconds=1)
    second = await house.signal("EURUSD sell 0.10")
    await house.approve(ALICE, first)
    own = await boards(house).own(await house.person(ALICE))
    assert [offer.signal_id for offer in own.waiting] == [second]
    assert [(x.signal_id, x.status, x.login) for x in own.answered] == [(first, "approved", GBP)]
    house.clock.instant += timedelta(seconds=901)
    own = await boards(house).own(await house.person(ALICE))
    assert own.waiting == ()
    bens = await boards(house).own(await house.person(BEN))
    assert [x.status for x in bens.answered] == [], "nobody answered for Ben"


async def test_more_offers_than_are_shown_are_counted(house: House) -> None:
    for _ in range(WAITING_MAX + 1):
        house.clock.instant += timedelta(seconds=1)
        await house.signal()
    alice = await house.person(ALICE)
    own = await boards(house).own(alice)
    assert (len(own.waiting), own.more_waiting) == (WAITING_MAX, 1)
    for offer in own.waiting:
        await house.engine.decide_approval(alice, offer.approval_id, approve=False)
    own = await boards(house).own(alice)
    assert (len(own.waiting), own.more_waiting, len(own.answered)) == (1, 0, WAITING_MAX)
    assert len(own.answered) <= ANSWERED_MAX


async def test_admins_see_what_became_of_each_signal_and_nobody_else(house: House) -> None:
    signal_id = await house.signal()
    await house.approve(ALICE, signal_id)
    (line,) = await boards(house).last(await house.person(ADMIN))
    assert (line.signal_id, line.author) == (signal_id, "Ada")
    assert dict(line.answers) == {"approved": 1, "offered": 2}
    with pytest.raises(Refused, match="not_admin"):
        await boards(house).last(await house.person(ALICE))


async def test_an_offer_is_found_by_its_signal_and_only_ones_own(house: House) -> None:
    signal_id = await house.signal()
    (mine,) = await boards(house).offers_of(await house.person(ALICE), signal_id)
    (bens,) = await boards(house).offers_of(await house.person(BEN), signal_id)
    assert mine != bens
    with pytest.raises(Refused, match="no_offer"):
        await boards(house).offers_of(await house.person(ALICE), signal_id + 1)


async def test_the_audit_is_looked_at_from_the_chat_and_a_touched_link_is_named(
    house: House,
) -> None:
    look = AuditLook(house.store)
    ada = await house.person(ADMIN)
    house.open(GBP, "buy", "0.10")
    await house.run(11)
    sound = await look(ada, GBP)
    assert (sound.name, sound.findings) == (str(GBP), ())
    assert sound.links > 0
    assert sound.head.startswith(f"{GBP}:{sound.links}:")
    assert (await look(ada, None)).findings == ()
    with pytest.raises(Refused, match="not_found"):
        await look(ada, 99)
    with pytest.raises(Refused, match="not_admin"):
        await look(await house.person(ALICE), GBP)
