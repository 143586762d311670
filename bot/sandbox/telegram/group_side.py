"""What people do with groups: open one, let somebody in or out, turn topics on, make it larger."""

from typing import Any, Final, Literal

import msgspec

from bot.sandbox.people import BOT_ID
from bot.sandbox.telegram import limits
from bot.sandbox.telegram.chats import BOT_USER, Chat, public, user_json
from bot.sandbox.telegram.errors import PersonError
from bot.sandbox.telegram.groups import as_member
from bot.sandbox.telegram.html import utf16_len
from bot.sandbox.telegram.person import chat_named
from bot.sandbox.telegram.state import TelegramState

SUPERGROUP_BASE: Final = -1_001_000_000_100
BASIC_BASE: Final = -5_000_000_100
"""Ids count down from here; Telegram's supergroups begin with -100."""

Status = Literal["creator", "administrator", "member", "left", "kicked"]


class NewGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /sim/group`: the first member is its creator; `basic` may become a supergroup later."""

    title: str
    members: list[int]
    forum: bool = False
    basic: bool = False


class Membership(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /sim/member`: somebody, or the bot itself, is this in the group from now on."""

    chat_id: int
    user_id: int
    status: Status


class Forum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /sim/forum`."""

    chat_id: int
    forum: bool = True


class Migration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`POST /sim/migrate`."""

    chat_id: int


def _groups(state: TelegramState) -> list[Chat]:
    return [chat for chat in state.book.chats.values() if not chat.private]


def _group(state: TelegramState, chat_id: int) -> Chat:
    chat = chat_named(state, chat_id)
    if chat.private:
        raise PersonError(400, f"chat_id {chat_id} is no group")
    return chat


def _new_id(state: TelegramState, *, basic: bool) -> int:
    base = BASIC_BASE if basic else SUPERGROUP_BASE
    return min([base, *(n for n in state.book.chats if base - 1_000_000 < n < base)]) - 1


def open_group(state: TelegramState, asked: NewGroup) -> Chat:
    """Make a group with the bot in it as an administrator. Raises PersonError."""
    if not 0 < utf16_len(asked.title.strip()) <= limits.GROUP_TITLE_UNITS_MAX:
        raise PersonError(400, f"title must have 1..{limits.GROUP_TITLE_UNITS_MAX} UTF-16 units")
    if not asked.members:
        raise PersonError(400, "members must name at least the creator")
    if asked.forum and asked.basic:
        raise PersonError(400, "basic groups have no topics")
    if len(_groups(state)) >= limits.GROUPS_MAX:
        raise PersonError(400, f"{limits.GROUPS_MAX} groups exist")
    members = [state.book.meet(user_id).user_id for user_id in dict.fromkeys(asked.members)]
    chat = Chat(
        _new_id(state, basic=asked.basic),
        asked.title.strip(),
        members,
        open_to_bot=True,
        forum=asked.forum,
        basic=asked.basic,
        roles={str(members[0]): "creator"},
    )
    state.book.keep(chat)
    return chat


def set_member(state: TelegramState, asked: Membership) -> Chat:
    """Change what somebody is in a group; the bot hears of it where it asked to.

    Of itself it always hears. Raises PersonError.
    """
    chat = _group(state, asked.chat_id)
    user = BOT_USER if asked.user_id == BOT_ID else user_json(state.book.meet(asked.user_id))
    before = state.book.status(chat, asked.user_id)
    chat.roles[str(asked.user_id)] = asked.status
    if asked.user_id != BOT_ID and asked.user_id not in chat.members:
        chat.members.append(asked.user_id)
    state.book.touch(chat)
    state.updates.create(
        "my_chat_member" if asked.user_id == BOT_ID else "chat_member",
        {
            "chat": state.book.chat_json(chat),
            "from": user_json(state.book.people[chat.members[0]]),
            "date": int(state.now_s()),
            "old_chat_member": as_member(user, before),
            "new_chat_member": as_member(user, asked.status),
        },
    )
    return chat


def set_forum(state: TelegramState, asked: Forum) -> Chat:
    """Turn topics on or off; those there are stay. Raises PersonError."""
    chat = _group(state, asked.chat_id)
    if chat.basic:
        raise PersonError(400, "basic groups have no topics")
    chat.forum = asked.forum
    state.book.touch(chat)
    return chat


def migrate(state: TelegramState, asked: Migration) -> Chat:
    """Make a group a supergroup with a new id; calls to the old one are refused from then on.

    Raises PersonError where it moved before.
    """
    old = _group(state, asked.chat_id)
    if old.moved_to is not None:
        raise PersonError(409, f"chat_id {old.id} has moved to {old.moved_to}")
    new = Chat(
        _new_id(state, basic=False),
        old.title,
        list(old.members),
        open_to_bot=True,
        roles={str(n): state.book.status(old, n) for n in (*old.members, BOT_ID)},
    )
    state.book.keep(new)
    owner = user_json(state.book.people[old.members[0]])
    notes: list[tuple[Chat, dict[str, Any]]] = [
        (old, {"migrate_to_chat_id": new.id}),
        (new, {"migrate_from_chat_id": old.id}),
    ]
    for chat, content in notes:
        state.updates.create("message", public(state.book.post(chat, owner, content)))
    old.moved_to = new.id
    state.book.touch(old)
    return new
