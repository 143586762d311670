"""The commands, who may use them, and what they say in menus and in /help."""

from msgspec import Struct

from bot.i18n import later
from core.domain.people import Person


class CommandInfo(Struct, frozen=True):
    """One command. `group` is its heading in /help; `own` is for people with accounts only.

    `links` is for where clients link accounts in the chat.
    """

    name: str
    says: str
    group: str
    admin: bool = False
    own: bool = False
    usage: str = ""
    links: bool = False


OWN, ADMIN, ABOUT = later("Your accounts"), later("Admin"), later("Reckoner")
COMMANDS: tuple[CommandInfo, ...] = (
    CommandInfo(
        "positions",
        later("open positions and their results"),
        OWN,
        own=True,
        usage="[chart] [login]",
    ),
    CommandInfo("drawdown", later("drawdown, headroom and chart"), OWN, own=True, usage="[login]"),
    CommandInfo("rules", later("each rule's floor, worked out"), OWN, usage="[login]"),
    CommandInfo("history", later("what happened, page by page"), OWN, usage="[login]"),
    CommandInfo(
        "report",
        later("a day or a week: results, chart, file"),
        OWN,
        usage=later("day|week [date] [login]"),
    ),
    CommandInfo(
        "incident", later("what a guard did, with its proof"), OWN, usage=later("[number]")
    ),
    CommandInfo("signals", later("offers that wait, and the last ones"), OWN),
    CommandInfo("approve", later("follow a signal"), OWN, own=True, usage="12"),
    CommandInfo("reject", later("do not follow it"), OWN, own=True, usage="12"),
    CommandInfo("release", later("ask to unlock a locked account"), OWN, own=True),
    CommandInfo("link", later("have an account of yours guarded"), OWN, links=True),
    CommandInfo("cancel", later("stop that before it is done"), OWN, links=True),
    CommandInfo("accounts", later("every account, least room first"), ADMIN, admin=True),
    CommandInfo("warnings", later("open market warnings with their buttons"), ADMIN, admin=True),
    CommandInfo("overrides", later("what admins decided over them"), ADMIN, admin=True),
    CommandInfo(
        "override",
        later("answer a warning in words"),
        ADMIN,
        admin=True,
        usage=later("12 hold why I do so"),
    ),
    CommandInfo("ack", later("alarms: say that you have one"), ADMIN, admin=True, usage="[12|all]"),
    CommandInfo(
        "signal", later("post a signal"), ADMIN, admin=True, usage="XAUUSD buy 0.10 sl 1950"
    ),
    CommandInfo(
        "pause",
        later("pause market actions or signals"),
        ADMIN,
        admin=True,
        usage=later("market 1h why"),
    ),
    CommandInfo("resume", later("go on with what is paused"), ADMIN, admin=True, usage="market"),
    CommandInfo("grant", later("unlock an account, as asked"), ADMIN, admin=True, usage="50001"),
    CommandInfo("refuse", later("keep it locked"), ADMIN, admin=True, usage="50001"),
    CommandInfo("sync", later("read accounts now"), ADMIN, admin=True, usage="[login]"),
    CommandInfo(
        "adopt",
        later("which signal is it? positions that wait"),
        ADMIN,
        admin=True,
        usage=later("[position [5]]"),
    ),
    CommandInfo("disown", later("take an adoption back"), ADMIN, admin=True, usage="900001"),
    CommandInfo("users", later("who is who, block and unblock"), ADMIN, admin=True),
    CommandInfo(
        "drill", later("could each account be closed now?"), ADMIN, admin=True, usage="[login]"
    ),
    CommandInfo(
        "unblock", later("trade again after a wrong account"), ADMIN, admin=True, usage="50001"
    ),
    CommandInfo("health", later("how Reckoner itself is"), ADMIN, admin=True),
    CommandInfo("audit", later("does the audit hold?"), ADMIN, admin=True, usage="[login]"),
    CommandInfo("status", later("is everything read and guarded?"), ABOUT),
    CommandInfo(
        "settings",
        later("what you hear, quiet hours, zone, language"),
        ABOUT,
        usage="[market silent]",
    ),
    CommandInfo(
        "token", later("programs that may read your accounts"), ABOUT, usage=later("[new name]")
    ),
    CommandInfo("id", later("your Telegram number"), ABOUT),
    CommandInfo("help", later("this list"), ABOUT),
    CommandInfo("start", later("who I am and what I do"), ABOUT),
)
MENU_DEFAULT = ("start", "help")


def offered(*, links: bool) -> tuple[CommandInfo, ...]:
    """The commands there are. `links`: clients link accounts in the chat."""
    return tuple(command for command in COMMANDS if links or not command.links)


def allowed(person: Person, *, links: bool = False) -> tuple[CommandInfo, ...]:
    """The commands this person may use, and has a use for."""
    return tuple(
        command
        for command in offered(links=links)
        if (person.is_admin or not command.admin)
        and not (person.is_admin and command.links)
        and (person.account_ids or not (command.own and person.is_admin))
    )
