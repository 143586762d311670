"""Rule 2: people come by a link that is good once and for a while, never by pasting numbers."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.wire.stage import ADMIN_CHAT, Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
ADA, ALICE, BEN, CARLA, DAI = 11, 101, 102, 103, 104
SAM, MAX, TOM, UMA, VIC = 999, 5002, 5003, 5004, 5005
"""Strangers, and an account, for each test: tests of a module may meet the same world or not."""
PASSED_ON = ("PATH", "SYSTEMROOT", "PYTHONPYCACHEPREFIX")
PATHS = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
LINK = "https://t.me/reckoner_demo_bot?start="


async def invite(stage: Stage, login: int) -> str:
    """What an operator types beside the running app; answers the code of the printed link."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "invite", str(login), "--server", "Reckoner-Demo"),
        cwd=stage.data_dir,
        env=PATHS
        | {
            "PYTHONPATH": str(ROOT),
            "DATA_DIR": str(stage.data_dir),
            "TELEGRAM_TOKEN": "42:SANDBOX",
            "TELEGRAM_API_BASE": stage.base_url,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    link = said.splitlines()[0]
    assert link.startswith(LINK), said
    assert "good once, for 48 hours (until 2" in said
    return link.removeprefix(LINK)


async def owner(stage: Stage, login: int) -> int:
    """Whose account it is."""
    ((telegram_id,),) = await stage.rows(
        "SELECT u.telegram_id FROM users u JOIN accounts a ON a.user_id = u.id WHERE a.login = ?",
        login,
    )
    return int(telegram_id)


async def test_a_link_makes_a_stranger_the_accounts_owner_once(stage: Stage) -> None:
    code = await invite(stage, 50002)
    await stage.asks(SAM, f"/start {code}", "Welcome, Sam.")
    await stage.hears(SAM, "Account 50002 is yours here")
    await stage.hears(BEN, "Account 50002 is no longer yours here")
    await stage.hears(ADMIN_CHAT, "Sam owns account 50002")
    assert await owner(stage, 50002) == SAM
    await stage.asks(SAM, "/positions", "0 open positions")
    await stage.asks(MAX, f"/start {code}", "This code was used already, or is void.")
    assert await owner(stage, 50002) == SAM
    kept = (stage.data_dir / "reckoner.db").read_bytes()
    assert code.encode() not in kept


async def test_wrong_codes_get_one_clear_line_and_are_bounded(stage: Stage) -> None:
    for _ in range(5):
        await stage.asks(TOM, f"/start {'x' * 32}", "I do not know this code.")
    await stage.asks(TOM, f"/start {'y' * 32}", "I do not know you yet", "5003")
    await stage.says(TOM, f"/start {'z' * 32}")
    await stage.asks(ALICE, "/id", "Your Telegram number is 101.")
    said = [m["text"] for m in await stage.messages(TOM) if m["from"] != "Stranger 5003"]
    assert len(said) == 6


async def test_a_code_shown_to_a_group_is_void(stage: Stage) -> None:
    code = await invite(stage, 50003)
    await stage.asks(ADA, f"/start {code}", "it is void now", chat_id=ADMIN_CHAT)
    await stage.asks(UMA, f"/start {code}", "This code was used already, or is void.")
    assert await owner(stage, 50003) == CARLA


async def test_the_owner_by_a_link_stays_over_a_restart_that_reads_the_people_file(
    stage: Stage,
) -> None:
    code = await invite(stage, 50004)
    assert await owner(stage, 50004) == DAI
    await stage.asks(VIC, f"/start {code}", "Welcome, Stranger 5005.")
    await stage.stop(stage.app_pid)
    await stage.start_app()
    await stage.ready()
    assert await owner(stage, 50004) == VIC
    await stage.asks(VIC, "/status", "Guard watching")
