"""Approve and Reject. The message itself changes through the outbox, once it is committed."""

from aiogram import Router
from aiogram.types import CallbackQuery

from bot.callbacks import ApprovalPress, ApprovalVerb
from bot.middlewares.context import Toast
from bot.services import DecideApproval
from bot.speaker import Speaker
from bot.views import replies
from core.domain.people import Person
from core.services.errors import Refused

OVER = frozenset({"already_decided", "signal_expired"})
"""Refusals after which an offer's buttons can never do anything."""


def build() -> Router:
    """A client's answer to an offer."""
    router = Router(name="approvals")
    router.callback_query.register(decide, ApprovalPress.filter(), flags={"role": "client"})
    return router


async def decide(
    query: CallbackQuery,
    callback_data: ApprovalPress,
    person: Person,
    decide_approval: DecideApproval,
    speaker: Speaker,
) -> Toast:
    """Decide, and say what was decided.

    The outbox redraws the offer itself; a copy loses its buttons here, once they can do nothing.
    """
    approve = callback_data.verb is ApprovalVerb.APPROVE
    try:
        decided = await decide_approval(person, callback_data.approval_id, approve)
    except Refused as refused:
        if refused.code in OVER:
            await speaker.without_buttons(query)
        raise
    await speaker.without_buttons(query)
    return Toast(replies.decided(decided))
