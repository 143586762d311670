"""A terminal that answered for another account: sent nothing until an admin has cleared it.

Ben holds 2.00 lots of gold (200 oz) bought at 1970.30 with 12,000 USD: at a bid of 1958.20 he has
lost 20.17 %, which counts down, at 1957.00 22.17 %, which does not.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from core.domain import alerts as a
from core.domain import alerts_terminal as t
from core.domain.answers import blocked_ms
from core.domain.audit_check import verify
from core.domain.speech import deliver
from core.ports import WrongAccount
from core.records import AuditRow, CloseJobRow, CloseOrderRow, OutboxRow
from core.services.errors import Refused
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, GBP, USD, House
from tests.fakes.audit_keys import AUDIT_KEYS


def wrong(*verbs: str, times: int = 1) -> Callable[[str], None]:
    """The terminal answers the next calls of these verbs for the neighbour's account."""
    left = [times]

    def call(verb: str) -> None:
        if verb in verbs and left[0]:
            left[0] -= 1
            raise WrongAccount("asked for 50002 at Sim, the terminal answered for 50003, Sim")

    return call


async def hold_gold(house: House) -> int:
    """Ben buys two lots himself."""
    ticket = house.open(USD, "buy", "2.00")
    await house.run(11)  # a flat account is read each 10 s
    return ticket


async def wrong_readings(house: House, count: int = 1) -> None:
    """So many readings of Ben's account come from another one; then the right one is back."""
    house.fault(USD, "wrong_login", times=count)
    await house.run(12)


async def clear(house: House, who: int = ADMIN, login: int = USD) -> None:
    """Clear by button."""
    await house.engine.clear_terminal(await house.person(who), house.ids[login])


async def told(house: House, chat_id: int) -> list[a.Alert]:
    """What a chat heard about the terminal."""
    kinds = (t.TerminalBlocked, t.TerminalCleared, t.AccountUnavailable, t.AccountRecovered)
    return [x for x in await house.said(chat_id) if isinstance(x, kinds)]


async def refusal(house: House, **how: int) -> tuple[str, dict[str, object]]:
    """Why clearing is refused."""
    with pytest.raises(Refused) as refused:
        await clear(house, **how)
    return refused.value.code, refused.value.facts


async def test_one_answer_for_another_account_blocks_and_is_told_once(house: House) -> None:
    """Told at once to both; that the right account is back, too; then nothing more."""
    await hold_gold(house)
    await wrong_readings(house, 3)
    state = await house.state(USD)
    assert state.terminal_blocked_at is not None
    assert "answered for" in (state.terminal_blocked_reason or "")
    assert state.unavailable_since is None, "reads go on"
    await house.run(120)
    for chat_id in (ADMIN_CHAT, BEN):
        first, back = await told(house, chat_id)
        assert isinstance(first, t.TerminalBlocked)
        assert isinstance(back, t.TerminalBlocked)
        assert (first.right_again, back.right_again) == (False, True)
        assert first.positions_count == 1
    rows = [row for row in await house.rows(OutboxRow) if row.kind == "TerminalBlocked"]
    assert {row.priority for row in rows} == {0}
    assert await told(house, ALICE) == [], "nobody else's business"


async def test_a_blocked_account_takes_no_new_trade(house: House) -> None:
    signal = await house.signal()
    house.fault(GBP, "wrong_login", times=1)
    await house.run(12)
    with pytest.raises(Refused) as refused:
        await house.approve(ALICE, signal)
    assert refused.value.code == "cannot_close"
    assert refused.value.facts == {"obstacles": ("wrong_account",)}


async def test_a_breach_while_blocked_is_decided_and_waits_for_the_admin(house: House) -> None:
    """Nothing is sent however long it lasts; cleared, it is closed at once and proved."""
    ticket = await hold_gold(house)
    await wrong_readings(house)
    house.price("1957.00", "1957.30")
    await house.run(600)
    assert house.sends(USD) == []
    (job,) = await house.rows(CloseJobRow)
    assert (job.state, job.trouble) == ("closing", "terminal_blocked")
    assert await house.rows(CloseOrderRow) == []
    for chat_id in (ADMIN_CHAT, BEN):
        said = await house.said(chat_id)
        (breach,) = [x for x in said if isinstance(x, a.GuardBreached)]
        assert breach.obstacles == ("wrong_account",)
        assert [x.trouble for x in said if isinstance(x, a.CloseTrouble)] == ["terminal_blocked"]

    await clear(house)
    await house.run(0.1)
    (sent,) = house.sends(USD)
    assert sent["request"]["position"] == ticket
    await house.run(10)
    assert house.sim.ledger.positions(USD) == {}
    assert "CloseConfirmed" in await house.kinds(BEN)
    assert (await house.rows(CloseJobRow))[0].state == "flat"


