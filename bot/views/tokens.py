"""Words about the tokens of the HTTP API."""

from collections.abc import Sequence

from bot import keyboards_tokens
from bot.i18n import later, t
from bot.markup import code, esc
from bot.views.message import Message, Voice
from bot.views.numbers import moment
from core.domain.answers import ApiToken, MintedToken

WHAT = later(
    "A token lets a program read what you may see here, by the HTTP API. "
    "Whoever has it sees your accounts; nobody can trade with it."
)


def listed(tokens: Sequence[ApiToken], asker: int, voice: Voice) -> Message:
    """The tokens that are good, with a button for each."""
    if not tokens:
        return Message(
            html=t("<b>You have no token.</b>\n{what}\n/token new makes one.", what=t(WHAT))
        )
    lines = [t("<b>Your tokens: {count}</b>", count=len(tokens)), t(WHAT), ""]
    lines += [
        t(
            "• {name}, made {at}",
            name=esc(each.label),
            at=moment(each.created_at, voice),
        )
        for each in tokens
    ]
    lines.append(t("/token new [name] makes another one."))
    return Message(html="\n".join(lines), keyboard=keyboards_tokens.revoke(tokens, asker))


def minted(new: MintedToken) -> Message:
    """The token's text, this once."""
    return Message(
        html=(
            t(
                "<b>Your new token: {name}</b>\n<tg-spoiler>{token}</tg-spoiler>\nI show "
                "it this once and keep no copy. Keep it like a password, and delete "
                "this message when you have stored it. /token ends it again.",
                name=esc(new.token.label),
                token=code(new.text),
            )
        )
    )


def revoked(token: ApiToken) -> str:
    """A token's end, in the pop-up of the press."""
    return t("{name}: no longer good.", name=token.label)


def usage() -> Message:
    """What the command takes."""
    return Message(html=t("Send /token for the list, or /token new [name] for a new one."))
