"""The real launcher over stand-ins: `stub_launcher.py DATA_DIR PORT [headless] [PART:WORD...]`."""

import sys
from pathlib import Path
from typing import Any

from bot import launcher
from bot.cli.options import DemoOptions, UsageError

data_dir, port, words = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
launcher.STOP_BOUND_S.update(app=1.0, world=1.0)


class Options(DemoOptions):
    """Starts stand-ins."""

    def command(self, part: str, port: int) -> list[str]:
        """Say how."""
        del port
        stub = str(Path(__file__).with_name("stub_part.py"))
        own = [word.partition(":")[2] for word in words if word.startswith(f"{part}:")]
        return [sys.executable, stub, part, str(data_dir), *own]


given: dict[str, Any] = {"port": port, "data_dir": data_dir, "headless": "headless" in words}
try:
    sys.exit(launcher.Launcher(Options(**given)).run())
except UsageError as error:
    print(error, file=sys.stderr)
    sys.exit(2)
