"""Brokers' passwords: readable for their own account only, under keys that nobody else reads."""

import base64
import os
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from core.adapters.vault import KEY_FILE, KeyFile, NoKeys, Vault
from core.config_values import PASSWORD_KEYS_MAX
from core.ports import KeysUnusable, PasswordUnreadable, Secret

OLD, NEW, OTHER = (base64.urlsafe_b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
PASSWORD = Secret("hunter2 \N{POUND SIGN}")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")


def _vault(*keys: str) -> Vault:
    return Vault(lambda: keys)


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "data" / KEY_FILE)


def test_what_is_sealed_for_an_account_is_unsealed_for_it() -> None:
    token = _vault(NEW).seal(1, "S", PASSWORD)
    assert "hunter2" not in token
    assert _vault(NEW).unseal(1, "S", token).reveal() == "hunter2 £"


@pytest.mark.parametrize(("login", "server"), [(2, "S"), (1, "s"), (1, "S "), (-1, "S")])
def test_a_token_copied_to_another_row_opens_nothing(login: int, server: str) -> None:
    token = _vault(NEW).seal(1, "S", PASSWORD)
    with pytest.raises(PasswordUnreadable, match="another account"):
        _vault(NEW).unseal(login, server, token)


def test_the_first_key_encrypts_and_every_key_decrypts() -> None:
    token = _vault(OLD).seal(1, "S", PASSWORD)
    assert _vault(NEW, OLD).unseal(1, "S", token).reveal() == PASSWORD.reveal()
    anew = _vault(NEW, OLD).seal(1, "S", PASSWORD)
    assert _vault(NEW).unseal(1, "S", anew).reveal() == PASSWORD.reveal()
    with pytest.raises(PasswordUnreadable, match="none of the keys"):
        _vault(OLD).unseal(1, "S", anew)


def test_one_changed_character_opens_nothing() -> None:
    token = _vault(NEW).seal(1, "S", PASSWORD)
    for place in (0, 20, len(token) // 2, len(token) - 5):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(PasswordUnreadable):
            _vault(NEW).unseal(1, "S", changed)


@pytest.mark.parametrize("token", ["", "x", "£", "gAAAAA"])
def test_what_is_no_token_opens_nothing(token: str) -> None:
    with pytest.raises(PasswordUnreadable):
        _vault(NEW).unseal(1, "S", token)


@pytest.mark.parametrize("plain", [b"hunter2", b'{"login":1,"server":"S"}', b'{"password":"h2"}'])
def test_a_foreign_plaintext_is_refused_and_not_shown(plain: bytes) -> None:
    token = Fernet(NEW).encrypt(plain).decode()
    with pytest.raises(PasswordUnreadable) as caught:
        _vault(NEW).unseal(1, "S", token)
    told = f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.__suppress_context__
    assert not any(word in told for word in ("hunter2", "h2"))


def test_a_secret_shows_itself_to_nobody() -> None:
    assert "hunter2" not in f"{PASSWORD!r} {PASSWORD} {[PASSWORD]}"


def test_without_a_key_nothing_is_opened(file: KeyFile) -> None:
    with pytest.raises(NoKeys, match="there is no key to the brokers' passwords"):
        file.read()
    with pytest.raises(PasswordUnreadable, match="there is no key"):
        Vault(file.read).unseal(1, "S", _vault(NEW).seal(1, "S", PASSWORD))


def test_the_first_key_is_made_once(file: KeyFile) -> None:
    with file.held():
        keys = file.read_or_make()
        assert file.read_or_make() == keys
    assert len(keys) == 1
    assert len(base64.urlsafe_b64decode(keys[0])) == 32


@posix_only
def test_the_file_is_for_its_user_only(file: KeyFile) -> None:
    before = os.umask(0)
    try:
        with file.held():
            file.read_or_make()
    finally:
        os.umask(before)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700


@posix_only
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_file_that_others_reach_is_refused_with_what_to_do(file: KeyFile, mode: int) -> None:
    with file.held():
        file.read_or_make()
    file.path.chmod(mode)
    with pytest.raises(KeysUnusable, match=f"mode {mode:04o}.*chmod 600"):
        file.read()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\n",
        "hunter2\n",
        f"{NEW}x\n",
        f"{NEW[:-1]}\n",
        f"{NEW}\nhunter2\n",
        f"{NEW}\n" * (PASSWORD_KEYS_MAX + 1),
        "\xff" * 44,
        "A" * 5000,
    ],
)
def test_a_spoiled_file_is_refused_and_not_shown(file: KeyFile, content: str) -> None:
    with file.held():
        file.read_or_make()
    file.path.write_text(content, "latin-1")
    with pytest.raises(KeysUnusable) as caught:
        file.read()
    assert str(PASSWORD_KEYS_MAX) in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert NEW not in str(caught.value)


def test_as_many_keys_as_allowed_are_read_in_order(file: KeyFile) -> None:
    keys = tuple([NEW, OLD] * (PASSWORD_KEYS_MAX // 2))
    with file.held():
        file.write(keys)
    assert file.read() == keys


def test_what_a_crash_left_is_no_hindrance_and_does_not_stay(
    file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with file.held():
        file.write((OLD,))
        with monkeypatch.context() as crashing:
            crashing.setattr(Path, "replace", _full)
            with pytest.raises(KeysUnusable):
                file.write((NEW, OLD))
        assert [path.name for path in file.path.parent.glob(".*.tmp")] != []
        file.write((NEW, OLD))
    assert file.read() == (NEW, OLD)
    assert {path.name for path in file.path.parent.iterdir()} == {KEY_FILE, f"{KEY_FILE}.lock"}


def _full(self: Path, target: Path) -> Path:
    raise OSError(28, "No space left on device")


def test_a_backup_beside_the_keys_is_never_written_over_or_removed(file: KeyFile) -> None:
    with file.held():
        file.write((OLD,))
        names = [KEY_FILE + end for end in (".new", ".old", ".bak", ".tmp")] + [f".{KEY_FILE}.tmp"]
        for name in names:
            file.path.with_name(name).write_text(name)
        file.write((NEW,))
    assert [file.path.with_name(name).read_text() for name in names] == names


def test_two_cannot_change_the_keys_at_once(file: KeyFile) -> None:
    with (
        file.held(),
        pytest.raises(KeysUnusable, match=f"under way \\(process {os.getpid()}\\)"),
        KeyFile(file.path).held(),
    ):
        pass
    with KeyFile(file.path).held():
        pass


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(KeysUnusable) as caught, KeyFile(tmp_path / "data" / KEY_FILE).held():
        pass
    assert len(str(caught.value).splitlines()) == 1


def test_keys_are_read_anew_each_time(file: KeyFile) -> None:
    """`link` and `rotate-keys` change them while Reckoner runs."""
    vault = Vault(file.read)
    with file.held():
        file.write((OLD,))
        token = vault.seal(1, "S", PASSWORD)
        file.write((NEW, OLD))
        assert vault.unseal(1, "S", token).reveal() == PASSWORD.reveal()
        file.write((OTHER,))
    with pytest.raises(PasswordUnreadable):
        vault.unseal(1, "S", token)
