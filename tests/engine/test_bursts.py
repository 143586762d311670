"""A burst of messages to one chat: eight go alone, the rest are one summary, nothing is lost."""

from collections import Counter
from datetime import datetime

import msgspec
import pytest
from msgspec.structs import replace

from core.domain import alerts as a
from core.domain.alerts_folded import AlertsFolded
from core.domain.alerts_market import MarketWarning
from core.domain.bursts import GROUP_ALONE_MAX, LASTS, PRIVATE_ALONE_MAX, SPAN, grown
from core.domain.hearing import Group, Level
from core.records import AlarmRow, AuditRow, OutboxRow
from core.services.hearing import FOLDED, FOLDED_WITH
from core.services.preferences import Preferences
from tests.engine.house import ADMIN_CHAT, ALICE, House
from tests.engine.test_endings import Ears, unread
from tests.fakes.alerts import breach, every_alert, finding, offer
from tests.fakes.alerts_market import close_ahead, market
from tests.fakes.questions import card
from tests.fakes.rows import outbox_row


def unknown(number: int) -> a.DivergenceOpened:
    return finding("unknown_position", episode_id=number, subject=str(7000 + number))


class Burst(Ears):
    """Says many things to the admin chat alone."""

    async def come(self, *numbers: int) -> None:
        """Unknown positions are found, one after the other."""
        for number in numbers:
            await self.say(unknown(number), client=None)

    async def fates(self) -> Counter[str | None]:
        """How many messages have which reason for not being sent; None where there is none."""
        return Counter(row.error for row in await self.rows("DivergenceOpened"))

    async def summaries(self) -> list[tuple[OutboxRow, AlertsFolded]]:
        rows = await self.rows("AlertsFolded")
        return [(row, msgspec.json.decode(row.payload, type=AlertsFolded)) for row in rows]


def summary_row(summary: AlertsFolded, now: datetime) -> OutboxRow:
    """A summary that waits in the admin chat."""
    return outbox_row(
        summary,
        dedupe_key=f"s{now.isoformat()}",
        thread=f"burst:{summary.since.isoformat()}",
        created_at=now,
        due_at=now,
    )


@pytest.fixture
async def burst(house: House) -> Burst:
    return Burst(house)


async def test_eight_within_a_minute_go_alone_and_the_ninth_is_counted(burst: Burst) -> None:
    await burst.come(*range(GROUP_ALONE_MAX))
    assert await burst.fates() == {None: GROUP_ALONE_MAX}
    assert await burst.summaries() == []
    await burst.come(GROUP_ALONE_MAX)
    assert await burst.fates() == {None: GROUP_ALONE_MAX, FOLDED: 1}
    ((row, summary),) = await burst.summaries()
    assert (row.chat_id, row.mode, row.state) == (ADMIN_CHAT, "new", "due")
    assert (summary.messages, summary.counts) == (1, {"unknown_position": 1})


async def test_after_a_minute_the_next_go_alone_again(burst: Burst) -> None:
    await burst.come(*range(GROUP_ALONE_MAX))
    burst.later(SPAN.total_seconds() - 1)
    await burst.come(100)
    burst.later(1)
    await burst.come(101)
    assert await burst.fates() == {None: GROUP_ALONE_MAX + 1, FOLDED: 1}


async def test_the_summary_that_waits_grows_and_the_one_that_is_sent_is_edited(
    burst: Burst,
) -> None:
    await burst.come(*range(GROUP_ALONE_MAX + 5))
    ((_, summary),) = await burst.summaries()
    assert summary.messages == 5
    await burst.deliver()
    burst.later(10)
    await burst.come(*range(100, 103))
    first, edit = await burst.summaries()
    assert (first[1].messages, edit[1].messages) == (5, 8)
    assert (edit[0].mode, edit[0].thread) == ("edit", first[0].thread)
    assert edit[0].priority == a.Priority.INFO


async def test_a_burst_of_warnings_that_goes_on_rings_again_after_each_minute(
    burst: Burst,
) -> None:
    """One of nine is folded every 59 s, seven in all: each summary that rings speaks for two."""
    for minute in range(7):
        await burst.come(*range(minute * 9, minute * 9 + 9))
        await burst.deliver()
        burst.later(59)
    rows = await burst.summaries()
    threads = {row.thread for row, _ in rows}
    assert len(threads) == 4
    newest = {row.thread: summary for row, summary in rows}
    assert all(summary.at - summary.since < LASTS for summary in newest.values())
    folded = (await burst.fates())[FOLDED]
    assert sum(summary.messages for summary in newest.values()) == folded
    assert [row.mode for row, _ in rows].count("new") == 4


async def test_a_warning_folded_into_a_summary_of_news_that_was_sent_begins_one_that_rings(
    burst: Burst,
) -> None:
    """News is counted without a sound; the first warning among it must be heard."""
    news = next(each for each in every_alert() if type(each) is a.TradeNotPlaced)
    await burst.come(*range(GROUP_ALONE_MAX))
    warned = unknown(200)
    async with burst.house.store.writing() as tx:
        now = burst.house.clock.now()
        silent = grown(None, news, ("TradeNotPlaced", 1), now)
        assert not silent.urgent
        await tx.insert(summary_row(silent, now))
    await burst.deliver()
    burst.later(1)
    await burst.say(warned, client=None)
    (_, first), (row, second) = await burst.summaries()
    assert (first.messages, second.messages) == (1, 1)
    assert (row.mode, row.priority, second.urgent) == ("new", int(a.Priority.WARNING), True)


