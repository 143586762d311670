"""The summary of a burst: what came too fast to be sent one by one.

It belongs to the union in `core.domain.alerts`.
"""

from datetime import datetime

from core.domain.alert_parts import AlertBase


class AlertsFolded(AlertBase, frozen=True, kw_only=True):
    """Messages to one chat that were folded into this one, from `since` to `at`.

    `messages` is how many; `counts` says of what, by the words of `core.domain.bursts`, where one
    message about many counts as many. `logins` are the first accounts they are about. `urgent`
    where any of them was a warning.
    """

    messages: int
    counts: dict[str, int]
    logins: tuple[int, ...]
    urgent: bool
    since: datetime
    at: datetime
