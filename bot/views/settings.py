"""Words about a person's own settings: what they hear, when it is quiet, where they are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot import keyboards_settings as buttons
from bot.i18n import language_name, later, spoken, t
from bot.markup import esc
from bot.views.message import Message, Voice
from bot.views.numbers import local
from core.domain.hearing import LOCKED, Choices, Group, Level, QuietHours

WHAT: Final[Mapping[Group, str]] = {
    Group.GUARD: later("drawdown, locks, a blind guard"),
    Group.CLOSES: later("what Reckoner closes"),
    Group.POSITIONS: later("what else was closed"),
    Group.DIFFERENCES: later("not as the signals say"),
    Group.SIGNALS: later("offers, trades opened"),
    Group.MARKET: later("closes ahead after a gap"),
    Group.MONEY: later("deposits, charges, balance"),
    Group.RULES: later("warnings of your rules"),
    Group.TERMINAL: later("cannot be read or closed"),
    Group.DIGESTS: later("your day, once a day"),
    Group.CARD: later("pinned figures, never a sound"),
}
MARKS: Final[Mapping[Level, str]] = {Level.ON: "🔔", Level.SILENT: "🔕", Level.OFF: "✖️"}
NOT_SOFTENED: Final = later(
    "The drawdown guard, closes, stop-outs and a guard that cannot see "
    "come with a sound, day and night. Nobody can switch them off."
)
QUIETLY: Final = later("What is not critical comes then too, without a sound.")
OFFERS: Final = later(
    "With signals off, an offer still comes, without a sound: only you can "
    "answer it. Unanswered, nothing is traded."
)
IN_WORDS: Final = later(
    "In words: /settings market silent, /settings quiet 22:00-07:00, "
    "/settings quiet off, /settings zone Europe/London, /settings language es"
)


def board(choices: Choices, asker: int, voice: Voice, now: datetime) -> Message:
    """All of it, with its buttons."""
    hearing = choices.hearing
    here = voice.to(hearing.time_zone)
    lines = [t("<b>Your settings</b>")]
    for group in Group:
        level = hearing.level(group)
        how = t("always on") if group in LOCKED else t(buttons.LEVELS[level])
        lines.append(f"{MARKS[level]} {t(buttons.GROUPS[group])}: {how} ({t(WHAT[group])})")
    if hearing.quiet is None:
        lines += ["", t("Quiet hours: none")]
    else:
        is_now = hearing.quiet.cover(now, hearing.time_zone)
        text = later("Quiet hours: {hours}, now.") if is_now else later("Quiet hours: {hours}.")
        lines += ["", f"{t(text, hours=hours(hearing.quiet))} {t(QUIETLY)}"]
    lines.append(
        t(
            "Time zone: {time_zone}, where it is {now}",
            time_zone=esc(hearing.time_zone),
            now=f"{local(now, here):%H:%M}",
        )
    )
    lines += ["", t(NOT_SOFTENED), t(OFFERS), t(IN_WORDS)]
    return Message(html="\n".join(lines), keyboard=buttons.settings(choices, asker))


def zones(choices: Choices, asker: int) -> Message:
    """Where to choose a time zone from."""
    return Message(
        html=(
            t(
                "<b>Your time zone</b>\nNow: {time_zone}. Any other one in words: "
                "/settings zone Asia/Hong_Kong",
                time_zone=esc(choices.hearing.time_zone),
            )
        ),
        keyboard=buttons.zones(choices, asker),
    )


def languages(choices: Choices, asker: int) -> Message:
    """Where to choose a language from."""
    return Message(
        html=t(
            "<b>Your language</b>\nNow: {language}. In words: <code>/settings language en</code>. "
            "Figures and commands are the same in each.",
            language=language_name(spoken()),
        ),
        keyboard=buttons.languages_offered(choices, asker),
    )


def usage(said: str) -> Message:
    """What the command takes, where it was not understood."""
    groups = ", ".join(_word_of(group) for group in Group if group not in LOCKED)
    return Message(
        html=(
            t(
                "I do not know '{said}'. Nothing was changed.\nAlerts: {groups}, each "
                "on, silent or off.\n{in_words}",
                said=esc(said, 60),
                groups=groups,
                in_words=t(IN_WORDS),
            )
        )
    )


def hours(quiet: QuietHours) -> str:
    """`22:00 to 07:00`."""
    return t("{start} to {end}", start=_clock(quiet.start_min), end=_clock(quiet.end_min))


def _word_of(group: Group) -> str:
    """The word that the command takes, with the group's name where that is another one."""
    name = t(buttons.GROUPS[group])
    return group.value if name.lower() == group.value else f"{group.value} ({name})"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
