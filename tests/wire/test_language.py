"""A person is spoken to in the language they chose, from the next word on and over a restart."""

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

CARLA = 103


async def test_a_language_chosen_by_button_holds_for_answers_alerts_and_menus(stage: Stage) -> None:
    board = await stage.asks(CARLA, "/settings", "Your settings")
    await stage.taps(CARLA, "🌐 Language", message_id=board["id"])
    await stage.offers(CARLA, board["id"], "Español")
    saved = await stage.taps(CARLA, "Español", message_id=board["id"])
    assert saved["text"] == "Guardado"
    await stage.hears(CARLA, "Tus ajustes")

    seen = await stage.last_id(ADMIN_CHAT)
    await stage.opens(50003, "EURUSD", "buy", 0.1)
    await stage.hears_after(CARLA, board["id"], "Posición desconocida: EURUSD buy 0.10")
    await stage.hears_after(ADMIN_CHAT, seen, "Unknown position: EURUSD buy 0.10")
    calls = (await stage.get("/sim/outbox?method=setMyCommands"))["calls"]
    own = [call["params"] for call in calls if str(CARLA) in str(call["params"].get("scope"))]
    assert "posiciones abiertas" in str(own[-1]["commands"])

    await stage.stop(stage.app_pid)
    await stage.start_app()
    await stage.ready()
    await stage.asks(CARLA, "/positions 50003", "EURUSD buy 0.10", "Cifras")
    await stage.asks(CARLA, "/settings language en", "Your settings")
