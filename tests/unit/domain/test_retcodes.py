"""The order outcome table, cell by cell, against facts (mt5, 1.3 and 1.4), typed by hand."""

from itertools import pairwise

import pytest

from core.domain.retcodes import (
    LAST_ERRORS,
    PAUSES_S,
    RETCODES,
    Executed,
    RetcodeClass,
    Source,
    classify,
    outcome,
)

C = RetcodeClass
E = Executed
NEVER = ""
# code, name, what became of the request, what to do, the word when told, told after so many, pauses
RETCODE_ROWS = [
    # requote | yes, fresh price
    (10004, "REQUOTE", E.NO, C.REPRICE, "rejected", 5, (0, 0, 0.5, 1, 2, 5)),
    # rejected | no blind retry; 1 delayed try, then alert
    (10006, "REJECT", E.NO, C.BACK_OFF, "rejected", 2, (1, 2, 4, 8, 15, 30)),
    # cancelled by trader | re-query, then decide
    (10007, "CANCEL", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1, ()),
    # order accepted, NOT yet filled | poll order/position, never resend
    (10008, "PLACED", E.ACCEPTED, C.ACCEPTED, NEVER, 5, ()),
    # done | success (still re-read position)
    (10009, "DONE", E.YES, C.ACCEPTED, NEVER, 5, ()),
    # part filled | re-read position volume, send the rest
    (10010, "DONE_PARTIAL", E.PARTLY, C.ACCEPTED, NEVER, 5, ()),
    # processing error | U
    (10011, "ERROR", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1, ()),
    # cancelled by timeout | U never resend blindly
    (10012, "TIMEOUT", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1, ()),
    # invalid request | no, bug
    (10013, "INVALID", E.NO, C.INVALID, "rejected", 1, (1, 2, 5, 15, 30)),
    # volume | no, normalise
    (10014, "INVALID_VOLUME", E.NO, C.INVALID, "rejected", 1, (1, 2, 5, 15, 30)),
    # price | once with fresh tick
    (10015, "INVALID_PRICE", E.NO, C.REPRICE, "rejected", 2, (0, 1, 2, 5, 15, 30)),
    # stops | no
    (10016, "INVALID_STOPS", E.NO, C.INVALID, "rejected", 1, (1, 2, 5, 15, 30)),
    # trading disabled | no, alert
    (10017, "TRADE_DISABLED", E.NO, C.HUMAN, "cannot_trade", 1, (2, 5, 10)),
    # market closed | yes, at next open (queue + alert)
    (10018, "MARKET_CLOSED", E.NO, C.SESSION, "market_closed", 1, (5, 10, 30, 60, 120, 300)),
    # funds | no
    (10019, "NO_MONEY", E.NO, C.BACK_OFF, "rejected", 1, (1, 2, 4, 8, 15, 30)),
    # prices changed | yes, fresh price
    (10020, "PRICE_CHANGED", E.NO, C.REPRICE, "rejected", 5, (0, 0, 0.5, 1, 2, 5)),
    # no quotes | yes, back-off; suspect feed
    (10021, "PRICE_OFF", E.NO, C.BACK_OFF, "rejected", 5, (1, 2, 4, 8, 15, 30)),
    # expiration | no
    (10022, "INVALID_EXPIRATION", E.NO, C.INVALID, "rejected", 1, (1, 2, 5, 15, 30)),
    # order state changed | re-query
    (10023, "ORDER_CHANGED", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1, ()),
    # too many requests | yes, back-off
    (10024, "TOO_MANY_REQUESTS", E.NO, C.BACK_OFF, "rejected", 5, (1, 2, 4, 8, 15, 30)),
    # nothing to change | treat as success
    (10025, "NO_CHANGES", E.REACHED, C.ACCEPTED, NEVER, 5, ()),
    # server forbids autotrading | no, alert
    (10026, "SERVER_DISABLES_AT", E.NO, C.HUMAN, "autotrading_off", 1, (2, 5, 10)),
    # Algo Trading button off | no, alert, retry after operator
    (10027, "CLIENT_DISABLES_AT", E.NO, C.HUMAN, "autotrading_off", 1, (2, 5, 10)),
    # request locked for processing | wait, re-query
    (10028, "LOCKED", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1, ()),
    # frozen | wait, retry
    (10029, "FROZEN", E.NO, C.BACK_OFF, "rejected", 5, (1, 2, 4, 8, 15, 30)),
    # filling mode | yes with another mode
    (10030, "INVALID_FILL", E.NO, C.FILLING, "rejected", 5, (0, 0, 1, 5, 15, 30)),
    # no connection with trade server | U, re-query after reconnect
    (10031, "CONNECTION", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1, ()),
    # no
    (10032, "ONLY_REAL", E.NO, C.HUMAN, "cannot_trade", 1, (2, 5, 10)),
    (10033, "LIMIT_ORDERS", E.NO, C.BACK_OFF, "rejected", 1, (1, 2, 4, 8, 15, 30)),
    (10034, "LIMIT_VOLUME", E.NO, C.BACK_OFF, "rejected", 1, (1, 2, 4, 8, 15, 30)),
    # wrong/prohibited order type | no
    (10035, "INVALID_ORDER", E.NO, C.INVALID, "rejected", 1, (1, 2, 5, 15, 30)),
    # position already closed | goal reached: verify deal, stop
    (10036, "POSITION_CLOSED", E.REACHED, C.GONE, NEVER, 5, ()),
    # close volume > position | re-read volume
    (10038, "INVALID_CLOSE_VOLUME", E.NO, C.INVALID, "rejected", 1, (1, 2, 5, 15, 30)),
    # a close order already exists | wait, re-query, no second close
    (10039, "CLOSE_ORDER_EXIST", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1, ()),
    # no
    (10040, "LIMIT_POSITIONS", E.NO, C.BACK_OFF, "rejected", 1, (1, 2, 4, 8, 15, 30)),
    # activation rejected, order cancelled | re-query
    (10041, "REJECT_CANCEL", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1, ()),
    # closing allowed; opening not
    (10042, "LONG_ONLY", E.NO, C.HUMAN, "cannot_trade", 1, (2, 5, 10)),
    (10043, "SHORT_ONLY", E.NO, C.HUMAN, "cannot_trade", 1, (2, 5, 10)),
    (10044, "CLOSE_ONLY", E.NO, C.HUMAN, "cannot_trade", 1, (2, 5, 10)),
    # only FIFO closing | close oldest of symbol first
    (10045, "FIFO_CLOSE", E.NO, C.OLDEST_FIRST, "rejected", 5, (0, 0.5, 1, 2, 5)),
    # opposite positions forbidden | no
    (10046, "HEDGE_PROHIBITED", E.NO, C.HUMAN, "cannot_trade", 1, (2, 5, 10)),
    # an answer without a code: to be verified
    (0, "(none)", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1, ()),
]
# code, text as the library prints it, name, sent?, what to do, the word when told, after so many
LAST_ERROR_ROWS = [
    (0, "", "(nothing said)", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1),
    (1, "Success", "RES_S_OK", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1),
    (-1, "Terminal: Call failed", "RES_E_FAIL", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1),
    # no when the text names an argument
    (-2, 'Invalid "comment" argument', "RES_E_INVALID_PARAMS", E.NO, C.INVALID, "rejected", 1),
    (-2, 'Invalid "volume" argument', "RES_E_INVALID_PARAMS", E.NO, C.INVALID, "rejected", 1),
    *[
        (-2, text, "RES_E_INVALID_PARAMS", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1)
        for text in (
            "Invalid arguments",
            "Unnamed arguments not allowed",
            "Terminal: Invalid params",
            "",
        )
    ],
    (-3, "Terminal: Out of memory", "RES_E_NO_MEMORY", E.NO, C.BACK_OFF, "rejected", 1),
    (-4, "Terminal: Not found", "RES_E_NOT_FOUND", E.NO, C.BACK_OFF, "rejected", 5),
    (
        -5,
        "Terminal: Incompatible versions, please install the latest version",
        "RES_E_INVALID_VERSION",
        E.NO,
        C.HUMAN,
        "cannot_trade",
        1,
    ),
    (-6, "Terminal: Authorization failed", "RES_E_AUTH_FAILED", E.NO, C.HUMAN, "cannot_trade", 1),
    (
        -6,
        "Unsupported authorization mode, OTP or certificate password needed",
        "RES_E_AUTH_FAILED",
        E.NO,
        C.HUMAN,
        "cannot_trade",
        1,
    ),
    (-7, "Terminal: Unsupported function", "RES_E_UNSUPPORTED", E.NO, C.HUMAN, "cannot_trade", 1),
    (
        -8,
        "Auto-Trading using Python API disabled in Terminal",
        "RES_E_AUTO_TRADING_DISABLED",
        E.NO,
        C.HUMAN,
        "autotrading_off",
        1,
    ),
    (-10000, "IPC call failed", "RES_E_INTERNAL_FAIL", E.UNKNOWN, C.UNKNOWN, "unknown_outcome", 1),
    # probably not; treat as unknown
    (
        -10001,
        "IPC send failed",
        "RES_E_INTERNAL_FAIL_SEND",
        E.UNKNOWN,
        C.UNKNOWN,
        "unknown_outcome",
        1,
    ),
    # proved: may be executed
    (
        -10002,
        "IPC recv failed",
        "RES_E_INTERNAL_FAIL_RECEIVE",
        E.UNKNOWN,
        C.UNKNOWN,
        "unknown_outcome",
        1,
    ),
    *[
        (-10003, text, "RES_E_INTERNAL_FAIL_INIT", E.NO, C.BACK_OFF, "rejected", 5)
        for text in (
            "IPC initialize failed, MetaTrader 5 x64 not found",
            "IPC initialize failed, Process create failed 'x'",
            "IPC initialize failed, Pipe server didn't answer in 60 sec",
        )
    ],
    (
        -10004,
        "No IPC connection",
        "RES_E_INTERNAL_FAIL_CONNECT",
        E.NO,
        C.BACK_OFF,
        "rejected",
        5,
    ),
    # said of a login; of a request it proves nothing
    (
        -10005,
        "IPC timeout",
        "RES_E_INTERNAL_FAIL_TIMEOUT",
        E.UNKNOWN,
        C.UNKNOWN,
        "unknown_outcome",
        1,
    ),
]


