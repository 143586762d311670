"""From the warning to the release: what the audit keeps of a decision, and the incident of it."""

import re
from datetime import datetime, timedelta

import pytest

from bot.outbox import Outbox
from bot.views import incident_page
from bot.views.message import Voice
from core.adapters.sql.store import SqlStore
from core.domain import alerts_audit
from core.domain import audit_words as words
from core.domain.alerts_digest import DailyDigest
from core.domain.audit import SYSTEM
from core.domain.audit_check import Tampering
from core.records import AuditRow, CloseJobRow, MarketWarningRow, OutboxRow
from core.services import audit_heads
from core.services.audit_verify import VerifyAudit
from core.services.errors import Refused
from core.services.evidence import DECISIONS
from tests.engine.house import ADMIN, ADMIN_CHAT, ALICE, BEN, GBP, USD, D, House
from tests.fakes.audit_keys import AUDIT_KEYS


async def breach(house: House) -> int:
    """Ben holds two lots of gold from 1970.30; it falls to 1958.20; answers the job's number."""
    house.open(USD, "buy", "2.00")
    await house.run(11)  # a flat account is read each 10 s
    for bid in ("1961.00", "1958.20"):
        house.price(bid, f"{D(bid) + D('0.30')}")
        await house.run(4)
    await house.run(14)
    (job,) = await house.rows(CloseJobRow)
    assert job.state == "flat"
    return int(job.id)


async def release(house: House) -> None:
    account_id = house.ids[USD]
    await house.engine.ask_release(await house.person(BEN), account_id)
    await house.engine.answer_release(await house.person(ADMIN), account_id, grant=True)
    await house.run(15)
    assert (await house.state(USD)).latched_at is None


async def letters(house: House, kind: str) -> list[OutboxRow]:
    """What Ben was told of this kind."""
    return [row for row in await house.rows(OutboxRow, chat_id=BEN) if row.kind == kind]


async def links(house: House, *actions: str) -> list[AuditRow]:
    return await house.rows(
        AuditRow,
        account_id=house.ids[USD],
        order_by="sequence",
        **{"action": actions} if actions else {},
    )


async def test_every_decision_keeps_what_it_was_made_on(house: House) -> None:
    await breach(house)
    await release(house)
    for link in await links(house):
        assert ("inputs" in link.detail) == (link.action in DECISIONS)
    (breached,) = await links(house, words.GUARD_BREACHED)
    inputs = breached.detail["inputs"]
    # 2 lots of 100 ounces, 12.10 dollars down: 12,000 - 2,420.
    assert inputs["reading"]["equity"] == breached.detail["equity"]
    assert D(inputs["reading"]["equity"]) == D(9580)
    assert D(inputs["reading"]["balance"]) == D(12000)
    assert D(inputs["reading"]["profit"]) == D(-2420)
    assert D(inputs["reading"]["credit"]) == 0
    assert inputs["reading"]["trusted"] is True
    assert inputs["reading"]["positions"] == 1
    received = datetime.fromisoformat(inputs["reading"]["received_at"])
    assert timedelta() <= breached.created_at - received < timedelta(seconds=1)
    assert D(inputs["limits"]["max_drawdown_percent"]) == 20
    assert D(inputs["limits"]["min_equity_gbp"]) == 100
    assert inputs["rules"] == house.engine.policy.version()


async def test_a_decision_names_its_messages_and_who_made_it(house: House) -> None:
    await breach(house)
    await release(house)
    (breached,) = await links(house, words.GUARD_BREACHED)
    told = await house.rows(OutboxRow, id=tuple(breached.detail["outbox"]))
    assert {row.kind for row in told} == {"GuardBreached"}
    assert {row.chat_id for row in told} == {BEN, ADMIN_CHAT}
    (asked,) = await links(house, words.RELEASE_ASKED)
    (granted,) = await links(house, words.RELEASE_GRANTED)
    assert (asked.actor, asked.detail["actor_id"]) == ("Ben", BEN)
    assert (granted.actor, granted.detail["actor_id"]) == ("Ada", ADMIN)


