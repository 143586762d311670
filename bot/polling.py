"""Updates from Telegram: journalled first, confirmed afterwards, handled last.

What may be a password is never journalled (`bot.veil`), and leaves the chat (`bot.removing`) as
soon as what it answers is committed, beside everybody's updates and before its writer is answered.
Where Telegram lets that wait, its writer is answered first, and the removal tried again beside what
they go on with.

Telegram forgets an update once the next `getUpdates` names a higher offset. So the offset moves
only after the commit, and what was journalled but not handled is handled at the next start: a
press is never lost, and never acted on twice.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol, TypeVar

import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramConflictError,
)
from aiogram.methods import GetUpdates
from aiogram.types import Update
from msgspec import Struct
from msgspec.structs import replace
from pydantic import ValidationError

from bot.middlewares.errors import Failed
from bot.removing import Remover, Warns
from bot.veil import Hears, NotHeard, Veil, is_to_remove
from core.ports import Clock, Store, StoreUnavailable
from core.records import PressRow
from core.services import reach

ALLOWED_UPDATES = ("message", "callback_query")
LONG_POLL_S = 20
POLL_MARGIN_S = 10
"""How much longer than the long poll a call may take before it counts as lost."""
UPDATES_MAX = 100
"""Updates per call; Telegram's own bound."""
HANDLING_MAX = 16
"""People served at the same time. Each person's updates are handled in order."""
CLEARING_MAX = 16
"""First attempts at the same time to remove a message: nobody's waits for somebody's who floods."""
REMOVING_MAX = 4
"""Messages removed at the same time that could not be removed at once."""
PENDING_MAX = 200
"""Updates waiting to be handled; above it nothing more is fetched."""
BACKOFF_S = (0.5, 1.0, 2.0, 5.0, 10.0)
CONFLICT_S = 5.0
HANDLING_TIMEOUT_S = 60.0
REPLAYED_MAX = 1_000
"""Updates taken up again per page at the start."""
ERROR_CHARS_MAX = 300
T = TypeVar("T")
log = structlog.get_logger(__name__)


class Talks(Hears, Warns, Protocol):
    """`core.services.link_talks`, where linking in the chat is on."""


class Press(Struct, frozen=True):
    """A journalled update: its row, who sent it, and what it is.

    `gone`: whether its message has left the chat, known once the first attempt is over; None where
    it is not to leave.
    """

    row_id: int
    person: int
    update: Update
    gone: asyncio.Future[bool] | None = None


class Settled(Struct, frozen=True):
    """How the handling of an update ended, as the journal is to say."""

    state: str
    error: str | None = None


