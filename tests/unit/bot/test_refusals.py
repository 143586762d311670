"""Every refusal is a sentence that says what to do, whatever facts come with it."""

import ast
import inspect
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.i18n import languages, speaking
from bot.markup import plain
from bot.views.message import Voice
from bot.views.refusals import SENTENCES, sentence
from core.domain.permissions import Obstacle
from core.domain.standing import refusal
from core.services.errors import Refused
from tests.fakes.clock import START
from tests.unit.bot.html import units, words

VOICE = Voice()
DOCUMENTED = re.findall(
    r"\b([a-z]+(?:_[a-z]+)*)\b(?=[ ,.(])", (Refused.__doc__ or "").split("Codes:")[1]
)
FACTS: dict[str, dict[str, Any]] = {
    "already_decided": {"decision": "approved", "at": START},
    "account_latched": {"reason": "drawdown", "since": START},
    "account_unavailable": {"reason": "IPC <x>", "since": START},
    "account_not_armed": {"why": "no rate to pounds"},
    "below_minimum": {"equity": Decimal(90), "minimum": Decimal(100), "currency": "GBP"},
    "no_price": {"symbol": "XAU<USD"},
    "stale_button": {"state": "dismissed", "by": "Olga", "at": START},
    "release_already_asked": {"at": START},
    "not_flat": {"positions": 1, "orders": 2},
    "cannot_close": {"obstacles": ("symbol_disabled:US30.cash", "api_disabled")},
    "no_such_symbol": {"symbol": "XAUUSD"},
    "ambiguous_symbol": {"symbol": "XAUUSD", "names": ("GOLD", "GOLD<micro")},
    "symbol_not_tradable": {"symbol": "GOLD.r"},
    "market_warning": {
        "symbol": "XAU<USD",
        "kind": "spread",
        "figure": Decimal("14.2"),
        "limit": Decimal(10),
    },
    "reason_long": {"most": 200},
    "not_blocked": {"login": 50001},
    "still_unreadable": {"login": 50001, "reason": "IPC timeout", "since": START},
    "question_answered": {"state": "adopted", "signal": 5, "by": "Olga", "at": START},
    "not_adopted": {"why": "no_room"},
    "not_disowned": {"why": "over"},
    "no_question": {"position": 900001},
    "same_position": {"position": 900001},
    "no_signal": {"signal": 5},
    "request_answered": {"state": "approved", "by": "Ol<ga", "at": START},
    "listed_in_file": {"name": "S<am", "role": "client"},
    "not_pending": {"name": "S<am", "role": "client"},
    "blocked_already": {"name": "S<am", "role": "blocked"},
    "not_blocked_person": {"name": "S<am", "role": "client"},
    "confirm_expired": {"limit": 60},
    "code_expired": {"at": START},
    "not_read_since": {"login": 50001, "since": START},
}


def test_every_documented_code_has_its_sentence() -> None:
    facts = {"decision", "at", "reason", "since", "why", "equity", "minimum", "currency"}
    facts |= {
        "asked",
        "login",
        "symbol",
        "state",
        "by",
        "positions",
        "orders",
        "kind",
        "figure",
        "limit",
        "most",
    }
    facts |= {"position", "signal", "rule", "name", "role", "group", "zone", "near", "until"}
    assert set(DOCUMENTED) - facts == set(SENTENCES)


def raised(tree: ast.AST) -> Iterator[str]:
    """The codes of every `Refused(...)` in a module, both of a choice of two."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused":
            yield from (
                str(each.value)
                for each in ast.walk(node.args[0])
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )


def returned(tree: ast.AST) -> Iterator[str]:
    """The codes that a function answers, for a service to raise."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return) and node.value is not None:
            words = (each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant))
            yield from (word for word in words if isinstance(word, str))


def test_the_codes_with_a_sentence_are_those_that_are_raised() -> None:
    services = Path(__file__).parents[3] / "core" / "services"
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in services.glob("*.py")]
    codes = {code for tree in trees for code in raised(tree)}
    assert codes | set(returned(ast.parse(inspect.getsource(refusal)))) == set(SENTENCES)


def popup(refused: Refused) -> str:
    """The refusal as the pop-up of a button shows it."""
    return plain(sentence(refused, VOICE))


@pytest.mark.parametrize("code", [*SENTENCES, "something_new"])
@pytest.mark.parametrize("with_facts", [True, False])
def test_every_refusal_can_be_shown(code: str, *, with_facts: bool) -> None:
    refused = Refused(code, **(FACTS.get(code, {}) if with_facts else {}))
    text = words(sentence(refused, VOICE))
    assert text.endswith((".", ")."))
    assert units(popup(refused)) <= 200
    assert "None" not in text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("already_decided", "Already approved at 14:02:11 UTC. Nothing was changed."),
        (
            "below_minimum",
            "Equity is 90.00 GBP, below the minimum of 100.00 GBP. A deposit is needed first.",
        ),
        ("stale_button", "Already handled: dismissed by Olga at 14:02:11 UTC. See /warnings."),
        (
            "not_flat",
            (
                "The account is not flat: 1 position and 2 pending orders open. "
                "Reckoner closes that first."
            ),
        ),
    ],
)
def test_the_facts_are_in_the_sentence(code: str, text: str) -> None:
    assert popup(Refused(code, **FACTS[code])) == text


@pytest.mark.parametrize("language", languages())
def test_every_refusal_fits_a_pop_up_in_every_language(language: str) -> None:
    with speaking(language):
        said = {code: popup(Refused(code, **FACTS.get(code, {}))) for code in SENTENCES}
    assert {code: text for code, text in said.items() if units(text) > 200} == {}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("obstacle", [*Obstacle, "moon_in_the_way"])
def test_every_obstacle_fits_the_pop_up_that_refuses_an_approval(
    obstacle: str, language: str
) -> None:
    symbol = ":US30.cash" if obstacle == Obstacle.SYMBOL_DISABLED else ""
    refused = Refused("cannot_close", obstacles=(f"{obstacle}{symbol}", "api_disabled"))
    with speaking(language):
        text = popup(refused)
    assert language != "en" or text.startswith("Not approved: a close would fail, because ")
    assert units(text) <= 200


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (
            "ambiguous_symbol",
            (
                "XAUUSD may be any of GOLD, GOLD<micro at this account's broker, and I do not "
                "guess. The signal has to name one of them."
            ),
        ),
        (
            "no_such_symbol",
            "This account's broker has no XAUUSD, so the signal cannot be followed here.",
        ),
        (
            "symbol_not_tradable",
            "The broker lets nobody open GOLD.r in this direction now. Nothing is traded.",
        ),
    ],
)
def test_a_symbol_that_cannot_be_traded_here_is_named(code: str, text: str) -> None:
    assert popup(Refused(code, **FACTS[code])) == text


def test_a_login_that_does_not_exist_is_named() -> None:
    refused = Refused("not_found", login=99999)
    assert sentence(refused, VOICE) == "There is no account 99999 here."


def test_an_account_of_somebody_else_is_named() -> None:
    assert sentence(Refused("not_yours", login=50002), VOICE) == "50002 is not your account."
