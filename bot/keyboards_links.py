"""Buttons of the conversation that links an account, and of the admins' answer to it."""

from bot.callbacks import LinkAnswerPress, LinkPress, LinkVerb, RenewPress
from bot.i18n import t
from bot.keyboards import in_rows
from bot.markup import shortened
from bot.views.message import Button, Keyboard
from core.domain.linking import LinkAsk

LABEL_UNITS_MAX = 28
"""Of a server on a button; there is one in a row."""


def servers(ask: LinkAsk) -> Keyboard:
    """A button for each server, and the way out."""
    here = LinkPress(request_id=ask.request_id, verb=LinkVerb.SERVER)
    buttons = [
        Button(
            shortened(server, LABEL_UNITS_MAX), here.model_copy(update={"number": number}).pack()
        )
        for number, server in enumerate(ask.servers)
    ]
    return (*in_rows(buttons, 1), *cancel(ask, t("Cancel")))


def cancel(ask: LinkAsk, label: str) -> Keyboard:
    """The way out."""
    return ((Button(label, LinkPress(request_id=ask.request_id, verb=LinkVerb.CANCEL).pack()),),)


def renew(account_id: int) -> Keyboard:
    """Give an account's new password."""
    return ((Button(t("Send its new password"), RenewPress(account_id=account_id).pack()),),)


def answer(request_id: int, *, possible: bool) -> Keyboard:
    """Approve and refuse; refuse alone where an approval would be refused."""
    yes = Button(
        t("Approve"), LinkAnswerPress(request_id=request_id, approve=True).pack(), "success"
    )
    no = Button(t("Refuse"), LinkAnswerPress(request_id=request_id, approve=False).pack(), "danger")
    return ((yes, no),) if possible else ((no,),)
