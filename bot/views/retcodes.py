"""What a broker or its terminal answered to a trade request, in a sentence for an admin."""

from bot.i18n import later, t
from core.domain.retcodes import UNLISTED, outcome

SENTENCES = frozenset(
    {
        later("The answer bears no code."),
        later("The price had moved before the broker took it."),
        later("The broker rejected the request."),
        later("The request was cancelled on the way."),
        later("The broker works on the order."),
        later("The broker says that it is done."),
        later("A part was filled."),
        later("The server failed while it worked on the request."),
        later("The server did not finish the request in time."),
        later("The broker calls the request invalid."),
        later("The broker does not take this volume."),
        later("The broker does not take this price."),
        later("The broker does not take these stops."),
        later("Trading is disabled; the broker can tell why."),
        later("The market is closed until its next session."),
        later("The broker says that funds are missing."),
        later("The price changed meanwhile."),
        later("The broker has no quotes for the symbol."),
        later("The broker does not take the expiry."),
        later("The order changed while it was worked on."),
        later("The broker gets too many requests."),
        later("There was nothing to change."),
        later("The broker forbids automated trading on this account; ask the broker."),
        later("“Algo Trading” is off in the terminal."),
        later("The request is locked for processing."),
        later("The price is too near a stop or target to close now."),
        later("The symbol wants another filling mode."),
        later("The terminal lost the trade server."),
        later("The broker allows this on real accounts only."),
        later("The limit of pending orders is reached."),
        later("The symbol's limit of volume is reached."),
        later("The broker prohibits this kind of order."),
        later("The position was closed already."),
        later("The position is smaller than asked for."),
        later("An order to close it exists already."),
        later("The limit of positions is reached."),
        later("The order was rejected and cancelled."),
        later("The symbol may only be bought."),
        later("The symbol may only be sold."),
        later("The symbol may only be closed."),
        later("The oldest position has to be closed first."),
        later("The broker forbids opposite positions."),
        later("The library gave neither a result nor an error."),
        later("The library gave no result, and calls that a success."),
        later("The terminal says that the call failed, not how far it came."),
        later("The MetaTrader5 library refused the request and names the argument."),
        later("The parameters were refused, by the library or by the terminal."),
        later("The terminal is out of memory; restart it."),
        later("The terminal does not know what the request names."),
        later("Terminal and MetaTrader5 library do not fit together; update both."),
        later("The terminal could not log in; check login, password and server."),
        later("The terminal does not know this function; update it."),
        later("Trading through the Python API is disabled in the terminal's options."),
        later("The terminal answered something else than was asked."),
        later("The line to the terminal broke while the request left; probably it was not sent."),
        later("The line to the terminal broke before its answer; the request may be executed."),
        later("The terminal could not be found or started."),
        later("There is no line to the terminal."),
        later("The terminal did not log in, or did not answer, in time."),
    }
)
"""The sentences of the order outcome table, for the catalogs."""


def sentence(code: int, text: str = "") -> str:
    """What this answer means: a retcode, or the library's `last_error` with its text."""
    row = outcome(code, text)
    if row.name == UNLISTED:
        return t("Code {code} is not known.", code=code)
    return t(row.sentence)
