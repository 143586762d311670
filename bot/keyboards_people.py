"""Buttons about people: asking to be let in, and the answer to it."""

from bot.callbacks import AccessAnswerPress, AccessAskPress, AccessVerb
from bot.views.message import Button, Keyboard
from core.domain.invitations import HELLO


def ask_access(asker: int) -> Keyboard:
    """A stranger's one way in, for nobody but them."""
    return ((Button("Request access", AccessAskPress(asker=asker).pack(), "primary"),),)


def private_chat(username: str) -> Keyboard:
    """The way from a group to the bot's private chat; none where the bot has no name yet."""
    if not username:
        return ()
    return ((Button("Open our private chat", "", url=f"https://t.me/{username}?start={HELLO}"),),)


def answer_access(request_id: int) -> Keyboard:
    """An admin's answer to it."""
    approve = AccessAnswerPress(request_id=request_id, verb=AccessVerb.APPROVE)
    block = AccessAnswerPress(request_id=request_id, verb=AccessVerb.BLOCK)
    return (
        (
            Button("Approve as client", approve.pack(), "success"),
            Button("Block", block.pack(), "danger"),
        ),
    )
