"""Settings: read once, from the environment and `.env`, validated whole, then frozen.

Every setting is one environment variable with the field's name in capitals. A variable of the
environment wins over a line of `.env`; an empty value counts as not given. A mistake is a
:class:`SettingsError` whose text has one line per mistake: the variable, what it accepts, what was
given. Secrets are never printed. A variable that is no setting but is named nearly like one is a
mistake too: a guard that silently keeps its default limit is not the guard that was asked for.

Units stand last in the names: `_s` seconds, `_percent` percent (15 means 15 %), `_pips` pips,
`_points` points, `_gbp` pounds.
"""

import os
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, Self, get_args

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from core.config_fields import DAY_S, INTERVAL_S_MAX, INTERVAL_S_MIN
from core.config_fields import at_most as _at_most
from core.config_fields import between as _between
from core.config_fields import text as _text
from core.config_linking import LinkSettings, linking_mistakes
from core.config_values import (
    CHAT_MAX,
    PASSWORD_KEYS_MAX,
    PIPS,
    SPREADS,
    TOPICS_ACCEPTS,
    Address,
    AdminTopics,
    BySymbol,
    ChatNumber,
    CloseFirstWord,
    CommandLine,
    DatabaseAddress,
    DayWindow,
    FernetKeys,
    Hour,
    Loopback,
    Mark,
    SigningSecret,
    Token,
    WebAddress,
    WeekSlot,
    plain_number,
)
from core.near_names import nearest

GIVEN_LENGTH_MAX: Final = 60
"""How much of a wrong value is repeated in its error line."""

_HIDDEN: Final = frozenset(
    {"telegram_token", "database_url", "password_keys", "api_signals_secret"}
)
_NUMBERS: Final = frozenset({int, float, Decimal})
_BY_SYMBOL_ACCEPTS: Final = "SYMBOL=NUMBER pairs above zero, separated by commas, each symbol once"
_ADDRESS_ACCEPTS: Final = "an address such as http://127.0.0.1:8080, without query or fragment"


