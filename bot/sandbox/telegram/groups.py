"""Bot API methods about groups: who is in them as what, and the topics of a forum."""

from typing import Any, Final

from bot.sandbox.people import BOT_ID
from bot.sandbox.telegram import limits
from bot.sandbox.telegram.call import Call
from bot.sandbox.telegram.chats import BOT_USER, Chat, user_json
from bot.sandbox.telegram.errors import bad_request
from bot.sandbox.telegram.html import utf16_len
from bot.sandbox.telegram.state import TelegramState

ADMIN_RIGHTS: Final[dict[str, bool]] = {
    "can_be_edited": False,
    "is_anonymous": False,
    "can_manage_chat": True,
    "can_delete_messages": True,
    "can_manage_video_chats": True,
    "can_restrict_members": True,
    "can_promote_members": False,
    "can_change_info": True,
    "can_invite_users": True,
    "can_post_stories": False,
    "can_edit_stories": False,
    "can_delete_stories": False,
    "can_pin_messages": True,
    "can_manage_topics": True,
    "can_send_welcome_messages": False,
}
ADMINISTRATING: Final = ("creator", "administrator")
COLOURS: Final = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)
"""The colours Telegram lets a topic's icon have."""


def member_json(state: TelegramState, chat: Chat, user_id: int) -> dict[str, Any]:
    """Render a ChatMember. Raises ApiError 400 for somebody who does not exist."""
    person = state.book.people.get(user_id)
    if person is None and user_id != BOT_ID:
        raise bad_request("user not found")
    user = BOT_USER if person is None else user_json(person)
    return as_member(user, state.book.status(chat, user_id))


def as_member(user: dict[str, Any], status: str) -> dict[str, Any]:
    """Render a user as a ChatMember of this status."""
    extras: dict[str, Any] = {}
    match status:
        case "creator":
            extras = {"is_anonymous": False}
        case "administrator":
            extras = ADMIN_RIGHTS
        case "kicked":
            extras = {"until_date": 0}
        case _:
            pass
    return {"status": status, "user": user, **extras}


def _group(state: TelegramState, call: Call, why: str) -> Chat:
    chat = state.chat_of(call)
    if chat.private:
        raise bad_request(why)
    return chat


def _present(state: TelegramState, chat: Chat) -> list[int]:
    everybody = [*chat.members, BOT_ID]
    return [n for n in everybody if state.book.status(chat, n) not in {"left", "kicked"}]


def get_chat_member(state: TelegramState, call: Call) -> dict[str, Any]:
    """Serve `getChatMember`."""
    chat = state.chat_of(call)
    user_id = call.integer("user_id")
    if user_id is None:
        raise bad_request("invalid user_id specified")
    return member_json(state, chat, user_id)


def get_chat_administrators(state: TelegramState, call: Call) -> list[dict[str, Any]]:
    """Serve `getChatAdministrators`, the creator first; of bots only this one is listed."""
    chat = _group(state, call, "there are no administrators in the private chat")
    found = [member_json(state, chat, user_id) for user_id in _present(state, chat)]
    admins = [one for one in found if one["status"] in ADMINISTRATING]
    return sorted(admins, key=lambda one: one["status"] != "creator")


def get_chat_member_count(state: TelegramState, call: Call) -> int:
    """Serve `getChatMemberCount`."""
    return len(_present(state, state.chat_of(call)))


def leave_chat(state: TelegramState, call: Call) -> bool:
    """Serve `leaveChat`."""
    chat = _group(state, call, "chat member status can't be changed in private chats")
    chat.roles[str(BOT_ID)] = "left"
    state.book.touch(chat)
    return True


def topic_of(chat: Chat, thread_id: int) -> dict[str, Any]:
    """Find a topic. Raises ApiError 400 where there is none."""
    topic = chat.topics.get(str(thread_id))
    if topic is None:
        raise bad_request("message thread not found")
    return topic


def _forum(state: TelegramState, call: Call) -> Chat:
    chat = _group(state, call, "the chat is not a forum")
    if not chat.forum:
        raise bad_request("the chat is not a forum")
    if state.book.status(chat, BOT_ID) not in ADMINISTRATING:
        raise bad_request("not enough rights to create a topic")
    return chat


def _name(call: Call) -> str:
    name = call.text("name").strip()
    if not 0 < utf16_len(name) <= limits.TOPIC_NAME_UNITS_MAX:
        raise bad_request("TOPIC_TITLE_INVALID")
    return name


def _noted(state: TelegramState, chat: Chat, thread_id: int, content: dict[str, Any]) -> None:
    place = {"message_thread_id": thread_id, "is_topic_message": True}
    state.book.post(chat, BOT_USER, content | place)


def create_forum_topic(state: TelegramState, call: Call) -> dict[str, Any]:
    """Serve `createForumTopic`: the topic's id is that of the message that tells of it."""
    chat = _forum(state, call)
    name = _name(call)
    colour = call.integer("icon_color") or COLOURS[0]
    if colour not in COLOURS:
        raise bad_request("TOPIC_ICON_COLOR_INVALID")
    if len(chat.topics) >= limits.TOPICS_PER_CHAT_MAX:
        raise bad_request("TOPICS_TOO_MUCH")
    thread_id = chat.next_message_id
    chat.topics[str(thread_id)] = {"name": name, "icon_color": colour, "closed": False}
    made = {"name": name, "icon_color": colour}
    _noted(state, chat, thread_id, {"forum_topic_created": made})
    return {"message_thread_id": thread_id, **made}


def _topic(state: TelegramState, call: Call) -> tuple[Chat, int, dict[str, Any]]:
    chat = _forum(state, call)
    thread_id = call.integer("message_thread_id")
    if thread_id is None:
        raise bad_request("message thread not found")
    return chat, thread_id, topic_of(chat, thread_id)


def edit_forum_topic(state: TelegramState, call: Call) -> bool:
    """Serve `editForumTopic`; without a name nothing changes."""
    chat, thread_id, topic = _topic(state, call)
    if not call.text("name"):
        return True
    name = _name(call)
    if name == topic["name"]:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic["name"] = name
    _noted(state, chat, thread_id, {"forum_topic_edited": {"name": name}})
    return True


def _turn(state: TelegramState, call: Call, *, closed: bool, word: str) -> bool:
    chat, thread_id, topic = _topic(state, call)
    if topic["closed"] == closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    topic["closed"] = closed
    _noted(state, chat, thread_id, {word: {}})
    return True


def close_forum_topic(state: TelegramState, call: Call) -> bool:
    """Serve `closeForumTopic`."""
    return _turn(state, call, closed=True, word="forum_topic_closed")


def reopen_forum_topic(state: TelegramState, call: Call) -> bool:
    """Serve `reopenForumTopic`."""
    return _turn(state, call, closed=False, word="forum_topic_reopened")


def delete_forum_topic(state: TelegramState, call: Call) -> bool:
    """Serve `deleteForumTopic`: its messages go with it."""
    chat, thread_id, _ = _topic(state, call)
    for message in state.book.newest_first(chat):
        if message.get("message_thread_id") == thread_id:
            state.book.remove(chat, message["message_id"])
    del chat.topics[str(thread_id)]
    state.book.touch(chat)
    return True
