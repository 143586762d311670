"""Words about /users: the list, a person's card, and what is about to be done to them."""

from datetime import datetime

from bot import keyboards_people as keyboards
from bot.callbacks import UsersPress
from bot.i18n import later, t, tn
from bot.markup import code, esc
from bot.views.message import Message, Voice
from bot.views.numbers import dated, local, moment
from core.domain.people import Person, Role
from core.domain.standing import CONFIRM_S_MAX, Preview, UserLine, UsersPage

CANCELLED = later("Cancelled. Nothing was changed.")
LOGINS_MAX = 5
"""Accounts of one person that are named in the list."""
ROLES = {
    Role.PENDING: later("⏳ waits for an answer"),
    Role.OWNER: later("owner"),
    Role.ADMIN: later("admin"),
    Role.CLIENT: later("client"),
    Role.BLOCKED: later("🔒 blocked"),
}


def page(shown: UsersPage, asker: int, voice: Voice) -> Message:
    """One page with a button for each person on it."""
    lines = [f"<b>{_title(shown)}</b>"]
    if shown.pages > 1:
        lines.append(t("Page {page} of {pages}", page=shown.page + 1, pages=shown.pages))
    lines += ["", *(_row(line, voice) for line in shown.lines)]
    return Message(html="\n".join(lines), keyboard=keyboards.users(shown, asker))


def card(line: UserLine, viewer: Person, page: int, voice: Voice) -> Message:
    """Everything known of one person, with what this admin may change."""
    lines = [
        f"<b>{esc(line.name)}: {t(ROLES[line.role])}</b>",
        t("Telegram number: {number}", number=code(str(line.telegram_id))),
        _accounts(line),
        t("Last seen: never")
        if line.seen_at is None
        else t("Last seen: {day}", day=_day(line.seen_at, voice)),
    ]
    if line.blocked_at is not None:
        lines.append(t("Blocked by an admin: {day}", day=_day(line.blocked_at, voice)))
    if line.file_role is None:
        lines.append(t("The people file does not list them."))
    else:
        lines.append(t("By the people file: {role}", role=t(ROLES[line.file_role])))
    return Message(html="\n".join(lines), keyboard=keyboards.user(line, viewer, page))


def preview(shown: Preview, press: UsersPress, voice: Voice) -> Message:
    """What a block does, before it is done."""
    line = shown.line
    lines = [
        t("<b>Block {name}?</b>", name=esc(line.name)),
        t(
            "{role}, Telegram number {number}",
            role=t(ROLES[line.role]),
            number=code(str(line.telegram_id)),
        ),
        _accounts(line),
        t("They may use nothing here any more, and no alert is sent to them. They are told so."),
    ]
    if line.logins:
        lines.append(t("Their accounts stay guarded, and you go on hearing of them."))
    lines.append(
        t(
            "Good for {length} s, until {until}.",
            length=CONFIRM_S_MAX,
            until=moment(shown.expires_at, voice),
        )
    )
    return Message(html="\n".join(lines), keyboard=keyboards.confirm(shown, press))


def blocked(line: UserLine) -> str:
    """The pop-up after a block."""
    return t("{name} is blocked.", name=line.name)


def unblocked(line: UserLine) -> str:
    """The pop-up after a block was lifted."""
    return t("{name} is not blocked any more: {role}.", name=line.name, role=t(ROLES[line.role]))


def approved(line: UserLine) -> str:
    """The pop-up after somebody was let in."""
    return t("{name} is a client now.", name=line.name)


def _title(shown: UsersPage) -> str:
    counts = shown.counts
    parts = [tn("{n} person", "{n} people", sum(counts.values()))]
    if counts[Role.PENDING]:
        parts.append(tn("{n} waiting", "{n} waiting", counts[Role.PENDING]))
    if counts[Role.BLOCKED]:
        parts.append(tn("{n} blocked", "{n} blocked", counts[Role.BLOCKED]))
    return ", ".join(parts)


def _row(line: UserLine, voice: Voice) -> str:
    logins = f", {_logins(line)}" if line.logins else ""
    who = f"• {esc(line.name)}: {t(ROLES[line.role])}{logins}, "
    if line.seen_at is None:
        return who + t("seen never")
    return who + t("seen {day}", day=_day(line.seen_at, voice))


def _accounts(line: UserLine) -> str:
    return t("Accounts: {logins}", logins=_logins(line)) if line.logins else t("Accounts: none")


def _logins(line: UserLine) -> str:
    named = ", ".join(str(login) for login in line.logins[:LOGINS_MAX])
    more = len(line.logins) - LOGINS_MAX
    if more <= 0:
        return named
    return tn("{logins} and {n} more account", "{logins} and {n} more accounts", more, logins=named)


def _day(at: datetime, voice: Voice) -> str:
    there = local(at, voice)
    return f"{dated(there, 'dd MMM y')}, {there:%H:%M} {there.tzname() or voice.time_zone}"
