"""The demo's story, played by people of the world over its own HTTP surface, within two minutes.

It speaks only as people: posts a signal, answers offers, closes on a phone, opens too much. All
else on the page is Reckoner's own doing. It plays once per data directory; whoever meddles
meanwhile (presses first, closes earlier) only makes a scene shorter.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final

import aiohttp
from aiohttp import web

from bot.sandbox.part import Loop
from bot.sandbox.people import ADMIN_CHAT_ID, Client, People
from bot.sandbox.stage import EFFECT_S_MAX, Captions, Missed, Stage
from bot.sandbox.store import WorldStore

SIGNAL: Final = "/signal XAUUSD buy 0.10 sl 1950 tp 1990"
GOLD: Final = "XAUUSD"
EURO: Final = "EURUSD"
SLIPPAGE_POINTS: Final = 80
"""8 pips of gold beyond the ask: with what the price moved since the offer, the slip that is told.

Above the 5 that are tolerated."""
WIDE_SPREAD: Final = Decimal("2.50")
"""25 pips of gold: above the 10 that warn."""
EURO_LOTS: Final = Decimal(3)
EURO_CONTRACT: Final = Decimal(100_000)
EURO_DIGITS: Final = Decimal("0.00001")
WARN_AT: Final = Decimal("0.16")
"""Drawdown of the peak: past the warning at 15 %."""
BREACH_AT: Final = Decimal("0.207")
"""Past the limit of 20 %, by less than the 2 points that would skip the countdown."""
FALL_STEPS: Final = 6
READY_LOOK_S: Final = 0.3
REQUEST_TIMEOUT_S: Final = 10.0
PLAYED: Final = ("narrator", "played")

Scene = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the story goes, in seconds."""

    breath_s: float = 3.5
    """Time to read a message before the next thing happens."""
    step_s: float = 0.5
    """Between two prices of a fall."""
    effect_s_max: float = EFFECT_S_MAX
    """How long an effect may take before the story goes on without it."""


