"""Words about a person's own settings: what they hear, when it is quiet, where they are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot import keyboards_settings as buttons
from bot.markup import esc
from bot.views.message import Message, Voice
from bot.views.numbers import local
from core.domain.hearing import LOCKED, Choices, Group, QuietHours

WHAT: Final[Mapping[Group, str]] = {
    Group.GUARD: "drawdown, locks, a blind guard",
    Group.CLOSES: "what Reckoner closes",
    Group.POSITIONS: "what else was closed",
    Group.DIFFERENCES: "not as the signals say",
    Group.SIGNALS: "offers, trades opened",
    Group.MARKET: "closes ahead after a gap",
    Group.MONEY: "deposits, charges, balance",
    Group.RULES: "warnings of your rules",
    Group.TERMINAL: "cannot be read or closed",
    Group.DIGESTS: "your day, once a day",
    Group.CARD: "pinned figures, never a sound",
}
MARKS: Final = {"on": "🔔", "silent": "🔕", "off": "✖️", "always on": "🔔"}
NOT_SOFTENED: Final = (
    "The drawdown guard, closes, stop-outs and a guard that cannot see come with a sound, "
    "day and night. Nobody can switch them off."
)
QUIETLY: Final = "What is not critical comes then too, without a sound."
OFFERS: Final = (
    "With signals off, an offer still comes, without a sound: only you can answer it. "
    "Unanswered, nothing is traded."
)
IN_WORDS: Final = (
    "In words: /settings market silent, /settings quiet 22:00-07:00, /settings quiet off, "
    "/settings zone Europe/London"
)


def board(choices: Choices, asker: int, voice: Voice, now: datetime) -> Message:
    """All of it, with its buttons."""
    hearing = choices.hearing
    spoken = voice.to(hearing.time_zone)
    lines = ["<b>Your settings</b>"]
    for group in Group:
        level = "always on" if group in LOCKED else hearing.level(group).value
        lines.append(f"{MARKS[level]} {group.value.capitalize()}: {level} ({WHAT[group]})")
    if hearing.quiet is None:
        lines += ["", "Quiet hours: none"]
    else:
        now_quiet = ", now" if hearing.quiet.cover(now, hearing.time_zone) else ""
        lines += ["", f"Quiet hours: {hours(hearing.quiet)}{now_quiet}. {QUIETLY}"]
    lines.append(f"Time zone: {esc(hearing.time_zone)}, where it is {local(now, spoken):%H:%M}")
    lines += ["", NOT_SOFTENED, OFFERS, IN_WORDS]
    return Message(html="\n".join(lines), keyboard=buttons.settings(choices, asker))


def zones(choices: Choices, asker: int) -> Message:
    """Where to choose a time zone from."""
    return Message(
        html=(
            "<b>Your time zone</b>\n"
            f"Now: {esc(choices.hearing.time_zone)}. Any other one in words: "
            "/settings zone Asia/Hong_Kong"
        ),
        keyboard=buttons.zones(choices, asker),
    )


def usage(said: str) -> Message:
    """What the command takes, where it was not understood."""
    groups = ", ".join(group.value for group in Group if group not in LOCKED)
    return Message(
        html=(
            f"I do not know '{esc(said, 60)}'. Nothing was changed.\n"
            f"Alerts: {groups}, each on, silent or off.\n{IN_WORDS}"
        )
    )


def hours(quiet: QuietHours) -> str:
    """`22:00 to 07:00`."""
    return f"{_clock(quiet.start_min)} to {_clock(quiet.end_min)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
