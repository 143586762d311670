"""`invite`: a link that makes whoever opens it in Telegram an account's owner."""

import asyncio

from bot.cli.check_telegram import bot_username
from bot.cli.composition import invite_over, opened_store
from bot.cli.options import InviteOptions
from bot.cli.private import keep_to_this_user
from bot.cli.run import settings_or_usage
from bot.cli.saying import complain, say
from core.config import Settings
from core.domain.invitations import LIFETIME, Invited
from core.ports import KeysUnusable, StoreUnavailable
from core.services.errors import Refused

HOURS = int(LIFETIME.total_seconds()) // 3600


def invite(options: InviteOptions) -> int:
    """Make the invitation and print its link, this once. Raises UsageError."""
    keep_to_this_user()
    settings = settings_or_usage()
    try:
        made, username = asyncio.run(_invite(settings, options))
    except Refused:
        return complain(
            f"there is no account {options.login} at {options.server}: add an [[account]] to the "
            "people file, with yourself as its owner for now, and start Reckoner once"
        )
    except (KeysUnusable, StoreUnavailable) as error:
        return complain(f"the database cannot be used: {error}; nothing was changed")
    say(_link(made, username))
    say(
        f"good once, for {HOURS} hours (until {made.expires_at:%Y-%m-%d %H:%M} UTC): whoever opens "
        f"it owns account {made.login} at {made.server}, which is {made.owner}'s until then. Send "
        "it to nobody else; an older link to this account is void. It is kept nowhere"
    )
    return 0


async def _invite(settings: Settings, options: InviteOptions) -> tuple[Invited, str | None]:
    username = await bot_username(settings)
    async with opened_store(settings) as store:
        return await invite_over(store)(options.login, options.server), username


def _link(made: Invited, username: str | None) -> str:
    if username is None:
        said = "Telegram does not answer, so this is no link; in the bot's chat send:"
        return f"{said} /start {made.code}"
    return f"https://t.me/{username}?start={made.code}"
