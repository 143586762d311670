"""Every code of the trade server and what it means for a close (facts: mt5, 1.4)."""

import pytest

from core.domain.retcodes import RetcodeClass, classify

C = RetcodeClass
TABLE = [
    (10004, C.REPRICE, "requote: with a fresh price"),
    (10006, C.BACK_OFF, "rejected: not blindly again"),
    (10007, C.UNKNOWN, "cancelled by the trader: look, then decide"),
    (10008, C.ACCEPTED, "placed, not filled"),
    (10009, C.ACCEPTED, "done"),
    (10010, C.ACCEPTED, "done in part"),
    (10011, C.UNKNOWN, "processing error"),
    (10012, C.UNKNOWN, "timeout: never again without looking"),
    (10013, C.INVALID, "invalid request"),
    (10014, C.INVALID, "invalid volume"),
    (10015, C.REPRICE, "invalid price: with a fresh one"),
    (10016, C.INVALID, "invalid stops"),
    (10017, C.HUMAN, "trading disabled"),
    (10018, C.SESSION, "market closed"),
    (10019, C.BACK_OFF, "no money"),
    (10020, C.REPRICE, "price changed"),
    (10021, C.BACK_OFF, "no quotes"),
    (10022, C.INVALID, "invalid expiration"),
    (10023, C.UNKNOWN, "order changed: look"),
    (10024, C.BACK_OFF, "too many requests"),
    (10025, C.ACCEPTED, "nothing to change"),
    (10026, C.HUMAN, "the server forbids autotrading"),
    (10027, C.HUMAN, "the button is off"),
    (10028, C.UNKNOWN, "locked for processing: look"),
    (10029, C.BACK_OFF, "frozen"),
    (10030, C.FILLING, "another filling mode"),
    (10031, C.UNKNOWN, "no connection: look"),
    (10032, C.HUMAN, "real accounts only"),
    (10033, C.BACK_OFF, "too many pending orders"),
    (10034, C.BACK_OFF, "volume limit of the symbol"),
    (10035, C.INVALID, "prohibited order type"),
    (10036, C.GONE, "position closed already"),
    (10038, C.INVALID, "more than the position: read its volume"),
    (10039, C.UNKNOWN, "a close order exists already: no second"),
    (10040, C.BACK_OFF, "too many positions"),
    (10041, C.UNKNOWN, "activation rejected: look"),
    (10042, C.HUMAN, "long only"),
    (10043, C.HUMAN, "short only"),
    (10044, C.HUMAN, "close only"),
    (10045, C.BACK_OFF, "oldest first"),
    (10046, C.HUMAN, "no hedging"),
]


@pytest.mark.parametrize(("code", "means", "why"), TABLE)
def test_a_code_has_one_meaning(code: int, means: RetcodeClass, why: str) -> None:
    assert classify(code) is means, why


def test_no_code_between_the_first_and_the_last_is_left_out() -> None:
    assert {code for code, _, _ in TABLE} == set(range(10004, 10047)) - {10005, 10037}


@pytest.mark.parametrize("code", [0, -1, 1, 10000, 10003, 10005, 10037, 10047, 99999])
def test_a_code_that_does_not_exist_is_an_unknown_outcome(code: int) -> None:
    assert classify(code) is C.UNKNOWN
