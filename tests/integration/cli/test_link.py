"""`link`, `unlink`, `link --list` as a person or a script uses them."""

import getpass
import io
import os
import pty
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from bot.cli import link
from bot.cli.options import LinkOptions, UnlinkOptions, UsageError

ROOT = Path(__file__).parents[3]
PASSED_ON = ("PATH", "SYSTEMROOT", "PYTHONPYCACHEPREFIX")
PATHS = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
RUN_S_MAX = 30
LINK = ("link", "1", "--server", "Broker-Live", "--terminal", r"C:\MT5\1\terminal64.exe")
OPTIONS = LinkOptions(login=1, server="S", terminal=r"C:\MT5\1\terminal64.exe")


class Screen(io.StringIO):
    """Somebody sits before it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without settings, and a command that names no host."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MT5_AGENT_COMMAND", "agent")
    return tmp_path


def _give(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))


def _link(monkeypatch: pytest.MonkeyPatch, password: str, **more: object) -> int:
    _give(monkeypatch, password)
    options = {"login": 1, "server": "S", "terminal": OPTIONS.terminal, "password_stdin": True}
    return link.link(LinkOptions(**(options | more)))  # type: ignore[arg-type]  # as words give them


@pytest.mark.skipif(sys.platform == "win32", reason="asks through a pseudo-terminal")
def test_a_person_is_asked_without_echo(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", *LINK],
        cwd=tmp_path,
        env=PATHS | {"PYTHONPATH": str(ROOT), "MT5_AGENT_COMMAND": "agent"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while not shown.endswith(b"(not shown): "):
        shown += os.read(ours, 1024)
    os.write(ours, b"hunter2\n")
    try:
        while chunk := os.read(ours, 1024):
            shown += chunk
    except OSError:  # Linux: the other side is closed
        pass
    os.close(ours)
    assert process.wait(RUN_S_MAX) == 0
    text = shown.decode()
    assert text.startswith("Password of 1 at Broker-Live (not shown): ")
    assert "next: python -m bot check" in text
    assert "hunter2" not in text
    kept = b"".join(file.read_bytes() for file in (tmp_path / "reckoner-data").iterdir())
    assert b"hunter2" not in kept


def test_a_pipe_is_not_asked(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _give(monkeypatch, "hunter2\n")
    with pytest.raises(UsageError, match="--password-stdin"):
        link.link(OPTIONS)
    assert list(directory.iterdir()) == []


def test_where_nothing_can_be_hidden_nothing_is_asked(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Getpass itself would warn, and go on with what is typed shown."""
    monkeypatch.setattr(sys, "stdin", Screen())

    def shows(prompt: str) -> str:
        warnings.warn("Can not control echo", getpass.GetPassWarning, stacklevel=1)
        return "hunter2"

    monkeypatch.setattr(getpass, "getpass", shows)
    with pytest.raises(UsageError, match="cannot be asked for unseen"):
        link.link(OPTIONS)


