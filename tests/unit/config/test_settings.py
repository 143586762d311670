"""Settings: defaults of the design, one line per mistake, no secret in it."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from core.config import Settings, SettingsError, load
from core.config_values import SYMBOLS_MAX

KEY = "A" * 43 + "="


def _mistakes(**env: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(env, dotenv=None)
    return caught.value.lines


def test_nothing_given_gives_the_defaults_of_the_design() -> None:
    settings = load({}, dotenv=None)
    assert settings.telegram_token is None
    assert settings.reconciliation_sync_interval_s == 10
    assert settings.sync_interval_fast_s == 1
    assert (settings.max_drawdown_percent, settings.warn_drawdown_percent) == (
        Decimal(20),
        Decimal(15),
    )
    assert settings.min_equity_gbp == 100
    assert settings.drawdown_countdown_s == 10
    assert settings.price_gap_alert_percent == 5
    assert settings.liquidity_spread_threshold_pips == Decimal("2.5")
    assert settings.spread_threshold_pips_by_symbol["XAUUSD"] == 10
    assert settings.pip_by_symbol["XAUUSD"] == Decimal("0.10")
    assert settings.market_warning_grace_s == 120
    assert settings.max_slippage_pips == 5
    assert settings.http_host == "127.0.0.1"


def test_the_database_lies_in_the_data_dir_unless_named() -> None:
    assert load({"DATA_DIR": "/x"}, dotenv=None).database_url == (
        "sqlite+aiosqlite:////x/reckoner.db"
    )
    named = "postgresql+asyncpg://u:p@db/reckoner"
    assert load({"DATA_DIR": "/x", "DATABASE_URL": named}, dotenv=None).database_url == named


def test_settings_do_not_change() -> None:
    settings = load({}, dotenv=None)
    with pytest.raises(ValidationError):
        settings.http_port = 1  # type: ignore[misc]  # the plugin sees it too


def test_decimals_are_exact() -> None:
    assert load({"MAX_SLIPPAGE_PIPS": "0.1"}, dotenv=None).max_slippage_pips == Decimal("0.1")


NO_DATABASES = [
    "sqlite:///x.db",
    "mysql://x",
    "sqlite+aiosqlite:///",
    "sqlite+aiosqlite:///:memory:",
    "postgresql+asyncpg://host",
]


def test_an_empty_value_counts_as_not_given() -> None:
    settings = load({"TELEGRAM_TOKEN": "", "HTTP_PORT": ""}, dotenv=None)
    assert (settings.telegram_token, settings.http_port) == (None, 8085)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("HTTP_PORT", ["0", "65535"], ["-1", "65536", "http"]),
        ("HTTP_HOST", ["127.0.0.1", "127.8.8.8", "::1", "localhost"], ["0.0.0.0", "10.0.0.1"]),
        ("MAX_DRAWDOWN_PERCENT", ["15.01", "90"], ["0.99", "90.01", "nan", "inf", "20%"]),
        ("MIN_EQUITY_GBP", ["0", "10000000"], ["-0.01", "10000000.01"]),
        ("DRAWDOWN_COUNTDOWN_S", ["0", "10"], ["-1", "11", "1.5", "1_0", "٢"]),
        ("RECONCILIATION_SYNC_INTERVAL_S", ["0.1", "300"], ["0", "0.09", "301", "nan"]),
        ("SYNC_CONCURRENCY_MAX", ["1", "1024"], ["0", "1025"]),
        ("MISSING_OBSERVATIONS_MIN", ["2", "100"], ["1", "101"]),
        ("MARKET_WARNING_GRACE_S", ["5", "3600"], ["4.9", "3601"]),
        ("MT5_AGENT_COMMAND", ["agent", "'a b' {host}"], ["agent 'a", '"', "''"]),
        ("MT5_START_TIMEOUT_S", ["1", "600"], ["0.9", "601"]),
        ("PASSWORD_KEYS", [KEY, ",".join([KEY] * 16)], ["x", KEY[1:], ",".join([KEY] * 17)]),
        ("MAGIC_BASE", ["1", "2000000000"], ["0", "2000000001"]),
        ("MESSAGE_MARK", ["x" * 16], ["x" * 17, "a\nb"]),
        ("ADMIN_CHAT_ID", ["-1001", "5", str(2**52 - 1)], ["0", "desk", str(2**52)]),
        ("TELEGRAM_TOKEN", ["123456:AAE-x_y"], ["123456", "123456:a b", ":abc"]),
        ("TELEGRAM_API_BASE", ["http://127.0.0.1:81"], ["ftp://x", "api.telegram.org", "http://"]),
        ("DATABASE_URL", ["sqlite+aiosqlite:///x.db"], NO_DATABASES),
        ("LOG_LEVEL", ["DEBUG", "ERROR"], ["debug", "TRACE"]),
        ("LOG_FORMAT", ["json", "console"], ["xml"]),
        ("PIP_BY_SYMBOL", ["XAUUSD=0.1, US500=1", "A=1,"], ["A", "A=0", "A=-1", "A=x", "A=1,A=2"]),
    ],
)
def test_a_value_is_taken_up_to_its_bound_and_refused_past_it(
    name: str, inside: list[str], outside: list[str]
) -> None:
    for value in inside:
        load({name: value}, dotenv=None)
    for value in outside:
        (line,) = _mistakes(**{name: value})
        assert line.startswith(f"{name}: expected ")


def test_a_map_by_symbol_has_a_bound() -> None:
    fits = ",".join(f"S{n}=1" for n in range(SYMBOLS_MAX))
    assert len(load({"PIP_BY_SYMBOL": fits}, dotenv=None).pip_by_symbol) == SYMBOLS_MAX
    assert len(_mistakes(PIP_BY_SYMBOL=fits + ",ONE_MORE=1")) == 1


def test_every_mistake_has_its_line_with_what_is_accepted_and_what_was_given() -> None:
    assert _mistakes(HTTP_PORT="x", MAX_DRAWDOWN_PERCENT="200") == [
        "HTTP_PORT: expected a whole number from 0 to 65535 (port; 0 for any free one), got 'x'",
        "MAX_DRAWDOWN_PERCENT: expected a number from 1 to 90 (percent), got '200'",
    ]


def test_a_long_wrong_value_is_cut() -> None:
    (line,) = _mistakes(HTTP_PORT="9" * 5000)
    assert len(line) < 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_TOKEN", "hunter2"),
        ("PASSWORD_KEYS", "hunter2"),
        ("DATABASE_URL", "mysql://me:hunter2@db/x"),
    ],
)
def test_secrets_are_never_shown(name: str, value: str) -> None:
    (line,) = _mistakes(**{name: value})
    assert "hunter2" not in line


def test_a_good_secret_is_not_shown_either() -> None:
    settings = load(
        {
            "TELEGRAM_TOKEN": "1:hunter2",
            "DATABASE_URL": "postgresql+asyncpg://u:hunter2@db/x",
            "PASSWORD_KEYS": "hunter2".ljust(43, "A") + "=",
        },
        dotenv=None,
    )
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings)


@pytest.mark.parametrize(
    ("env", "line"),
    [
        (
            {"TERMINAL_BASE_URL": "http://127.0.0.1:1", "MT5_AGENT_COMMAND": "agent"},
            (
                "MT5_AGENT_COMMAND: expected nothing beside TERMINAL_BASE_URL: "
                "an account is reached through one of them"
            ),
        ),
        (
            {"WARN_DRAWDOWN_PERCENT": "20"},
            "WARN_DRAWDOWN_PERCENT: expected less than MAX_DRAWDOWN_PERCENT (20), got '20'",
        ),
        (
            {"SYNC_INTERVAL_OPEN_S": "11"},
            "SYNC_INTERVAL_OPEN_S: expected at most RECONCILIATION_SYNC_INTERVAL_S (10), got '11'",
        ),
        (
            {"SYNC_INTERVAL_FAST_S": "4"},
            "SYNC_INTERVAL_FAST_S: expected at most SYNC_INTERVAL_OPEN_S (3), got '4'",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(env: dict[str, str], line: str) -> None:
    assert _mistakes(**env) == [line]


def test_shorter_intervals_follow_the_upper_bound_down() -> None:
    settings = load({"RECONCILIATION_SYNC_INTERVAL_S": "0.5"}, dotenv=None)
    assert (settings.sync_interval_open_s, settings.sync_interval_fast_s) == (0.5, 0.5)


def test_overrides_win_over_the_environment_and_it_over_the_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("HTTP_PORT=1\nMAGIC_BASE=1\nCLOSE_DEVIATION_POINTS=1\n")
    env = {"HTTP_PORT": "2", "MAGIC_BASE": "2", "HOME": "/nowhere"}
    settings = load(env, {"HTTP_PORT": "3"}, dotenv=dotenv)
    assert settings.http_port == 3
    assert settings.magic_base == 2
    assert settings.close_deviation_points == 1


def test_an_unknown_name_in_the_file_is_a_mistake(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("FAVOURITE_COLOUR=20\n")
    with pytest.raises(
        SettingsError, match=r"^FAVOURITE_COLOUR: no such setting; see .env.example"
    ):
        load({}, dotenv=dotenv)


def test_an_unknown_name_in_the_environment_is_not_ours() -> None:
    load({"FAVOURITE_COLOUR": "20"}, dotenv=None)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("MAX_DRAWDWON_PERCENT", "MAX_DRAWDOWN_PERCENT"),
        ("MAX_DRAWDOWN_PERCENTS", "MAX_DRAWDOWN_PERCENT"),
        ("MAX_DRAWDOWNPERCENT", "MAX_DRAWDOWN_PERCENT"),
        ("max_drawdown_pct_ent", "MAX_DRAWDOWN_PERCENT"),
        ("WARN_DRAWDOWN_PERCET", "WARN_DRAWDOWN_PERCENT"),
        ("MIN_EQUTIY_GBP", "MIN_EQUITY_GBP"),
        ("DRAWDOWN_COUNTDOWN", "DRAWDOWN_COUNTDOWN_S"),
        ("TELEGRAM_TOKN", "TELEGRAM_TOKEN"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("MAX_DRAWDOWN_PCT", "MAX_DRAWDOWN_PERCENT"),
        ("MAX_DRAWDOWN_PERC", "MAX_DRAWDOWN_PERCENT"),
        ("WARN_DRAWDWON_PCT", "WARN_DRAWDOWN_PERCENT"),
        ("MAX_DRAWDOWN", "MAX_DRAWDOWN_PERCENT"),
        ("MIN_EQUITY", "MIN_EQUITY_GBP"),
        ("MAX_SLIPPAGE", "MAX_SLIPPAGE_PIPS"),
        ("RECONCILIATION_SYNC_INTERVAL_SECONDS", "RECONCILIATION_SYNC_INTERVAL_S"),
    ],
)
def test_a_mistyped_setting_in_the_environment_does_not_start_with_the_default(
    typed: str, meant: str
) -> None:
    assert _mistakes(**{typed: "10"}) == [f"{typed}: no such setting; did you mean {meant}?"]


def test_a_mistyped_setting_in_the_file_names_the_one_that_was_meant(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("MAX_DRAWDWON_PERCENT=10\n")
    with pytest.raises(SettingsError) as caught:
        load({}, dotenv=dotenv)
    assert caught.value.lines == [
        "MAX_DRAWDWON_PERCENT: no such setting; did you mean MAX_DRAWDOWN_PERCENT?"
    ]


def test_a_mistyped_setting_stands_beside_the_other_mistakes() -> None:
    assert [line.partition(":")[0] for line in _mistakes(MIN_EQUTIY_GBP="1", HTTP_PORT="x")] == [
        "MIN_EQUTIY_GBP",
        "HTTP_PORT",
    ]


def test_an_empty_mistyped_variable_counts_as_not_given() -> None:
    load({"MAX_DRAWDWON_PERCENT": ""}, dotenv=None)


USUAL_NAMES = re.findall(
    r"\w+",
    """
    _ APPDATA ASPNETCORE_HTTP_PORTS BASH_ENV CI COLORTERM COMPUTERNAME COMSPEC CONDA_PREFIX DATADIR
    DATABASE_HOST DATABASE_NAME DATABASE_PASSWORD DATABASE_PORT DATABASE_URI DATABASE_USER
    DBUS_SESSION_BUS_ADDRESS DEBUG DISPLAY DOCKER_HOST EDITOR GITHUB_ACTIONS GITHUB_TOKEN HOME HOST
    HOSTNAME HTTPS_HOST HTTPS_PORT HTTPS_PROXY HTTP_PORTS HTTP_PROXY INVOCATION_ID JAVA_HOME
    JOURNAL_STREAM LANG LC_ALL LESSOPEN LOCALAPPDATA LOGNAME LOG_DIR LOG_FILE LOG_PATH LS_COLORS
    MAIL NO_PROXY NUMBER_OF_PROCESSORS OLDPWD OS PATH PATHEXT PGDATA PGDATABASE PGHOST PGPORT PORT
    PROCESSOR_ARCHITECTURE PROGRAMDATA PROGRAMFILES PS1 PWD PYENV_ROOT PYTEST_CURRENT_TEST
    PYTEST_XDIST_WORKER PYTHONHASHSEED PYTHONPATH PYTHONUNBUFFERED REDIS_URL SECRET_KEY
    SHELL SHLVL SSH_AUTH_SOCK SSH_CLIENT SSH_CONNECTION SSH_TTY SSL_CERT_FILE SYSTEMD_EXEC_PID
    SYSTEMROOT TELEGRAM_BOT_TOKEN TELEGRAM_CHAT_ID TEMP TERM TERM_PROGRAM TMPDIR TMUX TZ USER
    USERDOMAIN USERNAME USERPROFILE UV_INDEX_URL VIRTUAL_ENV WAYLAND_DISPLAY WINDIR XDG_CONFIG_HOME
    XDG_DATA_DIRS XDG_DATA_HOME XDG_RUNTIME_DIR XDG_SESSION_ID XDG_SESSION_TYPE http_proxy no_proxy
""",
)


def test_usual_variables_of_others_are_no_mistyped_settings() -> None:
    assert load(dict.fromkeys(USUAL_NAMES, "x"), dotenv=None) == load({}, dotenv=None)


def test_no_setting_is_taken_for_another() -> None:
    """Those that are nearly named alike, one by one, with the value that it has anyway."""
    defaults = load({}, dotenv=None)
    for name in (
        "SYNC_INTERVAL_OPEN_S",
        "SYNC_INTERVAL_FAST_S",
        "READ_TIMEOUT_S",
        "SEND_TIMEOUT_S",
    ):
        assert load({name: str(getattr(defaults, name.lower()))}, dotenv=None) == defaults


def test_without_a_mapping_the_process_environment_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PORT", "4242")
    assert load(dotenv=None).http_port == 4242


def test_every_setting_says_what_it_accepts_and_means() -> None:
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        assert isinstance(extra, dict), name
        assert extra["accepts"], name
        assert field.description, name
