"""What it means when `order_send` returns None: certainly not sent, or unknown.

Source: facts (mt5, 1.3): texts and codes of the official wheel. What is not listed is unknown: a
close that may have been executed is settled by reading (law 6).
"""

NOT_SENT = frozenset(
    {
        -2,  # invalid params: refused by the library before anything leaves
        -3,  # out of memory
        -4,  # not found
        -5,  # incompatible version
        -6,  # authorisation failed
        -7,  # unsupported
        -8,  # auto trading by the Python API is disabled
        -10003,  # the pipe could not be initialised
        -10004,  # no connection to the terminal
    }
)


def certainly_not_sent(code: int) -> bool:
    """Whether this `last_error` code proves that no request reached the broker."""
    return code in NOT_SENT
