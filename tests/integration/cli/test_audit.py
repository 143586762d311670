"""`audit` as an operator uses it, and the first key that an installation makes."""

import asyncio
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.cli.composition import links_over, opened_store
from bot.keys import AuditKeyHome, Keys
from core.adapters.audit_keys import AUDIT_KEY_FILE, AUDIT_KEYS_MAX, FIRST_KEY_FILE, key_file
from core.config import Settings, load
from core.ports import KeysUnusable
from core.services.links import NewLink


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "data").mkdir(mode=0o700)
    shutil.copy(sqlite_template, tmp_path / "data" / "reckoner.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", "data")
    return load({"DATA_DIR": "data"}, dotenv=None)


def act(settings: Settings, *logins: int) -> None:
    """Link accounts: one link of the system's chain each."""

    async def link() -> None:
        async with opened_store(settings) as store:
            for login in logins:
                new = NewLink(
                    login=login,
                    server="S",
                    path=rf"C:\{login}.exe",
                    portable=False,
                    host="",
                    password=None,
                )
                await links_over(store, Keys(settings).vault).link(new)

    asyncio.run(link())


def forge(statement: str) -> None:
    """Write to the database as somebody without the key."""
    with sqlite3.connect("data/reckoner.db") as connection:
        for name in ("no_update", "no_delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS audit_log_{name}")
        connection.execute(statement)
    connection.close()


def lines(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    status = main(["audit", *words])
    out = capsys.readouterr()
    return status, (out.out + out.err).splitlines()


def test_a_sound_chain_a_forged_link_and_a_kept_head(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    act(settings, 1, 2, 3)
    status, (head,) = lines(capsys, "heads")
    name, sequence, digits = head.split(":")
    assert (status, name, sequence, len(digits)) == (0, "system", "3", 16)
    assert lines(capsys, "verify", "--head", head) == (
        0,
        [f"system: 3 links, head {head}", "sound"],
    )

    forge("UPDATE audit_log SET actor = 'nobody' WHERE sequence = 2")
    status, said = lines(capsys, "verify", "--account", "system")
    assert status == 1
    assert said[0] == "system: link 2 was changed, or put there without the key"
    assert said[-1].startswith("NOT SOUND")

    forge("DELETE FROM audit_log WHERE sequence >= 2")
    assert lines(capsys, "verify")[0] == 0, "a removed end is told by nothing that was left"
    status, said = lines(capsys, "verify", "--head", head)
    assert (status, said[0]) == (1, "system: link 3 was there and is not: the chain ends at 1")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("verify", "--account", "50001"), "there is no account 50001"),
        (("verify", "--head", "system:1:abc"), "16 digits"),
        (("verify", "--account", "gold"), "an account's number"),
        (("show", "--from", "0"), "from 1"),
        ((), "{verify,show,heads,...}"),
    ],
)
def test_a_wrong_word_is_one_line_and_exit_status_2(
    settings: Settings, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    act(settings, 1)
    status, said = lines(capsys, *words)
    assert status == 2
    assert len(said) == 1
    assert says in said[0]


def test_links_are_printed_one_json_object_a_line(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    act(settings, 1, 2, 3)
    status, said = lines(capsys, "show", "--account", "system", "--from", "2", "--to", "2")
    assert status == 0
    (link,) = map(json.loads, said)
    assert (link["sequence"], link["action"], link["detail"]["login"]) == (2, "terminal_linked", 2)
    assert link["created_at"].endswith("+00:00")
    assert lines(capsys, "show") == (0, [*lines(capsys, "show", "--account", "system")[1]])


def test_a_new_key_keeps_what_the_old_one_signed(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    act(settings, 1)
    before = key_file(settings.data_dir / AUDIT_KEY_FILE).read()
    status, said = lines(capsys, "rotate")
    assert (status, said[0][:30]) == (0, "1 chains are under a new key. ")
    act(settings, 2)
    after = key_file(settings.data_dir / AUDIT_KEY_FILE).read()
    assert (len(after), after[1:]) == (2, before)
    assert lines(capsys, "verify")[0] == 0
    links = [json.loads(line) for line in lines(capsys, "show")[1]]
    assert [link["action"] for link in links] == [
        "terminal_linked",
        "audit_key_changed",
        "terminal_linked",
    ]
    assert links[0]["key_id"] != links[1]["key_id"] == links[2]["key_id"]


def test_a_ring_that_is_full_takes_no_other_key(settings: Settings) -> None:
    act(settings, 1)
    file = key_file(settings.data_dir / AUDIT_KEY_FILE)
    file.write((*(file.new_key() for _ in range(AUDIT_KEYS_MAX - 1)), *file.read()))
    assert main(["audit", "rotate"]) == 1
    assert len(file.read()) == AUDIT_KEYS_MAX


def test_a_key_that_is_missed_is_not_replaced_silently(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    act(settings, 1)
    path = settings.data_dir / AUDIT_KEY_FILE
    kept = path.rename("elsewhere")
    with pytest.raises(KeysUnusable, match=r"only if it is lost for good: .* audit new-key"):
        act(settings, 2)
    assert not path.exists()
    assert lines(capsys, "verify")[0] == 1
    kept.rename(path)
    act(settings, 2)
    assert lines(capsys, "verify")[0] == 0

    path.rename("elsewhere")
    assert lines(capsys, "new-key")[0] == 0
    act(settings, 3)
    status, said = lines(capsys, "verify")
    assert status == 1
    assert "which is not in audit.keys" in said[0]


def test_the_first_key_is_made_once_and_a_crash_changes_nothing_of_that(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    forge(
        "INSERT INTO audit_log (account_id, sequence, actor, action, detail, created_at,"
        " prev_hash, hash) VALUES (0, 1, 'a', 'b', '{}', '2026-03-06T13:30:00.000000',"
        " '0000000000000000000000000000000000000000000000000000000000000000',"
        " 'd8a0f7eecf3de34fbecf6ab6bb5b70bb45a64a8e5d9ea0c3b2f53cfdd7e0b2d1')"
    )
    # The key was written and the process ended.
    first = key_file(settings.data_dir / FIRST_KEY_FILE)
    key = first.read_or_make()
    act(settings, 1)
    assert not first.path.exists()
    assert key_file(settings.data_dir / AUDIT_KEY_FILE).read() == key
    # The chains were put under it and the process ended before the key had its name.
    key_file(settings.data_dir / AUDIT_KEY_FILE).move_to(first.path)
    act(settings, 2)
    links = [json.loads(line) for line in lines(capsys, "show")[1]]
    expected = ["b", "audit_keyed", "terminal_linked", "terminal_linked"]
    assert [link["action"] for link in links] == expected
    # Its hash is not that of its content: the first key vouches for what it found.
    assert lines(capsys, "verify")[1][0].startswith("system: link 1 was changed")


def test_verifying_disturbs_nobody_who_writes(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async def write_meanwhile() -> tuple[int, int]:
        async with opened_store(settings) as store:
            assert await store.owner_epoch() == 1
            links = links_over(store, Keys(settings).vault)
            verified = asyncio.create_task(asyncio.to_thread(main, ["audit", "verify"]))
            written = 0
            while not verified.done():
                written += await links.unlink(written + 1, "S")
                await asyncio.sleep(0)
            return await verified, written

    act(settings, *range(1, 9))
    status, written = asyncio.run(write_meanwhile())
    assert (status, written > 0) == (0, True)
    assert AuditKeyHome(settings).keys.file.path.stat().st_mode & 0o077 == 0
