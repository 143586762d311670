"""What can be wrong on the way to a broker, in words, each with the next step.

docs/connect-windows.md explains each of these texts; a test holds the two together.
"""

from typing import Final

from bot.cli.steps import State
from core.domain.readiness import Found, Trouble

SEE_DOCS: Final = "see docs/connect-windows.md"
BRING_BACK: Final = "bring the key back"

TROUBLES: Final[dict[tuple[str, int | None], tuple[State, str, str]]] = {
    ("unlinked", None): (
        State.MISSING,
        "no terminal is linked to this account",
        "{relink}",
    ),
    ("command", None): (State.MISSING, "{text}", "set MT5_AGENT_COMMAND; " + SEE_DOCS),
    ("no_host", None): (State.CANNOT, "{text}", "say on which machine it is: {relink} --host H"),
    ("no_place", None): (
        State.CANNOT,
        "{text}",
        (
            "write {{host}} into MT5_AGENT_COMMAND, where the name of the terminal's machine "
            "belongs; or, if it is this machine, link without a host: {hostless}"
        ),
    ),
    ("bad_host", None): (State.CANNOT, "the host leads nowhere: {text}", "{hostless} --host H"),
    ("password", None): (State.CANNOT, "the password cannot be read: {text}", "{key}"),
    ("start", None): (
        State.CANNOT,
        "the agent cannot be started: {text}",
        "see that the first word of MT5_AGENT_COMMAND is a program on this machine",
    ),
    ("lost", None): (
        State.CANNOT,
        "the agent does not answer: {text}",
        (
            "run MT5_AGENT_COMMAND by hand, the host in the place of {{host}}: it must wait for "
            "input and print nothing; over ssh also ask for no password and no host key"
        ),
    ),
    ("module_missing", None): (
        State.CANNOT,
        "the agent has no MetaTrader5: {text}",
        "on the terminal's machine, with the agent's Python: python -m pip install MetaTrader5",
    ),
    ("terminal_locked", None): (
        State.CANNOT,
        "another agent holds this terminal",
        "another Reckoner uses it: stop that one, or give each account a terminal of its own",
    ),
    ("stale_epoch", None): (
        State.CANNOT,
        "this terminal has served a newer owner: {text}",
        (
            "another Reckoner uses it, or did: stop that one. Only if there is none (this database "
            "is new, or an older copy was brought back): remove the .epoch file named here, on the "
            "terminal's machine, and run this again"
        ),
    ),
    ("wrong_account", None): (
        State.CANNOT,
        "another account is logged in: {text}",
        (
            "log the terminal in to {login} (File, Login to Trade Account); or, if it is the other "
            "account's own, link this account to its own: {elsewhere}"
        ),
    ),
    ("mt5", -6): (
        State.CANNOT,
        "the broker refused the login: {text}",
        "the password or the server's name is wrong: {relink}",
    ),
    ("mt5", -10005): (
        State.CANNOT,
        "the terminal did not log in within its time: {text}",
        (
            "log in by hand once, with 'Save password' ticked, and see that the terminal's lower "
            "right corner shows a connection; then see that login and server are linked rightly"
        ),
    ),
    ("mt5", -10003): (
        State.CANNOT,
        "the terminal does not start: {text}",
        "see that {path} is there on its machine and starts by hand; else: {elsewhere}",
    ),
    ("mt5", -10004): (
        State.CANNOT,
        "the terminal lets nobody in: {text}",
        "see that it runs, as the user that the agent runs as; restart it",
    ),
    ("timeout", None): (
        State.CANNOT,
        "the terminal did not answer within its time: {text}",
        (
            "close whatever window the terminal waits with (a licence, an update); a slow machine "
            "wants a longer MT5_START_TIMEOUT_S"
        ),
    ),
    ("unstable", None): (
        State.CANNOT,
        "the account changed faster than it could be read: {text}",
        "run this again",
    ),
    ("unavailable", None): (State.CANNOT, "the account cannot be read: {text}", "run this again"),
}
"""By kind and MetaTrader's code, None for any: how it stands, what was found, what to do next."""

OTHER: Final = (State.CANNOT, "{text}", SEE_DOCS)


def told(
    trouble: Trouble, found: Found, relink: str, key: str = BRING_BACK
) -> tuple[State, str, str]:
    """How a trouble stands, what was found, what to do next.

    `relink`: the command that links the account as it is; `key`: what to do about its key.
    """
    by_code = TROUBLES.get((trouble.kind, trouble.code))
    state, text, fix = by_code or TROUBLES.get((trouble.kind, None), OTHER)
    code = "" if trouble.code is None else f" ({trouble.code})"
    facts = {
        "text": trouble.text + code,
        "relink": relink,
        "elsewhere": relink.replace(f'"{found.path}"', "PATH"),
        "hostless": relink.partition(" --host ")[0],
        "key": key,
        "login": found.login,
        "path": found.path,
    }
    return state, text.format(**facts), fix.format(**facts)
