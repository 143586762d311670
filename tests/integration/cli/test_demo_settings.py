"""The demo decides addresses and files; everything else is the user's own (law 17)."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.cli.demo import overrides_for
from bot.cli.demo_agents import overrides
from bot.cli.world_file import WorldFile, find_world, read_world
from bot.sandbox.people import DEMO_PEOPLE
from core.config import load
from core.people_file import people_from

WORLD = WorldFile(
    pid=1,
    base_url="http://127.0.0.1:8090",
    bot_token="42:SANDBOX",
    admin_chat_id=-1001,
    terminal_base_url="http://127.0.0.1:8090",
    clock_url=None,
    people={},
)
OWN = {
    "TELEGRAM_TOKEN": "1:real",
    "DATABASE_URL": "postgresql+asyncpg://real/reckoner",
    "DRAWDOWN_COUNTDOWN_S": "0",
    "RECONCILIATION_SYNC_INTERVAL_S": "0.5",
    "MAX_SLIPPAGE_PIPS": "7",
}


def test_the_users_rules_hold_and_the_users_addresses_do_not() -> None:
    settings = load(OWN, overrides_for(WORLD, Path("d")), dotenv=None)
    assert settings.drawdown_countdown_s == 0
    assert settings.reconciliation_sync_interval_s == 0.5
    assert settings.max_slippage_pips == 7
    assert settings.telegram_token is not None
    assert settings.telegram_token.get_secret_value() == "42:SANDBOX"
    assert settings.telegram_api_base == "http://127.0.0.1:8090"
    assert settings.terminal_base_url == "http://127.0.0.1:8090"
    assert settings.database_url == "sqlite+aiosqlite:///d/reckoner.db"
    assert settings.data_dir == Path("d")
    assert settings.http_port == 0
    assert settings.message_mark == "[DEMO]"
    assert settings.clock_url is None


def test_the_clock_of_a_replay_is_the_worlds() -> None:
    replaying = WorldFile(
        pid=1,
        base_url="http://127.0.0.1:1",
        bot_token="42:S",
        admin_chat_id=-1,
        terminal_base_url="http://127.0.0.1:1",
        clock_url="http://127.0.0.1:1",
        people={},
    )
    settings = load({}, overrides_for(replaying, Path("d")), dotenv=None)
    assert settings.clock_url == "http://127.0.0.1:1"


def test_the_demo_lets_clients_link_where_the_broker_has_an_account_to_spare() -> None:
    spare = replace(WORLD, people=DEMO_PEOPLE.roster(), spare_logins=[50005])
    settings = load({}, overrides_for(spare, Path("d")), dotenv=None)
    assert (settings.guided_linking, settings.guided_servers) == (True, ("Reckoner-Demo",))
    through = load({}, overrides_for(spare, Path("d")) | overrides(Path("d"), spare), dotenv=None)
    (place,) = through.guided_terminals
    assert place.path == "http://127.0.0.1:8090/terminal/50005"
    assert not load({}, overrides_for(WORLD, Path("d")), dotenv=None).guided_linking


def test_the_worlds_roster_is_a_people_file() -> None:
    people = people_from(DEMO_PEOPLE.roster(), "world.json")
    assert len(people.accounts) >= 4
    kinds = {(account.margin_mode.value, account.currency) for account in people.accounts}
    assert {("hedging", "GBP"), ("hedging", "USD"), ("netting", "EUR")} <= kinds
    assert {user.role.value for user in people.users} == {"admin", "client"}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}'])
def test_half_a_world_file_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "world.json").write_text(content)
    assert read_world(tmp_path) is None
    assert find_world(tmp_path) is None
