"""Buttons under a person's own settings."""

from collections.abc import Mapping
from typing import Final

from bot.callbacks import SettingsPress, SettingsVerb
from bot.i18n import language_name, languages, later, t
from bot.keyboards import in_rows
from bot.views.message import Button, Keyboard
from core.domain.hearing import LOCKED, Choices, Group, Level

GROUPS: Final[Mapping[Group, str]] = {
    Group.GUARD: later("Guard"),
    Group.CLOSES: later("Closes"),
    Group.POSITIONS: later("Positions"),
    Group.DIFFERENCES: later("Differences"),
    Group.SIGNALS: later("Signals"),
    Group.MARKET: later("Market"),
    Group.MONEY: later("Money"),
    Group.RULES: later("Rules"),
    Group.TERMINAL: later("Terminal"),
    Group.DIGESTS: later("Digests"),
    Group.CARD: later("Card"),
}
LEVELS: Final[Mapping[Level, str]] = {
    Level.ON: later("on"),
    Level.SILENT: later("silent"),
    Level.OFF: later("off"),
}
NEXT: Final = {Level.ON: Level.SILENT, Level.SILENT: Level.OFF, Level.OFF: Level.ON}
QUIET_OFFERED: Final = ("22:00-07:00", "23:00-08:00")
QUIET_OFF: Final = "off"
ZONES_OFFERED: Final = (
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "America/New_York",
    "America/Chicago",
    "America/Sao_Paulo",
)
LANGUAGE: Final = "🌐 Language"
"""The same in every language: whoever reads the wrong one must find it."""
AS_APP: Final = "app"
PER_ROW: Final = 2


def settings(choices: Choices, asker: int) -> Keyboard:
    """One button per group, going on to its next level; quiet hours; the time zone."""

    def button(label: str, verb: SettingsVerb, value: str = "") -> Button:
        press = SettingsPress(asker=asker, version=choices.version, verb=verb, value=value)
        return Button(label, press.pack())

    groups = []
    for group in Group:
        if group not in LOCKED:
            level = choices.hearing.level(group)
            label = f"{t(GROUPS[group])}: {t(LEVELS[level])}"
            groups.append(button(label, SettingsVerb.LEVEL, f"{group.value} {NEXT[level].value}"))
    quiet = [
        button(t("Quiet {hours}", hours=hours), SettingsVerb.QUIET, hours)
        for hours in QUIET_OFFERED
    ]
    if choices.hearing.quiet is not None:
        quiet.append(button(t("No quiet hours"), SettingsVerb.QUIET, QUIET_OFF))
    others = [button(t("Time zone"), SettingsVerb.ZONES)]
    if len(languages()) > 1:
        others.append(button(LANGUAGE, SettingsVerb.LANGUAGES))
    return (*in_rows(groups, PER_ROW), *in_rows([*quiet, *others], PER_ROW))


def zones(choices: Choices, asker: int) -> Keyboard:
    """Some time zones, and the way back."""
    version = choices.version
    buttons = [
        Button(
            zone.rpartition("/")[2].replace("_", " "),
            SettingsPress(asker=asker, version=version, verb=SettingsVerb.ZONE, value=zone).pack(),
        )
        for zone in ZONES_OFFERED
    ]
    back = SettingsPress(asker=asker, version=version, verb=SettingsVerb.SHOW)
    return (*in_rows(buttons, 3), (Button(t("Back"), back.pack()),))


def languages_offered(choices: Choices, asker: int) -> Keyboard:
    """Every language by its own name, what the app speaks, and the way back."""

    def button(label: str, verb: SettingsVerb, value: str = "") -> Button:
        press = SettingsPress(asker=asker, version=choices.version, verb=verb, value=value)
        return Button(label, press.pack())

    names = [button(language_name(each), SettingsVerb.LANGUAGE, each) for each in languages()]
    app = button(t("As my Telegram"), SettingsVerb.LANGUAGE, AS_APP)
    return (*in_rows(names, PER_ROW), (app,), (button(t("Back"), SettingsVerb.SHOW),))
