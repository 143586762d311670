"""Which topic of the admin group an alert goes to, so that each admin follows what is theirs.

Topics are named by the groups of `core.domain.hearing`, and by `people` for who may do what. What
has none is about Reckoner itself, or sums up alerts of several groups: it stays in General, which
nobody leaves out.
"""

from collections.abc import Mapping
from typing import Final

from core.domain.hearing import GROUPS, Group

PEOPLE: Final = "people"
NOT_FOR_ADMINS: Final = frozenset({Group.CARD, Group.DIGESTS})
"""Groups of which nothing is sent to the admin chat."""
NAMES: Final = (*(group.value for group in Group if group not in NOT_FOR_ADMINS), PEOPLE)
"""What a topic may be for."""
GENERAL_ID: Final = 1
"""The topic that is always there. Telegram refuses its number: it is reached without one."""
OF_ADMINS: Final[Mapping[str, str]] = {
    "ReleaseAsked": Group.GUARD,
    "DrillBlocked": Group.CLOSES,
    "PositionQuestion": Group.DIFFERENCES,
    "SignalByProgram": Group.SIGNALS,
    "MarketWarning": Group.MARKET,
    "AccessAsked": PEOPLE,
    "AccessAnswered": PEOPLE,
    "AccountGiven": PEOPLE,
    "AccountTaken": PEOPLE,
    "StandingChanged": PEOPLE,
    "LinkAsked": PEOPLE,
    "LinkAnswered": PEOPLE,
    "LinkEnded": PEOPLE,
    "AccountLinked": PEOPLE,
    "PasswordRenewed": PEOPLE,
    "RequestDamaged": PEOPLE,
}
"""Kinds that admins read elsewhere than their group would say, or that no client is sent."""


def topic_of(kind: str, topics: Mapping[str, int]) -> int | None:
    """The topic that a kind of alert goes to; None for General."""
    name = OF_ADMINS.get(kind) or GROUPS.get(kind)
    return None if name is None else topics.get(name)
