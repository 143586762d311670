"""/settings: what a person hears, quiet hours, time zone. Theirs alone, so in private only."""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message
from msgspec import Struct

from bot import menus
from bot.callbacks import SettingsPress, SettingsVerb
from bot.i18n import chosen, language_name, languages, later, speaking, t
from bot.keyboards_settings import AS_APP
from bot.markup import plain
from bot.middlewares.context import Toast
from bot.services import Preferences
from bot.speaker import Speaker
from bot.views import refusals
from bot.views import settings as views
from bot.views.message import Voice
from core.domain.hearing import Choices, Group, Level, QuietHours, parse_quiet
from core.domain.people import Person
from core.ports import Clock
from core.services.errors import Refused

OWN = {"role": "client", "personal": True}
QUIET, ZONE, LANGUAGE = "quiet", "zone", "language"
NO_QUIET = ("off", "none")
STALE = later("Your settings have changed since. This is how they are now.")
SAVED = later("Saved")


BEFORE = {
    SettingsVerb.QUIET: f"{QUIET} ",
    SettingsVerb.ZONE: f"{ZONE} ",
    SettingsVerb.LANGUAGE: f"{LANGUAGE} ",
}
"""What would be written before a button's value."""


class LevelWanted(Struct, frozen=True):
    """A group, heard so."""

    group: Group
    level: Level


class QuietWanted(Struct, frozen=True):
    """Quiet hours, or none."""

    quiet: QuietHours | None


class ZoneWanted(Struct, frozen=True):
    """A time zone, as it was written."""

    name: str


class LanguageWanted(Struct, frozen=True):
    """A language there is; empty: what the person's Telegram speaks."""

    code: str


Wanted = LevelWanted | QuietWanted | ZoneWanted | LanguageWanted


def build() -> Router:
    """One command and its buttons."""
    router = Router(name="settings")
    router.message.register(settings, Command("settings"), flags=OWN)
    router.callback_query.register(press, SettingsPress.filter(), flags=OWN)
    return router


def wanted(text: str) -> Wanted:
    """`market silent`, `quiet 22:00-07:00`, `zone UTC`. Raises ValueError for anything else."""
    word, _, rest = text.strip().partition(" ")
    word, rest = word.lower(), rest.strip()
    if word == QUIET:
        return QuietWanted(None if rest.lower() in NO_QUIET else parse_quiet(rest))
    if word == ZONE and rest:
        return ZoneWanted(rest)
    if word == LANGUAGE:
        return LanguageWanted(_language(rest.lower()))
    return LevelWanted(Group(word), Level(rest.lower()))


def _language(said: str) -> str:
    """`es`, `español`, `app`. Raises ValueError for one there is not."""
    if said == AS_APP:
        return ""
    named = {language_name(code).lower(): code for code in languages()}
    code = named.get(said, said)
    if code not in languages():
        raise ValueError(said)
    return code


async def settings(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    message: Message,
    command: CommandObject,
    person: Person,
    preferences: Preferences,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
    links: bool = False,  # noqa: FBT001, FBT002 - as above
) -> None:
    """Show them, or change one of them in words and show them."""
    said = (command.args or "").strip()
    if not said:
        shown = await preferences.of(person)
    else:
        try:
            change = wanted(said)
        except ValueError:
            await speaker.say(message, views.usage(said))
            return
        shown = await _change(preferences, person, change, None)
        await _menu(message, person, change, shown, links=links)
    with speaking(_language_of(shown, message)):
        await speaker.say(message, views.board(shown, person.telegram_id, voice, clock.now()))


async def press(  # noqa: PLR0913, PLR0917 - aiogram injects by name
    query: CallbackQuery,
    callback_data: SettingsPress,
    person: Person,
    preferences: Preferences,
    speaker: Speaker,
    voice: Voice,
    clock: Clock,
    links: bool = False,  # noqa: FBT001, FBT002 - as above
) -> Toast:
    """Change what the button says and show the new state in place; a stale one only shows it."""
    if callback_data.asker != person.telegram_id:
        raise Refused("not_yours")
    verb, now = callback_data.verb, clock.now()
    if verb is SettingsVerb.ZONES:
        await speaker.show(query, views.zones(await preferences.of(person), person.telegram_id))
        return Toast()
    if verb is SettingsVerb.LANGUAGES:
        chosen = await preferences.of(person)
        await speaker.show(query, views.languages(chosen, person.telegram_id))
        return Toast()
    problem: Refused | None = None
    try:
        shown = await _pressed(callback_data, person, preferences)
    except Refused as refused:
        shown = await preferences.of(person)
        problem = refused
    if verb is SettingsVerb.LANGUAGE:
        await _menu(query, person, LanguageWanted(shown.language), shown, links=links)
    with speaking(_language_of(shown, query)):
        await speaker.redraw(query, views.board(shown, person.telegram_id, voice, now))
        return _toast(verb, problem, voice)


def _toast(verb: SettingsVerb, problem: Refused | None, voice: Voice) -> Toast:
    """What became of a press."""
    if verb is SettingsVerb.SHOW:
        return Toast()
    if problem is None:
        return Toast(t(SAVED))
    if problem.code == "settings_changed":
        return Toast(t(STALE), alert=True)
    return Toast(plain(refusals.sentence(problem, voice)), alert=True)


def _language_of(shown: Choices, asked: Message | CallbackQuery) -> str:
    """What the answer is said in: a language just chosen holds from now on."""
    user = asked.from_user
    return chosen(shown.language, "" if user is None else user.language_code or "")


async def _menu(
    asked: Message | CallbackQuery,
    person: Person,
    change: Wanted,
    shown: Choices,
    *,
    links: bool,
) -> None:
    """Say the commands in the language just chosen, too."""
    if isinstance(change, LanguageWanted) and asked.bot is not None:
        admin, wanted_in = person.is_admin, shown.language
        await menus.give(asked.bot, person.telegram_id, wanted_in, admin=admin, links=links)


async def _pressed(data: SettingsPress, person: Person, preferences: Preferences) -> Choices:
    """Do it. Raises Refused, stale_button where its value says nothing known."""
    before = BEFORE.get(data.verb, "")
    if data.verb is SettingsVerb.SHOW:
        return await preferences.of(person)
    try:
        change = wanted(before + data.value)
    except ValueError as error:
        raise Refused("settings_changed") from error
    return await _change(preferences, person, change, data.version)


async def _change(
    preferences: Preferences, person: Person, change: Wanted, version: int | None
) -> Choices:
    match change:
        case LevelWanted(group, level):
            return await preferences.set_level(person, group, level, version)
        case QuietWanted(quiet):
            return await preferences.set_quiet(person, quiet, version)
        case LanguageWanted(code):
            return await preferences.set_language(person, code, version)
        case ZoneWanted(name):
            return await preferences.set_zone(person, name, version)
