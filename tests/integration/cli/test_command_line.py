"""`python -m bot` as a person types it: quick help, one line per mistake, status 2."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot.cli.options import DemoOptions, LinkOptions, UsageError, offset_s
from bot.cli.parser import parse
from bot.cli.run import run
from bot.sandbox.store import WorldStore

HEAVY = ("aiogram", "aiohttp", "sqlalchemy", "pydantic", "msgspec", "apscheduler", "asyncio")
HELP_S_MAX = 0.3
RUN_S_MAX = 30
PASSED_ON = ("PATH", "SYSTEMROOT", "PYTHONPYCACHEPREFIX")
PATHS = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
LINK = ["link", "1", "--server", "S", "--terminal", "C:/a.exe"]
ROOT = Path(__file__).parents[3]


def _bot(*words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *words],
        cwd=cwd,
        env=PATHS | {"PYTHONPATH": str(ROOT)} | env,
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )


def _refusal(*words: str, cwd: Path, **env: str) -> str:
    done = _bot(*words, cwd=cwd, **env)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    return done.stderr.rstrip("\n")


def test_help_answers_at_once(tmp_path: Path) -> None:
    """The best of a few runs: the bound is the program's, not that of a busy machine."""
    spent = []
    for _ in range(5):
        began = time.perf_counter()
        done = _bot("--help", cwd=tmp_path)
        spent.append(time.perf_counter() - began)
        assert done.returncode == 0
        assert "demo" in done.stdout
        if spent[-1] < HELP_S_MAX:
            break
    assert min(spent) < HELP_S_MAX


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys, bot.__main__\n"
        "from bot.cli.parser import parse\n"
        "parse(['demo', '--port', '0'])\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=PATHS | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_run_without_a_token_names_the_variable_and_the_demo(tmp_path: Path) -> None:
    line, *_ = _refusal("run", cwd=tmp_path).splitlines()
    assert line.startswith("TELEGRAM_TOKEN: ")
    assert "python -m bot demo" in line


