"""Run the app until it is told to stop; what keeps it from starting is one line."""

import asyncio
import errno
import gc
import sys
from collections.abc import Coroutine
from typing import Any, Final, Protocol

from bot.cli.options import UsageError
from core.config import Settings
from core.people_file import PeopleFile
from core.ports import KeysUnusable, StoreLocked, StoreUnavailable

PORT_ERRORS: Final = frozenset({errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL})
"""What binding to a port fails with."""
FAILED: Final = 1


class Serve(Protocol):
    """`bot.app.serve`."""

    def __call__(
        self, settings: Settings, *, people: PeopleFile | None
    ) -> Coroutine[Any, Any, None]:
        """Run the app until SIGINT or SIGTERM."""
        ...


def load_app() -> Serve:
    """Load the app: seconds, nearly all of them aiogram's models; a second call costs nothing.

    What is loaded stays for good, so looking through it for garbage meanwhile is time for nothing
    (measured: a sixth of the start).
    """
    gc.disable()
    try:
        from bot.app import serve  # noqa: PLC0415 - mistakes are said before this is paid for
    finally:
        gc.enable()
    gc.freeze()
    return serve


def serve_app(settings: Settings, people: PeopleFile | None) -> int:
    """Serve, and answer the exit status.

    Raises UsageError where its port is taken or its directory cannot be made.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"DATA_DIR: expected a directory, or a name for one that can be made, "
            f"got '{settings.data_dir}': {error.strerror}"
        ) from None
    serve = load_app()
    try:
        asyncio.run(serve(settings, people=people))
    except StoreLocked as error:
        print(  # noqa: T201 - as below
            f"Reckoner already runs here (process {error.pid or 'unknown'}), or a check has not "
            "ended; nothing was started",
            file=sys.stderr,
        )
        return FAILED
    except StoreUnavailable as error:
        # The command line's own voice: the log may be for machines.
        print(f"the database cannot be used: {error}", file=sys.stderr)  # noqa: T201
        return FAILED
    except KeysUnusable as error:
        print(f"nothing was started: {error}", file=sys.stderr)  # noqa: T201 - as above
        return FAILED
    except OSError as error:
        if error.errno not in PORT_ERRORS:
            raise
        raise UsageError(_taken(settings, error)) from None
    return 0


def _taken(settings: Settings, error: OSError) -> str:
    """Which of the ports cannot be used, as far as the system says it."""
    own = f"HTTP_PORT: expected a free port on {settings.http_host}, {settings.http_port}"
    if settings.api_port is None:
        return f"{own} cannot be used: {error.strerror}"
    api = f"API_PORT: on {settings.api_host}, {settings.api_port}"
    return f"{own}, and {api}: one of them cannot be used: {error.strerror}"
