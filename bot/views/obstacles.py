"""Why an account could not be closed, in plain words, and the next step for whoever reads it."""

from collections.abc import Sequence

from msgspec import Struct

from bot.markup import esc
from bot.views.message import Audience
from core.domain.permissions import Obstacle, parts

SYMBOL_CHARS_MAX = 29
WORD_CHARS_MAX = 60


class Words(Struct, frozen=True):
    """One obstacle: two or three words for a headline, its reason, and the next steps."""

    head: str
    because: str
    client: str
    admin: str


WORDS: dict[Obstacle, Words] = {
    Obstacle.WRONG_ACCOUNT: Words(
        "wrong account",
        "its terminal answered for another account",
        "An admin has to look at the terminal first. You can still close in MetaTrader yourself.",
        "Log the terminal in to {login} again, then send /unblock {login}.",
    ),
    Obstacle.DISCONNECTED: Words(
        "no connection",
        "its terminal has no connection to the broker",
        "Your admin has to look at the terminal. You can still close in MetaTrader yourself.",
        "Look at the terminal: is its host online, is the broker's server up?",
    ),
    Obstacle.INVESTOR_PASSWORD: Words(
        "read-only password",
        "it is linked with an investor (read-only) password or closed to trading by the broker",
        "Ask your admin to link the main password. Never send it in a chat.",
        "Link it again with the main password, on Reckoner's machine: python -m bot link",
    ),
    Obstacle.EXPERTS_FORBIDDEN: Words(
        "no programs allowed",
        "the broker lets people trade on it but no programs",
        "Ask your broker to allow automated trading (expert advisors) on this account.",
        "The client has to ask the broker to allow expert advisors on this account.",
    ),
    Obstacle.AUTOTRADING_OFF: Words(
        "automated trading is off",
        "automated trading is switched off in its terminal",
        "Somebody has to switch on “Algo Trading” in that terminal; your admin knows.",
        "Press “Algo Trading” in the terminal, so that it turns green.",
    ),
    Obstacle.API_DISABLED: Words(
        "Python API is off",
        "its terminal refuses trades from programs outside it",
        "A setting of the terminal has to be changed; your admin knows.",
        "In the terminal: Tools, Options, Expert Advisors; clear “Disable automated trading via "
        "external Python API”.",
    ),
    Obstacle.SYMBOL_DISABLED: Words(
        "{symbol} cannot be traded",
        "the broker has stopped all trading in {symbol}",
        "Only the broker can allow it again: please ask them about your {symbol}.",
        "Only the broker can allow trading in {symbol} again.",
    ),
}


def heading(words: Sequence[str]) -> str:
    """The first obstacle in two or three words."""
    found = _of(words[0]) if words else None
    if found is None:
        return esc(words[0].replace("_", " "), WORD_CHARS_MAX) if words else "unknown reason"
    known, symbol = found
    return known.head.format(symbol=symbol)


def sentence(words: Sequence[str]) -> str:
    """`I can watch this account but cannot close on it, because ...`."""
    reasons = ", and because ".join(_because(word) for word in words)
    return f"I can watch this account but cannot close on it, because {reasons}."


def refusal(words: Sequence[str]) -> str:
    """Why nothing is approved, and the client's next step, short enough for a pop-up."""
    steps = next_steps(words[:1], 0, Audience.CLIENT)
    because = "; ".join(_because(word) for word in words[:1]) or "its terminal is not ready"
    return " ".join([f"Not approved: I could not close here, because {because}.", *steps])


def next_steps(words: Sequence[str], login: int, audience: Audience) -> list[str]:
    """What to do about each, a line each, none twice."""
    steps: dict[str, None] = {}
    for word in words:
        found = _of(word)
        if found is not None:
            known, symbol = found
            step = known.admin if audience is Audience.ADMIN else known.client
            steps[step.format(symbol=symbol, login=login)] = None
    return list(steps)


def _because(word: str) -> str:
    found = _of(word)
    if found is None:
        return esc(word.replace("_", " "), WORD_CHARS_MAX)
    known, symbol = found
    return known.because.format(symbol=symbol)


def _of(word: str) -> tuple[Words, str] | None:
    obstacle, symbol = parts(word)
    return None if obstacle is None else (WORDS[obstacle], esc(symbol, SYMBOL_CHARS_MAX))
