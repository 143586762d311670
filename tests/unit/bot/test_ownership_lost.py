"""The last thing the admins see of a process that had to stop is that it has stopped, and why."""

import asyncio
from pathlib import Path

import pytest
from aiogram import Bot
from aiogram.methods import SendMessage

from bot import app as module
from bot.app import App
from core.config import load
from core.ports import StaleEpoch
from tests.fakes.telegram import ADMIN_CHAT, Answer, RecordingSession, make_bot

WHY = "50001: this terminal has served a newer owner: epoch 10 of <host>:7"


class Part:
    """A part of the app that has nothing left to do."""

    async def drain(self, *_: float) -> bool:
        """Nothing is under way."""
        return True

    def wake(self) -> None:
        """Nothing is due."""

    async def announce_stop(self) -> None:
        """A process without its ownership writes nothing."""
        raise AssertionError("nothing may be written any more")


def lost_app(tmp_path: Path, bot: Bot) -> App:
    """An app whose terminal obeys another owner."""
    settings = load(
        {"ADMIN_CHAT_ID": str(ADMIN_CHAT), "DATA_DIR": str(tmp_path), "MESSAGE_MARK": "[DEMO]"}
    )
    app = App(settings, None)
    app._bot = bot  # noqa: SLF001 - made by the start, which needs a network
    app._give_up(StaleEpoch(WHY))  # noqa: SLF001 - as the scheduler does
    return app


async def wind_down(app: App) -> None:
    """Stop as a lost ownership stops it."""
    part = Part()
    await app._wind_down(part, part, part, part)  # type: ignore[arg-type]  # noqa: SLF001 - parts that do nothing


def sent(telegram: RecordingSession) -> list[SendMessage]:
    """What was sent."""
    return [call for call in telegram.calls if isinstance(call, SendMessage)]


async def test_a_lost_ownership_is_the_last_thing_the_admins_see(tmp_path: Path) -> None:
    bot, telegram = make_bot()
    await wind_down(lost_app(tmp_path, bot))
    (call,) = sent(telegram)
    assert call.chat_id == ADMIN_CHAT
    assert call.text.startswith("[DEMO] 🔴 This Reckoner has stopped and guards nothing")
    assert "50001: this terminal has served a newer owner: epoch 10 of &lt;host&gt;:7" in call.text
    assert "docs/connect-windows.md" in call.text
    assert "taken over" not in call.text, "an epoch does not say that anybody has"


async def test_telegram_that_is_down_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    bot, telegram = make_bot()
    telegram.script.append(Answer(502, "Bad Gateway"))
    await wind_down(lost_app(tmp_path, bot))
    assert len(sent(telegram)) == 1


async def test_telegram_that_never_answers_holds_up_the_stop_for_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALARM_MAX_S", 0.05)
    bot, telegram = make_bot()

    async def never(_: object) -> None:
        await asyncio.Event().wait()

    telegram.on_call = never
    async with asyncio.timeout(5):
        await wind_down(lost_app(tmp_path, bot))


async def test_a_lost_ownership_is_told_on_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stop(_: App) -> None:
        raise StaleEpoch(WHY)

    monkeypatch.setattr(App, "serve", stop)
    monkeypatch.setattr("bot.logs.configure", lambda *_: None)
    with pytest.raises(SystemExit, match="epoch 10 of <host>:7") as stopped:
        await module.serve(load({"DATA_DIR": str(tmp_path)}), people=None)
    assert "taken over" not in str(stopped.value)
