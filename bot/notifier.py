"""The outbox, sent: by priority, within Telegram's rates, with nothing lost in between.

A row is committed as `sending` before the attempt and as `sent` after it. An attempt whose outcome
is unknown is repeated, and says so: a message twice is better than silence.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TypeVar

import msgspec
import structlog
from aiogram import Bot
from msgspec.structs import replace

from bot import limits
from bot.delivery import Fate, Outcome, Parcel, deliver
from bot.dressing import Dresser, is_copy
from bot.i18n import later, speaking, t
from bot.outbox import EDIT, UNKNOWN_OUTCOME, Outbox, Ready
from bot.views import alerts as alert_views
from bot.views.message import Audience, Message, Voice
from bot.views.words import word
from core.domain.alerts import Alert, Priority
from core.domain.topics import topic_of
from core.ports import Clock, Store, StoreUnavailable
from core.records import OutboxRow

POLL_S = 0.25
"""How often the outbox is looked at when nobody calls `wake`."""
SENDING_MAX = 8
"""Chats sent to at the same time."""
BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Waits after attempts of unknown outcome; the last one repeats."""
STORE_BACKOFF_S = (0.25, 0.5, 1.0, 2.0, 5.0)
INFO_ATTEMPTS_MAX = 8
"""Attempts at what is merely good to know. Warnings and criticals are tried for ever, and so are
edits that nobody refused: what stands in the chat would be wrong for good."""
FAULT = "fault in Reckoner"
REPEAT = later("(repeat)")
T = TypeVar("T")
log = structlog.get_logger(__name__)