class Narrator:
    """A part of the world without routes. `plays` is the option; a story told is not told again."""

    def __init__(
        self,
        store: WorldStore,
        people: People,
        *,
        plays: bool,
        pace: Pace = Pace(),
    ) -> None:
        self._store = store
        self._people = people
        self._plays = plays
        self._pace = pace
        self.captions = Captions(store)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Answer none: its captions are in `/sim/state`."""
        return []

    async def start(self) -> None:
        """Do nothing: the story waits for the app."""

    async def stop(self) -> None:
        """Do nothing: the loop was cancelled."""

    def loops(self, base_url: str) -> Iterable[Loop]:
        """Answer the story, unless it is not wanted or was told."""
        kind, key = PLAYED
        if not self._plays or key in self._store.load(kind):
            return []

        async def play() -> None:
            await self.play(base_url)

        return [play]

    async def play(self, base_url: str) -> None:
        """Play once the app is ready."""
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            stage = Stage(base_url, session, effect_s_max=self._pace.effect_s_max)
            while not await _is_ready(stage):  # noqa: ASYNC110 - the app is another process
                await asyncio.sleep(READY_LOOK_S)
            kind, key = PLAYED
            self._store.put(kind, key, {"played": True})
            self._store.commit()
            story = Story(stage, self.captions, self._people, self._pace)
            await story.tell()


async def _is_ready(stage: Stage) -> bool:
    try:
        return await stage.is_ready()
    except Missed:
        return False


class Story:
    """The scenes. Each stands on its own: one that is missed does not end the others."""

    def __init__(self, stage: Stage, captions: Captions, people: People, pace: Pace) -> None:
        self._stage = stage
        self._captions = captions
        self._pace = pace
        self._ada, self._omar = people.admins[:2]
        self._alice, self._ben, self._carla = people.clients[:3]

    async def tell(self) -> None:
        """Play all scenes, then give the market back to its walk."""
        scenes: tuple[Scene, ...] = (
            self._signal,
            self._manual_close,
            self._wide_spread,
            self._drawdown,
        )
        for scene in scenes:
            try:
                await scene()
            except Missed as missed:
                self._captions.add(f"The story goes on without {missed}.")
            await self._breathe()
        for symbol in (GOLD, EURO):
            await self._let_walk(symbol)
        self._captions.add("The story is over; everything here can be pressed. Files are kept.")

    async def _signal(self) -> None:
        """Posted, offered, answered three ways, filled, one of the fills slipped."""
        stage, alice, ben, carla = self._stage, self._alice, self._ben, self._carla
        await stage.broker(
            ben.login, "fault", kind="slippage", points=SLIPPAGE_POINTS, times=1, to="executor"
        )
        before = {one.login: await stage.texts(one.person.user_id) for one in (alice, ben)}
        self._captions.add("Ada posts a signal in the admin chat; every client gets it to answer.")
        await stage.say(self._ada.user_id, SIGNAL, ADMIN_CHAT_ID)
        await self._breathe()
        await self._answer(alice, "Approve")
        await self._answer(ben, "Approve")
        await self._answer(carla, "Reject")
        self._captions.add(
            "Alice and Ben approve, Carla rejects. Their own executors place it, not Reckoner."
        )
        await self._breathe()
        await stage.until_held(alice.login, GOLD)
        await stage.until_told(alice.person.user_id, before[alice.login], "opened", GOLD)
        await stage.until_held(ben.login, GOLD)
        await stage.until_told(ben.person.user_id, before[ben.login], "slipped")
        self._captions.add(
            "Both are found at the broker. Ben's entry slipped: a divergence, told in pips."
        )

    async def _answer(self, client: Client, label: str) -> None:
        await self._stage.tap(client.person.user_id, client.person.user_id, label)

    async def _manual_close(self) -> None:
        """Alice closes on her phone; the deal explains it."""
        stage, alice = self._stage, self._alice
        ticket = await stage.until_held(alice.login, GOLD)
        before = await stage.texts(alice.person.user_id)
        self._captions.add("Alice closes her gold on her phone. Reckoner did not ask for that.")
        await stage.broker(alice.login, "close", ticket=ticket, by="mobile")
        await stage.until_told(alice.person.user_id, before, "closed", GOLD)
        self._captions.add("Explained by its deal: who closed it, at what price, with what result.")

    async def _wide_spread(self) -> None:
        """Gold's spread widens; Omar holds the warning; it narrows again."""
        stage = self._stage
        bid, ask = await stage.quote(GOLD)
        self._captions.add("Liquidity leaves gold: the spread widens to 25 pips.")
        await stage.mode(GOLD, "manual")
        await stage.price(GOLD, bid, bid + WIDE_SPREAD)
        try:
            before = await stage.texts(ADMIN_CHAT_ID)
            await stage.until_told(ADMIN_CHAT_ID, before, "spread", GOLD)
            await self._breathe()
            await stage.tap(self._omar.user_id, ADMIN_CHAT_ID, "Hold 15 min")
            await stage.tap(self._omar.user_id, ADMIN_CHAT_ID, "Hold 15 min: news")
            self._captions.add("Omar answers the warning: hold 15 minutes, for the news.")
            await self._breathe()
        finally:
            await stage.price(GOLD, bid, ask)
        self._captions.add("The spread is back to normal.")

    async def _drawdown(self) -> None:
        """Ben opens too much on his own; the market falls; the guard closes all, proved flat."""
        stage, ben = self._stage, self._ben
        chat = ben.person.user_id
        await stage.mode(GOLD, "manual")
        await stage.mode(EURO, "manual")
        start = await stage.quote(EURO)
        peak = Decimal(str((await stage.account(ben.login))["equity"]))
        before = await stage.texts(chat)
        self._captions.add(f"Ben buys {EURO_LOTS} lots of EURUSD on his phone, without a signal.")
        await stage.broker(
            ben.login, "open", symbol=EURO, side="buy", volume=float(EURO_LOTS), by="mobile"
        )
        await stage.until_told(chat, before, EURO)
        await self._breathe()
        before = await stage.texts(chat)
        self._captions.add("The euro falls. At 15 % below the peak Ben and the admins are warned.")
        await self._fall(peak * (1 - WARN_AT))
        await stage.until_told(chat, before, "drawdown")
        await self._breathe()
        before = await stage.texts(chat)
        self._captions.add(
            "At 20 % the guard takes over. There is a countdown, and no way to stop it."
        )
        await self._fall(peak * (1 - BREACH_AT))
        await stage.until_told(chat, before, "closing", str(ben.login))
        await stage.until_told(chat, before, "flat")
        self._captions.add(
            "Flat, confirmed by two reads. The account is locked: Ben asks for release, an admin "
            "grants it."
        )
        await stage.price(EURO, *start)

    async def _fall(self, equity: Decimal) -> None:
        """Lower the euro in steps until Ben's equity is about this."""
        stage = self._stage
        now = Decimal(str((await stage.account(self._ben.login))["equity"]))
        bid, ask = await stage.quote(EURO)
        way = max((now - equity) / (EURO_LOTS * EURO_CONTRACT), Decimal(0))
        for step in range(1, FALL_STEPS + 1):
            fallen = (bid - way * step / FALL_STEPS).quantize(EURO_DIGITS, ROUND_FLOOR)
            await stage.price(EURO, fallen, fallen + (ask - bid))
            await asyncio.sleep(self._pace.step_s)

    async def _breathe(self) -> None:
        await asyncio.sleep(self._pace.breath_s)

    async def _let_walk(self, symbol: str) -> None:
        try:
            await self._stage.mode(symbol, "walk")
        except Missed:
            return
