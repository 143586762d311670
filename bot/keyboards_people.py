"""Buttons about people: asking to be let in, and the answer to it."""

from bot.callbacks import (
    AccessAnswerPress,
    AccessAskPress,
    AccessVerb,
    ConfirmPress,
    UsersPress,
    UsersVerb,
)
from bot.i18n import t
from bot.keyboards import in_rows
from bot.markup import shortened
from bot.views.message import Button, Keyboard
from core.domain.invitations import HELLO
from core.domain.people import Person
from core.domain.standing import Change, Preview, UserLine, UsersPage, refusal

LABEL_UNITS_MAX = 24
"""Of a name on a button."""
PEOPLE_PER_ROW = 2


def ask_access(asker: int) -> Keyboard:
    """A stranger's one way in, for nobody but them."""
    return ((Button(t("Request access"), AccessAskPress(asker=asker).pack(), "primary"),),)


def private_chat(username: str) -> Keyboard:
    """The way from a group to the bot's private chat; none where the bot has no name yet."""
    if not username:
        return ()
    return (
        (Button(t("Open our private chat"), "", url=f"https://t.me/{username}?start={HELLO}"),),
    )


def answer_access(request_id: int) -> Keyboard:
    """An admin's answer to it."""
    approve = AccessAnswerPress(request_id=request_id, verb=AccessVerb.APPROVE)
    block = AccessAnswerPress(request_id=request_id, verb=AccessVerb.BLOCK)
    return (
        (
            Button(t("Approve as client"), approve.pack(), "success"),
            Button(t("Block"), block.pack(), "danger"),
        ),
    )


def users(shown: UsersPage, asker: int) -> Keyboard:
    """A button for each person, and the pages before and after."""
    here = UsersPress(verb=UsersVerb.LIST, asker=asker, page=shown.page)
    people = [
        Button(
            shortened(line.name, LABEL_UNITS_MAX),
            here.model_copy(update={"verb": UsersVerb.CARD, "user_id": line.user_id}).pack(),
        )
        for line in shown.lines
    ]
    turns = []
    if shown.page > 0:
        turns.append(Button(t("« Back"), here.model_copy(update={"page": shown.page - 1}).pack()))
    if shown.page + 1 < shown.pages:
        turns.append(Button(t("More »"), here.model_copy(update={"page": shown.page + 1}).pack()))
    rows = (*in_rows(people, PEOPLE_PER_ROW), tuple(turns))
    return tuple(row for row in rows if row)


def user(line: UserLine, viewer: Person, page: int) -> Keyboard:
    """What this admin may change of somebody, and the way back to the list."""
    here = UsersPress(
        verb=UsersVerb.LIST, asker=viewer.telegram_id, page=page, user_id=line.user_id
    )
    labels = {
        Change.APPROVE: Button(t("Approve as client"), _verb(here, UsersVerb.APPROVE), "success"),
        Change.UNBLOCK: Button(t("Unblock"), _verb(here, UsersVerb.UNBLOCK)),
        Change.BLOCK: Button(t("Block"), _verb(here, UsersVerb.BLOCK), "danger"),
    }
    changes = tuple(button for change, button in labels.items() if _may(change, line, viewer))
    rows = (changes, (Button(t("« List"), here.model_copy(update={"user_id": 0}).pack()),))
    return tuple(row for row in rows if row)


def confirm(shown: Preview, press: UsersPress) -> Keyboard:
    """Do it, or leave it."""
    yes, no = (
        ConfirmPress(
            asker=press.asker, confirmation_id=shown.confirmation_id, yes=answer, page=press.page
        ).pack()
        for answer in (True, False)
    )
    name = shortened(shown.line.name, LABEL_UNITS_MAX)
    return ((Button(t("Block {name}", name=name), yes, "danger"), Button(t("Cancel"), no)),)


def _may(change: Change, line: UserLine, viewer: Person) -> bool:
    """Whether it is offered; whether there is another admin left is asked when it is done."""
    if change is Change.APPROVE and line.request_id is None:
        return False
    why = refusal(
        change, actor_id=viewer.user_id, actor_role=viewer.role, line=line, active_admins=2
    )
    return why is None


def _verb(here: UsersPress, verb: UsersVerb) -> str:
    return here.model_copy(update={"verb": verb}).pack()
