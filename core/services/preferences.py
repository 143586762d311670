"""A person's own choices: which alerts they hear and how, quiet hours, time zone."""

from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final
from zoneinfo import available_timezones

from core.domain import audit_words as words
from core.domain.audit import SYSTEM
from core.domain.hearing import LOCKED, Choices, Group, Level, QuietHours
from core.domain.people import Person
from core.ports import Clock, Store, Transaction
from core.records import PreferenceRow, UserRow
from core.services import audit
from core.services.errors import Refused
from core.services.hearing import hearing_from

ZONES_NEAR_MAX: Final = 3


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in sorted(available_timezones())}


def find_zone(text: str) -> str:
    """The IANA name meant, however it is capitalised. Raises Refused: unknown_zone (near)."""
    asked = text.strip().lower().replace(" ", "_")
    known = _zones()
    if asked in known:
        return known[asked]
    cities = {name.rpartition("/")[2]: name for name in known if "/" in name}
    if asked in cities:
        return known[cities[asked]]
    near = [known[name] for name in get_close_matches(asked, known, ZONES_NEAR_MAX)]
    near = near or [known[cities[c]] for c in get_close_matches(asked, cities, ZONES_NEAR_MAX)]
    raise Refused("unknown_zone", zone=text, near=tuple(near))


class Preferences:
    """Show and change them. Each change is checked against the version that was seen, if any.

    Changes raise Refused: settings_changed where the version is not the present one.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of(self, person: Person) -> Choices:
        """What they have chosen. Raises Refused: not_found."""
        async with self._store.reading() as tx:
            return await _choices(tx, person)

    async def set_level(
        self, person: Person, group: Group, level: Level, version: int | None = None
    ) -> Choices:
        """Hear a group so from now on. Raises Refused: always_on (group) of the locked ones."""
        if group in LOCKED:
            raise Refused("always_on", group=group.value)
        return await self._change(person, version, {}, group, level)

    async def set_quiet(
        self, person: Person, quiet: QuietHours | None, version: int | None = None
    ) -> Choices:
        """Quiet hours by the person's own clock; None for none."""
        columns = {
            "quiet_start_min": None if quiet is None else quiet.start_min,
            "quiet_end_min": None if quiet is None else quiet.end_min,
        }
        return await self._change(person, version, columns)

    async def set_zone(self, person: Person, zone: str, version: int | None = None) -> Choices:
        """A time zone, over whatever the people file says. Raises Refused: unknown_zone (near)."""
        return await self._change(person, version, {"time_zone": find_zone(zone)})

    async def set_language(
        self, person: Person, language: str, version: int | None = None
    ) -> Choices:
        """Be spoken to in a language; empty: in what their Telegram speaks."""
        return await self._change(person, version, {"language": language})

    async def _change(
        self,
        person: Person,
        version: int | None,
        columns: dict[str, Any],
        group: Group | None = None,
        level: Level | None = None,
    ) -> Choices:
        now = self._clock.now()
        async with self._store.writing() as tx:
            row = await tx.first(PreferenceRow, user_id=person.user_id)
            if version is not None and version != (row.version if row else 0):
                raise Refused("settings_changed")
            if row is None:
                row = PreferenceRow(user_id=person.user_id, version=0, levels={}, changed_at=now)
                await tx.insert(row)
            if group is not None and level is not None:
                columns = {"levels": {**row.levels, group.value: level.value}}
            user = await tx.get(UserRow, person.user_id)
            before = {name: getattr(user if name == "language" else row, name) for name in columns}
            if before != columns or row.version == 0:
                own = {name: value for name, value in columns.items() if name != "language"}
                changed = {"version": row.version + 1, "changed_at": now, **own}
                await tx.update(PreferenceRow, {"user_id": person.user_id}, **changed)
                if columns.keys() & {"time_zone", "language"}:
                    await tx.update(UserRow, {"id": person.user_id}, **columns)
                detail = {"user": person.user_id, "before": before, "after": columns}
                await audit.append(tx, SYSTEM, person.name, words.SETTINGS_CHANGED, detail, now)
            return await _choices(tx, person)


async def _choices(tx: Transaction, person: Person) -> Choices:
    user = await tx.get(UserRow, person.user_id)
    if user is None:
        raise Refused("not_found")
    chosen = await tx.first(PreferenceRow, user_id=user.id)
    return Choices(
        version=0 if chosen is None else chosen.version,
        hearing=hearing_from(user, chosen),
        language=user.language or "",
    )
