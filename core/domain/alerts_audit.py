"""The head of the audit, told once a day to be kept elsewhere.

It belongs to the union in `core.domain.alerts`.
"""

from datetime import date, datetime

from core.domain.alert_parts import AlertBase


class HeadsRecorded(AlertBase, frozen=True, kw_only=True):
    """The system's chain keeps the heads of `accounts` chains; this is its own head after that.

    `hash` is the beginning of the link's hash.
    """

    day: date
    sequence: int
    hash: str
    accounts: int
    at: datetime