def test_a_script_gives_it_on_standard_input(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _link(monkeypatch, "hunter2\r\nsecond line") == 0
    assert capsys.readouterr().out.splitlines() == [
        r"linked: 1 at S: C:\MT5\1\terminal64.exe; password kept, encrypted",
        "next: python -m bot check",
    ]
    assert _link(monkeypatch, "other", portable=True) == 0
    assert capsys.readouterr().out.startswith(
        r"linked again: 1 at S: C:\MT5\1\terminal64.exe, portable; password kept"
    )


@pytest.mark.parametrize("password", ["", "\n", "a\tb", "x" * 257, "\U0001f511" * 128 + "xxx"])
def test_what_is_no_password_is_refused_and_not_repeated(
    directory: Path, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    with pytest.raises(UsageError) as caught:
        _link(monkeypatch, password)
    assert "xxx" not in str(caught.value)
    assert list(directory.iterdir()) == []


def test_the_longest_password_is_taken(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """256 units of UTF-16, which is what an agent takes."""
    assert _link(monkeypatch, "x" * 256) == 0
    assert _link(monkeypatch, "\U0001f511" * 128) == 0


def test_a_directory_in_the_place_of_the_keys_is_one_line(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = directory / "reckoner-data" / "password.keys"
    keys.mkdir(parents=True)
    assert _link(monkeypatch, "hunter2") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("nothing was changed: ")
    assert line.endswith("password.keys: expected a file of keys; it is no file")


def test_a_list_that_nobody_reads_to_its_end_ends_quietly(tmp_path: Path) -> None:
    """As with `| head`: the reader is gone before the first line is written."""
    ours, theirs = os.pipe()
    os.close(ours)
    process = subprocess.run(
        [sys.executable, "-m", "bot", "link", "--list"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "DATA_DIR": str(tmp_path)},
        cwd=tmp_path,
        stdout=theirs,
        stderr=subprocess.PIPE,
        check=False,
        timeout=RUN_S_MAX,
    )
    os.close(theirs)
    assert process.stderr == b""
    assert process.returncode == 1


def test_a_terminal_that_remembers_its_login_needs_no_key(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = LinkOptions(login=1, server="S", terminal=OPTIONS.terminal, no_password=True)
    assert link.link(options) == 0
    assert "; no password kept" in capsys.readouterr().out
    assert not (directory / "reckoner-data" / "password.keys").exists()


@pytest.mark.parametrize(
    ("command", "host", "says"),
    [
        ("ssh {host} agent", "", "expected the terminal's machine"),
        ("ssh {host} agent", "-oProxyCommand=x", "expected a host's name"),
        ("wine64 agent", "win1", "has no {host}"),
    ],
)
def test_a_host_has_its_place_in_the_command(
    directory: Path, monkeypatch: pytest.MonkeyPatch, command: str, host: str, says: str
) -> None:
    monkeypatch.setenv("MT5_AGENT_COMMAND", command)
    with pytest.raises(UsageError) as caught:
        _link(monkeypatch, "hunter2", host=host)
    assert says in str(caught.value)


def test_the_list_shows_where_and_never_with_what(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MT5_AGENT_COMMAND", "ssh {host} agent")
    _link(monkeypatch, "hunter2", host="win1", login=2)
    _link(monkeypatch, "hunter3", host="win2")
    capsys.readouterr()
    assert link.list_links() == 0
    assert capsys.readouterr().out.splitlines() == [
        r"1 at S: C:\MT5\1\terminal64.exe on win2; password kept, encrypted",
        r"2 at S: C:\MT5\1\terminal64.exe on win1; password kept, encrypted",
    ]


@pytest.mark.parametrize(
    "spelling",
    [
        r"C:\MT5\1\terminal64.exe",
        "c:/mt5/1/TERMINAL64.exe",
        "C:/MT5/1/./terminal64.exe",
        r"C:\MT5\2\..\1\\terminal64.exe",
    ],
)
def test_one_terminal_for_two_accounts_is_refused_however_it_is_spelt(
    directory: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    _link(monkeypatch, "hunter2")
    with pytest.raises(UsageError, match="linked to 1 at S already; one terminal serves one"):
        _link(monkeypatch, "hunter2", login=2, terminal=spelling)
    assert _link(monkeypatch, "hunter2", login=2, terminal=r"C:\MT5\2\terminal64.exe") == 0


def test_unlinking_forgets_the_password(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _link(monkeypatch, "hunter2")
    assert link.unlink(UnlinkOptions(login=1, server="T")) == 1
    assert link.unlink(UnlinkOptions(login=1, server="S")) == 0
    assert link.unlink(UnlinkOptions(login=1, server="S")) == 1
    assert "1 at S is not linked" in capsys.readouterr().err
    with sqlite3.connect("reckoner-data/reckoner.db") as database:
        (left,) = database.execute("SELECT count(*) FROM terminals").fetchone()
    database.close()
    assert left == 0


@pytest.mark.parametrize(
    ("login", "server", "note"),
    [
        (7, "S", []),
        (7, "Other", ["note: people.toml has 7 at S, not at Other; both must be written alike"]),
        (8, "S", ["note: people.toml has no account 8 yet; add an [[account]]"]),
    ],
)
def test_an_account_that_nobody_owns_is_told_of(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    login: int,
    server: str,
    note: list[str],
) -> None:
    (directory / "people.toml").write_text(
        '[[user]]\ntelegram_id = 1\nname = "A"\nrole = "client"\n[[account]]\nlogin = 7\n'
        'server = "S"\nowner = 1\ncurrency = "GBP"\nmargin_mode = "hedging"\nname = "A"\n'
    )
    monkeypatch.setenv("PEOPLE_FILE", "people.toml")
    assert _link(monkeypatch, "hunter2", login=login, server=server) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("note")] == note


def test_a_missing_key_is_not_silently_replaced_by_a_new_one(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _link(monkeypatch, "hunter2")
    key = directory / "reckoner-data" / "password.keys"
    kept = key.rename(directory / "elsewhere")
    assert _link(monkeypatch, "other", login=2, terminal=r"C:\2\terminal64.exe") == 1
    assert not key.exists()
    said = capsys.readouterr().err
    assert said.startswith("nothing was changed: the passwords of 1 at S cannot be decrypted")
    assert said.index("bring the key back") < said.index("--new-key")
    lost = {"login": 2, "terminal": r"C:\2\terminal64.exe", "new_key": True}
    assert _link(monkeypatch, "other", **lost) == 0
    assert key.read_text() != kept.read_text()


def test_a_key_is_made_anew_for_the_only_password_it_had(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linking that account again loses nothing that is not given anew."""
    _link(monkeypatch, "hunter2")
    (directory / "reckoner-data" / "password.keys").unlink()
    assert _link(monkeypatch, "hunter2") == 0


@pytest.mark.skipif(sys.platform == "win32", reason="modes as POSIX has them")
def test_a_key_file_open_to_others_is_closed_first_and_nothing_linked_again(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _link(monkeypatch, "hunter2")
    (directory / "reckoner-data" / "password.keys").chmod(0o644)
    assert _link(monkeypatch, "x", login=2, terminal=r"C:\2\terminal64.exe") == 1
    said = capsys.readouterr().err
    assert "chmod 600 reckoner-data/password.keys, then python -m bot rotate-keys" in said
    assert "--new-key" not in said


def test_a_listing_makes_nothing(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert link.list_links() == 0
    assert "no account is linked" in capsys.readouterr().out
    assert list(directory.iterdir()) == []
    _link(monkeypatch, "hunter2")
    there = {path.name for path in (directory / "reckoner-data").iterdir()}
    assert link.list_links() == 0
    assert {path.name for path in (directory / "reckoner-data").iterdir()} == there


@pytest.mark.skipif(sys.platform == "win32", reason="modes as POSIX has them")
@pytest.mark.parametrize("does", ["link", "unlink", "list"])
def test_what_a_command_makes_is_readable_by_its_user_only(
    directory: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    before = os.umask(0o000)
    try:
        if does == "unlink":
            assert link.unlink(UnlinkOptions(login=1, server="S")) == 1
        else:
            _link(monkeypatch, "hunter2")
        os.umask(0o000)
        if does == "list":
            assert link.list_links() == 0
    finally:
        os.umask(before)
    made = directory / "reckoner-data"
    assert made.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in made.iterdir()} == {0o600}


def test_an_unusable_key_changes_nothing(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _link(monkeypatch, "hunter2")
    (directory / "reckoner-data" / "password.keys").write_text("spoilt")
    assert _link(monkeypatch, "other") == 1
    said = capsys.readouterr().err
    assert said.startswith("nothing was changed: reckoner-data/password.keys: expected 1 to 16")
