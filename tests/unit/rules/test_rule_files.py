"""Rule profiles as files: those shipped hold to their examples, and a mistake is one clear line."""

from decimal import Decimal
from pathlib import Path

import pytest

from core.config import load
from core.people_file import people_from
from core.rule_files import (
    RULES_MAX,
    SHIPPED,
    RuleFileError,
    profiles,
    read_profile,
    shipped,
    unknown,
)

GOOD = """
title = "Daily"
source = "A test."
[[rule]]
name = "daily_loss"
title = "Daily loss"
clock = { zone = "Europe/Prague", at = "00:00" }
base = "balance"
amount = { kind = "percent_of_initial", value = "5" }
severity = "close_all"
[[example]]
rule = "daily_loss"
says = "95 %"
reading = [{ at = 2026-03-03T09:00:00Z, balance = "100000", equity = "100000", floor = "95000" }]
"""


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_the_families_are_shipped_each_with_a_source() -> None:
    assert set(shipped()) == {
        "balance-or-equity",
        "default",
        "intraday-lock",
        "max-balance-equity",
        "one-step",
        "percent-of-peak",
        "soft-daily",
        "two-step",
    }
    assert all(profile.source for profile in shipped().values())


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_a_shipped_profile_holds_to_its_golden_examples(path: Path) -> None:
    """`read_profile` works through every example of the file and refuses it where one fails."""
    assert read_profile(path).rules


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_a_golden_example_with_another_figure_is_refused(path: Path, tmp_path: Path) -> None:
    """So the examples are really worked through: the last floor of each file, raised by 1."""
    text = path.read_text("utf-8")
    head, _, tail = text.rpartition('floor = "')
    figure, _, rest = tail.partition('"')
    spoiled = written(tmp_path, f'{head}floor = "{Decimal(figure) + 1}"{rest}', path.name)
    with pytest.raises(RuleFileError, match=f"floor: expected {Decimal(figure) + 1}"):
        read_profile(spoiled)


def test_the_default_profile_has_the_figures_of_the_settings() -> None:
    settings = load({}, {}, dotenv=None)
    figures = {spec.name: spec.amount.value for spec in shipped()["default"].rules}
    assert figures == {
        "peak_drawdown": settings.max_drawdown_percent,
        "drawdown_warning": settings.warn_drawdown_percent,
        "minimum_equity": settings.min_equity_gbp,
    }
    assert (settings.max_drawdown_percent, settings.min_equity_gbp) == (Decimal(20), Decimal(100))


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"balance"', '"ballance"', "rule daily_loss: base: expected 'balance', 'equity', 'max'"),
        ('value = "5"', "value = 5.5", "rule daily_loss: amount.value: expected a number, as text"),
        (
            'value = "5"',
            'value = "0"',
            "rule daily_loss: amount.value: expected more than 0, got 0",
        ),
        ('value = "5"', 'value = "100"', "amount.value: expected less than 100 percent, got 100"),
        ("Europe/Prague", "Europe/Nowhere", "clock.zone: expected an IANA name such as"),
        ('at = "00:00"', 'at = "24:00"', "clock.at: expected a time from 00:00 to 23:59"),
        ('severity = "close_all"', "", "rule daily_loss: severity: expected a value, got nothing"),
        ("severity =", "severty = 1\nseverity =", "rule daily_loss: severty: no such field"),
        ('source = "A test."', "", "mine.toml: source: expected a value, got nothing"),
        ('name = "daily_loss"', 'name = "latched"', "rule latched: name: expected another name"),
        ('name = "daily_loss"', 'name = "Daily"', "rule Daily: name: expected small letters"),
        ("severity =", "always = true\nseverity =", "always: expected only for drawdown_warning"),
        ("severity =", 'lock = "at_initial"\nseverity =', "lock: expected never without a trail"),
        ("severity =", 'lock = "initial + x"\nseverity =', "lock: expected never, at_initial"),
        ("severity =", 'trail = "intraday_equity"\nseverity =', "clock: expected none"),
        ("severity =", 'buffer_percent = "100"\nseverity =', "buffer_percent: expected from 0"),
        ("severity =", 'measure = "positions"\nseverity =', "amount.kind: expected fixed"),
        ('rule = "daily_loss"', 'rule = "daily"', "example of daily: rule: expected a rule of"),
        ('floor = "95000"', 'floor = "94000"', "reading 1: floor: expected 94000, got 95000"),
        ('floor = "95000"', 'floor = "95000", broken = true', "broken: expected true, got false"),
        (
            "2026-03-03T09:00:00Z",
            "2026-03-03T09:00:00",
            "example daily_loss: reading.1.at: expected",
        ),
    ],
)
def test_a_mistake_is_one_line_with_file_rule_and_field(
    tmp_path: Path, old: str, new: str, line: str
) -> None:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(RuleFileError) as error:
        read_profile(path)
    told = str(error.value).splitlines()
    assert any(line in each for each in told), told
    assert all(each.startswith(str(path)) for each in told)


