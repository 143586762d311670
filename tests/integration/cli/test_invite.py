"""`invite` where it cannot be done."""

from pathlib import Path

import pytest

from bot.__main__ import main


def test_an_account_that_is_not_in_the_books_is_said_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["invite", "50001", "--server", "Broker-Live"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("there is no account 50001 at Broker-Live: add an [[account]]")


@pytest.mark.parametrize(
    "words", [["invite"], ["invite", "50001"], ["invite", "x", "--server", "S"]]
)
def test_what_is_missing_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