async def test_what_became_of_such_a_message_is_a_link_too(house: House) -> None:
    await breach(house)
    outbox = Outbox(house.store, house.clock, admin_chat_id=ADMIN_CHAT)
    (row,) = await letters(house, "GuardBreached")
    (opened,) = await letters(house, "DrawdownWarning")
    await outbox.sent(row, 555)
    await outbox.failed(opened, "blocked")
    sent, failed = await links(house, words.ALERT_SENT)
    assert (sent.detail["outbox"], sent.detail["message_id"], sent.detail["chat_id"]) == (
        row.id,
        555,
        BEN,
    )
    assert (failed.detail["message_id"], failed.detail["error"]) == (None, "blocked")
    (other,) = await letters(house, "DivergenceOpened")
    await outbox.sent(other, 556)
    assert len(await links(house, words.ALERT_SENT)) == 2, "only of decisions"


async def test_the_settings_are_kept_once_under_their_version(house: House) -> None:
    (kept,) = await house.rows(AuditRow, action=words.RULES_IN_FORCE)
    assert kept.detail["version"] == house.engine.policy.version()
    assert D(kept.detail["rules"]["limits"]["max_drawdown_percent"]) == 20
    await house.restart()
    assert len(await house.rows(AuditRow, action=words.RULES_IN_FORCE)) == 1


async def test_an_incident_goes_from_the_warning_to_the_release(house: House) -> None:
    number = await breach(house)
    ben = await house.person(BEN)
    before = await house.engine.incidents.one(ben, number)
    assert before.first(words.LATCH_RELEASED) is None
    await release(house)
    found = await house.engine.incidents.one(ben, number)
    actions = [link.action for link in found.links]
    assert actions[0] == words.GUARD_WARNED
    assert actions[-1] == words.LATCH_RELEASED
    assert (found.broken, found.left_out) == ((), False)
    assert [link.sequence for link in found.links] == list(
        range(found.links[0].sequence, found.links[-1].sequence + 1)
    )
    (order,) = found.orders
    (deal,) = found.deals
    assert (order.ticket, order.retcode) == (deal.position_id, 10009)
    assert (deal.price, found.result) == (D("1958.20"), D(-2420))
    assert found.execution is not None
    assert found.execution.total_loss == D(-2420)
    (line,) = await house.engine.incidents.latest(ben)
    assert (line.number, line.login, line.state) == (number, USD, "flat")


async def test_an_incident_of_the_market_says_who_decided_and_why(house: House) -> None:
    house.open(GBP, "buy", "0.01")
    await house.run(11)
    house.price("2080.00", "2080.30")  # 1970.15 to 2080.15 is 5.58 %
    await house.run(5)
    (warning,) = await house.rows(MarketWarningRow)
    ada = await house.person(ADMIN)
    await house.engine.answer_warning(ada, warning.id, warning.version, "close", "the news")
    await house.run(8)
    (job,) = await house.rows(CloseJobRow)
    alice = await house.person(ALICE)
    found = await house.engine.incidents.one(alice, job.id)
    assert [link.action for link in found.market][:2] == [
        words.MARKET_WARNED,
        words.MARKET_ANSWERED,
    ]
    pressed = found.market[1]
    assert (pressed.actor, pressed.detail["reason"]) == ("Ada", "the news")
    assert found.market_broken == ()
    page = incident_page.page(found, Voice(time_zone="UTC")).decode()
    row = page.split('<td data-l="who">Ada')[1].split("<tr>")[0].split("</table>")[0]
    assert re.findall(r"<td[^>]*>([^<]*)", row) == ["answered: close", "5.58", "5", "the news"]


