"""The silent line that says that something told aloud is over, and how long it lasted."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from bot.markup import esc
from bot.views.alarms import KINDS as ALARMS
from bot.views.alert_lines import headline
from bot.views.message import Message, Voice
from bot.views.numbers import span
from bot.views.words import FINDINGS, plural, word
from core.domain.alerts_over import AlertsOver, Ending
from core.domain.endings import What

NAME_CHARS_MAX = 20
"""Of a person's name or a rule's title: the line is read in a push preview."""
NAMED_MAX = 12
"""Accounts and symbols that a line about many names."""
MARKET = {"gap": "price gap", "spread": "wide spread", "still": "still price"}
COUNTED = {
    What.DRAWDOWN: ("drawdown warning", None),
    What.DIFFERENCE: ("difference", None),
    What.RULE: ("broken rule", None),
    What.PRICES: ("account with still prices", "accounts with still prices"),
    What.UNREAD: ("account that could not be read", "accounts that could not be read"),
    What.MARKET: ("market warning", None),
    What.CLOSE_AHEAD: ("close that was announced", "closes that were announced"),
    What.CHAT: ("chat out of reach", "chats out of reach"),
    What.ALARM: ("alarm", None),
}


def line(alert: AlertsOver, voice: Voice) -> Message:
    """About one thing, which and how long; about many, how many of what, and whose."""
    endings = alert.endings
    title, *facts = _one(endings[0]) if len(endings) == 1 else _many(endings)
    return Message(html="\n".join([headline(voice, f"✅ {title}"), *facts]), silent=True)


def _one(ending: Ending) -> list[str]:
    after, on = f"After {span(_length(ending))}.", ending.login
    symbol, about = esc(ending.symbol), esc(ending.about, NAME_CHARS_MAX)
    match ending.kind:
        case What.CLOSE_AHEAD:
            return [f"{symbol} on {on} is not going to be closed"]
        case What.DRAWDOWN:
            title = f"Over: drawdown warning on {on}"
        case What.PRICES:
            title = f"Prices move again on {on}"
        case What.UNREAD:
            title = f"{on} can be read again"
        case What.CHAT:
            title = f"Messages reach {about or 'the chat'} again"
        case What.DIFFERENCE:
            where = f"{symbol} on {on}" if symbol else f"account {on}"
            title = f"Over: {word(FINDINGS, ending.about).lower()}, {where}"
        case What.MARKET:
            title = f"Over: {word(MARKET, ending.about)}, {symbol}"
        case What.ALARM:
            title = f"Over: {word(ALARMS, ending.about)}{f', {on}' if on else ''}"
        case _:
            title = f"Over: {about} on {on}"
    return [title, after]


def _many(endings: Sequence[Ending]) -> list[str]:
    title = f"{len(endings)} alerts are over, after {_lengths(endings)}"
    return [title, *_counts(endings), *_named(endings)]


def _length(ending: Ending) -> timedelta:
    return ending.until - (ending.since or ending.until)


def _lengths(endings: Sequence[Ending]) -> str:
    shortest, longest = (span(f(map(_length, endings))) for f in (min, max))
    return longest if shortest == longest else f"{shortest} to {longest}"


def _counts(endings: Sequence[Ending]) -> list[str]:
    """`38 accounts that could not be read` and so on, a line each, the most first."""
    counts = Counter(each.kind for each in endings)
    known = {what.value: forms for what, forms in COUNTED.items()}
    return [plural(n, *known.get(kind, (esc(kind), None))) for kind, n in counts.most_common()]


def _named(endings: Sequence[Ending]) -> list[str]:
    names = list(dict.fromkeys(str(e.login) if e.login else esc(e.symbol) for e in endings))
    names = [name for name in names if name]
    left = len(names) - NAMED_MAX
    shown = ", ".join(names[:NAMED_MAX])
    return [f"{shown}{f' and {left} more' if left > 0 else ''}"] if shown else []
