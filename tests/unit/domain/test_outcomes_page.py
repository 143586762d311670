"""docs/outcomes.md says what the order outcome table says."""

from pathlib import Path

from core.domain.retcodes import ARGUMENT_REFUSED, LAST_ERRORS, RETCODES, OrderOutcome

PAGE = Path(__file__).parents[3] / "docs" / "outcomes.md"
THEN = {
    "accepted": "read what is left",
    "gone": "read, and find the deal",
    "unknown": "read before anything else",
    "reprice": "again with a fresh price",
    "back_off": "again after a pause",
    "filling": "again with another filling mode",
    "oldest_first": "the symbol's oldest position first",
    "session": "again when quotes come, or after a pause",
    "human": "again after a pause; somebody has to switch something on",
    "invalid": "again, rebuilt from a new reading",
}


def row(each: OrderOutcome) -> str:
    """One line of the page."""
    name = f"{each.name}, naming an argument" if each is ARGUMENT_REFUSED else each.name
    pauses = ", ".join(f"{pause:g}" for pause in each.pauses_s) or "-"
    told = {"": "-"}.get(each.trouble, f"{each.told_after}: {each.trouble}")
    cells = (each.code, name, each.executed, THEN[each.answer], pauses, told, each.sentence)
    return f"| {' | '.join(map(str, cells))} |"


def test_the_page_has_every_row_of_the_table_and_no_other() -> None:
    lines = PAGE.read_text("utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| ") and line[2] in "-0123456789"]
    assert rows == [row(each) for each in (*RETCODES, *LAST_ERRORS)]