async def test_what_a_client_closes_in_the_countdown_is_in_the_incident(house: House) -> None:
    """Two lots of gold from 1970.30, closed on the phone at 1958.20: 200 ounces at -12.10."""
    ticket = house.open(USD, "buy", "2.00")
    await house.run(11)
    house.price("1958.20", "1958.50")
    for _ in range(6):
        await house.run(1)
        if await house.rows(CloseJobRow):
            break
    house.close_position(USD, ticket)
    await house.run(20)
    (job,) = await house.rows(CloseJobRow)
    assert job.state == "flat"
    found = await house.engine.incidents.one(await house.person(BEN), job.id)
    assert found.orders == ()
    assert sum(deal.profit for deal in found.deals) == D(-2420)
    balance = (await house.state(USD)).balance
    assert balance is not None
    assert found.result == balance - D(12000)
    page = incident_page.page(found, Voice(time_zone="UTC")).decode()
    assert "the client, on the phone" in page


async def test_anothers_incident_is_refused_like_one_that_does_not_exist(house: House) -> None:
    number = await breach(house)
    alice, ada = await house.person(ALICE), await house.person(ADMIN)
    for wanted in (number, 999):
        with pytest.raises(Refused) as refused:
            await house.engine.incidents.one(alice, wanted)
        assert (refused.value.code, refused.value.facts) == ("not_yours", {"incident": wanted})
    assert await house.engine.incidents.latest(alice) == ()
    assert (await house.engine.incidents.one(ada, number)).own is False
    assert len(await house.engine.incidents.latest(ada)) == 1
    with pytest.raises(Refused, match="not_found"):
        await house.engine.incidents.one(ada, 999)


async def test_the_heads_are_recorded_and_published_once_a_day(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 10:00 on 4 March the 3rd's are due, since seven."""
    monkeypatch.setattr(audit_heads, "HEADS_PER_LINK", 2)  # three accounts: two links
    assert await house.engine.record_heads() == 3
    assert await house.engine.record_heads() == 0
    await house.restart()
    assert await house.engine.record_heads() == 0, "a restart publishes nothing again"
    recorded = await house.rows(AuditRow, action=words.HEADS_RECORDED, order_by="sequence")
    assert [len(link.detail["heads"]) for link in recorded] == [2, 1]
    (told,) = [x for x in await house.said(ADMIN_CHAT) if isinstance(x, alerts_audit.HeadsRecorded)]
    assert (told.sequence, told.hash) == (recorded[-1].sequence, recorded[-1].hash[:16])
    house.clock.instant += timedelta(days=1)
    assert await house.engine.record_heads() == 3


async def test_a_clients_digest_has_the_head_of_their_own_account(house: House) -> None:
    house.clock.instant += timedelta(days=1)
    await house.engine.send_digests()
    (digest,) = [x for x in await house.said(ALICE) if isinstance(x, DailyDigest)]
    (account,) = digest.accounts
    last = (await house.rows(AuditRow, account_id=house.ids[GBP], order_by="-sequence"))[0]
    assert (account.head_sequence, account.head_hash) == (last.sequence, last.hash[:16])


async def test_everything_verifies_and_a_row_that_was_touched_is_named(house: House) -> None:
    await breach(house)
    await release(house)
    await house.engine.record_heads()
    verifier = VerifyAudit(house.store, AUDIT_KEYS)
    assert [f for chain in await verifier.all() for f in chain.findings] == []
    assert isinstance(house.store, SqlStore)
    async with house.store.writing() as tx:
        await tx.update(CloseJobRow, {"account_id": house.ids[USD]}, equity_at_trigger=D(9000))
    (found,) = [f for chain in await verifier.all() for f in chain.findings]
    assert (found.kind, found.account_id) == (Tampering.TABLE, house.ids[USD])
    assert "equity_at_trigger is 9000, was 9580" in found.text
    assert [c.account_id for c in await verifier.all([house.ids[GBP]])] == [SYSTEM, house.ids[GBP]]
