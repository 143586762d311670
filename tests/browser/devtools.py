"""Headless Chromium over its DevTools protocol, with nothing but aiohttp."""

import asyncio
import base64
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
START_TIMEOUT_S: Final = 15.0
WAIT_TIMEOUT_S: Final = 8.0
WAIT_STEP_S: Final = 0.05
STOP_TIMEOUT_S: Final = 5.0


def chromium_path() -> str | None:
    """Find Chromium, None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class BrowserError(Exception):
    """The browser did not do what was asked."""


class Page:
    """One tab: a size, an address, expressions, presses and pictures."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._last_id = 0
        self.errors: list[str] = []

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """Call a DevTools method; exceptions of the page met meanwhile are kept in `errors`."""
        self._last_id += 1
        await self._socket.send_json({"id": self._last_id, "method": method, "params": params})
        while True:
            message: dict[str, Any] = await self._socket.receive_json(timeout=WAIT_TIMEOUT_S)
            if message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(str(message["params"]["exceptionDetails"])[:500])
            if message.get("id") != self._last_id:
                continue
            if "error" in message:
                raise BrowserError(f"{method}: {message['error']}")
            result: dict[str, Any] = message["result"]
            return result

    async def open(self, url: str, width: int, height: int, *, dark: bool = False) -> None:
        """Show an address at a size, in CSS pixels."""
        await self.call("Runtime.enable")
        await self.call("Page.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        await self.call("Page.navigate", url=url)

    async def run(self, expression: str) -> Any:  # noqa: ANN401 - any JSON value of the page
        """Evaluate JavaScript and answer its value."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(str(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    async def until(self, expression: str) -> Any:  # noqa: ANN401 - any JSON value of the page
        """Wait until an expression is true and answer its value (true for an element).

        Raises BrowserError past `WAIT_TIMEOUT_S`.
        """
        wanted = (
            f"(() => {{ try {{ const v = ({expression}); return v instanceof Node ? true : v; }}"
            "catch (e) { if (e instanceof TypeError) return null; throw e; } })()"
        )  # what is not there yet is a TypeError
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + WAIT_TIMEOUT_S
        while loop.time() < deadline_s:
            value = await self.run(wanted)
            if value:
                return value
            await asyncio.sleep(WAIT_STEP_S)
        raise BrowserError(f"never true: {expression}; page errors: {self.errors}")

    async def press(self, selector: str) -> None:
        """Press an element where it is, with a real mouse: what covers it would be hit instead."""
        point = await self.until(
            f"(() => {{ const n = document.querySelector({selector!r}); if (!n) return null;"
            "n.scrollIntoView({block: 'nearest'}); const b = n.getBoundingClientRect();"
            "return b.width ? [b.x + b.width / 2, b.y + b.height / 2] : null; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=point[0],
                y=point[1],
                button="left",
                clickCount=1,
            )

    async def write(self, text: str) -> None:
        """Type text into what has the focus."""
        await self.call("Input.insertText", text=text)

    async def enter(self) -> None:
        """Press the Enter key."""
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key="Enter",
                code="Enter",
                windowsVirtualKeyCode=13,
                text="\r" if kind == "keyDown" else "",
            )

    async def picture(self, path: Path) -> None:
        """Take a screenshot."""
        answer = await self.call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))


class Browser:
    """A fresh Chromium with an empty profile."""

    def __init__(self, profile_dir: Path) -> None:
        self._profile_dir = profile_dir
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._origin = ""

    async def __aenter__(self) -> Self:
        program = chromium_path()
        if program is None:
            raise BrowserError("no Chromium on this machine")
        self._process = await asyncio.create_subprocess_exec(
            program,
            *FLAGS,
            f"--user-data-dir={self._profile_dir}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self._session = aiohttp.ClientSession()
        port_file = self._profile_dir / "DevToolsActivePort"
        async with asyncio.timeout(START_TIMEOUT_S):
            while not (lines := _lines(port_file)):
                await asyncio.sleep(WAIT_STEP_S)
        self._origin = f"127.0.0.1:{lines[0]}"
        return self

    async def page(self) -> Page:
        """Open a tab."""
        if self._session is None:
            raise BrowserError("the browser is not running")
        async with self._session.put(f"http://{self._origin}/json/new?about:blank") as answer:
            target = await answer.json()
        url = str(target["webSocketDebuggerUrl"])
        return Page(await self._session.ws_connect(url, max_msg_size=0))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except OSError:
        return []
