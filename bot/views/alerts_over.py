"""The silent line that says that something told aloud is over, and how long it lasted."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

from bot.i18n import later, t, tn
from bot.markup import esc
from bot.views.alarms import KINDS as ALARMS
from bot.views.alert_lines import headline
from bot.views.message import Message, Voice
from bot.views.numbers import moment, span
from bot.views.rule_titles import TITLES
from bot.views.words import FINDINGS, word
from core.domain.alerts_over import AlertsOver, Ending
from core.domain.endings import What

NAME_CHARS_MAX = 20
"""Of a person's name or a rule's title: the line is read in a push preview."""
NAMED_MAX = 12
"""Endings that a line about many names, each with its time."""
MARKET = {
    "gap": later("price gap"),
    "spread": later("wide spread"),
    "still": later("still price"),
}


def line(alert: AlertsOver, voice: Voice) -> Message:
    """About one thing, which and how long; about many, how many of what, when, and whose."""
    endings = alert.endings
    title, *facts = _one(endings[0]) if len(endings) == 1 else _many(endings, voice)
    return Message(html="\n".join([headline(voice, title), *facts]), silent=True)


def _one(ending: Ending) -> list[str]:  # noqa: PLR0911 - one arm per kind
    facts = {
        "login": ending.login,
        "symbol": esc(ending.symbol),
        "about": esc(ending.about, NAME_CHARS_MAX),
    }
    after = t("After {span}.", span=span(_length(ending)))
    match ending.kind:
        case What.CLOSE_AHEAD:
            return [t("✅ {symbol} on {login} is not going to be closed", **facts)]
        case What.DRAWDOWN:
            return [t("✅ Over: drawdown warning on {login}", **facts), after]
        case What.PRICES:
            return [t("✅ Prices move again on {login}", **facts), after]
        case What.UNREAD:
            return [t("✅ {login} can be read again", **facts), after]
        case What.CHAT:
            return [t("✅ Messages reach {about} again", **facts), after]
        case What.DIFFERENCE:
            return [_difference(ending, facts), after]
        case What.MARKET:
            what = word(MARKET, ending.about)
            return [t("✅ Over: {what}, {symbol}", **(facts | {"what": what})), after]
        case What.ALARM:
            facts["what"] = word(ALARMS, ending.about)
            text = t("✅ Over: {what}, {login}", **facts)
            return [text if ending.login else t("✅ Over: {what}", **facts), after]
        case _:
            rule = t(ending.about) if ending.about in TITLES else ending.about
            name = esc(rule, NAME_CHARS_MAX)
            return [t("✅ Over: {rule} on {login}", rule=name, login=ending.login), after]


def _difference(ending: Ending, facts: dict[str, object]) -> str:
    facts["what"] = word(FINDINGS, ending.about)
    if not ending.symbol:
        return t("✅ Over: {what}, account {login}", **facts)
    return t("✅ Over: {what}, {symbol} on {login}", **facts)


def _many(endings: Sequence[Ending], voice: Voice) -> list[str]:
    shortest, longest = (span(f(map(_length, endings))) for f in (min, max))
    after = longest if shortest == longest else t("{a} to {b}", a=shortest, b=longest)
    title = t("✅ {n} alerts are over, after {after}", n=len(endings), after=after)
    counts = Counter(each.kind for each in endings)
    lines = [_count(kind, n) for kind, n in counts.most_common()]
    return [title, *lines, *_named(endings, voice)]


def _length(ending: Ending) -> timedelta:
    return ending.until - (ending.since or ending.until)


def _count(kind: str, n: int) -> str:  # noqa: PLR0911 - one arm per kind
    match kind:
        case What.DRAWDOWN:
            return tn("{n} drawdown warning", "{n} drawdown warnings", n)
        case What.DIFFERENCE:
            return tn("{n} difference", "{n} differences", n)
        case What.RULE:
            return tn("{n} broken rule", "{n} broken rules", n)
        case What.PRICES:
            return tn("{n} account with still prices", "{n} accounts with still prices", n)
        case What.UNREAD:
            return tn(
                "{n} account that could not be read", "{n} accounts that could not be read", n
            )
        case What.MARKET:
            return tn("{n} market warning", "{n} market warnings", n)
        case What.CLOSE_AHEAD:
            return tn("{n} close that was announced", "{n} closes that were announced", n)
        case What.CHAT:
            return tn("{n} chat out of reach", "{n} chats out of reach", n)
        case _:
            return tn("{n} alarm", "{n} alarms", n)


def _named(endings: Sequence[Ending], voice: Voice) -> list[str]:
    """When each was over, and whose it is: the first of them one by one, then the last's time."""
    told = sorted({(each.until.replace(microsecond=0), _name(each)) for each in endings})
    lines = [
        t("{at}: {names}", at=moment(at, voice), names=", ".join(name for _, name in some))
        for at, some in groupby(told[:NAMED_MAX], key=itemgetter(0))
    ]
    left = len(told) - NAMED_MAX
    if left > 0:
        lines.append(t("and {n} more, the last at {at}", n=left, at=moment(told[-1][0], voice)))
    return lines


def _name(ending: Ending) -> str:
    """Its account, else its symbol, else who or what it is about."""
    if ending.login or ending.symbol:
        return str(ending.login or esc(ending.symbol))
    if ending.kind == What.ALARM:
        return word(ALARMS, ending.about)
    return esc(ending.about, NAME_CHARS_MAX)
