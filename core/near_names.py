"""Names that are no setting's but were probably meant to be one's."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import Final

NEARNESS_MIN: Final = 0.9
"""From which likeness (difflib's ratio) on a variable's name is taken for a mistyped setting ..."""
NEAR_LENGTHS: Final = 2
"""... if it is at most so much longer or shorter."""
_ABBREVIATIONS: Final = {
    "pct": "percent",
    "perc": "percent",
    "sec": "s",
    "secs": "s",
    "seconds": "s",
}
"""What people write instead of the units that settings' names end with."""
_UNITS: Final = ("percent", "s", "pips", "points", "gbp")
_NAMES_OF_OTHERS: Final = frozenset(
    {
        "database_uri",
        "database_urls",
        "datadir",
        "http_hosts",
        "http_ports",
        "https_host",
        "https_port",
    }
)
"""Usual variables of other programs that are near to a setting's name."""


def nearest(name: str, known: Collection[str]) -> str | None:
    """Answer which known name this one, all in small letters, was probably meant to be.

    None for a known one, and for one that is like none.
    """
    if name in known or name in _NAMES_OF_OTHERS:
        return None
    *first, last = name.split("_")  # units stand last
    whole = "_".join([*first, _ABBREVIATIONS.get(last, last)])
    near = [one for one in known if abs(len(one) - len(whole)) <= NEAR_LENGTHS]
    meant = get_close_matches(whole, near, n=1, cutoff=NEARNESS_MIN)
    if not meant:  # without its unit, perhaps
        meant = [one for unit in _UNITS if (one := f"{whole}_{unit}") in known]
    return meant[0].upper() if meant else None
