"""The documents keep up with the code: words, metrics, commands, links."""

import ast
import re
from pathlib import Path

import pytest

from core.domain.drawdown import Rule
from core.domain.quotes import WarningKind
from core.records import RECORDS
from tests.tidy.sources import ROOT, facts, name_of, python_files, tracked, tree

GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
METRICS = (ROOT / "docs" / "metrics.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [path for path in tracked() if path.suffix == ".md"]
WORDS_OF_THE_DESIGN = (
    "Account",
    "Terminal",
    "Signal",
    "Approval",
    "Trade",
    "Position",
    "Deal",
    "Pending order",
    "Snapshot",
    "Divergence",
    "Episode",
    "Guard",
    "Verdict",
    "Latch",
    "Countdown",
    "Override",
    "Close job",
    "Close order",
    "Outcome",
    "Headroom",
    "High-water mark",
    "Peak",
    "Cash flow",
    "Outbox",
    "Lease",
    "Fencing token",
)
METRICS_OF_THE_ISSUE = (
    "mt5_position_sync_total",
    "reconciliation_divergences_total",
    "drawdown_guard_triggers_total",
    "positions_autoclosed_total",
    "reconciliation_latency_seconds",
    "mt5_positions_total",
    "account_equity_gbp",
    "account_drawdown_percent",
)


def test_every_name_in_the_glossary_exists() -> None:
    named = set(re.findall(r"`([A-Z][A-Za-z]+[a-z][A-Za-z]*)`", GLOSSARY))
    assert named
    assert named <= {name for path in python_files("core") for name in facts(path).classes}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_table_has_its_word(record: type) -> None:
    assert f"`{record.__name__}`" in GLOSSARY


@pytest.mark.parametrize("word", WORDS_OF_THE_DESIGN)
def test_every_word_of_the_design_is_explained(word: str) -> None:
    explained = ", ".join(re.findall(r"\*\*([^*]+)\*\*", GLOSSARY)).lower()
    assert word.lower() in explained


def test_every_metric_is_documented_and_every_documented_one_exists() -> None:
    documented = set(re.findall(r"^\| `([a-z0-9_]+)` \|", METRICS, re.MULTILINE))
    source = (ROOT / "core" / "adapters" / "metrics.py").read_text("utf-8")
    built = set(re.findall(r'"([a-z0-9]+(?:_[a-z0-9]+){2,})"', source))
    assert documented == built
    assert documented >= set(METRICS_OF_THE_ISSUE)


def test_the_counters_that_say_why_name_every_reason() -> None:
    """The outcomes and guards that the code counts stand in the table, word by word."""
    guards = {rule.value for rule in Rule} | {f"market_{kind.value}" for kind in WarningKind}
    assert _labels("mt5_position_sync_total") == _counted("synced")
    assert _labels("drawdown_guard_triggers_total") == _counted("guard_triggered") | guards


def _counted(method: str) -> set[str]:
    """The label values that are written out where this method of the metrics is called."""
    calls = [
        node
        for path in python_files("core", "scheduler.py")
        if f".{method}(" in path.read_text("utf-8")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and _name_called(node) == method
    ]
    assert calls
    return {
        part.value
        for call in calls
        for part in ast.walk(call.args[0])
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    } - {"market_"}


def _name_called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _labels(metric: str) -> set[str]:
    meaning = next(line for line in METRICS.splitlines() if line.startswith(f"| `{metric}`"))
    return set(re.findall(r"`(\w+)`", meaning.split("|")[4]))


def test_the_readme_names_the_test_folders_that_exist() -> None:
    line = next(line for line in README.splitlines() if line.startswith("    tests/ "))
    named = set(re.findall(r"\w+", line.partition("tests/")[2].replace("stand in", "")))
    parts = [path.relative_to(ROOT / "tests").parts for path in python_files("tests")]
    assert named == {part[0] for part in parts if len(part) > 1}


def test_the_readme_names_every_command() -> None:
    source = (ROOT / "bot" / "views" / "commands.py").read_text("utf-8")
    names = re.findall(r'CommandInfo\(\s*"([a-z]+)"', source)
    assert names
    assert not [name for name in names if f"/{name}" not in README]


def test_the_readme_gives_the_two_commands_as_they_are_run() -> None:
    lines = [line.strip() for line in README.splitlines()]
    assert "pip install uv && uv run python -m bot demo" in lines
    assert "pip install uv && uv run pytest" in lines
    assert "pipx install uv" in README


def test_the_readme_names_every_word_of_the_demo() -> None:
    source = (ROOT / "bot" / "cli" / "parser.py").read_text("utf-8")
    words = set(re.findall(r'"(--[a-z-]+)"', source))
    assert words
    assert not [word for word in words if f"`{word}" not in README]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text("utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_services_own_commands_are_run_as_the_service_is() -> None:
    """Same user, same settings, same files: else `link` and the service do not meet."""
    unit = (ROOT / "deploy" / "reckoner.service").read_text("utf-8")
    page = (ROOT / "docs" / "connect-windows.md").read_text("utf-8")
    has = dict(re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE))
    command = page.partition("as_reckoner() {")[2].partition("}")[0]
    for word in (
        f"--uid={has['User']} ",
        f"-p EnvironmentFile={has['EnvironmentFile']} ",
        f"-p UMask={has['UMask']} ",
        f"--setenv={has['Environment']} ",
        f"--working-directory={has['WorkingDirectory']} ",
        has["ExecStart"].removesuffix(" run") + ' "$@"',
    ):
        assert word in command
    assert f"--home-dir /var/lib/{has['StateDirectory']} " in page
    for word in ("link", "check", "rotate-keys"):
        assert f"    as_reckoner {word}" in page
    (prefix,) = re.findall(r"WINEPREFIX=(\S+) /usr/lib/wine/wine64 wineboot", page)
    assert f"# ReadWritePaths={prefix}\n" in unit
    assert f"`ReadWritePaths={prefix}`" in page


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "adr").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 5


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")