class SettingsError(Exception):
    """The settings cannot be used. `lines` has one line per mistake; no secret is in them."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class Settings(LinkSettings):
    """Everything that differs between installations; see `.env.example` for consequences."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", env_ignore_empty=True)

    # --- addresses and identities
    telegram_token: Token = _text(
        None,
        "the token BotFather gave, such as 123456:ABC-def",
        "the bot's token",
    )
    telegram_api_base: WebAddress = _text(
        "https://api.telegram.org", _ADDRESS_ACCEPTS, "the Bot API's address"
    )
    admin_chat_id: ChatNumber = _text(
        None, "a chat's number, negative for groups", "the chat of the admins"
    )
    admin_topics: AdminTopics = _text(None, TOPICS_ACCEPTS, "topics of the admin chat")
    data_dir: Path = _text(Path("reckoner-data"), "a directory", "where Reckoner keeps its files")
    database_url: DatabaseAddress = Field(
        default_factory=lambda data: f"sqlite+aiosqlite:///{data['data_dir']}/reckoner.db",
        validate_default=True,
        repr=False,
        description="the database",
        json_schema_extra={"accepts": "sqlite+aiosqlite:///FILE or postgresql+asyncpg://..."},
    )
    terminal_base_url: WebAddress | None = _text(
        None, _ADDRESS_ACCEPTS, "where terminals answer (docs/terminal-protocol.md)"
    )
    mt5_agent_command: CommandLine = _text(
        None,
        "a command line with closed quotes, such as ssh {host} python C:/reckoner/agent.py",
        "what starts the agent beside a terminal",
    )
    mt5_start_timeout_s: float = _between(
        150.0, 1, 600, "seconds", "the start of a terminal and its login, then another try"
    )
    password_keys: FernetKeys = _text(
        None,
        f"1 to {PASSWORD_KEYS_MAX} Fernet keys (44 characters each), separated by commas",
        "what encrypts the brokers' passwords",
    )
    clock_url: WebAddress | None = _text(
        None, _ADDRESS_ACCEPTS, "who tells the time; without it the system's clock"
    )
    http_host: Loopback = _text(
        "127.0.0.1", "a loopback address (127.0.0.1, ::1 or localhost)", "own address"
    )
    http_port: int = _between(8085, 0, 65535, "port; 0 for any free one", "own port")
    api_port: int | None = _text(
        None,
        "a whole number from 0 to 65535 (port; 0 for any free one)",
        "the public API's port; without it there is no API",
        ge=0,
        le=65535,
    )
    api_host: Address = _text("127.0.0.1", "an address of this machine", "where the API listens")
    api_trades: bool = _text(
        default=False, accepts="true or false", meaning="give executors their trades there too"
    )
    api_signals_secret: SigningSecret = _text(
        None, "32 to 200 printable characters", "signs signals posted through the API"
    )
    api_signals_author: int | None = _text(
        None,
        "an admin's Telegram number",
        "the admin on whose behalf they are posted",
        ge=1,
        lt=CHAT_MAX,
    )
    people_file: Path | None = _text(None, "a TOML file", "who may do what, on which account")
    rules_dir: Path | None = _text(
        None, "a directory", "rule profiles of one's own, beside those that come with Reckoner"
    )
    message_mark: Mark = _text(
        "", "at most 16 characters of one line", "stands before every money message", max_length=16
    )
    group_language: str = _text("en", "a language of bot/locale", "what groups are spoken to in")

    # --- reading accounts
    reconciliation_sync_interval_s: float = _between(
        10.0,
        INTERVAL_S_MIN,
        INTERVAL_S_MAX,
        "seconds",
        "the longest time between two reads of an account",
    )
    sync_interval_open_s: float = _at_most(
        3.0, "reconciliation_sync_interval_s", "the same with positions open"
    )
    sync_interval_fast_s: float = _at_most(
        1.0, "sync_interval_open_s", "the same near a limit and while closing"
    )
    sync_concurrency_max: int = _between(64, 1, 1024, "accounts", "accounts read at a time")
    manual_sync_interval_s: float = _between(
        10.0, 0, 3600, "seconds", "the least time between two /sync of one account"
    )
    read_timeout_s: float = _between(10.0, 0.1, 120, "seconds", "a read's end")
    send_timeout_s: float = _between(20.0, 0.1, 120, "seconds", "a send's end: then unknown")
    snapshot_row_interval_s: float = _between(60.0, 1, DAY_S, "seconds", "between two samples kept")

    # --- drawdown guard
    max_drawdown_percent: Decimal = _between(Decimal(20), 1, 90, "percent", "close everything")
    warn_drawdown_percent: Decimal = _between(Decimal(15), 1, 90, "percent", "warn")
    min_equity_gbp: Decimal = _between(Decimal(100), 0, 10_000_000, "GBP", "close everything below")
    drawdown_countdown_s: int = _between(10, 0, 10, "seconds", "from the breach to the close")
    balance_explanation_wait_s: float = _between(
        10.0, 0, 300, "seconds", "then an unexplained change counts as loss"
    )

    # --- reconciliation
    missing_observations_min: int = _between(
        3, 2, 100, "complete reads", "before a vanished position is reported as unexplained"
    )
    max_slippage_pips: Decimal = _between(Decimal(5), 0, 10_000, "pips", "a divergence beyond it")
    pip_by_symbol: BySymbol = Field(
        default=PIPS,
        validate_default=True,
        description="the size of a pip where the rule of digits does not fit",
        json_schema_extra={"accepts": _BY_SYMBOL_ACCEPTS},
    )

    # --- market guard
    price_gap_alert_percent: Decimal = _between(
        Decimal(5), Decimal("0.01"), 100, "percent", "change of the mid between two ticks"
    )
    liquidity_spread_threshold_pips: Decimal = _between(
        Decimal("2.5"), Decimal("0.1"), 10_000, "pips", "a wide spread"
    )
    spread_threshold_pips_by_symbol: BySymbol = Field(
        default=SPREADS,
        validate_default=True,
        description="a wide spread, by symbol",
        json_schema_extra={"accepts": _BY_SYMBOL_ACCEPTS},
    )
    market_warning_grace_s: float = _between(120.0, 5, 3600, "seconds", "the time to answer")
    market_hold_s: float = _between(900.0, 1, DAY_S, "seconds", "what Hold holds")
    price_gap_typical_multiple: Decimal = _between(
        Decimal(20), 0, 10_000, "times the typical move; 0 for never", "an unusual move"
    )
    spread_typical_multiple: Decimal = _between(
        Decimal(5), 0, 10_000, "times the hour's median; 0 for never", "an unusual spread"
    )
    quote_age_alert_s: float = _between(
        1200.0, 60, DAY_S, "seconds", "a price that stands still while others move"
    )
    market_gap_action: Literal["warn", "block", "close"] = _text(
        "close", "warn, block or close", "what follows a gap"
    )
    market_spread_action: Literal["warn", "block", "close"] = _text(
        "block", "warn, block or close", "what follows a wide spread"
    )
    market_unusual_action: Literal["warn", "block"] = _text(
        "block", "warn or block", "what follows where only a typical multiple was passed"
    )
    market_still_action: Literal["warn", "block"] = _text(
        "block", "warn or block", "what follows a still price"
    )
    market_settle_s: float = _between(
        60.0, 0, 3600, "seconds", "after a break in its quotes a symbol is not judged"
    )
    market_close_spread_wait_s: float = _between(
        600.0, 0, 3600, "seconds", "a gap's close waits for a wide spread to narrow"
    )
    market_mute_window: DayWindow = _text(
        "23:55-00:15",
        "HH:MM-HH:MM of the broker's clock, or none",
        "no spread is judged in it",
        validate_default=True,
    )

    # --- signals and closes
    signal_expires_s: float = _between(900.0, 1, DAY_S, "seconds", "how long it can be approved")
    trade_deadline_s: float = _between(120.0, 1, 3600, "seconds", "from approval to placement")
    magic_base: int = _between(
        761_000_000, 1, 2_000_000_000, "magic number", "trades are this plus their number"
    )
    close_deviation_points: int = _between(50, 0, 10_000, "points", "allowed when closing")
    close_deviation_step_points: int = _between(
        50, 0, 10_000, "points", "allowed more after each refusal for the price"
    )
    close_deviation_max_points: int = _between(500, 0, 10_000, "points", "never allowed more")
    close_first: CloseFirstWord = _text(
        "largest_loss",
        "largest_loss, largest_profit, largest_exposure, oldest or newest",
        "the position that is closed first",
    )
    drill_schedule: WeekSlot = _text(
        "wed 10:00",
        "a day and a time of the week (UTC), such as wed 10:00, or none",
        "when closing is rehearsed",
        validate_default=True,
    )
    latched_reappeared: Literal["close", "report"] = _text(
        "close", "close or report", "what is done with what appears on a locked account"
    )
    close_quiet_period_s: float = _between(2.0, 0.1, 60, "seconds", "look before the next send")

    # --- reports and alarms
    alarm_repeat_s: float = _between(
        300.0, 1, DAY_S, "seconds", "after which a critical alert that no admin has is told again"
    )
    card_interval_s: float = _between(
        30.0,
        0,
        3600,
        "seconds; 0 for no cards",
        "the least time between two edits of a pinned card",
    )
    digest_hour: Hour = _text(
        7,
        "a whole number from 0 to 23 (hour of each person's own day), or none",
        "when yesterday's digest is sent",
        ge=0,
        le=23,
    )

    # --- log
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _text(
        "INFO", "DEBUG, INFO, WARNING or ERROR", "what is logged"
    )
    log_format: Literal["json", "console"] = _text("json", "json or console", "how it is logged")

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_plain(cls, value: object, info: ValidationInfo) -> object:
        if _NUMBERS.intersection(_kinds(cls.model_fields[str(info.field_name)])):
            plain_number(value)
        return value

    @model_validator(mode="after")
    def _no_contradictions(self) -> Self:
        mistakes = _contradictions(self)
        if mistakes:
            raise ValueError("\n".join(mistakes))
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take only what the caller gives: :func:`load` decides where settings come from."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def load(
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, str] | None = None,
    *,
    dotenv: Path | None = Path(".env"),
) -> Settings:
    """Read the settings: `overrides` before `env` (the process's own where None) before `dotenv`.

    Keys are variable names. Of the environment only known variables are looked at, and those whose
    name is nearly a setting's, which are mistakes; in the file or the overrides every unknown one
    is. An empty override takes a setting away. Raises SettingsError.
    """
    given: dict[str, Any] = {}
    if dotenv is not None:
        given |= DotEnvSettingsSource(Settings, env_file=dotenv, env_file_encoding="utf-8")()
    given |= EnvSettingsSource(Settings)() if env is None else _MappingSource(env)()
    for name, value in (overrides or {}).items():
        given[name.lower()] = value
        if not value:  # not given, whatever the environment says
            del given[name.lower()]
    mistakes = _mistyped(os.environ if env is None else env)
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingsError(mistakes + _lines(error)) from None
    if mistakes:
        raise SettingsError(mistakes)
    return settings


