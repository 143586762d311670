"""Rule profiles as files: TOML, one profile each, with their source and golden examples.

Those shipped stand in `core/rules`; RULES_DIR names a directory with more. A file's name without
`.toml` is the profile's. Figures are text, so that they stay exact. Each example is a series of
readings with the floor that must come out, and is worked through when the file is read: a profile
that contradicts its own examples is refused.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from core.domain.broker import ZERO
from core.domain.headroom import ALWAYS
from core.domain.money import HUNDRED
from core.domain.rule_clock import RuleClock
from core.domain.rule_examples import Example, ExampleReading, contradictions
from core.domain.rules import (
    Amount,
    AmountKind,
    Base,
    Compare,
    Measure,
    Profile,
    RuleSpec,
    Severity,
    Trail,
)
from core.people_file import PeopleFile

SHIPPED: Final = Path(__file__).parent / "rules"
DEFAULT: Final = "default"
"""The profile of an account that names none."""
FILES_MAX: Final = 100
RULES_MAX: Final = 20
EXAMPLES_MAX: Final = 200
READINGS_MAX: Final = 100
MISTAKES_TOLD_MAX: Final = 20
GIVEN_LENGTH_MAX: Final = 40
TEXT_LENGTH_MAX: Final = 300
TITLE_LENGTH_MAX: Final = 80
FIGURE_MAX: Final = Decimal(1_000_000_000)
RESERVED: Final = frozenset(
    {"drawdown", "latched", "market_gap", "market_spread", "rule", "cancel", *ALWAYS}
)
"""Words for which everything is closed already, and names of the rules that always enforce."""
_NAME: Final = re.compile("[a-z][a-z0-9_]{0,39}")
_FILE: Final = re.compile("[a-z0-9][a-z0-9-]{0,39}")
_CLOCK: Final = re.compile("([01][0-9]|2[0-3]):([0-5][0-9])")
_LOCK: Final = re.compile(r"initial \+ ([0-9.]+)")


class RuleFileError(Exception):
    """Profiles that cannot be used; a line per mistake: file, rule, field, what was expected."""

    def __init__(self, lines: Sequence[str]) -> None:
        told = list(lines[:MISTAKES_TOLD_MAX])
        if len(lines) > MISTAKES_TOLD_MAX:
            told.append(f"and {len(lines) - MISTAKES_TOLD_MAX} more")
        super().__init__("\n".join(told))


def _figure(given: object) -> object:
    """Read text, or a whole number: a TOML float has lost its last digits already."""
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        raise ValueError("expected a number, as text")  # noqa: TRY004 - pydantic's way to refuse
    try:
        figure = Decimal(given)
    except InvalidOperation:
        raise ValueError("expected a number, as text") from None
    if not figure.is_finite() or abs(figure) > FIGURE_MAX:
        raise ValueError(f"expected a number up to {FIGURE_MAX:,}")
    return figure


def _clock_text(given: object) -> object:
    if not isinstance(given, str) or not _CLOCK.fullmatch(given):
        raise ValueError("expected a time from 00:00 to 23:59")
    return given


def _zone(given: object) -> object:
    try:
        return ZoneInfo(given).key if isinstance(given, str) else _refuse_zone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _refuse_zone()


def _refuse_zone() -> object:
    raise ValueError("expected an IANA name such as Europe/Prague")


def _lock(given: object) -> object:
    if isinstance(given, str):
        if given in {"never", "at_initial"}:
            return given
        match = _LOCK.fullmatch(given)
        if match and _figure(match[1]):
            return given
    raise ValueError("expected never, at_initial, or such as 'initial + 100'")


def _aware(given: object) -> object:
    if not isinstance(given, datetime) or given.tzinfo is None:
        raise ValueError("expected an instant such as 2026-03-04T10:00:00Z")
    return given


Figure = Annotated[Decimal, BeforeValidator(_figure)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Clock(_Table):
    zone: Annotated[str, BeforeValidator(_zone)]
    at: Annotated[str, BeforeValidator(_clock_text)]


class _Amount(_Table):
    kind: Literal["percent_of_initial", "percent_of_base", "fixed", "remain"]
    value: Figure


class _Rule(_Table):
    name: str
    title: str = Field(min_length=1, max_length=TITLE_LENGTH_MAX)
    measure: Literal["loss", "margin_level", "positions", "exposure"] = "loss"
    clock: _Clock | None = None
    base: Literal["balance", "equity", "max", "initial"] = "initial"
    amount: _Amount
    compare: Literal["equity", "balance", "both"] = "equity"
    touch: bool = False
    trail: Literal["none", "eod_balance", "eod_equity", "intraday_equity"] = "none"
    lock: Annotated[str, BeforeValidator(_lock)] = "never"
    severity: Literal["close_all", "pause_day", "warn"]
    buffer_percent: Figure = ZERO
    always: bool = False


class _Reading(_Table):
    at: Annotated[datetime, BeforeValidator(_aware)]
    balance: Figure
    equity: Figure
    flow: Figure = ZERO
    margin_level: Figure | None = None
    positions: int = Field(0, ge=0)
    exposure: Figure = ZERO
    floor: Figure
    broken: bool = False


class _Example(_Table):
    rule: str
    says: str = Field(min_length=1, max_length=TEXT_LENGTH_MAX)
    initial: Figure | None = None
    reading: list[_Reading] = Field(min_length=1, max_length=READINGS_MAX)


class _File(_Table):
    title: str = Field(min_length=1, max_length=TITLE_LENGTH_MAX)
    source: str = Field(min_length=1, max_length=TEXT_LENGTH_MAX)
    rule: list[_Rule] = Field(min_length=1, max_length=RULES_MAX)
    example: list[_Example] = Field(min_length=1, max_length=EXAMPLES_MAX)


@cache
def shipped() -> Mapping[str, Profile]:
    """The profiles that come with Reckoner, by name. Raises RuleFileError."""
    return _read(SHIPPED)


def profiles(own: Path | None) -> Mapping[str, Profile]:
    """Those shipped and those of a directory of one's own. Raises RuleFileError."""
    if own is None:
        return shipped()
    mine = _read(own)
    again = sorted(mine.keys() & shipped().keys())
    if again:
        raise RuleFileError(
            [f"{own / name}.toml: expected another name, this one is shipped" for name in again]
        )
    return {**shipped(), **mine}