@pytest.mark.parametrize(
    ("code", "name", "executed", "answer", "trouble", "told_after", "pauses_s"), RETCODE_ROWS
)
def test_a_retcode_has_one_row(
    code: int,
    name: str,
    executed: Executed,
    answer: RetcodeClass,
    trouble: str,
    told_after: int,
    pauses_s: tuple[float, ...],
) -> None:
    (row,) = [each for each in RETCODES if each.code == code]
    assert (row.name, row.source, row.executed, row.answer) == (
        name,
        Source.RETCODE,
        executed,
        answer,
    )
    assert (row.trouble, row.told_after, row.pauses_s) == (trouble, told_after, pauses_s)
    assert classify(code) is answer
    if code:
        assert outcome(code) is row


@pytest.mark.parametrize(
    ("code", "text", "name", "executed", "answer", "trouble", "told_after"), LAST_ERROR_ROWS
)
def test_a_last_error_has_one_row_and_its_text_decides_where_two_share_a_code(
    code: int,
    text: str,
    name: str,
    executed: Executed,
    answer: RetcodeClass,
    trouble: str,
    told_after: int,
) -> None:
    rows = [row for row in LAST_ERRORS if row.code == code and (row.executed is executed)]
    (row,) = rows
    assert (row.name, row.source, row.answer) == (name, Source.LAST_ERROR, answer)
    assert (row.trouble, row.told_after) == (trouble, told_after)
    assert not text or any(text.startswith(known) for known in row.texts), text
    found = outcome(code, text)
    assert (found.executed, found.answer, found.trouble) == (executed, answer, trouble)
    assert outcome(code, f"{code} {text}").executed is executed


