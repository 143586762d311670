"""Who may ask: this machine, by a loopback name; no web page reaches us through a name of its own.

Pure. A browser sends the name it was led to (`Host`) and the page that asks (`Origin`); both must
name the loopback exactly, since a name that resolves to it (DNS rebinding) is anybody's.
"""

import re
from typing import Final

_BYTE: Final = r"(?:0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
_AUTHORITY: Final = re.compile(
    rf"(?:localhost|\[::1\]|127(?:\.{_BYTE}){{3}})(?::[0-9]{{1,5}})?", re.IGNORECASE
)
_SCHEMES: Final = frozenset({"http", "https"})


def is_loopback(authority: str) -> bool:
    """Whether `host` or `host:port` is this machine's loopback, with nothing before or after."""
    return _AUTHORITY.fullmatch(authority) is not None


def is_loopback_origin(origin: str) -> bool:
    """Whether `scheme://host:port` is a page that this machine serves."""
    scheme, _, authority = origin.partition("://")
    return scheme in _SCHEMES and is_loopback(authority)
