"""Linking in the chat, put together: its services, and how an account is logged in to its broker.

Part of the composition root (`bot.app`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.keys import Keys
from core.adapters.mt5.gateway import Mt5Gateway
from core.adapters.mt5.probe import Probe, Wanted
from core.adapters.mt5.shared import Limits
from core.adapters.process import this_process
from core.adapters.terminal.http_gateway import HttpTerminalGateway
from core.adapters.terminal.translate import AUTH_FAILED
from core.agent_command import AGENTS_DIR, CommandError, agent_command
from core.config import Settings
from core.domain.broker import MarginMode
from core.domain.linking import Failure, LoggedIn, LoginFailed
from core.domain.permissions import Obstacle
from core.domain.readiness import Found, Stage
from core.ports import BrokerUnavailable, Clock, StaleEpoch, Store, TerminalLink
from core.records import TerminalRow
from core.records_links import LinkRequestRow
from core.services.engine import Engine
from core.services.link_checks import CheckLinks, LogsIn
from core.services.link_damage import SoundRequests
from core.services.link_desk import LinkDesk
from core.services.link_talks import LinkTalks

DAMAGE_INTERVAL_S = 10
"""How often it is looked whether what is kept of the conversations can be read."""


@dataclass(frozen=True, slots=True)
class Linking:
    """What takes answers, what decides, what asks the broker."""

    talks: LinkTalks
    desk: LinkDesk
    checks: CheckLinks
    requests: SoundRequests

    def jobs(self, interval_s: int) -> dict[str, tuple[int, Callable[[], Awaitable[object]]]]:
        """What runs periodically. Asking a broker may take minutes, so time passes beside it."""
        return {
            "link_talks": (interval_s, self.talks.pass_time),
            "link_checks": (interval_s, self.checks.pass_time),
            "link_damage": (DAMAGE_INTERVAL_S, self.requests.pass_time),
        }


async def prepare_keys(settings: Settings, store: Store) -> None:
    """Have a key to passwords before one comes: the first key, never one in another's place.

    Raises KeysUnusable, saying what to do, and StoreUnavailable.
    """
    if not settings.guided_linking:
        return
    keys = Keys(settings)
    if keys.are_absent:
        async with store.reading() as tx:
            kept = await tx.count(TerminalRow, password_token__ne=None)
            kept += await tx.count(LinkRequestRow, password_token__ne=None)
        if not kept:
            with keys.held():
                keys.prepare()
    keys.read()


def build(
    engine: Engine, settings: Settings, log_in: LogsIn, added: Callable[[int], Awaitable[None]]
) -> Linking | None:
    """Put it together; None where clients may not link. `added`: an account is to be guarded."""
    policy = settings.link_policy(settings.terminal_base_url)
    if policy is None:
        return None
    vault, admin = Keys(settings).vault, engine.policy.admin_chat_id
    requests = SoundRequests(store=engine.store, clock=engine.clock, admin_chat_id=admin)
    return Linking(
        talks=LinkTalks(
            store=engine.store,
            clock=engine.clock,
            vault=vault,
            policy=policy,
            requests=requests,
            admin_chat_id=admin,
        ),
        desk=LinkDesk(store=engine.store, clock=engine.clock, policy=policy, admin_chat_id=admin),
        checks=CheckLinks(
            store=engine.store,
            clock=engine.clock,
            vault=vault,
            policy=policy,
            requests=requests,
            engine_policy=engine.policy,
            log_in=log_in,
            added=added,
        ),
        requests=requests,
    )


def log_in(
    settings: Settings, gateway: HttpTerminalGateway | Mt5Gateway, clock: Clock, epoch: int
) -> LogsIn:
    """Say how an account is logged in, by the way terminals are reached."""
    if isinstance(gateway, HttpTerminalGateway):
        return HttpLogIn(gateway)
    return AgentLogIn(settings, clock, epoch)


class HttpLogIn:
    """Logs in through terminals that answer over HTTP."""

    def __init__(self, gateway: HttpTerminalGateway) -> None:
        self._gateway = gateway

    async def __call__(self, link: TerminalLink) -> LoggedIn:
        """Log in. Raises LoginFailed and BrokerUnavailable."""
        try:
            return await self._gateway.log_in(link)
        except StaleEpoch as error:  # this terminal's alone, and no account of ours yet
            raise BrokerUnavailable(str(error)) from error


class AgentLogIn:
    """Logs in through an agent beside a spare terminal, as `python -m bot check` does."""

    def __init__(self, settings: Settings, clock: Clock, epoch: int) -> None:
        self._settings = settings
        self._command = agent_command(settings.mt5_agent_command)
        self._probe = Probe(epoch=epoch, owner=this_process(), clock=clock)

    async def __call__(self, link: TerminalLink) -> LoggedIn:
        """Go the account's whole way once. Raises LoginFailed and BrokerUnavailable."""
        if self._command is None:
            raise BrokerUnavailable("nothing says how an agent is started")
        try:
            argv = self._command.argv(link.host)
        except CommandError as error:
            raise BrokerUnavailable(str(error)) from error
        settings = self._settings
        found = await self._probe(
            Wanted(
                link=link,
                argv=argv,
                log_path=settings.data_dir / AGENTS_DIR / f"link-{link.login}.log",
                limits=Limits(
                    read_s=settings.read_timeout_s,
                    send_s=settings.send_timeout_s,
                    start_s=settings.mt5_start_timeout_s,
                ),
            )
        )
        return logged_in(found)


def logged_in(found: Found) -> LoggedIn:
    """What a way that was gone says of the account. Raises LoginFailed and BrokerUnavailable.

    An account that was logged in and could not be read whole (its market is closed) is let in: the
    guard says by itself what it cannot see.
    """
    trouble = found.trouble
    if trouble is not None and trouble.stage is Stage.LOGIN:
        if trouble.code == AUTH_FAILED:
            raise LoginFailed(Failure.LOGIN)
        if trouble.code is None:
            raise LoginFailed(Failure.WRONG_ACCOUNT)
    if trouble is not None and (trouble.stage is not Stage.READING or not found.margin_mode):
        raise BrokerUnavailable(trouble.text)
    return LoggedIn(
        currency=found.currency,
        margin_mode=MarginMode(found.margin_mode),
        may_trade=Obstacle.INVESTOR_PASSWORD.value not in (found.obstacles or ()),
        server_offset_s=found.offset_s if found.offset_is_fresh else None,
    )
