"""`check` against a simulated world, through real agents: each thing wrong is named, with its fix.

The market of one world walks, so that its prices are fresh; that of the other has closed.
"""

import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from core.adapters.mt5 import probe
from core.adapters.sql.store import SqlStore
from core.ports import Secret
from tests.wire.office import ALICE, BEN, ROOT, Office, running_world, steps_of
from tests.wire.stage import Stage, Zygote, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async for made in running_world(zygote, tmp_path_factory.mktemp("walking"), "walk"):
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def still(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async for made in running_world(zygote, tmp_path_factory.mktemp("still"), "manual"):
        for quote in (await made.get("/broker/market"))["quotes"]:
            await made.post("/broker/market", symbol=quote["symbol"], mode="frozen")
        yield made


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent finds the simulator where it is started from."""
    monkeypatch.chdir(ROOT)


async def test_an_account_that_can_be_guarded_and_closed(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ticket = await world.opens(ALICE, "EURUSD", "buy", 0.10)
    office = Office(world, tmp_path, ALICE, BEN)
    for login in (ALICE, BEN):
        await office.link(login)
    is_ready, said = await office.check(capsys)
    assert is_ready, said
    assert [line.split()[1].rstrip(":") for line in said.splitlines() if line[:4] == "  ok"] == [
        *("terminal", "login", "permissions", "time", "symbols", "pounds", "closing"),
        *("terminal", "login", "permissions", "time", "symbols", "pounds"),
        *("key", "database", "people", "Telegram"),
    ]
    assert "the broker's clock is 3 h ahead of UTC" in said
    assert "closing: 1 open position could be closed now" in said
    assert "1 USD is 0." in said
    assert "@reckoner_demo_bot, admins in 'Reckoner desk'" in said
    assert (await world.account(ALICE))["positions"][0]["ticket"] == ticket


async def test_nothing_is_there_yet(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = {"TELEGRAM_TOKEN": "", "ADMIN_CHAT_ID": "", "MT5_AGENT_COMMAND": ""}
    office = Office(world, tmp_path, **nothing)
    is_ready, said = await office.check(capsys)
    assert not is_ready
    steps = steps_of(said)
    assert {name: state for name, (state, _) in steps.items()} == {
        "terminal": "missing",
        "key": "missing",
        "database": "missing",
        "people": "ok",
        "Telegram": "missing",
    }
    assert (
        'python -m bot link 50001 --server "Reckoner-Demo" --terminal PATH' in steps["terminal"][1]
    )
    assert "TELEGRAM_TOKEN and ADMIN_CHAT_ID not set" in steps["Telegram"][1]
    assert steps["key"][1] == "none is needed before there is a database the first link makes it"
    assert steps["people"][1] == "1 account, all new: the next start of Reckoner takes them up"
    assert not (tmp_path / "data").exists(), "looking makes nothing"


@pytest.mark.parametrize(
    ("link", "name", "says", "todo"),
    [
        ({"password": Secret("wrong-password")}, "login", "the broker refused", "bot link 50001"),
        ({"server": "Elsewhere"}, "terminal", "no terminal is linked", "bot link 50001"),
        ({"password": None, "path": "terminal/50002"}, "login", "another account", "File, Login"),
        ({"path": "terminal/7"}, "terminal", "the terminal does not start", "starts by hand"),
    ],
)
async def test_a_link_that_leads_wrong(
    world: Stage,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    link: dict[str, Any],
    name: str,
    says: str,
    todo: str,
) -> None:
    office = Office(world, tmp_path)
    if "path" in link:
        link = {**link, "path": f"{world.base_url}/{link['path']}"}
    await office.link(**link)
    is_ready, said = await office.check(capsys)
    assert not is_ready
    state, text = steps_of(said)[name]
    assert state == ("missing" if "no terminal" in says else "cannot")
    assert says in text
    assert todo in text


async def test_the_investors_password_watches_but_closes_nothing(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(world, tmp_path)
    await office.link(password=Secret("investor"))
    is_ready, said = await office.check(capsys)
    assert not is_ready
    steps = steps_of(said)
    assert steps["login"][0] == "ok"
    state, text = steps["permissions"]
    assert state == "cannot"
    assert text.startswith("Reckoner can watch this account but cannot close on it, because ")
    assert "investor" in text
    assert "python -m bot link" in text


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("autotrading_off", "Algo Trading"),
        ("tradeapi_disabled", "Python API"),
        ("expert_disabled", "expert advisors"),
        ("trade_disabled", "master password"),
        ("disconnected", "no connection to the broker"),
    ],
)
async def test_what_keeps_an_account_from_being_closed(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str, says: str
) -> None:
    office = Office(world, tmp_path, BEN)
    await office.link(BEN)
    await world.fault(BEN, fault)
    try:
        is_ready, said = await office.check(capsys)
    finally:
        await world.mend(BEN)
    assert not is_ready
    state, text = steps_of(said)["permissions"]
    assert state == "cannot"
    assert says in text


async def test_a_closed_market_does_not_hide_what_is_known_already(
    still: Stage,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe, "WATCH_KNOWN_S", 0.2)
    monkeypatch.setattr(probe, "LOOK_INTERVAL_S", 0.1)
    office = Office(still, tmp_path)
    await office.link()
    is_ready, said = await office.check(capsys)
    assert is_ready, said
    assert "3 h ahead of UTC, as kept from before: no fresh price came" in said


async def test_a_closed_market_leaves_an_unknown_clock_unknown(
    still: Stage,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe, "WATCH_S", 0.2)
    monkeypatch.setattr(probe, "LOOK_INTERVAL_S", 0.1)
    office = Office(still, tmp_path)
    await office.link(known_s=None)
    is_ready, said = await office.check(capsys)
    assert not is_ready
    state, text = steps_of(said)["time offset"]
    assert (state, "run this again when it is open" in text) == ("cannot", True)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("no-such-program", "the agent cannot be started: no-such-program: No such file"),
        (f"{shlex.quote(sys.executable)} -c 'import sys; sys.exit(\"bad key\")'", "bad key"),
        ("ssh {host} agent", "MT5_AGENT_COMMAND has {host}, and no host is given"),
        ("ssh {host} agent", "--host H"),
    ],
)
async def test_an_agent_that_does_not_start(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, says: str
) -> None:
    office = Office(world, tmp_path, MT5_AGENT_COMMAND=command)
    await office.link()
    is_ready, said = await office.check(capsys)
    assert not is_ready
    state, text = steps_of(said)["terminal"]
    assert state in {"cannot", "missing"}
    assert says in text


async def test_a_python_without_the_library_says_how_to_get_it(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(world, tmp_path)
    office.env["MT5_AGENT_COMMAND"] = office.env["MT5_AGENT_COMMAND"].replace(
        "core.sim.metatrader5", "NoSuchMetaTrader"
    )
    await office.link()
    _, said = await office.check(capsys)
    state, text = steps_of(said)["terminal"]
    assert state == "cannot"
    assert "python -m pip install MetaTrader5" in text


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"TELEGRAM_TOKEN": "1:wrong"}, "it does not know the token"),
        ({"ADMIN_CHAT_ID": "-7"}, "cannot reach the chat -7"),
        ({"TELEGRAM_API_BASE": "http://127.0.0.1:9"}, "http://127.0.0.1:9 does not answer"),
    ],
)
async def test_telegram_out_of_reach(
    world: Stage,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    env: dict[str, str],
    says: str,
) -> None:
    office = Office(world, tmp_path, **env)
    is_ready, said = await office.check(capsys)
    assert not is_ready
    state, text = steps_of(said)["Telegram"]
    assert state == "cannot"
    assert says in text


async def test_whoever_looks_while_another_owns_the_database_starts_nothing(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(world, tmp_path)
    await office.link()
    owner = await SqlStore.open(office.settings.database_url)
    try:
        epoch = await owner.owner_epoch()
        is_ready, said = await office.check(capsys)
        assert await owner.owner_epoch() == epoch + 1, "no epoch was raised meanwhile"
    finally:
        await owner.close()
    assert not is_ready
    assert "Reckoner runs" in steps_of(said)["database"][1]
    assert "has not read this account yet" in steps_of(said)["reading"][1]
    assert not (tmp_path / "agents").exists()


@pytest.mark.parametrize("is_linked", [False, True])
async def test_an_account_that_is_served_over_http_is_not_looked_at_and_not_called_ready(
    world: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, is_linked: bool
) -> None:
    office = Office(world, tmp_path)
    if is_linked:
        await office.link()
    office.env |= {"TERMINAL_BASE_URL": world.base_url, "MT5_AGENT_COMMAND": ""}
    is_ready, said = await office.check(capsys)
    assert not is_ready
    assert said.count(f"terminal: served over HTTP at {world.base_url}, not looked at") == 1
    account = said.partition("Account ")[2].partition("Reckoner\n")[0]
    assert account.count("  cannot ") == 1
    assert "  ok " not in account
    assert "looking at" not in said


async def test_a_running_reckoner_tells_of_its_own_readings(
    zygote: Zygote, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with staged(zygote, tmp_path, {"RECONCILIATION_SYNC_INTERVAL_S": "1"}) as stage:
        office = Office(stage, tmp_path)
        office.people = None  # type: ignore[assignment]  # they are in its database
        office.env |= {
            "DATA_DIR": str(tmp_path),
            "TERMINAL_BASE_URL": stage.base_url,
            "MT5_AGENT_COMMAND": "",
        }
        is_ready, said = await office.check(capsys)
        assert is_ready, said
        assert "Reckoner runs" in said
        assert said.count("the running Reckoner read this account ") == 4
        await stage.fault(ALICE, "read_fails")

        async def told() -> bool:
            is_ready, said = await office.check(capsys)
            return not is_ready and "the running Reckoner read this account last " in said

        await stage.comes(told, "an account that is not read any more")