@pytest.mark.skipif(sys.platform == "win32", reason="there this interpreter starts the agents")
def test_run_with_a_token_asks_for_the_way_to_the_terminals(tmp_path: Path) -> None:
    line = _refusal("run", cwd=tmp_path, TELEGRAM_TOKEN="1:abc", ADMIN_CHAT_ID="5")
    assert line.startswith("MT5_AGENT_COMMAND: expected what starts an agent")
    assert "docs/connect-windows.md" in line
    assert len(line.splitlines()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there this interpreter starts the agents")
def test_a_missing_token_hides_nothing_else_that_is_missing(tmp_path: Path) -> None:
    """Nor do missing settings hide the mistakes of the people file."""
    (tmp_path / "people.toml").write_text("[[user]]\nname = 'Alice'\n")
    lines = _refusal("run", cwd=tmp_path, PEOPLE_FILE="people.toml").splitlines()
    assert [line.partition(": expected")[0] for line in lines] == [
        "TELEGRAM_TOKEN",
        "ADMIN_CHAT_ID",
        "MT5_AGENT_COMMAND",
        "people.toml: user 1: telegram_id",
        "people.toml: user 1: role",
    ]


def test_run_refuses_impossible_settings_with_a_line_each(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAX_DRAWDOWN=20\nHTTP_PORT=http\n")
    lines = _refusal("run", cwd=tmp_path, DRAWDOWN_COUNTDOWN_S="11").splitlines()
    names = {line.partition(":")[0] for line in lines}
    assert names == {"MAX_DRAWDOWN", "HTTP_PORT", "DRAWDOWN_COUNTDOWN_S"}


def test_run_refuses_a_bad_people_file(tmp_path: Path) -> None:
    (tmp_path / "people.toml").write_text("[[user]]\nname = 'Alice'\n")
    line = _refusal(
        "run",
        cwd=tmp_path,
        TELEGRAM_TOKEN="1:abc",
        ADMIN_CHAT_ID="5",
        TERMINAL_BASE_URL="http://127.0.0.1:1",
        PEOPLE_FILE="people.toml",
    )
    assert line.startswith("people.toml: user 1: telegram_id: expected ")


def test_run_names_the_setting_whose_file_or_person_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "people.toml").write_text(
        "[[user]]\ntelegram_id = 7\nname = 'Al'\nrole = 'client'\n"
    )
    given = {
        "TELEGRAM_TOKEN": "1:abc",
        "ADMIN_CHAT_ID": "5",
        "TERMINAL_BASE_URL": "http://127.0.0.1:1",
        "PEOPLE_FILE": "people.toml",
    }
    signed = {"API_SIGNALS_SECRET": "s" * 32, "API_SIGNALS_AUTHOR": "7"}
    for more, says in (
        ({"PEOPLE_FILE": "nobody.toml"}, "PEOPLE_FILE: expected a TOML file, got 'nobody.toml'"),
        ({"RULES_DIR": "none"}, "RULES_DIR: expected a directory, got 'none'"),
        (signed, "API_SIGNALS_AUTHOR: expected the Telegram number of an admin or owner of people"),
        ({"DATA_DIR": "people.toml"}, "DATA_DIR: expected a directory, or a name for one"),
    ):
        line = _refusal("run", cwd=tmp_path, **(given | more))
        assert line.startswith(says)
        assert len(line.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "required: {demo,link,unlink,invite,check,run,rotate-keys,audit}"),
        (["walk"], "invalid choice: 'walk'"),
        (["run", "--port", "1"], "unrecognized arguments: --port 1"),
        (
            ["demo", "--port", "65536"],
            "expected a port from 0 (any free one) to 65535, got '65536'",
        ),
        (["link"], "link: expected LOGIN, --server, --terminal"),
        (["link", "1", "--terminal", "C:/a.exe"], "link: expected --server"),
        (["link", "0"], "expected an account's number, got '0'"),
        (["link", str(2**63)], "expected an account's number"),
        (["link", "1", "--server", " S"], "expected the server's name"),
        (["link", "1", "--server", "S" * 65], "expected the server's name"),
        (["link", "1", "--terminal", "C:/MT5"], "expected the whole path of its program"),
        (["link", "1", "--terminal", "terminal64.exe"], "expected the whole path"),
        (["link", "1", "--terminal", "C:/" + "x" * 1018 + ".exe"], "expected the whole path"),
        (["link", "1", "--password", "hunter2"], "unrecognized arguments"),
        (
            [*LINK, "--no-password", "--password-stdin"],
            "--no-password: not together with --password-stdin",
        ),
        (["link", "--list", "--portable"], "link --list: expected no other word"),
        (["unlink", "1"], "required: --server"),
        (["check", "now"], "unrecognized arguments: now"),
        (["rotate-keys", "now"], "unrecognized arguments: now"),
        (["demo", "--seed", "-1"], "expected a whole number from 0"),
        (["demo", "--market", "up"], "invalid choice: 'up'"),
        (["demo", "--world-only", "--app-only"], "not allowed with"),
        (["demo", "--speed", "2"], "--speed: expected together with --ticks FILE"),
        (["demo", "--ticks", "x", "--speed", "-1"], "expected a number from 0"),
        (["demo", "--ticks", "x", "--speed", "nan"], "expected a number from 0"),
        (["demo", "--ticks", "x", "--date", "2014-13-01"], "expected a day as YYYY-MM-DD"),
        (["demo", "--ticks", "x", "--utc-offset", "15"], "expected an offset such as +03:00"),
        (["demo", "--ticks", "x", "--market", "walk"], "--market: expected without --ticks"),
    ],
)
def test_a_wrong_word_is_one_line(words: list[str], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "path",
    [
        "C:/" + "x" * 1017 + ".exe",
        r"C:\MT5\1\terminal64.exe",
        r"\\host\share\Terminal64.EXE",
        "/opt/mt5/terminal64.exe",
        "http://127.0.0.1:8090/terminal/1",
    ],
)
def test_a_terminal_is_named_as_its_own_machine_names_it(path: str) -> None:
    options = parse(["link", "1", "--server", "S", "--terminal", path])
    assert options == LinkOptions(login=1, server="S", terminal=path)


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("+03:00", 10_800), ("-5", -18_000), ("0", 0), ("05:30", 19_800), ("-09:30", -34_200)],
)
def test_offsets_are_read_as_people_write_them(word: str, seconds: int) -> None:
    assert offset_s(word) == seconds


def test_a_bad_tick_file_is_one_line_naming_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "xauusd-20140502.csv").write_text("1000,1300.1,1300.3\n2000,1300.x,1300.3\n")
    line = _refusal("demo", "--ticks", "xauusd-20140502.csv", cwd=tmp_path)
    assert "line 2" in line
    assert "column 2 (bid)" in line
    assert len(line.splitlines()) == 1