@pytest.mark.parametrize(
    ("clock", "rest", "line"),
    [
        (False, 'severity = "pause_day"', "clock: expected one, since the pause lasts"),
        (False, 'severity = "warn"', "clock: expected one for base balance without a trail"),
        (
            False,
            'trail = "eod_equity"\nseverity = "warn"',
            "clock: expected one for trail eod_equity",
        ),
    ],
)
def test_what_needs_a_clock_says_so(tmp_path: Path, clock: bool, rest: str, line: str) -> None:  # noqa: FBT001 - a case of the table
    lines = [each for each in GOOD.splitlines() if clock or not each.startswith("clock")]
    text = "\n".join(lines).replace('severity = "close_all"', rest)
    with pytest.raises(RuleFileError, match=line):
        read_profile(written(tmp_path, text))


@pytest.mark.parametrize("more", [0, 1])
def test_a_file_has_a_bounded_number_of_rules(tmp_path: Path, more: int) -> None:
    head, rule = GOOD.split("[[rule]]")
    rules = [rule.replace("daily_loss", f"rule_{n}") for n in range(RULES_MAX + more)]
    path = written(tmp_path, head + "".join(f"[[rule]]{each}" for each in rules))
    if more:
        with pytest.raises(RuleFileError, match="rule: expected"):
            read_profile(path)
    else:
        assert len(read_profile(path).rules) == RULES_MAX


def test_profiles_of_ones_own_stand_beside_those_shipped(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    assert set(profiles(tmp_path)) == {*shipped(), "mine"}
    written(tmp_path, GOOD, "two-step.toml")
    with pytest.raises(RuleFileError, match=r"two-step\.toml: expected another name"):
        profiles(tmp_path)
    with pytest.raises(RuleFileError, match="expected a directory"):
        profiles(tmp_path / "nowhere")


def test_an_account_names_a_profile_and_rules_that_there_are() -> None:
    user = {"telegram_id": 1, "name": "Ada", "role": "client"}
    account = {
        "server": "S",
        "owner": 1,
        "currency": "GBP",
        "margin_mode": "hedging",
        "name": "x",
    }
    file = people_from(
        {
            "user": [user],
            "account": [
                {**account, "login": 1, "profile": "two-step", "modes": {"daily_loss": "observe"}},
                {**account, "login": 2, "profile": "three-step"},
                {**account, "login": 3, "profile": "two-step", "modes": {"daily": "observe"}},
                {**account, "login": 4, "modes": {"peak_drawdown": "observe"}},
            ],
        },
        "people.toml",
    )
    names = ", ".join(sorted(shipped()))
    assert unknown(file, shipped(), "people.toml") == [
        f"people.toml: account 2: profile: expected one of {names}, got three-step",
        "people.toml: account 3: modes: expected a rule of two-step, got daily",
        "people.toml: account 4: modes: expected none, since default has none, got peak_drawdown",
    ]