class Poller:
    """The bot's one `getUpdates` loop.

    The admins' chat is told of somebody who is in reach again.
    """

    def __init__(
        self,
        bot: Bot,
        dispatcher: Dispatcher,
        store: Store,
        clock: Clock,
        *,
        admin_chat_id: int = 0,
        talks: Talks | None = None,
    ) -> None:
        self._bot = bot
        self._veil = Veil(talks)
        self._remover = Remover(bot, talks)
        self._dispatcher = dispatcher
        self._store = store
        self._clock = clock
        self._admin_chat_id = admin_chat_id
        self._offset: int | None = None
        self._replayed_to = 0
        self._lanes: OrderedDict[int, deque[Press]] = OrderedDict()
        self._ready: asyncio.Queue[int] = asyncio.Queue()
        self._to_clear: asyncio.Queue[Press] = asyncio.Queue()
        self._left: asyncio.Queue[tuple[Press, Settled]] = asyncio.Queue()
        self._pending = 0
        self._changed = asyncio.Event()
        self._draining = asyncio.Event()
        self._conflict = False
        self._failures = 0

    async def run(self) -> None:
        """Fetch and handle until cancelled; what an earlier run left comes first."""
        serving = (self._serve() for _ in range(HANDLING_MAX))
        clearing = (self._clear() for _ in range(CLEARING_MAX))
        removing = (self._remove() for _ in range(REMOVING_MAX))
        await asyncio.gather(self._fetch(), *serving, *clearing, *removing)

    async def drain(self, timeout_s: float) -> bool:
        """Fetch nothing more, and wait for what is being handled; whether all of it ended."""
        self._draining.set()
        try:
            async with asyncio.timeout(timeout_s):
                while self._pending:
                    await self._next_change()
        except TimeoutError:
            return False
        return True

    async def _fetch(self) -> None:
        replayed = False
        while not self._draining.is_set():
            try:
                if not replayed:
                    await self._replay()
                    replayed = True
                while self._pending >= PENDING_MAX:
                    await self._next_change()
                updates = await self._updates()
                if updates:
                    await self._take(updates)
            except Exception:
                # A loop that ends would leave the bot deaf; nothing was confirmed to Telegram.
                log.exception("fetching_failed")
                await asyncio.sleep(BACKOFF_S[-1])

    async def _replay(self) -> None:
        """Take up what was journalled and not handled when the app ended."""
        while True:
            rows = await self._stored(self._received)
            for row in rows:
                self._replayed_to = row.id
                press = await self._revived(row)
                if press is not None:
                    self._enqueue(press)
            if len(rows) < REPLAYED_MAX:
                return

    async def _received(self) -> list[PressRow]:
        async with self._store.reading() as tx:
            return await tx.find(
                PressRow,
                state="received",
                id__gt=self._replayed_to,
                order_by="id",
                limit=REPLAYED_MAX,
            )

    async def _revived(self, row: PressRow) -> Press | None:
        try:
            update = Update.model_validate_json(row.body, context={"bot": self._bot})
        except ValidationError as error:
            text = f"unreadable: {error.error_count()} faults"
            await self._stored(lambda: self._settle(row.id, "failed", text))
            return None
        return Press(row.id, row.telegram_id or 0, update)

    async def _updates(self) -> list[Update]:
        """One long poll; an empty list after trouble, told once and waited out."""
        call = GetUpdates(
            offset=self._offset,
            timeout=LONG_POLL_S,
            limit=UPDATES_MAX,
            allowed_updates=list(ALLOWED_UPDATES),
        )
        try:
            updates = await self._bot(call, request_timeout=LONG_POLL_S + POLL_MARGIN_S)
        except TelegramConflictError:
            await self._wait_out_conflict()
            return []
        except (TelegramAPIError, ClientDecodeError, TimeoutError, OSError) as error:
            if not self._failures:
                log.warning("updates_unavailable", error=_told(error))
            pause_s = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
            self._failures += 1
            await asyncio.sleep(pause_s)
            return []
        if self._failures or self._conflict:
            log.info("updates_available", failures=self._failures)
        self._failures, self._conflict = 0, False
        return updates

    async def _wait_out_conflict(self) -> None:
        """Another process polls with this token: say so once, then let it be the one."""
        if not self._conflict:
            log.error("another_poller", advice="another process uses this bot token")
        self._conflict = True
        await asyncio.sleep(CONFLICT_S)

    async def _take(self, updates: list[Update]) -> None:
        early = [update for update in updates if self._veil.is_expected(update)]
        presses = await self._stored(lambda: self._journal(updates), early)
        self._offset = updates[-1].update_id + 1
        for press in presses:
            self._enqueue(press)

    async def _journal(self, updates: list[Update]) -> list[Press]:
        """Commit every update; answers those not seen before.

        One that no conversation can take is kept without: else nobody's presses came any more.
        """
        unheard: set[int] = set()
        while True:  # each turn one more of them is in it
            try:
                return await self._commit(updates, unheard)
            except NotHeard as error:
                log.error("update_not_heard", update_id=error.update_id, error=str(error))  # noqa: TRY400 - it has no cause
                unheard.add(error.update_id)

    async def _commit(self, updates: list[Update], unheard: AbstractSet[int]) -> list[Press]:
        """The same, all or none. Whoever writes is in reach."""
        presses: list[Press] = []
        chats: set[int] = set()
        async with self._store.writing() as tx:
            for update in updates:
                if await tx.first(PressRow, update_id=update.update_id) is not None:
                    continue  # what it says was taken, too
                is_unheard = update.update_id in unheard
                veiled = await self._veil(tx, update, unheard=is_unheard)
                row = _row(veiled, self._clock)
                row_id = await tx.insert_new(row)
                if row_id is not None:
                    presses.append(Press(row_id, row.telegram_id or 0, veiled))
                    chats |= set() if row.chat_id is None else {row.chat_id}
            now = self._clock.now()
            await reach.back(tx, chats, admin=self._admin_chat_id, now=now)
        return presses

    def _enqueue(self, press: Press) -> None:
        if is_to_remove(press.update):
            press = replace(press, gone=asyncio.get_running_loop().create_future())
            self._to_clear.put_nowait(press)
        lane = self._lanes.get(press.person)
        if lane is None:
            lane = self._lanes[press.person] = deque()
            self._ready.put_nowait(press.person)
        lane.append(press)
        self._pending += 1

    async def _serve(self) -> None:
        """Handle one person's updates in order, then the next person's."""
        while True:
            person = await self._ready.get()
            lane = self._lanes[person]
            press = lane.popleft()
            is_left = False
            try:
                is_left = await self._handle(press)
            except Exception:
                # Its row is still in the journal; the next person's press must be served.
                log.exception("press_not_settled", update_id=press.update.update_id)
            finally:
                self._pending -= 0 if is_left else 1
                if lane:
                    self._ready.put_nowait(person)
                else:
                    del self._lanes[person]
                self._changed.set()

    async def _clear(self) -> None:
        """Try at once to remove what must not stand in its chat, whoever is being served."""
        while True:
            press = await self._to_clear.get()
            is_gone = False
            try:
                is_gone = await self._remover.at_once(press.update)
            except Exception:
                # The next person's words must leave their chat; these are tried again.
                log.exception("message_not_removed_yet", update_id=press.update.update_id)
            finally:
                if press.gone is not None and not press.gone.done():  # at the end it is cancelled
                    press.gone.set_result(is_gone)

    async def _remove(self) -> None:
        """Remove what was answered and still stands in its chat, and settle it then.

        Not before: what is not settled is taken up again after a crash.
        """
        while True:
            press, end = await self._left.get()
            try:
                await self._remove_and_settle(press, end)
            except Exception:
                # As above: its row is still in the journal.
                log.exception("press_not_settled", update_id=press.update.update_id)
            finally:
                self._pending -= 1
                self._changed.set()

    async def _remove_and_settle(self, press: Press, end: Settled) -> None:
        await self._stored(lambda: self._remover(press.update))
        await self._stored(lambda: self._settle(press.row_id, end.state, end.error))

    async def _handle(self, press: Press) -> bool:
        """Answer it and settle it; whether that is left to its removal."""
        gone = press.gone is None or await press.gone
        end = await self._answered(press, removed=gone)
        if not gone:
            self._left.put_nowait((press, end))
            return True
        await self._stored(lambda: self._settle(press.row_id, end.state, end.error))
        return False

    async def _answered(self, press: Press, *, removed: bool) -> Settled:
        try:
            async with asyncio.timeout(HANDLING_TIMEOUT_S):
                answer = await self._dispatcher.feed_update(
                    self._bot, press.update, removed=removed
                )
            if isinstance(answer, Failed):
                return Settled("failed", f"ref {answer.ref}")
        except Exception as error:
            # What the error router itself could not handle is settled as failed, never repeated.
            log.exception("update_failed", update_id=press.update.update_id)
            return Settled("failed", f"{type(error).__name__}: {error}"[:ERROR_CHARS_MAX])
        return Settled("handled")

    async def _settle(self, row_id: int, state: str, error: str | None) -> None:
        async with self._store.writing() as tx:
            await tx.update(
                PressRow, {"id": row_id}, state=state, error=error, handled_at=self._clock.now()
            )

    async def _stored(
        self, work: Callable[[], Awaitable[T]], passwords: Sequence[Update] = ()
    ) -> T:
        """Do it with the store, as often as it takes: without it nothing is confirmed.

        `passwords` leave the chat meanwhile: the store may be away for hours.
        """
        tries = 0
        while True:
            try:
                return await work()
            except StoreUnavailable as error:
                if not tries:
                    log.warning("store_unavailable", error=str(error))
                    await asyncio.gather(*(self._remover.early(each) for each in passwords))
                await asyncio.sleep(BACKOFF_S[min(tries, len(BACKOFF_S) - 1)])
                tries += 1

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()


def _told(error: Exception) -> str:
    """What went wrong; an answer that cannot be read is not repeated: it has people's words."""
    return type(error).__name__ if isinstance(error, ClientDecodeError) else str(error)


def _row(update: Update, clock: Clock) -> PressRow:
    callback, message = update.callback_query, update.message
    sender = callback.from_user if callback else message.from_user if message else None
    place = callback.message if callback else message
    return PressRow(
        update_id=update.update_id,
        callback_id=callback.id if callback else None,
        telegram_id=sender.id if sender else None,
        chat_id=place.chat.id if place else None,
        body=update.model_dump_json(exclude_unset=True, by_alias=True),
        received_at=clock.now(),
    )
