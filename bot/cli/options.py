"""What the words of the command line mean, as values; and how to say them again."""

import re
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

PORT_DEFAULT: Final = 8090
PORT_MAX: Final = 65535
SEED_MAX: Final = 2**31 - 1
SPEED_MAX: Final = 100_000.0
OFFSET_HOURS_MAX: Final = 14
MINUTES: Final = 60
LOGIN_MAX: Final = 2**63 - 1
SERVER_LENGTH_MAX: Final = 64
PATH_LENGTH_MAX: Final = 1024
DATA_DIR_DEFAULT: Final = Path("demo-data")

_OFFSET: Final = re.compile(r"([+-]?)(\d{1,2})(?::([0-5]\d))?")
_WHOLE_PATH: Final = re.compile(r"[A-Za-z]:[\\/]|\\\\|/")
"""How a path begins that leads to the same file from everywhere: a drive, a share, the root."""
_CHAIN: Final = re.compile(r"[0-9]{1,18}|system|id=[0-9]{1,18}")
_HEAD: Final = re.compile(rf"({_CHAIN.pattern}):[0-9]{{1,18}}:[0-9a-fA-F]{{16,64}}")
_ADDRESS: Final = re.compile(r"http://[^\s/]+(/[^\s]*)?")


class UsageError(Exception):
    """The command line, a setting or a file named by them cannot be used; exit status 2.

    The text has one line per mistake.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """The words after `demo`, understood. Times and offsets in seconds."""

    port: int = PORT_DEFAULT
    data_dir: Path = DATA_DIR_DEFAULT
    market: str | None = None
    headless: bool = False
    agents: bool = False
    world_only: bool = False
    app_only: bool = False
    ticks: Path | None = None
    symbol: str | None = None
    speed: float | None = None
    date: str | None = None
    utc_offset: str | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        """Raise UsageError where the words contradict each other."""
        if self.ticks is None:
            for name in ("symbol", "speed", "date", "utc_offset"):
                if getattr(self, name) is not None:
                    raise UsageError(f"{_flag(name)}: expected together with --ticks FILE")
        elif self.market is not None:
            raise UsageError("--market: expected without --ticks, whose file is the market")

    @property
    def narrates(self) -> bool:
        """Whether the world plays its story: somebody watches, and prices walk on their own."""
        return not self.headless and self.ticks is None and self.market in {None, "walk"}

    @property
    def utc_offset_s(self) -> int | None:
        """The tick file's clock minus UTC."""
        return None if self.utc_offset is None else offset_s(self.utc_offset)

    def command(self, part: str, port: int) -> list[str]:
        """Say how this interpreter starts one part, `world` or `app`, with these options."""
        words = [sys.executable, "-m", "bot", "demo", f"--{part}-only"]
        words += ["--data-dir", str(self.data_dir)]
        if part == "world":
            words += ["--port", str(port), "--seed", str(self.seed)]
            for name in ("market", "ticks", "symbol", "speed", "date"):
                value = getattr(self, name)
                if value is not None:
                    words += [_flag(name), str(value)]
            if self.utc_offset is not None:
                words.append(f"--utc-offset={self.utc_offset}")
            if self.headless:
                words.append("--headless")
        if self.agents:
            words.append("--agents")
        return words


@dataclass(frozen=True, slots=True)
class RunOptions:
    """`run` takes no words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOptions:
    """The words after `link`. `host` is "" where none was given."""

    login: int
    server: str
    terminal: str
    portable: bool = False
    host: str = ""
    no_password: bool = False
    password_stdin: bool = False
    new_key: bool = False

    def __post_init__(self) -> None:
        """Raise UsageError where the words contradict each other."""
        if self.no_password and self.password_stdin:
            raise UsageError("--no-password: not together with --password-stdin")


@dataclass(frozen=True, slots=True)
class ListLinksOptions:
    """`link --list`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkOptions:
    """The words after `unlink`."""

    login: int
    server: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InviteOptions:
    """The words after `invite`."""

    login: int
    server: str


@dataclass(frozen=True, slots=True)
class RotateKeysOptions:
    """`rotate-keys` takes no words."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """`check` takes no words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOptions:
    """The words after `audit`. `chain` is a login, `system` or `id=N`; "" for all chains.

    `heads` are CHAIN:SEQUENCE:HASH as somebody kept them; `since` and `until` are links' numbers.
    """

    verb: str
    chain: str = ""
    heads: tuple[str, ...] = ()
    since: int = 1
    until: int | None = None


Options = (
    DemoOptions
    | RunOptions
    | LinkOptions
    | ListLinksOptions
    | UnlinkOptions
    | InviteOptions
    | RotateKeysOptions
    | CheckOptions
    | AuditOptions
)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def port_number(word: str) -> int:
    """A TCP port; 0 asks for any free one. Raises ValueError."""
    return _whole(word, 0, PORT_MAX)


def login_number(word: str) -> int:
    """An account's number. Raises ValueError."""
    return _whole(word, 1, LOGIN_MAX)


def server_name(word: str) -> str:
    """A broker's server, as the terminal's title bar shows it. Raises ValueError."""
    if word.strip() != word or not word.isprintable() or not 0 < len(word) <= SERVER_LENGTH_MAX:
        raise ValueError(word)
    return word


def terminal_path(word: str) -> str:
    """A terminal's program, by its whole path as its own machine writes it.

    Or a simulated one's address. Raises ValueError.
    """
    is_program = _WHOLE_PATH.match(word) and word.lower().endswith(".exe")
    if (
        not (is_program or _ADDRESS.fullmatch(word))
        or not word.isprintable()
        or len(word) > PATH_LENGTH_MAX
    ):
        raise ValueError(word)
    return word


def chain_name(word: str) -> str:
    """An account's number, `system`, or `id=N`. Raises ValueError."""
    if not _CHAIN.fullmatch(word):
        raise ValueError(word)
    return word


def head(word: str) -> str:
    """CHAIN:SEQUENCE:HASH, the hash with at least so many digits as are published.

    Raises ValueError.
    """
    if not _HEAD.fullmatch(word):
        raise ValueError(word)
    return word.lower()


def link_number(word: str) -> int:
    """The number of a link of a chain. Raises ValueError."""
    return _whole(word, 1, LOGIN_MAX)


def seed_number(word: str) -> int:
    """A seed of the walking market. Raises ValueError."""
    return _whole(word, 0, SEED_MAX)


def speed_factor(word: str) -> float:
    """Times real time; 0 is as fast as the app reads. Raises ValueError."""
    factor = float(word)
    if not 0 <= factor <= SPEED_MAX:
        raise ValueError(word)
    return factor


def iso_date(word: str) -> str:
    """A day, YYYY-MM-DD, as written. Raises ValueError."""
    return date.fromisoformat(word).isoformat()


def utc_offset(word: str) -> str:
    """An offset such as +03:00, as written. Raises ValueError."""
    offset_s(word)
    return word


def offset_s(word: str) -> int:
    """Seconds of an offset such as +03:00, -5 or 0. Raises ValueError."""
    match = _OFFSET.fullmatch(word)
    if match is None or int(match[2]) > OFFSET_HOURS_MAX:
        raise ValueError(word)
    minutes = int(match[2]) * MINUTES + int(match[3] or 0)
    return (-1 if match[1] == "-" else 1) * minutes * MINUTES


def _whole(word: str, lowest: int, highest: int) -> int:
    if not word.isdecimal() or not lowest <= int(word) <= highest:
        raise ValueError(word)
    return int(word)