async def test_a_countdown_goes_on_while_blocked_and_closes_the_moment_it_is_cleared(
    house: House,
) -> None:
    await hold_gold(house)
    house.price("1958.20", "1958.50")
    await house.run(4)
    (job,) = await house.rows(CloseJobRow)
    assert job.state == "countdown"
    house.fault(USD, "wrong_login", times=2)
    await house.run(30)
    (later,) = await house.rows(CloseJobRow)
    assert later.deadline_at == job.deadline_at
    assert house.sends(USD) == []
    (blocked, _) = await told(house, ADMIN_CHAT)
    assert isinstance(blocked, t.TerminalBlocked)
    assert blocked.closing == "account", "what is scheduled"
    await clear(house)
    await house.run(0.1)
    assert len(house.sends(USD)) == 1
    (cleared,) = [x for x in await house.said(BEN) if isinstance(x, t.TerminalCleared)]
    assert (cleared.by, cleared.closing) == ("Ada", "account")


async def test_before_its_deadline_a_cleared_countdown_counts_on(house: House) -> None:
    await hold_gold(house)
    house.price("1958.20", "1958.50")
    await house.run(4)
    (job,) = await house.rows(CloseJobRow)
    house.fault(USD, "wrong_login", times=1)
    await house.run(3)
    await clear(house)
    await house.run((job.deadline_at - house.clock.now()).total_seconds() - 0.5)
    assert house.sends(USD) == []
    await house.run(1)
    assert len(house.sends(USD)) == 1


async def test_a_send_to_another_account_is_not_sent_and_blocks(house: House) -> None:
    """One refused attempt and none after it, of two positions; each closed once when cleared."""
    house.open(USD, "buy", "1.00")
    await hold_gold(house)
    house.gateway.before_call = wrong("send", times=100)
    house.price("1957.00", "1957.30")
    await house.run(60)
    (order,) = await house.rows(CloseOrderRow)
    assert (order.state, order.retcode) == ("refused", None)
    assert len(house.sends(USD)) == 0
    (blocked,) = await told(house, ADMIN_CHAT)
    assert isinstance(blocked, t.TerminalBlocked)
    await clear(house)
    await house.run(10)
    assert len(await house.rows(CloseOrderRow)) == 2
    assert (await house.state(USD)).terminal_blocked_at is not None, "wrong again: blocked again"

    house.gateway.before_call = lambda _verb: None
    await house.run(2)
    await clear(house)
    await house.run(20)
    assert house.sim.ledger.positions(USD) == {}
    exits = [d for d in house.sim.ledger.deals(USD) if d.entry == 1]
    assert len(exits) == len(house.sends(USD)) == 2


async def test_it_blocks_where_an_approval_or_a_signal_reads_the_wrong_account(
    house: House,
) -> None:
    signal = await house.signal()
    house.gateway.before_call = wrong("snapshot")
    with pytest.raises(Refused, match="cannot_close"):
        await house.approve(ALICE, signal)
    assert (await house.state(GBP)).terminal_blocked_at is not None

    await house.run(11)
    await clear(house, login=GBP)
    house.clock.instant += timedelta(seconds=1)
    house.gateway.before_call = wrong("snapshot")
    await house.signal()
    assert (await house.state(GBP)).terminal_blocked_at is not None, "the first that was asked"
    assert (await house.kinds(ADMIN_CHAT)).count("TerminalBlocked") == 2


async def test_a_second_reading_from_another_account_confirms_nothing(house: House) -> None:
    """The breach waits for the next reading of the right account, and is decided then."""
    await hold_gold(house)
    house.price("1957.00", "1957.30")
    calls: list[str] = []

    def second(verb: str) -> None:
        calls.append(verb)
        if len(calls) == 2:
            raise WrongAccount("asked for 50002 at Sim, the terminal answered for 50003, Sim")

    house.due = {house.ids[USD]: house.clock.now()}
    house.gateway.before_call = second
    await house.run(0)
    assert await house.rows(CloseJobRow) == []
    assert (await house.state(USD)).terminal_blocked_at is not None
    await house.run(5)
    assert len(await house.rows(CloseJobRow)) == 1
    assert house.sends(USD) == []


