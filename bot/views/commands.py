"""The commands, who may use them, and what they say in menus and in /help."""

from msgspec import Struct

from core.domain.people import Person


class CommandInfo(Struct, frozen=True):
    """One command. `group` is its heading in /help; `own` is for people with accounts only."""

    name: str
    says: str
    group: str
    admin: bool = False
    own: bool = False
    usage: str = ""


OWN, ADMIN, ABOUT = "Your accounts", "Admin", "Reckoner"
COMMANDS: tuple[CommandInfo, ...] = (
    CommandInfo("positions", "open positions and their results", OWN, own=True, usage="[login]"),
    CommandInfo("drawdown", "drawdown, headroom and chart", OWN, own=True, usage="[login]"),
    CommandInfo("rules", "each rule's floor, worked out", OWN, usage="[login]"),
    CommandInfo("history", "what happened, page by page", OWN, usage="[login]"),
    CommandInfo(
        "report", "a day or a week: results, chart, file", OWN, usage="day|week [date] [login]"
    ),
    CommandInfo("incident", "what a guard did, with its proof", OWN, usage="[number]"),
    CommandInfo("signals", "offers that wait, and the last ones", OWN),
    CommandInfo("approve", "follow a signal", OWN, own=True, usage="12"),
    CommandInfo("reject", "do not follow it", OWN, own=True, usage="12"),
    CommandInfo("release", "ask to unlock a locked account", OWN, own=True),
    CommandInfo("accounts", "every account, least room first", ADMIN, admin=True),
    CommandInfo("warnings", "open market warnings with their buttons", ADMIN, admin=True),
    CommandInfo("overrides", "what admins decided over them", ADMIN, admin=True),
    CommandInfo(
        "override", "answer a warning in words", ADMIN, admin=True, usage="12 hold why I do so"
    ),
    CommandInfo("ack", "alarms: say that you have one", ADMIN, admin=True, usage="[12|all]"),
    CommandInfo("signal", "post a signal", ADMIN, admin=True, usage="XAUUSD buy 0.10 sl 1950"),
    CommandInfo(
        "pause", "pause market actions or signals", ADMIN, admin=True, usage="market 1h why"
    ),
    CommandInfo("resume", "go on with what is paused", ADMIN, admin=True, usage="market"),
    CommandInfo("grant", "unlock an account, as asked", ADMIN, admin=True, usage="50001"),
    CommandInfo("refuse", "keep it locked", ADMIN, admin=True, usage="50001"),
    CommandInfo("sync", "read accounts now", ADMIN, admin=True, usage="[login]"),
    CommandInfo(
        "adopt",
        "which signal is it? positions that wait",
        ADMIN,
        admin=True,
        usage="[position [5]]",
    ),
    CommandInfo("disown", "take an adoption back", ADMIN, admin=True, usage="900001"),
    CommandInfo("users", "who is who, block and unblock", ADMIN, admin=True),
    CommandInfo("drill", "could each account be closed now?", ADMIN, admin=True, usage="[login]"),
    CommandInfo("unblock", "trade again after a wrong account", ADMIN, admin=True, usage="50001"),
    CommandInfo("health", "how Reckoner itself is", ADMIN, admin=True),
    CommandInfo("audit", "does the audit hold?", ADMIN, admin=True, usage="[login]"),
    CommandInfo("status", "is everything read and guarded?", ABOUT),
    CommandInfo("settings", "what I hear, quiet hours, time zone", ABOUT, usage="[market silent]"),
    CommandInfo("token", "programs that may read your accounts", ABOUT, usage="[new name]"),
    CommandInfo("id", "your Telegram number", ABOUT),
    CommandInfo("help", "this list", ABOUT),
    CommandInfo("start", "who I am and what I do", ABOUT),
)
MENU_DEFAULT = ("start", "help")


def allowed(person: Person) -> tuple[CommandInfo, ...]:
    """The commands this person may use, and has a use for."""
    return tuple(
        command
        for command in COMMANDS
        if (person.is_admin or not command.admin)
        and (person.account_ids or not (command.own and person.is_admin))
    )