def test_a_data_dir_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = _refusal("demo", "--data-dir", "file", cwd=tmp_path)
    assert line == "--data-dir file: File exists"


def test_the_demo_refuses_impossible_settings_before_it_starts_anything(tmp_path: Path) -> None:
    line = _refusal("demo", "--port", "0", cwd=tmp_path, WARN_DRAWDOWN_PERCENT="20")
    assert line.startswith("WARN_DRAWDOWN_PERCENT: expected less than MAX_DRAWDOWN_PERCENT")
    assert not (tmp_path / "demo-data" / "world.db").exists()


def test_the_words_of_a_part_mean_the_same_options_again() -> None:
    options = DemoOptions(
        port=0,
        data_dir=Path("d"),
        headless=True,
        ticks=Path("f.csv"),
        symbol="XAUUSD",
        speed=60.0,
        date="2014-05-02",
        utc_offset="-05:00",
        seed=7,
    )
    again = parse(options.command("world", 8123)[3:])
    assert isinstance(again, DemoOptions)
    assert again.world_only
    assert (again.port, again.seed, again.headless) == (8123, 7, True)
    assert (again.ticks, again.symbol, again.speed) == (Path("f.csv"), "XAUUSD", 60.0)
    assert (again.date, again.utc_offset_s) == ("2014-05-02", -18_000)
    app = parse(options.command("app", 0)[3:])
    assert isinstance(app, DemoOptions)
    assert app.app_only
    assert app.data_dir == Path("d")


@pytest.mark.parametrize(
    ("options", "narrates"),
    [
        (DemoOptions(), True),
        (DemoOptions(market="walk"), True),
        (DemoOptions(market="manual"), False),
        (DemoOptions(headless=True), False),
        (DemoOptions(ticks=Path("x")), False),
    ],
)
def test_the_story_plays_only_for_somebody_watching_a_walking_market(
    options: DemoOptions, *, narrates: bool
) -> None:
    assert options.narrates is narrates


def test_a_world_on_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        line = _refusal("demo", "--world-only", "--port", port, cwd=tmp_path)
    assert line.startswith(f"--port {port}: ")
    assert len(line.splitlines()) == 1


def test_a_second_world_on_the_same_data_is_one_line_and_harms_nothing(tmp_path: Path) -> None:
    store = WorldStore(tmp_path / "world.db")
    (tmp_path / "world.json").write_text("the first one's")
    line = _refusal("demo", "--world-only", "--port", "0", "--data-dir", ".", cwd=tmp_path)
    store.close()
    assert "in use by another world process" in line
    assert len(line.splitlines()) == 1
    assert (tmp_path / "world.json").read_text() == "the first one's"


@pytest.mark.parametrize("word", ["run", "demo"])
def test_a_mistyped_setting_is_one_line(tmp_path: Path, word: str) -> None:
    said = _refusal(word, cwd=tmp_path, MAX_DRAWDWON_PERCENT="10")
    assert said == "MAX_DRAWDWON_PERCENT: no such setting; did you mean MAX_DRAWDOWN_PERCENT?"


@pytest.mark.skipif(sys.platform == "win32", reason="modes as POSIX has them")
def test_what_run_keeps_is_readable_by_its_user_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TELEGRAM_TOKEN", "")
    before = os.umask(0o000)
    try:
        with pytest.raises(UsageError):
            run()
        (tmp_path / "file").touch()
        (tmp_path / "made").mkdir()
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700


def test_run_and_check_name_every_mistake_of_a_rule_file(tmp_path: Path) -> None:
    """One line with file, rule and field; an account's unknown profile is one too."""
    rules = tmp_path / "rules"
    rules.mkdir()
    shipped = (ROOT / "core" / "rules" / "two-step.toml").read_text("utf-8")
    (rules / "mine.toml").write_text(shipped.replace('"Europe/Prague"', '"Nowhere"'), "utf-8")
    told = _refusal("check", cwd=tmp_path, RULES_DIR=str(rules))
    assert "mine.toml: rule daily_loss: clock.zone: expected an IANA name" in told

    (rules / "mine.toml").write_text(shipped, "utf-8")
    people = (ROOT / "people.example.toml").read_text("utf-8")
    (tmp_path / "people.toml").write_text(people + 'profile = "other"\n', "utf-8")
    told = _refusal("check", cwd=tmp_path, RULES_DIR=str(rules), PEOPLE_FILE="people.toml")
    assert "people.toml: account 1: profile: expected one of balance-or-equity" in told
