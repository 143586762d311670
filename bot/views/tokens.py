"""Words about the tokens of the HTTP API."""

from collections.abc import Sequence

from bot import keyboards_tokens
from bot.markup import code, esc
from bot.views.message import Message, Voice
from bot.views.numbers import moment
from core.domain.answers import ApiToken, MintedToken

WHAT = (
    "A token lets a program read what you may see here, by the HTTP API. Whoever has it sees your "
    "accounts; nobody can trade with it."
)


def listed(tokens: Sequence[ApiToken], asker: int, voice: Voice) -> Message:
    """The tokens that are good, with a button for each."""
    if not tokens:
        return Message(html=f"<b>You have no token.</b>\n{WHAT}\n/token new makes one.")
    lines = [f"<b>Your tokens: {len(tokens)}</b>", WHAT, ""]
    lines += [f"• {esc(t.label)}, made {moment(t.created_at, voice)}" for t in tokens]
    lines.append("/token new [name] makes another one.")
    return Message(html="\n".join(lines), keyboard=keyboards_tokens.revoke(tokens, asker))


def minted(new: MintedToken) -> Message:
    """The token's text, this once."""
    return Message(
        html=(
            f"<b>Your new token: {esc(new.token.label)}</b>\n"
            f"<tg-spoiler>{code(new.text)}</tg-spoiler>\n"
            "I show it this once and keep no copy. Keep it like a password, "
            "and delete this message when you have stored it. /token ends it again."
        )
    )


def revoked(token: ApiToken) -> str:
    """A token's end, in the pop-up of the press."""
    return f"{token.label}: no longer good."


def usage() -> Message:
    """What the command takes."""
    return Message(html="Send /token for the list, or /token new [name] for a new one.")