async def test_what_is_critical_waits_for_an_answer_or_is_an_alarm_is_sent_in_any_burst(
    burst: Burst,
) -> None:
    await burst.come(*range(30))
    alone = (breach(), offer(), unread(positions=2), close_ahead(), card())
    await burst.say(*alone)
    kinds = {type(alert).__name__ for alert in alone}
    rows = [row for row in await burst.house.rows(OutboxRow) if row.kind in kinds]
    assert {row.kind for row in rows} == kinds
    assert {row.state for row in rows} == {"due"}
    alarms = await burst.house.rows(AlarmRow)
    assert {alarm.kind for alarm in alarms} == {"GuardBreached", "AccountUnavailable"}


async def test_each_chat_has_its_own_burst_and_what_is_muted_is_no_part_of_it(
    burst: Burst,
) -> None:
    alice = await burst.house.person(ALICE)
    preferences = Preferences(burst.house.store, burst.house.clock)
    await burst.come(*range(GROUP_ALONE_MAX))
    await burst.say(unknown(50))
    theirs = [row for row in await burst.rows("DivergenceOpened") if row.chat_id == ALICE]
    assert [row.error for row in theirs] == [None]
    await preferences.set_level(alice, Group.DIFFERENCES, Level.OFF)
    await burst.say(*(unknown(number) for number in range(51, 81)))
    assert {row.chat_id for row, _ in await burst.summaries()} == {ADMIN_CHAT}
    await preferences.set_level(alice, Group.DIFFERENCES, Level.ON)
    await burst.say(*(unknown(number) for number in range(100, 99 + PRIVATE_ALONE_MAX)))
    assert {row.chat_id for row, _ in await burst.summaries()} == {ADMIN_CHAT}
    await burst.say(unknown(200))
    assert {row.chat_id for row, _ in await burst.summaries()} == {ADMIN_CHAT, ALICE}


async def test_the_end_of_what_was_folded_is_no_message_of_its_own(burst: Burst) -> None:
    """Number 20 was folded; what ended it changes nothing that anybody saw. Number 3 was told."""
    await burst.come(*range(GROUP_ALONE_MAX + 20))
    await burst.deliver()
    over = next(x for x in every_alert() if isinstance(x, a.DivergenceResolved))
    told, counted = (replace(over, episode_id=number, how="gone") for number in (3, 20))
    await burst.say(told, counted, client=None)
    ends = {row.thread: row for row in await burst.rows("DivergenceResolved")}
    assert (ends["episode:3"].state, ends["episode:3"].error) == ("due", None)
    assert (ends["episode:20"].state, ends["episode:20"].error) == ("failed", FOLDED_WITH)
    ((_, line),) = await burst.lines()
    assert len(line.endings) == 1


async def test_a_question_about_a_folded_position_is_asked_and_its_answer_shown(
    burst: Burst,
) -> None:
    await burst.come(*range(GROUP_ALONE_MAX + 20))
    asked = replace(card(), episode_id=20)
    await burst.say(asked, client=None)
    burst.later(1)
    await burst.say(replace(asked, state="over"), client=None)
    rows = await burst.rows("PositionQuestion")
    assert [row.error for row in rows] == [None, None]


async def test_what_is_folded_of_a_decision_is_in_the_audit_trail(burst: Burst) -> None:
    await burst.come(*range(GROUP_ALONE_MAX))
    warning = market(warning="spread", action="block", version=1)
    assert isinstance(warning, MarketWarning)
    await burst.say(warning, client=None)
    (row,) = await burst.rows("MarketWarning")
    assert row.error == FOLDED
    links = await burst.house.rows(AuditRow, action="alert_sent")
    assert [(link.detail["outbox"], link.detail["error"]) for link in links] == [(row.id, FOLDED)]


async def test_a_burst_outlives_a_restart(burst: Burst) -> None:
    await burst.come(*range(GROUP_ALONE_MAX + 2))
    await burst.house.restart()
    before = (await burst.fates())[FOLDED]
    burst.later(1)
    await burst.come(200)
    assert (await burst.fates())[FOLDED] == before + 1
    assert [summary.messages for _, summary in await burst.summaries()] == [before + 1]


async def test_edits_are_no_messages_of_a_burst(burst: Burst) -> None:
    await burst.come(*range(4))
    await burst.deliver()
    for _ in range(GROUP_ALONE_MAX):
        burst.later(1)
        await burst.say(replace(unknown(0), changed=True), client=None)
    await burst.come(*range(10, 14))
    assert (await burst.fates())[FOLDED] == 0


async def test_a_summary_is_no_message_of_the_next_burst(burst: Burst) -> None:
    """The summary of the ninth came half a minute ago, the eight before it a minute ago."""
    await burst.come(*range(GROUP_ALONE_MAX))
    burst.later(30)
    await burst.come(20)
    burst.later(30)
    await burst.come(*range(30, 30 + GROUP_ALONE_MAX))
    assert (await burst.fates())[FOLDED] == 1
