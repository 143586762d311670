"""A stand-in for the world or the app: writes what happens to it into `events` in its directory.

`stub_part.py NAME DATA_DIR [WORD...]`, words: `deaf` ignores a request to stop, `dies` ends with
status 3 after saying why, `refuses` ends with status 2, `chatty` says more than a pipe holds. The
world's answers `ready` at once.
"""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import FrameType

name, data_dir, words = sys.argv[1], Path(sys.argv[2]), set(sys.argv[3:])


def note(event: str) -> None:
    """Leave a trace."""
    with (data_dir / "events").open("a") as events:
        events.write(f"{name} {event} {os.getpid()}\n")


def stop(_number: int, _frame: FrameType | None) -> None:
    """End as asked, or not."""
    note("asked to stop")
    if "deaf" not in words:
        note("stopped")
        os._exit(0)


class State(BaseHTTPRequestHandler):
    """The world's `/sim/state`."""

    def do_GET(self) -> None:
        """Answer ready."""
        body = json.dumps({"ready": True, "world_pid": os.getpid()}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Stay quiet."""


signal.signal(signal.SIGTERM, stop)
note("started")
print(f"{name} speaks", flush=True)
if "refuses" in words:
    print("--port 1: Permission denied", flush=True)
    sys.exit(2)
if "dies" in words:
    print("something broke", flush=True)
    sys.exit(3)
if "chatty" in words:
    for _ in range(4_000):
        print("x" * 99, flush=True)
    note("said it all")
if name == "world":
    server = HTTPServer(("127.0.0.1", 0), State)
    base_url = f"http://127.0.0.1:{server.server_port}"
    world = {
        "pid": os.getpid(),
        "base_url": base_url,
        "bot_token": "1:a",
        "admin_chat_id": -1,
        "terminal_base_url": base_url,
        "clock_url": None,
        "people": {},
    }
    (data_dir / "world.json").write_text(json.dumps(world))
    server.serve_forever()
while True:
    signal.pause()
