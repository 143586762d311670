"""Rule 6: buttons show what may be done now; a stale one says who was first, and is redrawn."""

from typing import Any

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA, OMAR, BEN = 11, 12, 102


async def shown(stage: Stage, chat_id: int, message_id: int) -> dict[str, Any]:
    """A message as it is now."""
    (message,) = [m for m in await stage.messages(chat_id) if m["id"] == message_id]
    return message


def labels(message: dict[str, Any]) -> list[str]:
    """Its visible buttons."""
    return [button["label"] for row in message["buttons"] for button in row]


async def test_a_copy_whose_warning_was_answered_elsewhere_says_by_whom_and_loses_its_buttons(
    stage: Stage,
) -> None:
    await stage.opens(50002, "EURUSD", "sell", 0.1)
    await stage.hears(BEN, "Unknown position: EURUSD sell 0.10 on 50002")
    await stage.price("EURUSD", 1.02, 1.0201)
    warned = await stage.hears_after(ADMIN_CHAT, 0, "Gap", "on EURUSD - closing at")
    copy = await stage.asks(OMAR, "/warnings", "on EURUSD")
    assert labels(copy)[0] == labels(warned)[0] == "Close now"
    await stage.taps(ADA, "Dismiss", ADMIN_CHAT, message_id=warned["id"])
    await stage.offers(ADMIN_CHAT, warned["id"], "Dismiss: bad quote")
    done = await stage.taps(ADA, "Dismiss: bad quote", ADMIN_CHAT, message_id=warned["id"])
    assert "EURUSD" in done["text"]

    async def without_buttons(chat_id: int, message_id: int) -> bool:
        return labels(await shown(stage, chat_id, message_id)) == []

    await stage.comes(lambda: without_buttons(ADMIN_CHAT, warned["id"]), "no buttons here")
    assert labels(await shown(stage, OMAR, copy["id"])) != [], "the copy does not know yet"
    late = await stage.taps(OMAR, "Close now", message_id=copy["id"])
    assert late["show_alert"] is True
    assert late["text"].startswith("Already handled:")
    assert "by Ada" in late["text"]
    await stage.comes(lambda: without_buttons(OMAR, copy["id"]), "no buttons on the copy")
    assert await stage.rows("SELECT count(*) FROM overrides WHERE verb = 'close'") == [(0,)]
    assert not await stage.is_flat(50002)
