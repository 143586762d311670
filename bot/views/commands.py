"""The commands, who may use them, and what they say in menus and in /help."""

from msgspec import Struct

from core.domain.people import Person


class CommandInfo(Struct, frozen=True):
    """One command. `group` is its heading in /help."""

    name: str
    says: str
    group: str
    admin: bool = False
    usage: str = ""


COMMANDS: tuple[CommandInfo, ...] = (
    CommandInfo("positions", "open positions and their results", "Your accounts"),
    CommandInfo("drawdown", "drawdown, headroom and chart", "Your accounts"),
    CommandInfo("status", "is everything read and guarded?", "Your accounts"),
    CommandInfo("release", "ask to unlock a locked account", "Your accounts"),
    CommandInfo("accounts", "every account, least headroom first", "Admin", admin=True),
    CommandInfo("warnings", "open market warnings with their buttons", "Admin", admin=True),
    CommandInfo("signal", "post a signal", "Admin", admin=True, usage="XAUUSD buy 0.10 sl 1950"),
    CommandInfo("sync", "read accounts now", "Admin", admin=True, usage="[login]"),
    CommandInfo("help", "this list", "Help"),
    CommandInfo("start", "who I am and what I do", "Help"),
)
MENU_DEFAULT = ("start", "help")


def allowed(person: Person) -> tuple[CommandInfo, ...]:
    """The commands this person may use."""
    return tuple(command for command in COMMANDS if person.is_admin or not command.admin)
