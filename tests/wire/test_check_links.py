"""`check` against a simulated world: what is said of links, keys and the agent's memory.

And the rehearsal, as its page says.
"""

import asyncio
import os
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.wire.office import ALICE, READY, ROOT, SERVER, Office, running_world, steps_of
from tests.wire.stage import Stage, Zygote

pytestmark = pytest.mark.asyncio(loop_scope="module")

REHEARSAL_S_MAX = 60


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async for made in running_world(zygote, tmp_path_factory.mktemp("walking"), "walk"):
        yield made


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent finds the simulator where it is started from."""
    monkeypatch.chdir(ROOT)


async def test_a_lost_key_is_told_at_the_account_and_at_the_key(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(world, tmp_path)
    await office.link()
    (tmp_path / "data" / "password.keys").unlink()
    is_ready, said = await office.check(capsys)
    assert not is_ready
    steps = steps_of(said)
    assert "the password cannot be read" in steps["terminal"][1] + steps.get("login", ("", ""))[1]
    assert steps["key"][0] == "cannot"
    assert f"{ALICE} at {SERVER}" in steps["key"][1]
    for name in ("terminal", "key"):
        text = steps[name][1]
        assert text.index("bring the key back") < text.index("--new-key")


async def test_a_key_open_to_others_is_closed_first_wherever_it_is_told(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(world, tmp_path)
    await office.link()
    key = tmp_path / "data" / "password.keys"
    key.chmod(0o644)
    _, said = await office.check(capsys)
    steps = steps_of(said)
    for name in ("terminal", "key"):
        assert f"chmod 600 {key}, then python -m bot rotate-keys" in steps[name][1]
        assert "bot link" not in steps[name][1]


async def test_a_server_spelt_otherwise_is_told_with_both_spellings(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(world, tmp_path, PEOPLE_FILE="people.toml")
    await office.link(server="ReckonerDemo")
    is_ready, said = await office.check(capsys)
    assert not is_ready
    steps = steps_of(said)
    assert "50001 is linked at ReckonerDemo; people.toml spells it Reckoner-Demo" in said
    assert "linked, but no account of Reckoner: 50001 at ReckonerDemo" in steps["people"][1]


async def test_symbols_that_nobody_asked_for_are_not_missed(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(world, tmp_path)
    await office.link()
    _, said = await office.check(capsys)
    assert "not at this broker" not in steps_of(said)["symbols"][1]
    office.env["PIP_BY_SYMBOL"] = "XAUUSD=0.10,NOSUCH=1"
    _, said = await office.check(capsys)
    assert steps_of(said)["symbols"][1].endswith("not at this broker: NOSUCH")


async def test_an_older_copy_of_the_database_names_the_epochs_file(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(world, tmp_path)
    await office.link()
    await office.check(capsys)
    (epochs,) = (tmp_path / "agents").glob("*.epoch")
    epochs.write_text('{"epoch": 1000, "owner": "another:1"}')
    is_ready, said = await office.check(capsys)
    assert not is_ready
    assert f"{epochs} has epoch 1000 of 'another:1'" in steps_of(said)["terminal"][1]
    epochs.unlink()
    is_ready, said = await office.check(capsys)
    assert is_ready, said


async def test_the_rehearsal_goes_as_its_page_says(world: Stage, tmp_path: Path) -> None:
    """`docs/simulator.md`: its lines as they stand, but for the world's address and the Python."""
    page = (ROOT / "docs" / "simulator.md").read_text("utf-8")
    lines = page[page.index("    export DATA_DIR") : page.index("    uv run python -m bot run")]
    here = shlex.quote(sys.executable)
    for said, done in (
        ("http://127.0.0.1:8090", world.base_url),
        (".venv/bin/python core/", f"{here} {ROOT}/core/"),
        ("uv run python -m bot link", f"echo master | {here} -m bot link --password-stdin"),
        ("uv run python", here),
    ):
        assert said in lines
        lines = lines.replace(said, done)
    process = await asyncio.create_subprocess_exec(
        *("sh", "-e", "-c", lines),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), REHEARSAL_S_MAX)
    assert process.returncode == 0, out.decode()
    assert out.decode().rstrip().endswith(READY)


async def test_a_database_that_fails_does_not_make_the_key_needless(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.db").write_text("no database at all, and long enough to be read as one")
    office = Office(world, tmp_path, DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path}/broken.db")
    is_ready, said = await office.check(capsys)
    assert not is_ready
    steps = steps_of(said)
    assert steps["database"][0] == "cannot"
    assert steps["key"][0] == "cannot"
    assert "needed" not in steps["key"][1]
