"""`rotate-keys`, ended at each of its effects in turn: every password stays readable."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from bot.cli.composition import links_over, opened_store, rotation
from bot.cli.keys import rotate_keys
from bot.keys import Keys
from core.adapters.sql.store import SqlStore
from core.adapters.sql.terminals import SqlTerminals
from core.adapters.sql.transaction import SqlTransaction
from core.adapters.vault import Vault
from core.config import Settings, load
from core.config_values import PASSWORD_KEYS_MAX
from core.ports import Secret
from core.services.links import NewLink

PASSWORDS = {1: "one", 2: "two", 3: None}
EFFECTS_MIN = 10
"""Two files of draft, write, flush and name each, and the commit: fewer would not be counted."""


class Killed(BaseException):
    """The process ends here; nothing after it is done."""


def _kill_at(monkeypatch: pytest.MonkeyPatch, nth: int) -> list[str]:
    """End at the nth effect on the disk, just before it is done; answers those that were done."""
    done: list[str] = []

    def guarded(name: str, effect: Callable[..., Any]) -> Callable[..., Any]:
        def attempt(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever it wraps
            if len(done) + 1 == nth:
                raise Killed(name)
            done.append(name)
            return effect(*args, **kwargs)

        return attempt

    monkeypatch.setattr(os, "open", guarded("open", os.open))
    monkeypatch.setattr(os, "fsync", guarded("fsync", os.fsync))
    monkeypatch.setattr(Path, "replace", guarded("replace", Path.replace))
    monkeypatch.setattr(Path, "unlink", guarded("unlink", Path.unlink))
    monkeypatch.setattr(SqlTransaction, "commit", guarded("commit", SqlTransaction.commit))
    return done


@pytest.fixture
def settings(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (tmp_path / "data").mkdir(mode=0o700)
    shutil.copy(sqlite_template, tmp_path / "data" / "reckoner.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", "data")
    return load({"DATA_DIR": "data"}, dotenv=None)


async def _link_all(store: SqlStore, keys: Keys) -> None:
    for login, password in PASSWORDS.items():
        new = NewLink(
            login=login,
            server="S",
            path=rf"C:\{login}.exe",
            portable=False,
            host="",
            password=None if password is None else Secret(password),
        )
        await links_over(store, keys.vault).link(new)


async def _readable(store: SqlStore, keys: Keys) -> dict[int, str | None]:
    terminals = SqlTerminals(store, keys.vault)
    readable: dict[int, str | None] = {}
    for login in PASSWORDS:
        found = await terminals.find(login, "S")
        assert found is not None
        readable[login] = None if found.password is None else found.password.reveal()
    return readable


async def test_a_kill_at_any_effect_loses_no_password_and_the_next_rotation_ends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Keys(settings)
    async with opened_store(settings) as store:
        with keys.held():
            keys.prepare()
        await _link_all(store, keys)
        (last_key,) = keys.read()
        done: list[str] = []
        is_over = False
        nth = 0
        while not is_over:
            nth += 1
            with monkeypatch.context() as patch, keys.held():
                done = _kill_at(patch, nth)
                try:
                    assert await rotation(store).in_ring(keys.file) == 2
                    is_over = True
                except Killed:
                    pass
            assert await _readable(store, keys) == PASSWORDS, f"killed after {done}"
            with keys.held():
                await rotation(store).in_ring(keys.file)
            assert await _readable(store, keys) == PASSWORDS, f"killed after {done}, then rotated"
            (key,) = keys.read()
            assert key != last_key
            last_key = key
        assert done.count("commit") == 1
        assert len(done) >= EFFECTS_MIN, done


async def test_a_ring_full_of_crashed_rotations_is_emptied_first(settings: Settings) -> None:
    keys = Keys(settings)
    ring = tuple(Fernet.generate_key().decode() for _ in range(PASSWORD_KEYS_MAX))
    async with opened_store(settings) as store:
        with keys.held():
            keys.file.write(ring[-1:])
            await _link_all(store, keys)
            keys.file.write(ring)
            await rotation(store).in_ring(keys.file)
        (key,) = keys.read()
        assert key not in ring
        assert await _readable(store, keys) == PASSWORDS


async def _prepare(settings: Settings) -> Keys:
    keys = Keys(settings)
    async with opened_store(settings) as store:
        with keys.held():
            keys.prepare()
        await _link_all(store, keys)
    return keys


@pytest.fixture
def apart(run_apart: Callable[[Any], None], settings: Settings) -> Keys:
    """Linked accounts, made in another loop: the commands below have their own."""
    run_apart(_prepare(settings))
    return Keys(settings)


def test_the_command_says_what_it_did(apart: Keys, capsys: pytest.CaptureFixture[str]) -> None:
    (old,) = apart.read()
    assert rotate_keys() == 0
    said = capsys.readouterr().out
    assert "\n2 passwords are encrypted under a new key, data/password.keys; " in said
    assert apart.read() != (old,)
    assert not any(key in said for key in (old, *apart.read()))


def test_what_the_old_keys_take_with_them_is_said_before_they_go(
    apart: Keys, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where nothing could be done afterwards: the words stand before the deed."""
    monkeypatch.setattr(Vault, "unseal", _ended)
    with pytest.raises(Killed):
        rotate_keys()
    said = capsys.readouterr().out
    assert "the old keys go, and with them the passwords in older copies of the database" in said
    assert "keep a copy of data/password.keys" in said


def _ended(self: Vault, login: int, server: str, token: str) -> Secret:
    raise Killed


def test_a_lost_password_is_named_and_nothing_is_changed(
    apart: Keys, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = Fernet.generate_key().decode()
    with apart.held():
        apart.file.write((lost,))
    assert rotate_keys() == 1
    said = capsys.readouterr().err
    assert said.startswith("nothing was changed: the passwords of 1 at S, 2 at S cannot be decrypt")
    assert apart.read() == (lost,)


def test_without_keys_there_is_nothing_to_rotate(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rotate_keys() == 1
    assert "the first `python -m bot link` makes it" in capsys.readouterr().err
    assert not Keys(settings).file.path.exists()


def test_given_keys_are_not_replaced_but_told_of(
    apart: Keys, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = apart.read()
    new = Fernet.generate_key().decode()
    monkeypatch.setenv("PASSWORD_KEYS", f"{new},{old}")
    assert rotate_keys() == 0
    assert "the other 1 may be taken out" in capsys.readouterr().out
    monkeypatch.setenv("PASSWORD_KEYS", new)
    assert rotate_keys() == 0
    said = capsys.readouterr().out
    assert said.startswith("2 passwords are encrypted under the only key")
    assert new not in said
    monkeypatch.setenv("PASSWORD_KEYS", old)
    assert rotate_keys() == 1
