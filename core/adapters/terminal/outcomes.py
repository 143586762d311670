"""What it means when `order_send` gives None: certainly not sent, or unknown.

The answer is the order outcome table's (`core.domain.retcodes`): this is its question for gateways.
"""

from core.domain.retcodes import Executed, Source, outcome


def certainly_not_sent(code: int, text: str = "") -> bool:
    """Whether this `last_error`, code and text, proves that no request reached the broker.

    For -2 only a text that names an argument proves it: the terminal has the same code.
    """
    row = outcome(code, text)
    return row.source is Source.LAST_ERROR and row.executed is Executed.NO
