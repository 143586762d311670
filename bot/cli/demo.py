"""`demo`: check everything first, then be the launcher, the world or the app."""

import asyncio
import sys
from pathlib import Path
from typing import Final

from bot.cli.options import DemoOptions, UsageError
from bot.cli.private import keep_to_this_user
from bot.cli.run import settings_or_usage
from bot.cli.saying import say
from bot.cli.serving import PORT_ERRORS, load_app, serve_app
from bot.cli.world_file import WorldFile, wait_for_world
from core.people_file import PeopleFileError, people_from

MESSAGE_MARK: Final = "[DEMO]"
WORLD_WAIT_S: Final = 30.0
"""How long the app looks for its world before it gives up."""
FAILED: Final = 1


def demo(options: DemoOptions) -> int:
    """Run the part that was asked for; answer the exit status. Raises UsageError."""
    keep_to_this_user()
    check(options)
    if options.world_only:
        return _be_world(options)
    if options.app_only:
        return _be_app(options.data_dir, agents=options.agents)
    from bot.launcher import Launcher  # noqa: PLC0415 - the two parts do not need it

    return Launcher(options).run()


def check(options: DemoOptions) -> None:
    """Find what would stop a part from starting, before any is. Raises UsageError."""
    try:
        options.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--data-dir {options.data_dir}: {error.strerror}") from None
    if not options.world_only:
        settings_or_usage(overrides_without_world(options.data_dir))
    if options.ticks is not None and not (options.world_only or options.app_only):
        _check_ticks(options, options.ticks)  # the world alone says it itself, in one pass


def overrides_without_world(data_dir: Path) -> dict[str, str]:
    """Answer the settings that a demo decides; all others are the user's own."""
    return {
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": f"sqlite+aiosqlite:///{data_dir}/reckoner.db",
        "HTTP_PORT": "0",
        "MESSAGE_MARK": MESSAGE_MARK,
    }


def overrides_for(world: WorldFile, data_dir: Path) -> dict[str, str]:
    """Answer the settings that lead the app to its world."""
    clock = {} if world.clock_url is None else {"CLOCK_URL": world.clock_url}
    return {
        **overrides_without_world(data_dir),
        **clock,
        "TELEGRAM_TOKEN": world.bot_token,
        "TELEGRAM_API_BASE": world.base_url,
        "ADMIN_CHAT_ID": str(world.admin_chat_id),
        "TERMINAL_BASE_URL": world.terminal_base_url,
        "MT5_AGENT_COMMAND": "",
        "GUIDED_LINKING": "true" if world.spare_logins else "",
        "GUIDED_SERVERS": world.servers if world.spare_logins else "",
    }


def _check_ticks(options: DemoOptions, path: Path) -> None:
    from core.sim.ticks import TickFile, TickFileError  # noqa: PLC0415 - only a replay needs it

    try:
        TickFile(path, symbol=options.symbol, date=options.date, utc_offset_s=options.utc_offset_s)
    except TickFileError as error:
        raise UsageError(str(error)) from None


def _be_world(options: DemoOptions) -> int:
    from bot.sandbox.part import WorldOptions  # noqa: PLC0415 - the app must not load the world
    from bot.sandbox.store import StoreError  # noqa: PLC0415 - as above
    from bot.sandbox.world import serve_world  # noqa: PLC0415 - as above
    from core.sim.ticks import TickFileError  # noqa: PLC0415 - as above

    world = WorldOptions(
        market="manual" if options.market == "manual" else "walk",
        narrate=options.narrates,
        seed=options.seed,
        ticks_file=options.ticks,
        ticks_symbol=options.symbol,
        ticks_speed=options.speed,
        ticks_date=options.date,
        ticks_utc_offset_s=options.utc_offset_s,
        agents=options.agents,
    )
    try:
        asyncio.run(serve_world(options.data_dir, options.port, world, say))
    except (StoreError, TickFileError) as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        if error.errno not in PORT_ERRORS:
            raise
        raise UsageError(f"--port {options.port}: {error.strerror}") from None
    return 0


def _be_app(data_dir: Path, *, agents: bool) -> int:
    load_app()  # while the world starts
    from bot.cli import demo_agents  # noqa: PLC0415 - the world must not load the database's code

    world = wait_for_world(data_dir, WORLD_WAIT_S)
    if world is None:
        print(  # noqa: T201 - the command line's own voice
            f"no world answers in {data_dir} after {WORLD_WAIT_S:g} s; start one with: "
            f"{sys.executable} -m bot demo --world-only --data-dir {data_dir}",
            file=sys.stderr,
        )
        return FAILED
    through_agents = demo_agents.overrides(data_dir, world) if agents else {}
    settings = settings_or_usage(overrides_for(world, data_dir) | through_agents)
    try:
        people = people_from(world.people, f"{data_dir}/world.json")
    except PeopleFileError as error:
        raise UsageError(str(error)) from None
    if agents:
        demo_agents.link(settings, people, world)
    return serve_app(settings, people)