def read_profile(path: Path) -> Profile:
    """Read and check one file, its examples included. Raises RuleFileError."""
    return read_whole(path)[0]


def read_whole(path: Path) -> tuple[Profile, tuple[Example, ...]]:
    """The profile of a file, with its examples. Raises RuleFileError with every mistake of it."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RuleFileError([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RuleFileError([f"{path}: expected TOML: {error}"]) from None
    if not _FILE.fullmatch(path.stem):
        raise RuleFileError([f"{path}: expected a name of small letters, digits and hyphens"])
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        told = error.errors(include_url=False)
        raise RuleFileError([_line(path, content, detail) for detail in told]) from None
    mistakes = _contradictions(file)
    if mistakes:
        raise RuleFileError([f"{path}: {line}" for line in mistakes])
    profile = Profile(
        name=path.stem,
        title=file.title,
        source=file.source,
        rules=tuple(_spec(rule) for rule in file.rule),
    )
    examples = tuple(_example(example) for example in file.example)
    wrong = contradictions(profile, examples)
    if wrong:
        raise RuleFileError([f"{path}: {line}" for line in wrong])
    return profile, examples


def unknown(people: PeopleFile, known: Mapping[str, Profile], where: str) -> list[str]:
    """Accounts with a profile, or modes of rules, that there are not: a line each."""
    told: list[str] = []
    for number, entry in enumerate(people.accounts, 1):
        at = f"{where}: account {number}"
        profile = known.get(entry.profile or DEFAULT)
        if profile is None:
            names = ", ".join(sorted(known))
            told.append(f"{at}: profile: expected one of {names}, got {_short(str(entry.profile))}")
            continue
        rules = {spec.name for spec in profile.rules if not spec.always}
        for name in sorted(entry.modes.keys() - rules):
            which = f"a rule of {profile.name}" if rules else f"none, since {profile.name} has none"
            told.append(f"{at}: modes: expected {which}, got {_short(name)}")
    return told


def _read(folder: Path) -> Mapping[str, Profile]:
    try:
        files = sorted(folder.glob("*.toml"))
        if not folder.is_dir():
            raise RuleFileError([f"{folder}: expected a directory with rule files"])
    except OSError as error:
        raise RuleFileError([f"{folder}: cannot be read: {error.strerror}"]) from None
    if len(files) > FILES_MAX:
        raise RuleFileError([f"{folder}: expected at most {FILES_MAX} files"])
    found: dict[str, Profile] = {}
    mistakes: list[str] = []
    for file in files:
        try:
            found[file.stem] = read_profile(file)
        except RuleFileError as error:
            mistakes += str(error).splitlines()
    if mistakes:
        raise RuleFileError(mistakes)
    return found


def _spec(rule: _Rule) -> RuleSpec:
    clock = None
    if rule.clock is not None:
        hour, minute = rule.clock.at.split(":")
        clock = RuleClock(rule.clock.zone, int(hour), int(minute))
    offset = {"never": None, "at_initial": ZERO}.get(rule.lock, ZERO)
    match = _LOCK.fullmatch(rule.lock)
    return RuleSpec(
        name=rule.name,
        title=rule.title,
        measure=Measure(rule.measure),
        clock=clock,
        base=Base(rule.base),
        amount=Amount(AmountKind(rule.amount.kind), rule.amount.value),
        compare=Compare(rule.compare),
        touch=rule.touch,
        trail=Trail(rule.trail),
        lock_offset=Decimal(match[1]) if match else offset,
        severity=Severity(rule.severity),
        buffer_percent=rule.buffer_percent,
        always=rule.always,
    )


def _example(example: _Example) -> Example:
    return Example(
        rule=example.rule,
        says=example.says,
        initial=example.initial,
        readings=tuple(
            ExampleReading(
                at=r.at,
                balance=r.balance,
                equity=r.equity,
                flow=r.flow,
                margin_level_percent=r.margin_level,
                positions=r.positions,
                exposure=r.exposure,
                floor=r.floor,
                broken=r.broken,
            )
            for r in example.reading
        ),
    )


def _contradictions(file: _File) -> list[str]:
    """What each field alone allows and all together do not."""
    mistakes: list[str] = []
    seen: set[str] = set()
    shown = {example.rule for example in file.example}
    for rule in file.rule:
        told = [*_naming(rule), *_amounts(rule), *_times(rule)]
        if rule.name in seen:
            told.append("name: expected each name once")
        if rule.name not in shown:
            told.append("example: expected at least one [[example]] of it")
        seen.add(rule.name)
        mistakes += [f"rule {_short(rule.name)}: {line}" for line in told]
    mistakes += [
        f"example of {_short(r)}: rule: expected a rule of this file" for r in shown - seen
    ]
    return mistakes


def _naming(rule: _Rule) -> list[str]:
    if rule.always:
        return [] if rule.name in ALWAYS else [f"always: expected only for {_some(ALWAYS)}"]
    if rule.name in RESERVED:
        return [f"name: expected another name than {rule.name}"]
    if not _NAME.fullmatch(rule.name):
        return ["name: expected small letters, digits and underscores, at most 40"]
    return []


def _amounts(rule: _Rule) -> list[str]:
    told: list[str] = []
    value, kind, loss = rule.amount.value, rule.amount.kind, rule.measure == "loss"
    if value <= 0:
        told.append(f"amount.value: expected more than 0, got {value}")
    if loss and kind.startswith("percent") and value >= HUNDRED:
        told.append(f"amount.value: expected less than 100 percent, got {value}")
    if rule.measure in {"margin_level", "positions"} and kind != "fixed":
        told.append(f"amount.kind: expected fixed for {rule.measure}, got {kind}")
    if kind == "remain" and not (rule.always and loss):
        told.append("amount.kind: expected remain only for minimum_equity")
    if not 0 <= rule.buffer_percent < HUNDRED:
        told.append(f"buffer_percent: expected from 0 to below 100, got {rule.buffer_percent}")
    return told


def _times(rule: _Rule) -> list[str]:
    """Which clock, trail and lock go together."""
    told: list[str] = []
    pauses, daily = rule.severity == "pause_day", rule.trail.startswith("eod")
    if rule.measure != "loss":
        if rule.trail != "none":
            told.append("trail: expected none, since it sets no floor")
        if rule.clock is not None and not pauses:
            told.append("clock: expected none, since nothing of it resets")
    elif daily and rule.clock is None:
        told.append(f"clock: expected one for trail {rule.trail}")
    elif rule.trail == "intraday_equity" and rule.clock is not None:
        told.append("clock: expected none, since it follows every reading")
    elif rule.trail == "none" and rule.base != "initial" and not (rule.clock or rule.always):
        told.append(f"clock: expected one for base {rule.base} without a trail")
    elif rule.trail == "none" and rule.base == "initial" and rule.clock and not pauses:
        told.append("clock: expected none, since the initial balance does not change")
    if pauses and rule.clock is None:
        told.append("clock: expected one, since the pause lasts until its reset")
    if rule.lock != "never" and rule.trail == "none":
        told.append("lock: expected never without a trail")
    return told


def _line(path: Path, content: Mapping[str, Any], detail: ErrorDetails) -> str:
    """One mistake that pydantic found, as file, rule, field, expected, got."""
    where, fields = [str(path)], [*detail["loc"]]
    if len(fields) > 1 and fields[0] in {"rule", "example"} and isinstance(fields[1], int):
        tables = content[str(fields[0])]
        table = tables[fields[1]] if isinstance(tables, list) else {}
        name = table.get("name", table.get("rule")) if isinstance(table, dict) else None
        where.append(f"{fields[0]} {_short(name) if isinstance(name, str) else fields[1] + 1}")
        fields = fields[2:]
    named = ".".join(str(f + 1) if isinstance(f, int) else f for f in fields)
    if named:
        where.append(named)
    return f"{': '.join(where)}: {_wanted(detail)}"


def _wanted(detail: ErrorDetails) -> str:
    given = f", got {_short(detail['input'])}"
    match detail["type"]:
        case "missing":
            return "expected a value, got nothing"
        case "extra_forbidden":
            return "no such field"
        case "value_error":
            return detail["msg"].removeprefix("Value error, ") + given
        case _:
            return "expected " + detail["msg"].removeprefix("Input should be ") + given


def _some(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _short(given: object) -> str:
    text = given if isinstance(given, str) else repr(given)
    return text if len(text) <= GIVEN_LENGTH_MAX else text[:GIVEN_LENGTH_MAX] + "..."