async def test_only_an_admin_clears_and_only_what_is_blocked(house: House) -> None:
    await hold_gold(house)
    await wrong_readings(house)
    assert await refusal(house, who=BEN) == ("not_admin", {})
    assert await refusal(house, login=GBP) == ("not_blocked", {"login": GBP})
    ada, ben = await house.person(ADMIN), await house.person(BEN)
    for person, login, code in (
        (ben, USD, "not_admin"),
        (ada, 777, "not_found"),
        (ada, GBP, "not_blocked"),
    ):
        with pytest.raises(Refused, match=code):
            await house.engine.clear_terminal.by_login(person, login)
    with pytest.raises(Refused, match="not_found"):
        await house.engine.clear_terminal(ada, 777)
    answer = await house.engine.clear_terminal.by_login(ada, USD)
    assert (answer.login, answer.closing) == (USD, "")
    assert await refusal(house) == ("not_blocked", {"login": USD})


async def test_an_old_messages_button_does_not_clear_a_newer_block(house: House) -> None:
    """What stands now was not what its presser read of."""
    await hold_gold(house)
    await wrong_readings(house)
    first = (await house.state(USD)).terminal_blocked_at
    assert first is not None
    await clear(house)
    await house.run(2)
    await wrong_readings(house)
    second = (await house.state(USD)).terminal_blocked_at
    assert second is not None
    ada = await house.person(ADMIN)

    with pytest.raises(Refused, match="newer_block"):
        await house.engine.clear_terminal(ada, house.ids[USD], blocked_ms(first))
    assert (await house.state(USD)).terminal_blocked_at == second

    await house.engine.clear_terminal(ada, house.ids[USD], blocked_ms(second))
    assert (await house.state(USD)).terminal_blocked_at is None


async def test_it_is_cleared_only_on_a_reading_of_the_right_account(house: House) -> None:
    await hold_gold(house)
    house.fault(USD, "wrong_login", times=1000)
    await house.run(12)
    code, facts = await refusal(house)
    assert code == "still_unreadable"
    assert facts["reason"] == "its terminal answers for another account"
    (board,) = await house.engine.boards.accounts_of(await house.person(BEN))
    assert "50003" not in str(board), "whose account it was is for admins only"
    house.sim.clear_faults(USD)
    await house.run(12)
    await clear(house)
    assert (await house.state(USD)).terminal_blocked_at is None


async def test_a_reading_from_before_the_block_clears_nothing(house: House) -> None:
    """A send met the wrong account; what was read before it proves nothing."""
    await hold_gold(house)
    house.gateway.before_call = wrong("send")
    house.price("1957.00", "1957.30")
    house.due = {house.ids[USD]: house.clock.now()}
    await house.run(0)
    assert (await refusal(house))[0] == "not_read_since"
    await house.run(2)
    await clear(house)


async def test_a_block_outlives_a_restart_and_its_clearing_too(house: House) -> None:
    await hold_gold(house)
    await wrong_readings(house)
    await house.restart()
    ada = await house.person(ADMIN)
    with pytest.raises(Refused, match="not_read_since"):
        await house.engine.clear_terminal.by_login(ada, USD)
    house.price("1957.00", "1957.30")
    await house.run(12)
    assert house.sends(USD) == []
    await clear(house)
    await house.restart()
    await house.run(12)
    assert house.sim.ledger.positions(USD) == {}
    assert len(house.sends(USD)) == 1


async def test_who_cleared_it_is_audited(house: House) -> None:
    await hold_gold(house)
    await wrong_readings(house)
    await clear(house)
    rows = await house.rows(AuditRow, account_id=house.ids[USD], order_by="sequence")
    assert verify(rows, AUDIT_KEYS) is None
    words = [(row.actor, row.action) for row in rows if row.action.startswith("terminal_")]
    assert words == [("engine", "terminal_blocked"), ("Ada", "terminal_cleared")]


async def test_an_outage_that_was_told_before_the_block_ends_by_itself(house: House) -> None:
    """Unreadable, told; then of another account; then back: the outage is over, the block not."""
    await hold_gold(house)
    house.fault(USD, "read_fails", times=4)
    await house.run(8)
    house.fault(USD, "wrong_login", times=1)
    await house.run(20)
    said = await told(house, ADMIN_CHAT)
    assert [type(x) for x in said] == [t.AccountUnavailable, t.TerminalBlocked, t.AccountRecovered]
    assert isinstance(said[2], t.AccountRecovered)
    assert said[2].blocked
    assert deliver(said[0]).thread == deliver(said[2]).thread
