"""Words about /users: the list, a person's card, and what is about to be done to them."""

from datetime import datetime

from bot import keyboards_people as keyboards
from bot.callbacks import UsersPress
from bot.markup import code, esc
from bot.views.message import Message, Voice
from bot.views.numbers import local, moment
from bot.views.words import plural
from core.domain.people import Person, Role
from core.domain.standing import CONFIRM_S_MAX, Preview, UserLine, UsersPage

CANCELLED = "Cancelled. Nothing was changed."
LOGINS_MAX = 5
"""Accounts of one person that are named in the list."""
ROLES = {
    Role.PENDING: "⏳ waits for an answer",
    Role.OWNER: "owner",
    Role.ADMIN: "admin",
    Role.CLIENT: "client",
    Role.BLOCKED: "🔒 blocked",
}


def page(shown: UsersPage, asker: int, voice: Voice) -> Message:
    """One page with a button for each person on it."""
    lines = [f"<b>{_title(shown)}</b>"]
    if shown.pages > 1:
        lines.append(f"Page {shown.page + 1} of {shown.pages}")
    lines += ["", *(_row(line, voice) for line in shown.lines)]
    return Message(html="\n".join(lines), keyboard=keyboards.users(shown, asker))


def card(line: UserLine, viewer: Person, page: int, voice: Voice) -> Message:
    """Everything known of one person, with what this admin may change."""
    lines = [
        f"<b>{esc(line.name)}: {ROLES[line.role]}</b>",
        f"Telegram number: {code(str(line.telegram_id))}",
        f"Accounts: {_logins(line) or 'none'}",
        f"Last seen: {_seen(line, voice)}",
    ]
    if line.blocked_at is not None:
        lines.append(f"Blocked by an admin: {_day(line.blocked_at, voice)}")
    if line.file_role is None:
        lines.append("The people file does not list them.")
    else:
        lines.append(f"By the people file: {line.file_role.value}")
    return Message(html="\n".join(lines), keyboard=keyboards.user(line, viewer, page))


def preview(shown: Preview, press: UsersPress, voice: Voice) -> Message:
    """What a block does, before it is done."""
    line = shown.line
    lines = [
        f"<b>Block {esc(line.name)}?</b>",
        f"{ROLES[line.role]}, Telegram number {code(str(line.telegram_id))}",
        f"Accounts: {_logins(line) or 'none'}",
        "They may use nothing here any more, and no alert is sent to them. They are told so.",
    ]
    if line.logins:
        lines.append("Their accounts stay guarded, and you go on hearing of them.")
    lines.append(f"Good for {CONFIRM_S_MAX} s, until {moment(shown.expires_at, voice)}.")
    return Message(html="\n".join(lines), keyboard=keyboards.confirm(shown, press))


def blocked(line: UserLine) -> str:
    """The pop-up after a block."""
    return f"{line.name} is blocked."


def unblocked(line: UserLine) -> str:
    """The pop-up after a block was lifted."""
    return f"{line.name} is not blocked any more: {line.role.value}."


def approved(line: UserLine) -> str:
    """The pop-up after somebody was let in."""
    return f"{line.name} is a client now."


def _title(shown: UsersPage) -> str:
    counts = shown.counts
    people = sum(counts.values())
    parts = [f"{people} people" if people != 1 else "1 person"]
    if counts[Role.PENDING]:
        parts.append(f"{counts[Role.PENDING]} waiting")
    if counts[Role.BLOCKED]:
        parts.append(f"{counts[Role.BLOCKED]} blocked")
    return ", ".join(parts)


def _row(line: UserLine, voice: Voice) -> str:
    logins = f", {_logins(line)}" if line.logins else ""
    return f"• {esc(line.name)}: {ROLES[line.role]}{logins}, seen {_seen(line, voice)}"


def _logins(line: UserLine) -> str:
    named = ", ".join(str(login) for login in line.logins[:LOGINS_MAX])
    more = len(line.logins) - LOGINS_MAX
    return f"{named} and {plural(more, 'more account')}" if more > 0 else named


def _seen(line: UserLine, voice: Voice) -> str:
    return "never" if line.seen_at is None else _day(line.seen_at, voice)


def _day(at: datetime, voice: Voice) -> str:
    there = local(at, voice)
    return f"{there:%d %b %Y, %H:%M} {there.tzname() or voice.time_zone}"
