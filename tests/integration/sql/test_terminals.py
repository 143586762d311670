"""Links in the database: one terminal an account, found with its password, audited without it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from msgspec.structs import asdict, replace

from core.adapters.sql.store import SqlStore
from core.adapters.sql.terminals import SqlTerminals
from core.adapters.vault import Vault
from core.domain.audit import SYSTEM
from core.domain.audit_check import verify
from core.ports import BrokerUnavailable, Secret
from core.records import AuditRow, TerminalRow
from core.services.links import Links, NewLink, PasswordsUnreadable, TerminalTaken
from tests.fakes.audit_keys import AUDIT_KEYS
from tests.fakes.clock import FixedClock

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
PATH = r"C:\MT5\1\terminal64.exe"
LINK = NewLink(
    login=1, server="S", path=PATH, portable=True, host="win1", password=Secret("hunter2")
)


def _vault(*keys: str) -> Vault:
    return Vault(lambda: keys)


def _links(store: SqlStore, *keys: str, at: datetime = AT) -> Links:
    return Links(
        store=store, clock=FixedClock(at), vault=_vault(*(keys or (OLD,))), actor="operator:ada"
    )


async def _rows(store: SqlStore) -> list[TerminalRow]:
    async with store.reading() as tx:
        return await tx.find(TerminalRow)


async def test_a_linked_terminal_is_found_with_its_password(store: SqlStore) -> None:
    assert await _links(store).link(LINK) is False
    found = await SqlTerminals(store, _vault(OLD)).find(1, "S")
    assert found is not None
    assert (found.path, found.portable, found.host) == (PATH, True, "win1")
    assert found.server_offset_s is None
    assert found.password is not None
    assert found.password.reveal() == "hunter2"


async def test_an_account_without_a_link_has_no_terminal(store: SqlStore) -> None:
    await _links(store).link(LINK)
    terminals = SqlTerminals(store, _vault(OLD))
    assert await terminals.find(2, "S") is None
    assert await terminals.find(1, "T") is None


async def test_a_terminal_that_remembers_its_login_needs_no_key(store: SqlStore) -> None:
    await _links(store).link(replace(LINK, password=None))
    found = await SqlTerminals(store, _vault()).find(1, "S")
    assert found is not None
    assert found.password is None


async def test_a_password_under_a_lost_key_is_unavailable_not_absent(store: SqlStore) -> None:
    await _links(store, OLD).link(LINK)
    with pytest.raises(BrokerUnavailable, match="none of the keys") as caught:
        await SqlTerminals(store, _vault(NEW)).find(1, "S")
    assert "hunter2" not in str(caught.value)


async def test_a_token_copied_to_another_account_is_unavailable(store: SqlStore) -> None:
    await _links(store).link(LINK)
    await _links(store).link(replace(LINK, login=2, path=PATH.replace("1", "2")))
    (first, _) = await _rows(store)
    async with store.writing() as tx:
        await tx.update(TerminalRow, {"login": 2}, password_token=first.password_token)
    with pytest.raises(BrokerUnavailable, match="another account"):
        await SqlTerminals(store, _vault(OLD)).find(2, "S")


async def test_keys_that_change_between_row_and_key_are_looked_at_again(store: SqlStore) -> None:
    """`rotate-keys` ends just after a running Reckoner has read the old row."""
    await _links(store, NEW).link(LINK)
    rings: Iterator[tuple[str, ...]] = iter([(OLD,), (NEW,)])
    found = await SqlTerminals(store, Vault(lambda: next(rings))).find(1, "S")
    assert found is not None
    assert next(rings, None) is None


async def test_linking_again_replaces_and_keeps_what_was_learned(store: SqlStore) -> None:
    await _links(store).link(LINK)
    terminals = SqlTerminals(store, _vault(OLD))
    await terminals.keep_offset(1, "S", 7200, AT)
    later = AT + timedelta(days=1)
    again = replace(LINK, path=r"D:\x.exe", portable=False, host="", password=Secret("other"))
    assert await _links(store, at=later).link(again) is True
    (row,) = await _rows(store)
    assert (row.path, row.portable, row.host) == (r"D:\x.exe", False, "")
    assert (row.linked_at, row.changed_at) == (AT, later)
    assert (row.server_offset_s, row.offset_at) == (7200, AT)
    found = await terminals.find(1, "S")
    assert found is not None
    assert found.password is not None
    assert found.password.reveal() == "other"
    assert found.server_offset_s == 7200


@pytest.mark.parametrize("path", [PATH, PATH.lower(), PATH.replace("\\", "/")])
async def test_one_terminal_serves_one_account(store: SqlStore, path: str) -> None:
    await _links(store).link(LINK)
    with pytest.raises(TerminalTaken, match="1 at S"):
        await _links(store).link(replace(LINK, login=2, path=path))
    await _links(store).link(replace(LINK, login=2, path=path, host="win2"))
    assert [row.login for row in await _rows(store)] == [1, 2]


async def test_every_change_is_audited_without_the_password(store: SqlStore) -> None:
    links = _links(store)
    await links.link(LINK)
    await links.link(replace(LINK, password=None))
    assert await links.unlink(1, "S") is True
    assert await links.unlink(1, "S") is False
    async with store.reading() as tx:
        audited = await tx.find(AuditRow, account_id=SYSTEM)
        everything = [asdict(row) for row in audited] + [asdict(r) for r in await _rows(store)]
    assert verify(audited, AUDIT_KEYS) is None
    assert [(row.action, row.actor) for row in audited] == [
        ("terminal_linked", "operator:ada"),
        ("terminal_linked", "operator:ada"),
        ("terminal_unlinked", "operator:ada"),
    ]
    assert [row.detail.get("password_kept") for row in audited] == [True, False, None]
    assert "hunter2" not in str(everything)
    assert await _rows(store) == []


async def test_all_passwords_move_to_the_first_key(store: SqlStore) -> None:
    await _links(store, OLD).link(LINK)
    await _links(store, OLD).link(replace(LINK, login=2, host="b", password=Secret("two")))
    await _links(store, OLD).link(replace(LINK, login=3, host="c", password=None))
    assert await _links(store, NEW, OLD).encrypt_anew() == 2
    terminals = SqlTerminals(store, _vault(NEW))
    passwords = [await terminals.find(login, "S") for login in (1, 2, 3)]
    assert [found and found.password and found.password.reveal() for found in passwords] == [
        "hunter2",
        "two",
        None,
    ]


async def test_one_lost_password_changes_none(store: SqlStore) -> None:
    await _links(store, OLD).link(LINK)
    await _links(store, NEW).link(replace(LINK, login=2, host="b"))
    before = await _rows(store)
    links = _links(store, OLD)
    for attempt in (links.refuse_unreadable, links.encrypt_anew):
        with pytest.raises(PasswordsUnreadable) as caught:
            await attempt()
        assert [row.login for row in caught.value.rows] == [2]
    assert await _rows(store) == before
