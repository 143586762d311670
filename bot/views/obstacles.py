"""Why an account could not be closed, in plain words, and the next step for whoever reads it."""

from collections.abc import Sequence

from msgspec import Struct

from bot.i18n import later, t
from bot.markup import esc
from bot.views.message import Audience
from core.domain.permissions import Obstacle, parts

SYMBOL_CHARS_MAX = 29
SYMBOLS_MAX = 5
WORD_CHARS_MAX = 60


class Words(Struct, frozen=True):
    """One obstacle: two or three words for a headline, its reason, and the next steps."""

    head: str
    because: str
    client: str
    admin: str


WORDS: dict[Obstacle, Words] = {
    Obstacle.WRONG_ACCOUNT: Words(
        later("wrong account"),
        later("its terminal answered for another account"),
        later("Your admin has to look at the terminal and unblock it."),
        later("Log the terminal in to {login} again, then send /unblock {login}."),
    ),
    Obstacle.DISCONNECTED: Words(
        later("no connection"),
        later("its terminal has no connection to the broker"),
        later("Your admin has to look at the terminal."),
        later("Look at the terminal: is its host online, is the broker's server up?"),
    ),
    Obstacle.INVESTOR_PASSWORD: Words(
        later("read-only password"),
        later(
            "it is linked with an investor (read-only) password or closed to trading by the broker"
        ),
        later("Ask your admin to link the master password. Never send it in a chat."),
        later(
            "Link it again with the master password, on Reckoner's machine: python "
            "-m bot link. If it is the master password, ask the broker to open the "
            "account to trading."
        ),
    ),
    Obstacle.EXPERTS_FORBIDDEN: Words(
        later("no programs allowed"),
        later("the broker lets people trade on it but no programs"),
        later("Ask your broker to allow automated trading (expert advisors) on this account."),
        later("The client has to ask the broker to allow expert advisors on this account."),
    ),
    Obstacle.AUTOTRADING_OFF: Words(
        later("automated trading is off"),
        later("automated trading is switched off in its terminal"),
        later("Somebody has to switch on “Algo Trading” in that terminal; your admin knows."),
        later("Press “Algo Trading” in the terminal, so that it turns green."),
    ),
    Obstacle.API_DISABLED: Words(
        later("Python API is off"),
        later("its terminal refuses trades from programs outside it"),
        later("A setting of the terminal has to be changed; your admin knows."),
        later(
            "In the terminal: Tools, Options, Expert Advisors; clear “Disable "
            "automated trading via external Python API”."
        ),
    ),
    Obstacle.SYMBOL_DISABLED: Words(
        later("{symbol} cannot be traded"),
        later("the broker has stopped all trading in {symbol}"),
        later("Only the broker can allow it again: please ask them about your {symbol}."),
        later("Only the broker can allow trading in {symbol} again."),
    ),
}


NOT_READY = Words(
    later("not ready"),
    later("its terminal is not ready"),
    later("Your admin has to look at the terminal."),
    later("Look at the terminal."),
)
BY_HAND = later("You can still close in MetaTrader yourself.")


def heading(words: Sequence[str]) -> str:
    """The first obstacle in two or three words."""
    (known, symbol), *_ = *_said(words[:1]), (NOT_READY, "")
    return t(known.head, symbol=symbol)


def sentence(words: Sequence[str]) -> str:
    """`Reckoner can watch this account but cannot close on it, because ...`, the whole of it."""
    reasons = t(", and because ").join(because(known, symbol) for known, symbol in _said(words))
    why = reasons or t(NOT_READY.because)
    if partial(words):
        return t(
            "Reckoner can watch this account but cannot close all of it, because {because}.",
            because=why,
        )
    return t(
        "Reckoner can watch this account but cannot close on it, because {because}.", because=why
    )


def because(known: Words, symbol: str) -> str:
    """The reason of one obstacle, as the end of a sentence; `symbol` is harmless markup."""
    return t(known.because, symbol=symbol)


def refusal(words: Sequence[str]) -> str:
    """Why nothing is approved, and the client's next step, short enough for a pop-up."""
    (known, symbol), *_ = *_said(words), (NOT_READY, "")
    return t(
        "Not approved: a close would fail, because {because}. {step}",
        because=because(known, symbol),
        step=t(known.client, symbol=symbol),
    )


def next_steps(words: Sequence[str], login: int, audience: Audience) -> list[str]:
    """What to do about each, a line each."""
    steps = [
        t(
            known.admin if audience is Audience.ADMIN else known.client,
            symbol=symbol,
            login=login,
        )
        for known, symbol in _said(words)
    ]
    return list(dict.fromkeys(steps))


def partial(words: Sequence[str]) -> bool:
    """Whether only some symbols are in the way, and the others can be closed."""
    return bool(words) and all(parts(word)[0] is Obstacle.SYMBOL_DISABLED for word in words)


def by_hand(words: Sequence[str]) -> list[str]:
    """That the client can still close themselves, where it is so."""
    hers = all(parts(word)[0] is not Obstacle.SYMBOL_DISABLED for word in words)
    return [t(BY_HAND)] if hers else []


def _said(words: Sequence[str]) -> list[tuple[Words, str]]:
    """Each obstacle once, with its symbols; words from a newer version as they are."""
    symbols: dict[Obstacle | str, list[str]] = {}
    for word in words:
        obstacle, symbol = parts(word)
        symbols.setdefault(obstacle or word, []).append(esc(symbol, SYMBOL_CHARS_MAX))
    return [(_words(each), _listed(named[:SYMBOLS_MAX])) for each, named in list(symbols.items())]


def _words(obstacle: Obstacle | str) -> Words:
    if isinstance(obstacle, Obstacle):
        return WORDS[obstacle]
    plainly = esc(obstacle.replace("_", " "), WORD_CHARS_MAX).replace("{", "(").replace("}", ")")
    return Words(plainly, plainly, NOT_READY.client, NOT_READY.admin)


def _listed(names: Sequence[str]) -> str:
    return (
        names[0]
        if len(names) == 1
        else t("{names} and {last}", names=", ".join(names[:-1]), last=names[-1])
    )
