"""`run`: the app against real addresses."""

from bot import i18n
from bot.cli.options import UsageError
from bot.cli.private import keep_to_this_user
from bot.cli.serving import serve_app
from core.agent_command import AgentCommand, agent_command
from core.config import Settings, SettingsError, load
from core.domain.people import Role
from core.people_file import PeopleFile, PeopleFileError, read_people
from core.rule_files import RuleFileError, profiles, unknown

NO_BOT = (
    "TELEGRAM_TOKEN: expected the token BotFather gave you, got nothing; "
    "to try Reckoner without one: python -m bot demo"
)
NO_ADMIN_CHAT = "ADMIN_CHAT_ID: expected the number of the chat that gets warnings, got nothing"
NO_AUTHOR = (
    "API_SIGNALS_AUTHOR: expected the Telegram number of an admin or owner of {file}, "
    "got '{author}'"
)
NO_PEOPLE_FILE = "PEOPLE_FILE: expected a TOML file, got '{file}', which is none"
NO_LANGUAGE = "GROUP_LANGUAGE: expected one of {known}, got '{given}'"
NO_RULES_DIR = "RULES_DIR: expected a directory, got '{directory}', which is none"
NO_TERMINAL = (
    "MT5_AGENT_COMMAND: expected what starts an agent beside a terminal, such as "
    "ssh {host} python C:/reckoner/agent.py, got nothing; see docs/connect-windows.md"
)


def run() -> int:
    """Start the app and answer its exit status. Raises UsageError before anything is started."""
    keep_to_this_user()
    settings, people = prepare()
    return serve_app(settings, people)


def prepare() -> tuple[Settings, PeopleFile | None]:
    """Read settings and people. Raises UsageError with a line per mistake."""
    settings = settings_or_usage()
    mistakes = [
        line
        for line, value in (
            (NO_BOT, settings.telegram_token),
            (NO_ADMIN_CHAT, settings.admin_chat_id),
            (NO_TERMINAL, way_to_terminals(settings)),
        )
        if value is None
    ]
    people = None
    try:
        people = people_and_rules(settings)
    except (PeopleFileError, RuleFileError) as error:
        mistakes.append(str(error))
    if people is not None and not _may_post(people, settings.api_signals_author):
        mistakes.append(
            NO_AUTHOR.format(file=settings.people_file, author=settings.api_signals_author)
        )
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return settings, people


def _may_post(people: PeopleFile, author: int | None) -> bool:
    """Whether signals may be posted on this person's behalf; nobody's is as good."""
    return author is None or any(
        user.telegram_id == author and user.role in (Role.ADMIN, Role.OWNER)
        for user in people.users
    )


def people_and_rules(settings: Settings) -> PeopleFile | None:
    """Read the people file and the rule profiles it names.

    Raises PeopleFileError and RuleFileError.
    """
    if settings.people_file is not None and not settings.people_file.is_file():
        raise PeopleFileError([NO_PEOPLE_FILE.format(file=settings.people_file)])
    if settings.rules_dir is not None and not settings.rules_dir.is_dir():
        raise RuleFileError([NO_RULES_DIR.format(directory=settings.rules_dir)])
    known = profiles(settings.rules_dir)
    people = None if settings.people_file is None else read_people(settings.people_file)
    wrong = [] if people is None else unknown(people, known, str(settings.people_file))
    if wrong:
        raise PeopleFileError(wrong)
    return people


def way_to_terminals(settings: Settings) -> str | AgentCommand | None:
    """Answer where terminals answer, or what starts an agent beside one; None without either."""
    return settings.terminal_base_url or agent_command(settings.mt5_agent_command)


def settings_or_usage(overrides: dict[str, str] | None = None) -> Settings:
    """Read the settings; their mistakes are mistakes of use."""
    try:
        settings = load(overrides=overrides)
    except SettingsError as error:
        raise UsageError(str(error)) from None
    if settings.group_language not in i18n.languages():
        known = ", ".join(i18n.languages())
        raise UsageError(NO_LANGUAGE.format(known=known, given=settings.group_language[:60]))
    return settings
