"""What `check` says: one line a step, the next step under it, and a page that explains each."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.cli.check_troubles import OTHER, TROUBLES, told
from bot.cli.check_words import Running, running_steps, steps
from bot.cli.steps import WIDTH, State, Step, cannot, ok
from core.domain.permissions import Obstacle
from core.domain.rates import Rate
from core.domain.readiness import (
    INTERVALS_MAX,
    READING_AGE_MAX,
    CloseTried,
    Found,
    Stage,
    Symbols,
    Trouble,
    of_state,
)
from core.records import AccountStateRow

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "connect-windows.md").read_text("utf-8")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
RELINK = "python -m bot link 1 --server S --terminal PATH"
WHOLE = Found(
    login=1,
    path="C:/t.exe",
    host="win1",
    build=5640,
    took_s=2.04,
    connected=True,
    obstacles=(),
    offset_s=7200,
    offset_is_fresh=True,
    currency="USD",
    symbols=Symbols(found={"XAUUSD": "GOLD.r", "EURUSD": "EURUSD"}, unused=("US30",)),
    rate=Rate(Decimal("0.78740000"), NOW - timedelta(seconds=59)),
    read_at=NOW,
)
AS_IT_COMES = {
    "command": "nothing says how an agent",
    "no_host": "MT5_AGENT_COMMAND has {host}, and no host is given",
    "no_place": "MT5_AGENT_COMMAND has no {host}",
}
"""What is said where the text is made elsewhere; another test holds them to that."""


def _changed(**changes: object) -> Found:
    fields = {name: getattr(WHOLE, name) for name in WHOLE.__struct_fields__}
    return Found(**(fields | changes))


def _said(found: Found) -> dict[str, Step]:
    return {step.name: step for step in steps(found, NOW, RELINK)}


def _close(retcode: int) -> CloseTried:
    return CloseTried(
        ticket=7, symbol="GOLD.r", volume=Decimal("0.10"), retcode=retcode, comment="No"
    )


def test_a_whole_way_is_told_in_the_order_of_the_way() -> None:
    assert [step.lines() for step in steps(WHOLE, NOW, RELINK)] == [
        ["  ok       terminal: C:/t.exe on win1, answered in 2.0 s, build 5640"],
        ["  ok       login: the right account on the right server"],
        ["  ok       permissions: Reckoner can watch this account and close on it"],
        ["  ok       time offset: the broker's clock is 2 h ahead of UTC"],
        ["  ok       symbols: 2 found (XAUUSD is GOLD.r); not at this broker: US30"],
        ["  ok       pounds: 1 USD is 0.7874 GBP"],
    ]


@pytest.mark.parametrize(
    ("offset_s", "words"),
    [(0, "UTC"), (19_800, "5.5 h ahead of UTC"), (-13_500, "3.75 h behind UTC")],
)
def test_the_brokers_clock_is_told_in_hours(offset_s: int, words: str) -> None:
    assert (
        _said(_changed(offset_s=offset_s))["time offset"].text == f"the broker's clock is {words}"
    )


@pytest.mark.parametrize(
    ("age_s", "words"),
    [(59, "GBP"), (60, "GBP, 1 min old"), (7199, "GBP, 119 min old"), (7200, "GBP, 2 h old")],
)
def test_an_old_rate_says_how_old(age_s: int, words: str) -> None:
    rate = Rate(Decimal("0.5"), NOW - timedelta(seconds=age_s))
    assert _said(_changed(rate=rate))["pounds"].text == f"1 USD is 0.5 {words}"


def test_a_currency_that_nothing_turns_into_pounds_is_told_never_guessed() -> None:
    step = _said(_changed(rate=None))["pounds"]
    assert step.state is State.CANNOT
    assert step.text.startswith("nothing here turns USD into GBP")


@pytest.mark.parametrize(
    ("symbols", "words"),
    [
        (Symbols(missing=("XAUUSD",)), "XAUUSD is not to be found"),
        (Symbols(ambiguous={"US30": ("DJ", "WS30")}), "US30 may be any of DJ, WS30"),
    ],
)
def test_a_needed_symbol_that_is_not_sure_is_told(symbols: Symbols, words: str) -> None:
    step = _said(_changed(symbols=symbols))["symbols"]
    assert step.state is State.CANNOT
    assert words in step.text


@pytest.mark.parametrize(
    ("retcodes", "state", "words"),
    [
        ((0,), State.OK, "1 open position could be closed now"),
        ((0, 10018), State.OK, "2 open positions could be closed now, 1 of them when"),
        ((0, 10017), State.CANNOT, "would refuse to close 0.1 GOLD.r (ticket 7): No (10017)"),
    ],
)
def test_what_order_check_says_of_closing_is_told(
    retcodes: tuple[int, ...], state: State, words: str
) -> None:
    step = _said(_changed(closes=tuple(_close(code) for code in retcodes)))["closing"]
    assert step.state is state
    assert words in step.text


@pytest.mark.parametrize("obstacle", Obstacle)
def test_each_obstacle_is_told_with_its_next_step(obstacle: Obstacle) -> None:
    word = f"{obstacle}:GOLD.r" if obstacle is Obstacle.SYMBOL_DISABLED else obstacle.value
    step = _said(_changed(obstacles=(word,)))["permissions"]
    assert step.state is State.CANNOT
    what = "close all of it" if obstacle is Obstacle.SYMBOL_DISABLED else "close on it"
    assert step.text.startswith(f"Reckoner can watch this account but cannot {what}, because ")
    assert step.fix


@pytest.mark.parametrize("key", TROUBLES, ids=str)
def test_each_trouble_has_its_next_step_and_its_line_on_the_page(
    key: tuple[str, int | None],
) -> None:
    kind, code = key
    trouble = Trouble(stage=Stage.TERMINAL, kind=kind, text="said", code=code)
    state, text, fix = told(trouble, WHOLE, RELINK)
    assert state is not State.OK
    assert fix
    assert "{" not in text
    assert "{" not in fix.replace("{host}", "")
    words = AS_IT_COMES.get(kind) or text.partition(": said")[0]
    assert f"| {words}" in PAGE


def test_a_trouble_nobody_foresaw_is_told_as_it_came() -> None:
    trouble = Trouble(stage=Stage.READING, kind="internal", text="odd {braces}", code=-1)
    assert told(trouble, WHOLE, RELINK) == (OTHER[0], "odd {braces} (-1)", OTHER[2])


def test_every_word_of_link_is_explained_on_the_page() -> None:
    source = (ROOT / "bot" / "cli" / "words.py").read_text("utf-8")
    words = {part for part in source.split('"') if part.startswith("--") and " " not in part}
    assert len(words) == 8
    assert not [word for word in words if f"| `{word}" not in PAGE]


@pytest.mark.parametrize(
    ("stage", "names"),
    [(Stage.TERMINAL, ["terminal"]), (Stage.LOGIN, ["terminal", "login"])],
)
def test_what_went_well_stands_before_the_trouble(stage: Stage, names: list[str]) -> None:
    trouble = Trouble(stage=stage, kind="timeout", text="late")
    found = Found(login=1, path="C:/t.exe", trouble=trouble)
    said = steps(found, NOW, RELINK)
    assert [step.name for step in said] == names
    assert said[-1].state is State.CANNOT


def test_a_reading_that_fails_leaves_the_permissions_told() -> None:
    trouble = Trouble(stage=Stage.READING, kind="unstable", text="no")
    names = [step.name for step in steps(_changed(trouble=trouble), NOW, RELINK)]
    assert names == ["terminal", "login", "permissions", "reading"]


STARTED = NOW - timedelta(hours=1)
WHEN_RUNNING = Running(since=STARTED, interval_s=10, opens=True)


def _running(age: timedelta, running: Running = WHEN_RUNNING, **changes: object) -> list[Step]:
    fields: dict[str, object] = {"observed_at": NOW - age, "obstacles": [], "gbp_rate_at": NOW}
    state = AccountStateRow(**({"id": 1, "gbp_rate": Decimal(1)} | fields | changes))  # type: ignore[arg-type]  # as rows are
    return running_steps(state, of_state(state, 1, "GBP", "C:/t.exe"), NOW, running, RELINK)


@pytest.mark.parametrize(
    ("age", "interval_s", "is_read"),
    [
        (READING_AGE_MAX, 10, True),
        (READING_AGE_MAX + timedelta(seconds=1), 10, False),
        (timedelta(seconds=300 * INTERVALS_MAX), 300, True),
        (timedelta(seconds=300 * INTERVALS_MAX + 1), 300, False),
    ],
)
def test_a_running_reckoner_is_believed_while_its_reading_is_young(
    age: timedelta, interval_s: float, *, is_read: bool
) -> None:
    said = _running(age, Running(since=STARTED, interval_s=interval_s))
    assert all(step.state is State.OK for step in said) == is_read


def test_a_running_reckoner_tells_what_stands_in_the_way() -> None:
    lost = _running(timedelta(0), unavailable_since=NOW, unavailable_reason="no line")
    assert [step.state for step in lost] == [State.CANNOT]
    assert "no line" in lost[0].text
    off = _running(timedelta(0), obstacles=["autotrading_off"])
    assert [s.name for s in off if s.state is State.CANNOT] == ["permissions"]


@pytest.mark.parametrize("unavailable_since", [None, NOW])
def test_a_block_is_said_first_and_nobody_is_told_to_stop_the_guard(
    unavailable_since: datetime | None,
) -> None:
    """Whether the account is read again, or not at all: the block is what to see to."""
    said = _running(
        timedelta(seconds=57),
        unavailable_since=unavailable_since,
        terminal_blocked_at=NOW,
        terminal_blocked_reason="7 at S",
    )
    assert "blocked since 2026-03-02 09:00 UTC" in said[0].text
    assert "7 at S" in said[0].text
    assert "/unblock" in said[0].fix
    assert not [step for step in said if "stop" in step.fix]


def test_an_obstacle_stands_before_a_reading_that_is_missing() -> None:
    said = _running(timedelta(hours=1), obstacles=["autotrading_off"])
    assert [step.name for step in said] == ["permissions", "reading"]
    assert "/status" in said[1].fix
    assert "stop" not in said[1].fix


@pytest.mark.parametrize(
    ("since", "reason", "opens", "is_told"),
    [
        (STARTED, "no line", True, True),
        (STARTED - timedelta(seconds=1), "no line", True, False),
        (NOW, "the password of 1 at S cannot be decrypted: there is no key", False, True),
        (NOW, "the password of 1 at S cannot be decrypted: there is no key", True, False),
    ],
)
def test_a_reason_of_an_earlier_run_or_of_a_key_that_is_back_is_not_told_as_present(
    since: datetime, reason: str, *, opens: bool, is_told: bool
) -> None:
    running = Running(since=STARTED, interval_s=10, opens=opens)
    (step,) = _running(
        timedelta(hours=2), running, unavailable_since=since, unavailable_reason=reason
    )
    assert (f"since {since:%Y-%m-%d %H:%M} UTC: {reason}" in step.text) == is_told
    assert (reason in step.text) == is_told


LINKED = 'python -m bot link 1 --server "S" --terminal "C:/t.exe" --host win1'


@pytest.mark.parametrize(("kind", "code"), [("wrong_account", None), ("mt5", -10003)])
def test_a_path_that_is_wrong_is_not_proposed_again(kind: str, code: int | None) -> None:
    text = "asked for 1 at S, the terminal has 2 at S"
    trouble = Trouble(stage=Stage.LOGIN, kind=kind, text=text, code=code)
    _, said, fix = told(trouble, WHOLE, LINKED)
    assert "2 at S" in said
    assert 'link 1 --server "S" --terminal PATH --host win1' in fix
    assert '--terminal "C:/t.exe"' not in fix


def test_a_missing_or_a_needless_host_is_mended_by_the_link_not_by_a_set_command() -> None:
    at_link = Trouble(stage=Stage.LINK, kind="no_host", text="no host is given")
    fix = told(at_link, WHOLE, LINKED.partition(" --host")[0])[2]
    assert fix.endswith('--terminal "C:/t.exe" --host H')
    at_link = Trouble(stage=Stage.LINK, kind="no_place", text="has no {host}")
    fix = told(at_link, WHOLE, LINKED)[2]
    assert "write {host} into MT5_AGENT_COMMAND" in fix
    assert fix.endswith('--terminal "C:/t.exe"')


def test_an_epoch_file_is_named_with_when_it_may_go() -> None:
    text = "/x/1f.epoch has epoch 7 of 'host:1', the newest"
    trouble = Trouble(stage=Stage.AGENT, kind="stale_epoch", text=text)
    _, said, fix = told(trouble, WHOLE, RELINK)
    assert "/x/1f.epoch" in said
    assert "Only if there is none" in fix
    assert "remove the .epoch file named here, on the terminal's machine" in fix


def test_an_investors_password_has_both_remedies_and_the_whole_command() -> None:
    fix = _said(_changed(obstacles=("investor_password",)))["permissions"].fix
    assert "master password" in fix
    assert RELINK in fix
    assert "ask the broker to open the account to trading" in fix


def test_running_check_again_is_no_remedy_for_a_lost_connection() -> None:
    trouble = Trouble(stage=Stage.READING, kind="unavailable", text="not connected")
    step = _said(_changed(trouble=trouble, connected=False))["reading"]
    assert "run this again" not in step.fix
    assert "network" in step.fix


def test_a_step_is_one_line_with_its_fix_indented_and_wrapped() -> None:
    step = cannot("login", "no", " ".join(["word"] * 40))
    first, *rest = step.lines()
    assert first == "  cannot   login: no"
    assert len(rest) > 1
    assert all(line.startswith(" " * 13 + "word") and len(line) <= WIDTH for line in rest)
    assert ok("key", "fine").lines() == ["  ok       key: fine"]
