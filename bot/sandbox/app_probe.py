"""Whether the app is there: it leaves its address in the data dir, the world asks it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec

APP_FILE: Final = "app.json"
PROBE_TIMEOUT_S: Final = 1.0


class AppFile(msgspec.Struct, frozen=True):
    """What the app writes once it listens: its process, its address, a token per account."""

    pid: int
    base_url: str
    tokens: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class AppState:
    """The app as seen now; ``pid`` and ``metrics_url`` are None when it never came up."""

    ready: bool
    pid: int | None
    metrics_url: str | None

    def as_json(self) -> dict[str, Any]:
        """Render the three fields of `GET /sim/state` that speak of the app."""
        return {"ready": self.ready, "app_pid": self.pid, "metrics_url": self.metrics_url}


def read_app_file(data_dir: Path) -> AppFile | None:
    """Read the app's file; None while it is absent or half a file."""
    try:
        return msgspec.json.decode((data_dir / APP_FILE).read_bytes(), type=AppFile)
    except (OSError, msgspec.DecodeError):
        return None


def is_alive(pid: int) -> bool:
    """Whether a process of that id exists."""
    if pid <= 0:
        return False
    if os.name == "nt":  # there `kill` would end it; the HTTP answer alone decides
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class AppProbe:
    """Asks `/readyz` of the app named in the data dir; ready is 200 from a live process."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._session: aiohttp.ClientSession | None = None

    async def look(self) -> AppState:
        """Look once; at most `PROBE_TIMEOUT_S`."""
        app = read_app_file(self._data_dir)
        if app is None:
            return AppState(ready=False, pid=None, metrics_url=None)
        ready = is_alive(app.pid) and await self._answers_ready(app.base_url)
        return AppState(ready=ready, pid=app.pid, metrics_url=f"{app.base_url}/metrics")

    async def _answers_ready(self, base_url: str) -> bool:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=PROBE_TIMEOUT_S)
            self._session = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self._session.get(f"{base_url}/readyz") as answer:
                return answer.status == 200  # noqa: PLR2004 - HTTP's own word for yes
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return False

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
