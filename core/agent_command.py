"""The command that starts an agent beside a terminal: MT5_AGENT_COMMAND and the link's host.

    ssh {host} python C:/reckoner/agent.py            on another machine
    deploy/wine-agent C:/python/python.exe agent.py   under Wine
    (nothing, on Windows)                             this interpreter, this installation's agent

One command for all terminals; which terminal it is, and the password, go over standard input.
Never through a shell here. (`ssh` hands its words to a shell over there, and that one sees only
what the operator wrote and a host's name.)
"""

import re
import shlex
import sys
from pathlib import Path
from typing import Final

from msgspec import Struct

AGENTS_DIR: Final = "agents"
"""Where, in the data directory, each agent's diagnostics are kept, and a demo's agents' state."""
HOST: Final = "{host}"
"""What stands for the link's host in a command line."""
HOST_LENGTH_MAX: Final = 253
"""A host's name has no more (RFC 1035)."""
WINDOWS: Final = "win32"
AGENT_FILE: Final = Path(__file__).resolve().parent / "adapters" / "mt5" / "agent.py"

_HOST_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class CommandError(Exception):
    """No command can be built; one line, saying of which setting or word, and why."""


class AgentCommand(Struct, frozen=True):
    """The words that start an agent, some of them with `{host}` in them."""

    words: tuple[str, ...]

    @property
    def takes_host(self) -> bool:
        """Whether a terminal needs a host to be reached."""
        return any(HOST in word for word in self.words)

    def trouble(self, host: str) -> str:
        """Name what is wrong where `argv` raises for this host: no_host, no_place, bad_host."""
        if not self.takes_host:
            return "no_place"
        return "bad_host" if host else "no_host"

    def argv(self, host: str) -> list[str]:
        """Give the words for one host, "" where the command takes none. Raises CommandError."""
        if not self.takes_host:
            if host:
                raise CommandError(
                    f"MT5_AGENT_COMMAND has no {HOST}, so host '{host}' leads nowhere"
                )
            return list(self.words)
        if not host:
            raise CommandError(f"MT5_AGENT_COMMAND has {HOST}, and no host is given")
        return [word.replace(HOST, host_name(host)) for word in self.words]


def agent_command(
    setting: str | None, *, platform: str = sys.platform, python: str = sys.executable
) -> AgentCommand | None:
    """Understand MT5_AGENT_COMMAND; empty is this interpreter on Windows, None elsewhere."""
    if setting is not None:
        return AgentCommand(words_of(setting))
    return AgentCommand((python, str(AGENT_FILE))) if platform == WINDOWS else None


def words_of(line: str) -> tuple[str, ...]:
    r"""Split a command line: quotes of both kinds hold words together, a backslash is itself.

    So `C:\reckoner\agent.py` may be written as Windows shows it. Raises ValueError where a quote is
    not closed or nothing is left.
    """
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    lexer.escape = ""
    words = tuple(lexer)
    if not words or not words[0]:
        raise ValueError(line)
    return words


def host_name(word: str) -> str:
    """Give the word if it can name a host, and nothing else, such as an option of ssh.

    Raises CommandError.
    """
    if len(word) > HOST_LENGTH_MAX or not _HOST_NAME.fullmatch(word):
        raise CommandError(
            f"expected a host's name (letters, digits, dots, dashes and underscores, at most "
            f"{HOST_LENGTH_MAX}, the first a letter or digit), got '{word[:HOST_LENGTH_MAX]}'"
        )
    return word
