"""Approve and Reject. The message itself changes through the outbox, once it is committed."""

from aiogram import Router
from aiogram.types import CallbackQuery

from bot.callbacks import ApprovalPress, ApprovalVerb
from bot.middlewares.context import Toast
from bot.services import DecideApproval
from bot.views import replies
from core.domain.people import Person


def build() -> Router:
    """A client's answer to an offer."""
    router = Router(name="approvals")
    router.callback_query.register(decide, ApprovalPress.filter(), flags={"role": "client"})
    return router


async def decide(
    _: CallbackQuery,
    callback_data: ApprovalPress,
    person: Person,
    decide_approval: DecideApproval,
) -> Toast:
    """Decide, and say what was decided."""
    approve = callback_data.verb is ApprovalVerb.APPROVE
    decided = await decide_approval(person, callback_data.approval_id, approve)
    return Toast(replies.decided(decided))
