"""How often is often enough: rates of sending, and a bounded memory of recent keys.

Seconds here are monotonic, not market time: Telegram counts real ones.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable

GLOBAL_MAX, GLOBAL_SPAN_S = 25, 1.0
PRIVATE_PER_S, PRIVATE_BURST = 1.0, 3
GROUP_MAX, GROUP_SPAN_S = 18, 60.0
ANSWER = 3
"""The priority of an answer to a person, beside those of alerts (critical 0, warning 1, info 2)."""
GROUP_SPARED = (0, 6, 10, 3)
"""Of a group's sends, how many each priority leaves to others (critical, warning, info, answer).

Ten edits of small print must not keep "the account is flat" waiting for a minute, nor the answer to
somebody who asks: answers leave the last three to criticals, and news leaves three more to them.
"""
PRIVATE_SPARED = (0, 0, 2, 1)
"""The same in a private chat: forty answers must not keep a drawdown warning waiting."""
TOLD_CHATS_MAX, TOLD_SPAN_S = 3, 5.0
"""Where Telegram tells so many chats to wait within this span, it is not the chats: it is us."""
OVERALL_PAUSE_S_MAX = 5.0
"""The longest that everybody waits for that.

A group over its minute is told to wait for much of it, which must not keep a drawdown warning from
somebody else.
"""
CHATS_MAX = 4_096
"""Chats whose bucket is remembered; a forgotten one is full again."""


class Bucket:
    """Tokens that come back at a steady rate, up to a burst."""

    __slots__ = ("_at_s", "_burst", "_per_s", "_tokens")

    def __init__(self, per_s: float, burst: int, now_s: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._tokens = float(burst)
        self._at_s = now_s

    def wait_s(self, now_s: float, spared: int = 0) -> float:
        """Seconds until a token is there with `spared` left to others; 0 where it is."""
        self._refill(now_s)
        needed = 1 + spared
        return 0.0 if self._tokens >= needed - 1e-9 else (needed - self._tokens) / self._per_s

    def take(self, now_s: float) -> None:
        """Take a token, into debt where there is none (a send that had to happen)."""
        self._refill(now_s)
        self._tokens -= 1

    def _refill(self, now_s: float) -> None:
        gained = max(0.0, now_s - self._at_s) * self._per_s
        self._tokens = min(float(self._burst), self._tokens + gained)
        self._at_s = max(self._at_s, now_s)


class Window:
    """At most `sends_max` in any span of time: what Telegram allows a group is counted so."""

    __slots__ = ("_sends_max", "_sent_s", "_span_s")

    def __init__(self, sends_max: int, span_s: float) -> None:
        self._sends_max = sends_max
        self._span_s = span_s
        self._sent_s: deque[float] = deque(maxlen=2 * sends_max)

    def wait_s(self, now_s: float, spared: int = 0) -> float:
        """Seconds until one more may go with `spared` left to others; 0 where it may now."""
        while self._sent_s and now_s - self._sent_s[0] >= self._span_s:
            self._sent_s.popleft()
        over = len(self._sent_s) - (self._sends_max - spared)
        return 0.0 if over < 0 else self._sent_s[over] + self._span_s - now_s

    def left(self, now_s: float) -> int:
        """How many more may go now."""
        self.wait_s(now_s)
        return max(0, self._sends_max - len(self._sent_s))

    def take(self, now_s: float) -> None:
        """Count one, past the bound too (a send that had to happen)."""
        self._sent_s.append(now_s)

    def postpone(self, from_s: float, to_s: float) -> None:
        """What was counted at `from_s` happens at `to_s`."""
        if from_s in self._sent_s:
            self._sent_s.remove(from_s)
            self._sent_s.append(to_s)


class SendLimits:
    """Telegram's sending rates, kept a little below: overall, per person, per group.

    Edits count like sends. A chat that Telegram told to wait is paused as long as it said.
    """

    def __init__(self) -> None:
        self._global = Window(GLOBAL_MAX, GLOBAL_SPAN_S)
        self._chats: OrderedDict[int, Bucket | Window] = OrderedDict()
        self._paused: dict[int, tuple[float, float]] = {}
        self._told: dict[int, float] = {}
        self._all_paused_s = 0.0

    def wait_s(self, chat_id: int, now_s: float, priority: int = 0) -> float:
        """Seconds until something of this priority may be sent to this chat."""
        until_s, urgent_s = self._paused.get(chat_id, (0.0, 0.0))
        if until_s <= now_s and urgent_s <= now_s:
            self._paused.pop(chat_id, None)
        paused_s = max(0.0, (until_s if priority else urgent_s) - now_s)
        rate = self._chat(chat_id, now_s)
        table = GROUP_SPARED if isinstance(rate, Window) else PRIVATE_SPARED
        own_s = rate.wait_s(now_s, table[min(priority, len(table) - 1)])
        return max(paused_s, own_s, self.overall_wait_s(now_s))

    def overall_left(self, now_s: float) -> int:
        """How many may be sent at this instant, whoever to."""
        return 0 if now_s < self._all_paused_s else self._global.left(now_s)

    def overall_wait_s(self, now_s: float) -> float:
        """Seconds until one more may be sent to somebody; 0 where it may now."""
        return max(0.0, self._all_paused_s - now_s, self._global.wait_s(now_s))

    def told_to_wait(self, chat_id: int, now_s: float, wait_s: float) -> None:
        """Telegram answered 429: the chat waits as told, everybody where several are told so."""
        self.pause(chat_id, now_s + wait_s)
        self._told = {c: at_s for c, at_s in self._told.items() if now_s - at_s < TOLD_SPAN_S}
        self._told[chat_id] = now_s
        if len(self._told) >= TOLD_CHATS_MAX:
            self._all_paused_s = now_s + min(wait_s, OVERALL_PAUSE_S_MAX)

    def take(self, chat_id: int, now_s: float) -> None:
        """Count one send or edit."""
        self._global.take(now_s)
        self._chat(chat_id, now_s).take(now_s)

    def sets_out(self, chat_id: int, taken_s: float, now_s: float) -> None:
        """The send counted at `taken_s` leaves only now, which is when Telegram will count it.

        How long it travels is what the room between 25 and Telegram's 30 a second is for.
        """
        self._global.postpone(taken_s, now_s)
        rate = self._chat(chat_id, now_s)
        if isinstance(rate, Window):
            rate.postpone(taken_s, now_s)

    def pause(self, chat_id: int, until_s: float, urgent_s: float | None = None) -> None:
        """Send nothing to this chat before `until_s`, nothing critical before `urgent_s`.

        Without the second, criticals wait like everything else.
        """
        before_s, before_urgent_s = self._paused.get(chat_id, (0.0, 0.0))
        urgent = until_s if urgent_s is None else urgent_s
        self._paused[chat_id] = (max(until_s, before_s), max(urgent, before_urgent_s))
        while len(self._paused) > CHATS_MAX:
            self._paused.pop(next(iter(self._paused)))

    def _chat(self, chat_id: int, now_s: float) -> Bucket | Window:
        rate = self._chats.get(chat_id)
        if rate is None:
            group = chat_id < 0
            rate = (
                Window(GROUP_MAX, GROUP_SPAN_S)
                if group
                else Bucket(PRIVATE_PER_S, PRIVATE_BURST, now_s)
            )
            self._chats[chat_id] = rate
        self._chats.move_to_end(chat_id)
        while len(self._chats) > CHATS_MAX:
            self._chats.popitem(last=False)
        return rate


class Recently:
    """Keys seen within a span of time, the newest `keys_max` of them."""

    def __init__(self, span_s: float, keys_max: int) -> None:
        self._span_s = span_s
        self._keys_max = keys_max
        self._seen: OrderedDict[Hashable, float] = OrderedDict()

    def first(self, key: Hashable, now_s: float) -> bool:
        """Whether this key was not seen within the span; it is seen now."""
        seen_s = self._seen.get(key)
        if seen_s is not None and now_s - seen_s < self._span_s:
            return False
        self._seen[key] = now_s
        self._seen.move_to_end(key)
        while len(self._seen) > self._keys_max:
            self._seen.popitem(last=False)
        return True