class Notifier:
    """Sends what the outbox holds, one row per chat at a time.

    `rates` may be shared with whoever else sends, so that together they stay within them. `moved`
    is which group has which new id. `topics` are those of the admin chat, by what they are for.
    """

    def __init__(  # noqa: PLR0913 - parts of one assembly, given by name
        self,
        bot: Bot,
        store: Store,
        clock: Clock,
        voice: Voice,
        *,
        admin_chat_id: int,
        rates: limits.SendLimits | None = None,
        topics: Mapping[str, int] | None = None,
    ) -> None:
        self._bot = bot
        self._clock = clock
        self._voice = voice
        self._admin_chat_id = admin_chat_id
        self._outbox = Outbox(store, clock, admin_chat_id=admin_chat_id)
        self._dresser = Dresser(store, clock, admin_chat_id=admin_chat_id)
        self._limits = rates or limits.SendLimits()
        self._topics = topics or {}
        self._gone_topics: set[int] = set()
        self._wake = asyncio.Event()
        self._busy: dict[int, float] = {}
        self._later: dict[int, float] = {}
        self.moved: dict[int, int] = {}
        self._running = False

    async def run(self) -> None:
        """Send until cancelled. A row interrupted before is repeated, and marked."""
        await self._stored(self._outbox.recover)
        self.moved.update(await self._stored(self._outbox.moves))
        # Telegram remembers what an earlier run sent; a full allowance would meet its 429.
        for chat_id, ago_s in await self._stored(self._recent):
            self._limits.take(chat_id, _now_s() - ago_s)
        self._running = True
        try:
            await self._send_on(until_empty=False)
        finally:
            self._running = False

    async def _recent(self) -> list[tuple[int, float]]:
        return await self._outbox.sent_lately(limits.GROUP_SPAN_S)

    def wake(self) -> None:
        """Something was committed to the outbox: look now."""
        self._wake.set()

    async def drain(self, timeout_s: float) -> bool:
        """Send what is due, for `timeout_s` at most; whether everything went out."""
        try:
            async with asyncio.timeout(timeout_s):
                if not self._running:
                    await self._send_on(until_empty=True)
                    return True
                while self._busy or not await self._outbox.empty():
                    self.wake()
                    await asyncio.sleep(POLL_S / 10)
        except (TimeoutError, StoreUnavailable):
            return False
        return True

    async def _send_on(self, *, until_empty: bool) -> None:
        """One looks, SENDING_MAX send. They end together."""
        work: asyncio.Queue[Ready | None] = asyncio.Queue(SENDING_MAX)
        senders = [self._sender(work) for _ in range(SENDING_MAX)]
        await asyncio.gather(self._feed(work, until_empty=until_empty), *senders)

    async def _feed(self, work: asyncio.Queue[Ready | None], *, until_empty: bool) -> None:
        while True:
            self._wake.clear()
            for ready in await self._looked():
                taken_s = self._busy[ready.row.chat_id] = _now_s()
                self._limits.take(ready.row.chat_id, taken_s)
                await work.put(ready)
            if until_empty and not self._busy and await self._stored(self._outbox.empty):
                for _ in range(SENDING_MAX):
                    await work.put(None)
                return
            await self._rest()

    async def _sender(self, work: asyncio.Queue[Ready | None]) -> None:
        while (ready := await work.get()) is not None:
            try:
                await self._one(ready)
            except Exception:
                # A sender that ends would take its share of all later messages with it.
                log.exception("sender_failed", row=ready.row.id)

    async def _looked(self) -> list[Ready]:
        """Look, and let no fault end the loop: the next look may succeed."""
        try:
            return await self._stored(self._look)
        except Exception:
            # One bad row must not end the loop that every alert depends on.
            log.exception("outbox_look_failed")
            await asyncio.sleep(STORE_BACKOFF_S[-1])
            return []

    async def _rest(self) -> None:
        """Until called, or POLL_S; where the rate holds everything up, no longer than it does."""
        held_s = self._limits.overall_wait_s(_now_s())
        try:
            async with asyncio.timeout(min(POLL_S, held_s or POLL_S)):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _look(self) -> list[Ready]:
        """Rows to send now: one per chat, the most urgent first, as many as may be sent."""
        now_s = _now_s()
        self._later = {row: at_s for row, at_s in self._later.items() if at_s > now_s}
        room = min(SENDING_MAX - len(self._busy), self._limits.overall_left(now_s))
        if room <= 0:
            return []

        def free(chat_id: int, priority: int) -> bool:
            return chat_id not in self._busy and self._limits.wait_s(chat_id, now_s, priority) <= 0

        return await self._outbox.pick(free, frozenset(self._later), rows_max=room)

    async def _one(self, ready: Ready) -> None:
        """The whole life of one attempt. A fault in it keeps the row for a later one."""
        chat_id = ready.row.chat_id
        try:
            await self._attempt(ready)
        except Exception:
            # The row stays due: it is tried again later, and the others go out meanwhile.
            log.exception("message_failed", row=ready.row.id, kind=ready.row.kind)
            self._later[ready.row.id] = _now_s() + BACKOFF_S[-1]
            await self._stored(lambda: self._outbox.again(ready.row, FAULT))
        finally:
            self._busy.pop(chat_id, None)
            self.wake()

    async def _attempt(self, ready: Ready) -> None:
        row = ready.row
        if not await self._taken(row):
            return
        reader = await self._stored(lambda: self._outbox.reader_of(row.chat_id))
        voice = self._voice if reader is None else self._voice.to_person(reader)
        with speaking(voice.language):
            await self._said(ready, voice)

    async def _said(self, ready: Ready, voice: Voice) -> None:
        row = ready.row
        message = self._message(row, voice)
        parcel = Parcel(
            chat_id=self.moved.get(row.chat_id, row.chat_id),
            message=await self._stored(lambda: self._dresser(row, message, voice)),
            edit_id=ready.shown_id if row.mode == "edit" else None,
            reply_id=ready.shown_id if row.mode == "reply" else None,
            topic_id=self._topic_of(row),
        )
        self._limits.sets_out(row.chat_id, self._busy[row.chat_id], _now_s())
        outcome = await deliver(self._bot, parcel)
        for _ in range(outcome.pages - 1):
            self._limits.take(row.chat_id, _now_s())
        self._note_topic(outcome.astray_id)
        # An edit makes no sound, unless what it was to change is gone and it came anew.
        anew = outcome.message_id != parcel.edit_id
        rang = anew and not parcel.message.silent
        await self._settle(replace(row, attempts=row.attempts + 1), outcome, rang=rang)

    def _topic_of(self, row: OutboxRow) -> int | None:
        return topic_of(row.kind, self._topics) if row.chat_id in self._admin_chats() else None

    def _note_topic(self, gone_id: int | None) -> None:
        """Log a topic that took nothing, once: it is tried again each time, it may be reopened."""
        if gone_id is not None and gone_id not in self._gone_topics:
            self._gone_topics.add(gone_id)
            log.warning("topic_gone", topic_id=gone_id, instead="General")

    async def _taken(self, row: OutboxRow) -> bool:
        """Whether the row is ours to send, committed as that."""
        tries = itertools.count()
        return await self._stored(lambda: self._outbox.sending(row, tried=next(tries) > 0))

    async def _settle(self, row: OutboxRow, outcome: Outcome, *, rang: bool) -> None:
        """Write down what became of an attempt, and decide about the next."""
        if outcome.fate is not Fate.SENT:
            log.warning(
                "message_not_sent", row=row.id, fate=outcome.fate.value, error=outcome.error
            )
        match outcome.fate:
            case Fate.SENT:
                message_id = outcome.message_id
                await self._stored(lambda: self._outbox.sent(row, message_id, rang=rang))
            case Fate.WAIT:
                self._limits.told_to_wait(row.chat_id, _now_s(), outcome.wait_s)
                error = UNKNOWN_OUTCOME if outcome.pages else row.error  # its beginning comes twice
                await self._stored(lambda: self._outbox.again(row, error))
            case Fate.UNKNOWN:
                # What is critical goes by its own attempts, not by those of what is not.
                now_s, waits_s = _now_s(), _backoff(row.attempts)
                urgent_s = waits_s if row.priority == Priority.CRITICAL else BACKOFF_S[0]
                self._limits.pause(row.chat_id, now_s + waits_s, now_s + urgent_s)
                await self._again_or_never(row, UNKNOWN_OUTCOME)
            case Fate.UNREACHABLE:
                await self._stored(lambda: self._outbox.unreachable(row, outcome.error))
            case Fate.MIGRATED:
                self.moved[row.chat_id] = outcome.chat_id
                await self._stored(lambda: self._outbox.migrated(row, outcome.chat_id))
            case Fate.REFUSED:
                self._later[row.id] = _now_s() + _backoff(row.attempts)
                await self._again_or_never(row, outcome.error)

    async def _again_or_never(self, row: OutboxRow, error: str) -> None:
        is_doubtful_edit = row.mode == EDIT and error == UNKNOWN_OUTCOME
        gives_up = row.priority == Priority.INFO and not is_doubtful_edit
        if gives_up and row.attempts >= INFO_ATTEMPTS_MAX:
            await self._stored(lambda: self._outbox.failed(row, error))
        else:
            await self._stored(lambda: self._outbox.again(row, error))

    def _message(self, row: OutboxRow, voice: Voice) -> Message:
        """The row in words. What cannot be read is still told, never dropped."""
        for_admins = row.chat_id in self._admin_chats() or is_copy(row)
        audience = Audience.ADMIN if for_admins else Audience.CLIENT
        try:
            alert = msgspec.json.decode(row.payload, type=Alert)
            message = alert_views.render(alert, voice, audience)
        except Exception:
            # A fault in words must not silence what they tell of.
            log.exception("alert_not_rendered", row=row.id, kind=row.kind)
            message = Message(
                html=t("⚠️ {kind}: no details. Please see /status.", kind=word({}, row.kind))
            )
        late = self._clock.now() - row.created_at
        lines = [message.html]
        # An edit that had to wait says nothing of when the message itself arrived.
        if late > timedelta(seconds=alert_views.LATE_S) and row.mode != EDIT:
            lines.append(alert_views.late_note(late))
        if row.error == UNKNOWN_OUTCOME and row.mode != "edit":
            lines.append(t(REPEAT))
        return replace(message, html="\n".join(lines))

    def _admin_chats(self) -> tuple[int, ...]:
        return (self._admin_chat_id, self.moved.get(self._admin_chat_id, self._admin_chat_id))

    async def _stored(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do it with the store, as often as it takes. Logs once, backs off."""
        tries = 0
        while True:
            try:
                result = await work()
            except StoreUnavailable as error:
                if not tries:
                    log.error("store_unavailable", error=str(error))  # noqa: TRY400 - expected kind
                await asyncio.sleep(STORE_BACKOFF_S[min(tries, len(STORE_BACKOFF_S) - 1)])
                tries += 1
            else:
                if tries:
                    log.info("store_available", tries=tries)
                return result


def _backoff(attempts: int) -> float:
    return BACKOFF_S[min(max(attempts, 1), len(BACKOFF_S)) - 1]


def _now_s() -> float:
    return asyncio.get_running_loop().time()
