"""The first look at every account after a start: who is guarded from now on, and who is not."""

from datetime import datetime, timedelta

from core.domain import alerts_app as own
from core.domain.alert_parts import Unguarded
from core.domain.permissions import standing
from core.ports import Clock, Store, TerminalGateway, TerminalState
from core.services.boards import Boards
from core.services.desk import AccountMemory, Desk
from core.services.policy import EnginePolicy
from core.services.speaking import speak

FIRST_LOOK_MAX = timedelta(minutes=2)
"""After this long the standing is told and the app counts as ready, whatever is still not read.

A terminal that does not get up is told of after 90 s (`core.services.outage`)."""
REASON_CHARS_MAX = 80
NOT_READ_YET = "not read yet"
UNLINKED = "no terminal is linked"


class FirstLook:
    """Knows which accounts have neither been read since the start nor told of as unreadable."""

    def __init__(
        self,
        store: Store,
        gateway: TerminalGateway,
        clock: Clock,
        desk: Desk,
        boards: Boards,
        policy: EnginePolicy,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._desk = desk
        self._boards = boards
        self._policy = policy
        self._accounts: tuple[int, ...] = ()
        self._waiting: set[int] = set()
        self._out_before: dict[int, datetime | None] = {}
        self._began_at = clock.now()
        self._started: own.AppStarted | None = None
        self._is_told = False

    def begin(self, accounts: list[int], out_since: dict[int, datetime | None]) -> None:
        """Wait for these accounts; `out_since` is since when each was unreadable at the start."""
        self._accounts = tuple(accounts)
        self._waiting = set(accounts)
        self._out_before = out_since
        self._began_at = self._clock.now()

    def note(self, account_id: int) -> None:
        """A cycle of this account has ended."""
        memory = self._desk.peek(account_id)
        if memory is not None and account_id in self._waiting and self._is_settled(memory):
            self._waiting.discard(account_id)

    @property
    def done(self) -> bool:
        """Whether every account was read, or told of as unreadable, or FIRST_LOOK_MAX is over."""
        return not self._waiting or self._clock.now() - self._began_at >= FIRST_LOOK_MAX

    async def announce(self, last_read_at: datetime | None) -> None:
        """Tell the admins that Reckoner has started, and nothing that is not known yet."""
        board = await self._boards.system()
        started = own.AppStarted(
            version=board.version,
            accounts=len(self._accounts),
            latched=board.latched,
            unfinished_closes=board.unfinished_closes,
            open_warnings=board.open_warnings,
            last_read_at=last_read_at,
            at=self._clock.now(),
        )
        await self._say(started)
        self._started = started

    async def tell(self) -> None:
        """Tell how it stands, once, when the first look is done; else do nothing."""
        if self._started is None or self._is_told or not self.done:
            return
        known = [self._desk.peek(account_id) for account_id in self._accounts]
        memories = [memory for memory in known if memory is not None]
        unguarded = [each for each in map(self._unguarded, memories) if each is not None]
        out = len(self._accounts) - len(memories) + len(unguarded)
        await self._say(
            own.AppStanding(
                started=self._started,
                guarded=len(self._accounts) - out,
                latched=sum(1 for memory in memories if memory.latched),
                unguarded=tuple(unguarded),
                at=self._clock.now(),
            )
        )
        self._is_told = True

    def _is_settled(self, memory: AccountMemory) -> bool:
        """Read, or told of: a terminal that is only starting after an old outage is neither yet."""
        if not memory.failures:
            return memory.snapshot is not None
        state = memory.state
        if state.unavailable_since is None:
            return state.terminal_blocked_at is not None and memory.failed_reads > 0
        is_new = state.unavailable_since != self._out_before.get(memory.account.id)
        return is_new or memory.failed_reads > 0

    def _unguarded(self, memory: AccountMemory) -> Unguarded | None:
        """Why an account is not guarded now; None where it is."""
        login, obstacles = memory.account.login, standing(memory.state)
        if memory.snapshot is not None and not memory.failures:
            return Unguarded(login, "", obstacles) if obstacles else None
        health = self._gateway.health(login, memory.account.server)
        if health is not None and health.state is TerminalState.UNLINKED:
            return Unguarded(login, UNLINKED)
        reason = memory.failing_reason or NOT_READ_YET
        return Unguarded(login, reason[:REASON_CHARS_MAX])

    async def _say(self, alert: own.AppStarted | own.AppStanding) -> None:
        now = self._clock.now()
        async with self._store.writing() as tx:
            await speak(tx, alert, client=None, admin=self._policy.admin_chat_id, now=now)
