"""`world.json`: where a demo world answers, left in the data dir while it runs."""

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from msgspec import DecodeError, Struct, ValidationError
from msgspec.json import decode

WORLD_FILE: Final = "world.json"
ASK_TIMEOUT_S: Final = 2.0
LOOK_INTERVAL_S: Final = 0.1

# A proxy of the environment must not be asked for this machine's own loopback.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class WorldFile(Struct, frozen=True, kw_only=True):
    """What the world says of itself. `people` has the people file's form.

    `spare_logins` are accounts that Reckoner does not know yet.
    """

    pid: int
    base_url: str
    bot_token: str
    admin_chat_id: int
    terminal_base_url: str
    clock_url: str | None
    people: dict[str, Any]
    spare_logins: list[int] = []

    @property
    def servers(self) -> str:
        """The broker's servers, separated by commas."""
        accounts = self.people.get("account", [])
        return ",".join(dict.fromkeys(str(account["server"]) for account in accounts))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.base_url.rpartition(":")[2])


def read_world(data_dir: Path) -> WorldFile | None:
    """Read the file; None while it is absent."""
    try:
        return decode((data_dir / WORLD_FILE).read_bytes(), type=WorldFile)
    except (OSError, DecodeError, ValidationError):
        return None


def world_state(world: WorldFile) -> dict[str, Any] | None:
    """Ask `GET /sim/state`; None where nobody, or another world than the file's, answers."""
    try:
        with _direct.open(f"{world.base_url}/sim/state", timeout=ASK_TIMEOUT_S) as answer:
            state: dict[str, Any] = json.load(answer)
    except (OSError, ValueError):  # refused, timed out, not HTTP, not JSON
        return None
    return state if state.get("world_pid") == world.pid else None


def find_world(data_dir: Path) -> WorldFile | None:
    """Answer the world that runs on this data dir; a file left by a dead one is none."""
    world = read_world(data_dir)
    return world if world is not None and world_state(world) is not None else None


def wait_for_world(data_dir: Path, timeout_s: float) -> WorldFile | None:
    """Look for the world until it answers or the time is up (monotonic seconds)."""
    end = time.monotonic() + timeout_s
    while True:
        world = find_world(data_dir)
        if world is not None or time.monotonic() >= end:
            return world
        time.sleep(LOOK_INTERVAL_S)
