"""/signal in words: a typed signal that is none is answered with the word at fault."""

import pytest

from bot.views import causes, refusals_trading, signal_form
from bot.views.message import Voice
from core.domain.signals import BadSignal, SignalProblem, parse_signal
from tests.unit.domain.make import D

USAGE = "SYMBOL buy|sell VOLUME [sl PRICE] [tp PRICE], for example XAUUSD buy 0.10 sl 1950 tp 1990"


def problem_of(text: str) -> BadSignal:
    with pytest.raises(BadSignal) as raised:
        parse_signal(text)
    return raised.value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("X&Y buy 1", "symbol 'X&amp;Y': expected the broker's name, such as XAUUSD"),
        ("XAUUSD hold 1", "side 'hold': expected buy or sell"),
        (
            "XAUUSD buy 1,5",
            "volume '1,5': write it with a point, such as 0.10, and no commas",
        ),
        ("XAUUSD buy ten", "volume 'ten': expected a number"),
        ("XAUUSD buy 1 sl 0", "stop loss '0': expected a number above zero"),
        (
            "XAUUSD buy 1 tp 1e12",
            "take profit '1e12': expected at most 8 decimals and 12 digits before",
        ),
        ("XAUUSD buy 1 at 5", "'at': expected sl or tp"),
        ("XAUUSD buy 1 sl 1 sl 2", "'sl' is given twice"),
        ("XAUUSD buy 1 sl", "'sl': expected a price after it"),
    ],
)
def test_the_word_at_fault_is_named_and_how_it_is_written_follows(text: str, said: str) -> None:
    message = signal_form.bad_signal(problem_of(text))
    assert message.html == f"That is not a signal: {said}\nWrite: /signal {USAGE}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("XAUUSD buy", f"expected {USAGE}"),
        ("XAUUSD buy 1 sl 1 tp 2 more", f"'more' is one word too many: expected {USAGE}"),
    ],
)
def test_how_it_is_written_is_not_said_twice(text: str, said: str) -> None:
    message = signal_form.bad_signal(problem_of(text))
    assert message.html == f"That is not a signal: {said}"


def test_every_problem_has_its_words() -> None:
    assert set(signal_form.PROBLEMS) == set(SignalProblem)


def test_a_refused_volume_comes_with_the_bounds_of_the_symbol() -> None:
    facts = {"volume": D("0.001"), "minimum": D("0.01"), "maximum": D(50), "step": D("0.01")}
    assert refusals_trading.bad_volume(facts, Voice()) == (
        "The broker does not take this volume (volume 0.001, minimum 0.01, maximum 50, step 0.01)."
    )
    assert refusals_trading.bad_volume({}, Voice()) == "The broker does not take this volume."


def test_a_cause_from_outside_is_made_harmless() -> None:
    assert causes.cause("IPC <timeout>") == "IPC &lt;timeout&gt;"
    assert causes.of_account("50001 a<b", 64) == "50001 a&lt;b"
