"""A client's pinned card through the wire: pinned once, kept current, over restarts."""

from typing import Any

import pytest

from tests.wire.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEN = 102
ENV = {"CARD_INTERVAL_S": "1"}


async def card_of(stage: Stage, user: int) -> dict[str, Any] | None:
    """The pinned message of a person's chat."""
    pinned = [m for m in await stage.messages(user) if m["pinned"]]
    assert len(pinned) <= 1
    return pinned[0] if pinned else None


async def shows(stage: Stage, user: int, *words: str) -> dict[str, Any]:
    """Wait until the pinned card has these words; answers it."""

    async def look() -> dict[str, Any]:
        card = await card_of(stage, user)
        return card if card and all(word in card["text"] for word in words) else {}

    return await stage.comes(look, f"a card with {words}")


async def test_the_card_is_pinned_once_and_follows_the_account(stage: Stage) -> None:
    """12,000 USD; 1.00 lot of gold (100 oz) bought at 1970.30 loses 930 USD at 1961.00: 7.75 %."""
    first = await shows(stage, BEN, "12,000 USD, room 2,400 USD", "0 open positions")
    assert first["text"].startswith("[DEMO] ")
    assert first["silent"]
    await stage.opens(50002, "XAUUSD", "buy", 1.0)
    await stage.price("XAUUSD", 1961.0, 1961.3)
    moved = await shows(stage, BEN, "11,070 USD, room 1,470 USD", "Drawdown 7.8 % (limit 20 %)")
    assert "1 open position, -930 USD" in moved["text"]
    assert moved["id"] == first["id"]

    await stage.stop(stage.app_pid)
    await stage.start_app()
    await stage.ready()
    await stage.price("XAUUSD", 1970.0, 1970.3)
    again = await shows(stage, BEN, "11,970 USD, room 2,370 USD")
    assert again["id"] == first["id"]

    await stage.fault(50002, "disconnected")
    stale = await shows(stage, BEN, "50002 cannot be read now", "Not read since")
    assert stale["id"] == first["id"]
    await stage.mend(50002)
