"""The deliberate bugs are still bugs: each names a line that is there, and tests that are."""

from collections import Counter
from pathlib import Path

import pytest

from tests.mutations.bugs import BUGS_MIN, Bug, StaleBug, chosen, read_bugs, spoiled

ROOT = Path(__file__).resolve().parents[2]
BUGS = read_bugs()
BUG = BUGS[0]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_names_a_line_that_is_there_once_and_tests_that_are_there(bug: Bug) -> None:
    source = (ROOT / bug.file).read_text("utf-8")
    assert spoiled(bug, source) != source
    assert all((ROOT / name.split("::")[0]).exists() for name in bug.tests)


def test_every_area_has_bugs_and_there_are_enough() -> None:
    told = {"delivery", "people", "linking"}
    areas = {"guard", "close", "ledger", "episodes", "market", "rules", *told}
    assert set(Counter(b.area for b in BUGS)) == areas
    assert len(BUGS) >= BUGS_MIN


@pytest.mark.parametrize("source", ["", f"{BUG.old}\n{BUG.old}"])
def test_a_line_that_is_gone_or_there_twice_makes_its_bug_stale(source: str) -> None:
    with pytest.raises(StaleBug):
        spoiled(BUG, source)


def test_bugs_are_chosen_by_area_or_by_a_word_of_their_name() -> None:
    assert chosen(BUGS, []) == BUGS
    assert {b.area for b in chosen(BUGS, ["ledger"])} == {"ledger"}
    assert chosen(BUGS, [BUG.name]) == (BUG,)


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bugs.toml"
    entry = '[[bug]]\nname = "n"\narea = "a"\nfile = "f"\nold = "o"\nnew = "w"\ntests = ["t"]\n'
    file.write_text(entry * 2)
    with pytest.raises(ValueError, match="named twice: n"):
        read_bugs(file)
