"""One installation beside a simulated world, for `check`: its settings, its people, its links."""

import shlex
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.cli.check import look
from bot.cli.composition import links_over, opened_store
from bot.keys import Keys
from core.adapters.sql.terminals import SqlTerminals
from core.config import Settings, load
from core.people_file import PeopleFile, people_from
from core.ports import Secret
from core.services.links import NewLink
from tests.wire.stage import Stage, Zygote

ROOT = Path(__file__).parents[2]
ALICE, BEN = 50001, 50002
SERVER = "Reckoner-Demo"
AHEAD_S = 3 * 3600
"""Of the simulated server."""
BOT = "42:SANDBOX"
ADMIN_CHAT = "-1001000000001"
READY = "Reckoner can guard and close every account."


async def running_world(zygote: Zygote, directory: Path, market: str) -> AsyncIterator[Stage]:
    """Give a world whose market goes as told."""
    words = ("--market", market, "--headless")
    async with Stage(zygote, directory, words=words, free_sending=True) as made:
        await made.start_world()
        yield made


class Office:
    """One installation beside a world: its settings, its people, its links."""

    def __init__(self, world: Stage, directory: Path, *logins: int, **env: str) -> None:
        self.world = world
        agent = ROOT / "core" / "adapters" / "mt5" / "agent.py"
        words = [sys.executable, str(agent), "--module", "core.sim.metatrader5"]
        self.env = {
            "DATA_DIR": str(directory / "data"),
            "TELEGRAM_TOKEN": BOT,
            "TELEGRAM_API_BASE": world.base_url,
            "ADMIN_CHAT_ID": ADMIN_CHAT,
            "MT5_AGENT_COMMAND": shlex.join([*words, "--state-dir", str(directory / "agents")]),
        } | env
        self.people = _people(*(logins or (ALICE,)))

    @property
    def settings(self) -> Settings:
        return load({name: value for name, value in self.env.items() if value}, dotenv=None)

    async def link(self, login: int = ALICE, **more: Any) -> None:
        """Link an account to its simulated terminal, whose clock is known."""
        settings = self.settings
        keys = Keys(settings)
        link: dict[str, Any] = {
            "login": login,
            "server": SERVER,
            "path": f"{self.world.base_url}/terminal/{login}",
            "portable": False,
            "host": "",
            "password": Secret("master"),
        }
        known_s = more.pop("known_s", AHEAD_S)
        async with opened_store(settings) as store:
            with keys.held():
                keys.prepare()
            await links_over(store, keys.vault).link(NewLink(**(link | more)))
            if known_s is not None:
                terminals = SqlTerminals(store, keys.vault)
                await terminals.keep_offset(login, SERVER, known_s, datetime.now(UTC))

    async def check(self, capsys: pytest.CaptureFixture[str]) -> tuple[bool, str]:
        """Whether all is well, and what was said, in which no secret is."""
        capsys.readouterr()
        is_ready = await look(self.settings, self.people)
        said = capsys.readouterr()
        text = (said.out + said.err).replace("master password", "")  # the kind, not the word
        for secret in (BOT, BOT.partition(":")[2], "master", "wrong-password"):
            assert secret not in text
        return is_ready, said.out


def _people(*logins: int) -> PeopleFile:
    content = {
        "user": [{"telegram_id": 1, "name": "Ada", "role": "admin"}],
        "account": [
            {
                "login": login,
                "server": SERVER,
                "owner": 1,
                "currency": {ALICE: "GBP", BEN: "USD"}.get(login, "GBP"),
                "margin_mode": "hedging",
                "name": str(login),
            }
            for login in logins
        ],
    }
    return people_from(content, "people.toml")


def steps_of(said: str) -> dict[str, tuple[str, str]]:
    """By name: the state and what was said, the next step included."""
    steps: dict[str, tuple[str, str]] = {}
    name = ""
    for line in said.splitlines():
        words = line.split(maxsplit=1)
        if line.startswith("  ") and words[0] in {"ok", "missing", "cannot"}:
            name, _, text = words[1].partition(": ")
            steps[name] = (words[0], text)
        elif line.startswith("      "):
            state, text = steps[name]
            steps[name] = (state, f"{text} {line.strip()}")
    return steps