class _MappingSource(EnvSettingsSource):
    """A given mapping in the place of the process's environment."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._given = env
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._given.items() if value}


def _kinds(field: FieldInfo) -> tuple[object, ...]:
    """The types a setting may have."""
    kind = field.annotation
    return get_args(kind) if isinstance(kind, UnionType) else (kind,)


def _mistyped(env: Mapping[str, str]) -> list[str]:
    """Say which given variables are no settings but were probably meant to be."""
    found = (
        (name, nearest(name.lower(), Settings.model_fields))
        for name, value in sorted(env.items())
        if value
    )
    return [f"{name}: no such setting; did you mean {meant}?" for name, meant in found if meant]


def _contradictions(settings: Settings) -> list[str]:
    """Say which settings, each possible alone, cannot hold together."""
    mistakes = linking_mistakes(settings, settings.terminal_base_url)
    if settings.terminal_base_url is not None and settings.mt5_agent_command is not None:
        mistakes.append(
            "MT5_AGENT_COMMAND: expected nothing beside TERMINAL_BASE_URL: "
            "an account is reached through one of them"
        )
    if (settings.api_signals_secret is None) != (settings.api_signals_author is None):
        mistakes.append(
            "API_SIGNALS_AUTHOR: expected together with API_SIGNALS_SECRET: "
            "signals are posted on an admin's behalf, or not at all"
        )
    if settings.warn_drawdown_percent >= settings.max_drawdown_percent:
        mistakes.append(
            f"WARN_DRAWDOWN_PERCENT: expected less than MAX_DRAWDOWN_PERCENT "
            f"({settings.max_drawdown_percent}), got '{settings.warn_drawdown_percent}'"
        )
    intervals = ("reconciliation_sync_interval_s", "sync_interval_open_s", "sync_interval_fast_s")
    for longer, shorter in pairwise(intervals):
        limit, given = getattr(settings, longer), getattr(settings, shorter)
        if given > limit:
            mistakes.append(
                f"{shorter.upper()}: expected at most {longer.upper()} ({limit:g}), got '{given:g}'"
            )
    return mistakes


def _lines(error: ValidationError) -> list[str]:
    lines: list[str] = []
    for detail in error.errors(include_url=False):
        if detail["type"] == "default_factory_not_called":
            continue  # the setting it derives from has its own line
        lines += _explain(detail)
    return lines


def _explain(detail: ErrorDetails) -> list[str]:
    if not detail["loc"]:
        return detail["msg"].removeprefix("Value error, ").splitlines()
    name = str(detail["loc"][0])
    field = Settings.model_fields.get(name)
    if field is None:
        meant = nearest(name, Settings.model_fields)
        hint = f"did you mean {meant}?" if meant else "see .env.example for those there are"
        return [f"{name.upper()}: no such setting; {hint}"]
    given = "a value not shown here" if name in _HIDDEN else f"'{_short(detail['input'])}'"
    return [f"{name.upper()}: expected {accepts(field)}, got {given}"]


def accepts(field: FieldInfo) -> str:
    """What values the setting takes, in words."""
    extra = field.json_schema_extra
    return str(extra["accepts"]) if isinstance(extra, dict) else ""


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= GIVEN_LENGTH_MAX else text[:GIVEN_LENGTH_MAX] + "..."