def test_no_code_of_the_facts_is_left_out_and_no_row_is_without_a_test() -> None:
    typed = [code for code, *_ in RETCODE_ROWS]
    assert len(typed) == len(set(typed)) == len(RETCODES)
    assert set(typed) == (set(range(10004, 10047)) - {10005, 10037}) | {0}
    assert {row.code for row in RETCODES} == set(typed)
    errors = {code for code, *_ in LAST_ERROR_ROWS}
    assert errors == {0, 1, *range(-8, 0), *range(-10005, -9999)}
    assert {row.code for row in LAST_ERRORS} == errors
    assert len(LAST_ERRORS) == len(errors) + 1, "-2 has two rows"


@pytest.mark.parametrize("code", [-1, 1, 10000, 10003, 10005, 10037, 10047, 99999, -9, -10006])
def test_a_code_that_does_not_exist_is_an_unknown_outcome(code: int) -> None:
    row = outcome(code)
    assert (row.answer, row.executed) == (C.UNKNOWN, E.UNKNOWN)
    assert classify(code) is C.UNKNOWN
    assert row.sentence


def test_what_follows_fits_what_became_of_the_request() -> None:
    for row in (*RETCODES, *LAST_ERRORS):
        assert (row.answer is C.UNKNOWN) == (row.executed is E.UNKNOWN), row
        settled_by_reading = row.answer in {C.UNKNOWN, C.ACCEPTED, C.GONE}
        assert settled_by_reading == (row.executed is not E.NO), row
        assert settled_by_reading == (row.pauses_s == ()), row


def test_pauses_grow_to_at_most_half_a_minute_and_where_nothing_is_quoted_to_five() -> None:
    for row in (*RETCODES, *LAST_ERRORS):
        assert all(shorter <= longer for shorter, longer in pairwise(row.pauses_s)), row
        longest_s = 300 if row.answer is C.SESSION else 30
        assert not row.pauses_s or 1 <= row.pauses_s[-1] <= longest_s, row
    assert set(PAUSES_S) == set(RetcodeClass) - {C.UNKNOWN, C.ACCEPTED, C.GONE}


def test_every_row_has_a_sentence_of_its_own_for_an_admin() -> None:
    rows = (*RETCODES, *LAST_ERRORS)
    for row in rows:
        assert row.sentence.endswith("."), row
        assert row.sentence[0].isupper() or row.sentence[0] == "“", row
    assert len({row.sentence for row in rows}) == len(rows)
