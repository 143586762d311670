"""Who this process is, to whoever meets its epoch: in the database, at a terminal."""

import os
import socket


def this_process() -> str:
    """Its host and its number there."""
    return f"{socket.gethostname()}:{os.getpid()}"
