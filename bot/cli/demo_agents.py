"""`demo --agents`: reach the simulated accounts as real ones are, through one agent each.

The simulated world is the terminals' program then: `core.sim.metatrader5` stands in for
MetaTrader's own module, in a process of its own beside each account.
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

from bot.cli.composition import links_over, opened_store
from bot.cli.options import UsageError
from bot.cli.world_file import WorldFile
from bot.keys import Keys
from core.agent_command import AGENT_FILE, AGENTS_DIR
from core.config import Settings
from core.people_file import PeopleFile
from core.ports import KeysUnusable, Secret, StoreUnavailable
from core.services.links import NewLink

MODULE: Final = "core.sim.metatrader5"
DEMO_PASSWORD: Final = "master"  # noqa: S105 - every simulated account's


def overrides(data_dir: Path, world: WorldFile) -> dict[str, str]:
    """Answer the settings that lead the app to the world's accounts through agents."""
    words = [sys.executable, str(AGENT_FILE), "--module", MODULE]
    words += ["--state-dir", str(data_dir.resolve() / AGENTS_DIR)]
    spare = [_place(world, login) for login in world.spare_logins]
    return {
        "TERMINAL_BASE_URL": "",
        "GUIDED_TERMINALS": ",".join(spare),
        "MT5_AGENT_COMMAND": " ".join(f'"{word}"' for word in words),
    }


def link(settings: Settings, people: PeopleFile, world: WorldFile) -> None:
    """Link every account to its terminal in the world. Raises UsageError."""
    try:
        asyncio.run(_link(settings, people, world))
    except (KeysUnusable, StoreUnavailable) as error:
        raise UsageError(f"--agents: {error}") from None


def _place(world: WorldFile, login: int) -> str:
    return f"{world.terminal_base_url}/terminal/{login}"


async def _link(settings: Settings, people: PeopleFile, world: WorldFile) -> None:
    keys = Keys(settings)
    async with opened_store(settings) as store:
        with keys.held():
            keys.prepare()
            links = links_over(store, keys.vault)
            for account in people.accounts:
                await links.link(
                    NewLink(
                        login=account.login,
                        server=account.server,
                        path=_place(world, account.login),
                        portable=False,
                        host="",
                        password=Secret(DEMO_PASSWORD),
                    )
                )
