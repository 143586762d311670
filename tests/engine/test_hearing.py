"""Muted messages are kept with their reason; what is critical comes; choices last."""

import pytest
from msgspec.structs import replace

from core.domain.alerts import Alert
from core.domain.hearing import Group, Level, QuietHours
from core.people_file import PeopleFile
from core.records import AuditRow, OutboxRow, PreferenceRow, UserRow
from core.services.errors import Refused
from core.services.preferences import Preferences
from core.services.speaking import speak
from tests.engine.house import ADMIN_CHAT, ALICE, PEOPLE, House
from tests.fakes.alerts import every_alert
from tests.fakes.alerts_rules import rules


def of_kind(kind: str) -> Alert:
    return next(alert for alert in [*every_alert(), *rules()] if type(alert).__name__ == kind)


class Chosen:
    """Alice's choices, and what she is told."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.preferences = Preferences(house.store, house.clock)

    async def level(self, group: Group, level: Level, version: int | None = None) -> int:
        alice = await self.house.person(ALICE)
        return (await self.preferences.set_level(alice, group, level, version)).version

    async def tell(self, *kinds: str) -> list[OutboxRow]:
        """Say these; answers Alice's rows, oldest first."""
        now = self.house.clock.now()
        async with self.house.store.writing() as tx:
            for kind in kinds:
                alert = of_kind(kind)
                await speak(tx, alert, client=ALICE, admin=ADMIN_CHAT, now=now)
        rows = await self.house.rows(OutboxRow, chat_id=ALICE)
        return [row for row in rows if row.kind in kinds]


@pytest.fixture
async def chosen(house: House) -> Chosen:
    return Chosen(house)


async def test_what_is_switched_off_is_kept_with_its_reason_and_the_admins_hear_it(
    chosen: Chosen,
) -> None:
    await chosen.level(Group.TERMINAL, Level.OFF)
    (row,) = await chosen.tell("AccountUnavailable")
    assert (row.state, row.error) == ("failed", "muted: its reader switched terminal off")
    theirs = await chosen.house.rows(OutboxRow, chat_id=ADMIN_CHAT)
    assert [each.state for each in theirs if each.kind == "AccountUnavailable"] == ["due"]


async def test_a_muted_message_about_a_decision_is_in_the_audit_trail(chosen: Chosen) -> None:
    await chosen.level(Group.RULES, Level.OFF)
    (row,) = await chosen.tell("RuleBroken")
    links = await chosen.house.rows(AuditRow, action="alert_sent")
    (link,) = [link for link in links if link.detail["outbox"] == row.id]
    assert link.detail["error"] == "muted: its reader switched rules off"
    assert link.detail["message_id"] is None


async def test_the_guard_and_closes_cannot_be_switched_off(chosen: Chosen) -> None:
    for group in (Group.GUARD, Group.CLOSES):
        with pytest.raises(Refused, match="always_on"):
            await chosen.level(group, Level.OFF)
    for group in set(Group) - {Group.GUARD, Group.CLOSES}:
        await chosen.level(group, Level.OFF)
    kinds = ("DrawdownWarning", "GuardBreached", "CloseConfirmed", "GuardBlind", "SignalOffered")
    assert {row.state for row in await chosen.tell(*kinds)} == {"due"}


async def test_a_message_that_stands_in_the_chat_is_kept_current_when_its_group_goes_off(
    chosen: Chosen,
) -> None:
    (opened,) = await chosen.tell("DivergenceOpened")
    await chosen.level(Group.DIFFERENCES, Level.OFF)
    (edit,) = await chosen.tell("DivergenceResolved")
    assert (opened.thread == edit.thread, edit.mode, edit.state) == (True, "edit", "due")


async def test_the_end_of_what_was_muted_is_muted_too_when_its_group_is_on_again(
    chosen: Chosen,
) -> None:
    await chosen.level(Group.DIFFERENCES, Level.OFF)
    await chosen.tell("DivergenceOpened")
    await chosen.level(Group.DIFFERENCES, Level.ON)
    (edit,) = await chosen.tell("DivergenceResolved")
    assert (edit.state, edit.error) == ("failed", "muted: so was the message that it would change")


async def test_a_button_of_an_older_version_changes_nothing(chosen: Chosen) -> None:
    assert await chosen.level(Group.MARKET, Level.SILENT, version=0) == 1
    assert await chosen.level(Group.MARKET, Level.OFF, version=1) == 2
    with pytest.raises(Refused, match="settings_changed"):
        await chosen.level(Group.MARKET, Level.ON, version=1)
    (row,) = await chosen.house.rows(PreferenceRow)
    assert row.levels == {"market": "off"}


async def test_each_change_is_audited_with_what_was_before(chosen: Chosen) -> None:
    alice = await chosen.house.person(ALICE)
    await chosen.preferences.set_quiet(alice, QuietHours(1320, 420))
    await chosen.preferences.set_quiet(alice, QuietHours(1320, 420))
    (link,) = await chosen.house.rows(AuditRow, action="settings_changed")
    assert link.actor == "Alice"
    assert link.detail["before"] == {"quiet_start_min": None, "quiet_end_min": None}
    assert link.detail["after"] == {"quiet_start_min": 1320, "quiet_end_min": 420}


async def test_a_chosen_zone_outlives_a_restart_whatever_the_people_file_says(
    chosen: Chosen,
) -> None:
    house = chosen.house
    alice = await house.person(ALICE)
    shown = await chosen.preferences.set_zone(alice, "new york")
    assert shown.hearing.time_zone == "America/New_York"
    house.people = PeopleFile(
        users=tuple(replace(user, time_zone="Asia/Tokyo") for user in PEOPLE.users),
        accounts=PEOPLE.accounts,
    )
    await house.restart()
    zones = {user.name: user.time_zone for user in await house.rows(UserRow)}
    assert (zones["Alice"], zones["Ben"]) == ("America/New_York", "Asia/Tokyo")


async def test_an_unknown_zone_is_refused_with_the_nearest(chosen: Chosen) -> None:
    alice = await chosen.house.person(ALICE)
    with pytest.raises(Refused) as caught:
        await chosen.preferences.set_zone(alice, "Europe/Lodnon")
    assert caught.value.facts["near"][0] == "Europe/London"
    assert not await chosen.house.rows(PreferenceRow)


async def test_an_admin_chat_that_is_one_persons_own_hears_everything(chosen: Chosen) -> None:
    await chosen.level(Group.TERMINAL, Level.OFF)
    now = chosen.house.clock.now()
    async with chosen.house.store.writing() as tx:
        await speak(tx, of_kind("AccountUnavailable"), client=None, admin=ALICE, now=now)
    assert [row.state for row in await chosen.house.rows(OutboxRow, chat_id=ALICE)] == ["due"]
