"""Whether messages reach a chat: told once when they do not, and once when they do again.

Everything here happens inside the caller's transaction (law 5).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from core.domain.alerts import ChatUnreachable
from core.domain.alerts_app import ChatMoved, ChatReachable
from core.domain.standing import ADMIN_ROLES
from core.ports import Transaction
from core.records import ChatRow, UserRow
from core.services.speaking import speak

ADMINS_TOLD_MAX: Final = 50
"""Admins told one by one where their own chat is what cannot be reached."""


async def lost(
    tx: Transaction, chat_id: int, kind: str, reason: str, *, admin: int, now: datetime
) -> None:
    """A message of this kind is given up: mark the chat, and tell the admins of the first one.

    Where it is the admins' chat itself, each of them is told in private.
    """
    known = await tx.first(ChatRow, chat_id=chat_id)
    if known is not None and known.unreachable_since is not None:
        await tx.update(ChatRow, {"id": known.id}, missed=known.missed + 1, changed_at=now)
        return
    if known is None:
        await tx.insert(ChatRow(chat_id=chat_id, unreachable_since=now, missed=1, changed_at=now))
    else:
        await tx.update(ChatRow, {"id": known.id}, unreachable_since=now, missed=1, changed_at=now)
    alert = ChatUnreachable(
        chat_id=chat_id, person=await _name(tx, chat_id), alert=kind, reason=reason, at=now
    )
    for told in await _admins(tx, chat_id, admin):
        await speak(tx, alert, client=None, admin=told, now=now)


async def back(tx: Transaction, chat_ids: Iterable[int], *, admin: int, now: datetime) -> list[int]:
    """Messages reach these chats: tell of each that was out of reach; answers those.

    The chat is told how many messages are gone; the admins, in the place of what told them.
    """
    asked = tuple(chat_ids)
    found = await tx.find(ChatRow, chat_id=asked) if asked else []
    gone = [chat for chat in found if chat.unreachable_since is not None]
    for chat in gone:
        await tx.update(ChatRow, {"id": chat.id}, unreachable_since=None, missed=0, changed_at=now)
        assert chat.unreachable_since is not None  # noqa: S101 - filtered above
        alert = ChatReachable(
            chat_id=chat.chat_id,
            person=await _name(tx, chat.chat_id),
            since=chat.unreachable_since,
            missed=chat.missed,
            at=now,
        )
        for told in await _admins(tx, chat.chat_id, admin):
            await speak(tx, alert, client=None, admin=told, now=now)
        here = replace(alert, here=True)
        await speak(tx, here, client=None, admin=chat.chat_id, now=now)
    return [chat.chat_id for chat in gone]


async def moved(tx: Transaction, old_id: int, new_id: int, *, admin: int, now: datetime) -> None:
    """A group has a new id: keep it, and say so there where it is the admins' own."""
    known = await tx.first(ChatRow, chat_id=old_id)
    if known is None:
        await tx.insert(ChatRow(chat_id=old_id, moved_to=new_id, changed_at=now))
    elif known.moved_to == new_id:
        return
    else:
        await tx.update(ChatRow, {"id": known.id}, moved_to=new_id, changed_at=now)
    if old_id == admin:
        alert = ChatMoved(old_id=old_id, new_id=new_id, at=now)
        await speak(tx, alert, client=None, admin=admin, now=now)


async def out_of_reach(tx: Transaction) -> set[int]:
    """Every chat that messages do not reach."""
    rows = await tx.find(ChatRow, missed__gt=0)
    return {row.chat_id for row in rows if row.unreachable_since is not None}


async def moves(tx: Transaction) -> dict[int, int]:
    """Where each group that has moved is now."""
    rows = await tx.find(ChatRow, moved_to__lt=0)
    return {row.chat_id: row.moved_to for row in rows if row.moved_to is not None}


async def _name(tx: Transaction, chat_id: int) -> str:
    user = await tx.first(UserRow, telegram_id=chat_id)
    return user.name if user else ""


async def _admins(tx: Transaction, chat_id: int, admin: int) -> list[int]:
    """Who is told about a chat: the admins' chat, or each of them where it is that one."""
    moved_there = await tx.first(ChatRow, chat_id=admin, moved_to=chat_id)
    if chat_id != admin and moved_there is None:
        return [admin]
    rows = await tx.find(UserRow, role=ADMIN_ROLES, limit=ADMINS_TOLD_MAX)
    return [row.telegram_id for row in rows]
