"""Words about /users: the list, a person's card, and what is about to be done to them."""

from datetime import datetime

from bot import keyboards_people as keyboards
from bot.callbacks import UsersPress
from bot.i18n import later, t, tn
from bot.markup import code, esc
from bot.views.message import Message, Voice
from bot.views.numbers import local, moment
from core.domain.people import Person, Role
from core.domain.standing import CONFIRM_S_MAX, Preview, UserLine, UsersPage

CANCELLED = later("Cancelled. Nothing was changed.")
LOGINS_MAX = 5
"""Accounts of one person that are named in the list."""
ROLES = {
    Role.PENDING: later("⏳ waits for an answer"),
    Role.OWNER: "owner",
    Role.ADMIN: "admin",
    Role.CLIENT: "client",
    Role.BLOCKED: later("🔒 blocked"),
}


def page(shown: UsersPage, asker: int, voice: Voice) -> Message:
    """One page with a button for each person on it."""
    lines = [f"<b>{_title(shown)}</b>"]
    if shown.pages > 1:
        lines.append(t("Page {figure} of {pages}", figure=shown.page + 1, pages=shown.pages))
    lines += ["", *(_row(line, voice) for line in shown.lines)]
    return Message(html="\n".join(lines), keyboard=keyboards.users(shown, asker))


def card(line: UserLine, viewer: Person, page: int, voice: Voice) -> Message:
    """Everything known of one person, with what this admin may change."""
    lines = [
        f"<b>{esc(line.name)}: {t(ROLES[line.role])}</b>",
        t("Telegram number: {code}", code=code(str(line.telegram_id))),
        t("Accounts: {figure}", figure=_logins(line) or "none"),
        t("Last seen: {seen}", seen=_seen(line, voice)),
    ]
    if line.blocked_at is not None:
        lines.append(t("Blocked by an admin: {day}", day=_day(line.blocked_at, voice)))
    if line.file_role is None:
        lines.append(t("The people file does not list them."))
    else:
        lines.append(t("By the people file: {value}", value=line.file_role.value))
    return Message(html="\n".join(lines), keyboard=keyboards.user(line, viewer, page))


def preview(shown: Preview, press: UsersPress, voice: Voice) -> Message:
    """What a block does, before it is done."""
    line = shown.line
    lines = [
        t("<b>Block {name}?</b>", name=esc(line.name)),
        t(
            "{roles}, Telegram number {code}",
            roles=t(ROLES[line.role]),
            code=code(str(line.telegram_id)),
        ),
        t("Accounts: {figure}", figure=_logins(line) or "none"),
        t("They may use nothing here any more, and no alert is sent to them. They are told so."),
    ]
    if line.logins:
        lines.append(t("Their accounts stay guarded, and you go on hearing of them."))
    lines.append(
        t(
            "Good for {confirm_s_max} s, until {expires_at}.",
            confirm_s_max=CONFIRM_S_MAX,
            expires_at=moment(shown.expires_at, voice),
        )
    )
    return Message(html="\n".join(lines), keyboard=keyboards.confirm(shown, press))


def blocked(line: UserLine) -> str:
    """The pop-up after a block."""
    return t("{name} is blocked.", name=line.name)


def unblocked(line: UserLine) -> str:
    """The pop-up after a block was lifted."""
    return t("{name} is not blocked any more: {value}.", name=line.name, value=line.role.value)


def approved(line: UserLine) -> str:
    """The pop-up after somebody was let in."""
    return t("{name} is a client now.", name=line.name)


def _title(shown: UsersPage) -> str:
    counts = shown.counts
    people = sum(counts.values())
    parts = [t("{people} people", people=people) if people != 1 else t("1 person")]
    if counts[Role.PENDING]:
        parts.append(t("{counts} waiting", counts=counts[Role.PENDING]))
    if counts[Role.BLOCKED]:
        parts.append(t("{counts} blocked", counts=counts[Role.BLOCKED]))
    return ", ".join(parts)


def _row(line: UserLine, voice: Voice) -> str:
    logins = f", {_logins(line)}" if line.logins else ""
    return t(
        "• {name}: {roles}{logins}, seen {seen}",
        name=esc(line.name),
        roles=t(ROLES[line.role]),
        logins=logins,
        seen=_seen(line, voice),
    )


def _logins(line: UserLine) -> str:
    named = ", ".join(str(login) for login in line.logins[:LOGINS_MAX])
    more = len(line.logins) - LOGINS_MAX
    return (
        t(
            "{named} and {plural}",
            named=named,
            plural=tn("{n} more account", "{n} more accounts", more),
        )
        if more > 0
        else named
    )


def _seen(line: UserLine, voice: Voice) -> str:
    return "never" if line.seen_at is None else _day(line.seen_at, voice)


def _day(at: datetime, voice: Voice) -> str:
    there = local(at, voice)
    return f"{there:%d %b %Y, %H:%M} {there.tzname() or voice.time_zone}"
