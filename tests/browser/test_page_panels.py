"""Market and accounts on the page: nothing stale, nothing silent, nothing invented."""

import asyncio
import os
import shlex
import sys
from pathlib import Path

import msgspec
import pytest

import bot
from bot.sandbox import world as world_module
from tests.browser.devtools import Browser, Page
from tests.browser.hand import Hand

pytestmark = pytest.mark.browser

DESKTOP = (1440, 900)
GOLD = "[data-symbol=XAUUSD]"
FAULT_KINDS = 29
ROOT = str(Path(str(bot.__file__)).resolve().parents[1])


async def opened(browser: Browser, hand: Hand) -> Page:
    page = await browser.page()
    await page.open(hand.base_url + "/", *DESKTOP)
    await page.until("document.querySelectorAll('.account-tabs button').length === 5")
    return page


async def move(hand: Hand, bid: float, ask: float) -> None:
    quote = {"symbol": "XAUUSD", "mode": "manual", "bid": bid, "ask": ask}
    async with hand.http.post(f"{hand.base_url}/broker/market", json=quote) as answer:
        assert answer.ok


async def gold(hand: Hand) -> tuple[float, float, str]:
    quotes = {q["symbol"]: q for q in (await hand.get("/broker/market"))["quotes"]}
    return quotes["XAUUSD"]["bid"], quotes["XAUUSD"]["ask"], quotes["XAUUSD"]["mode"]


async def test_price_boxes_follow_the_market_until_typed_in(browser: Browser, hand: Hand) -> None:
    page = await opened(browser, hand)
    box = f"document.querySelector('{GOLD} .set-price input').value"
    await page.press(f"{GOLD} summary")
    await page.until(f"{box} === '1970.00'")
    await move(hand, 1851.8, 1852.1)
    await page.until(f"{box} === '1851.80'")
    await page.press(f"{GOLD} .set-price button")
    await asyncio.sleep(0.2)
    assert (await gold(hand))[:2] == (1851.8, 1852.1), "a press alone moves nothing"
    await page.press(f"{GOLD} .set-price input")
    await page.run(f"document.querySelector('{GOLD} .set-price input').select()")
    await page.write("1850")
    await move(hand, 1852.0, 1852.3)
    await page.until(f"document.querySelector('{GOLD} .price').textContent === '1852.00'")
    assert await page.run(box) == "1850", "what is being typed is left alone"


async def test_a_move_says_that_the_walk_is_over(browser: Browser, hand: Hand) -> None:
    page = await opened(browser, hand)
    mode = f"document.querySelector('{GOLD} .mode').textContent"
    await page.press(f"{GOLD} summary")
    await page.press(f"{GOLD} [data-mode=walk]")
    await page.until(f"{mode} === 'walking'")
    await page.press(f"{GOLD} .trouble button:nth-child(5)")
    told = "[...document.querySelectorAll('.toast')].map(n => n.textContent).join()"
    await page.until(f"{told}.includes('moved 1 % up, and is manual now')")
    await page.until(f"{mode} === 'manual'")
    assert (await gold(hand))[2] == "manual"


async def test_a_clients_chat_brings_its_account_and_what_was_closed(
    browser: Browser, hand: Hand
) -> None:
    opening = {"symbol": "EURUSD", "side": "buy", "volume": 0.1, "by": "mobile"}
    async with hand.http.post(f"{hand.base_url}/broker/50003/open", json=opening) as answer:
        assert answer.ok
    ticket = (await hand.get("/broker/50003"))["positions"][0]["ticket"]
    closing = {"ticket": ticket, "by": "mobile"}
    async with hand.http.post(f"{hand.base_url}/broker/50003/close", json=closing) as answer:
        assert answer.ok
    page = await opened(browser, hand)
    await page.run(
        "[...document.querySelectorAll('.chat')].find(n => n.textContent.includes('Carla')).click()"
    )
    chosen = "document.querySelector('.account-tabs [aria-selected=true]').textContent"
    assert "50003" in await page.until(f"{chosen}.includes('50003') && {chosen}")
    closed = await page.until(
        "(() => { const t = document.querySelector('.closes').textContent;"
        "return t.includes('EURUSD') && t; })()"
    )
    assert closed.startswith("buy 0.10 EURUSD")
    assert "on the phone" in closed


async def test_every_symbol_and_every_fault_is_offered_in_words(
    browser: Browser, hand: Hand
) -> None:
    page = await opened(browser, hand)
    quoted = [q["symbol"] for q in (await hand.get("/broker/market"))["quotes"]]
    offered = "[...document.querySelectorAll('select[name=symbol] option')].map(n => n.value)"
    await page.until(f"{offered}.length === {len(quoted)}")
    assert set(await page.run(offered)) == set(quoted)
    faults = (
        "[...document.querySelectorAll('select[name=kind] option')]"
        ".map(n => [n.value, n.textContent]).filter(n => n[0] !== n[1])"
    )
    found = await page.run(faults)
    assert len(found) == FAULT_KINDS
    assert all(text.endswith(f" ({name})") and text[0].isupper() for name, text in found)


async def test_percentages_are_rounded_half_up(browser: Browser, hand: Hand) -> None:
    page = await opened(browser, hand)
    shown = await page.run(
        "import('/page/dom.js').then(m => [2.25, 1.15, 19.949, 19.95, 0].map(m.percent))"
    )
    assert shown == ["2.3 %", "1.2 %", "19.9 %", "20.0 %", "0.0 %"]


async def test_high_and_low_say_since_when(browser: Browser, hand: Hand) -> None:
    page = await opened(browser, hand)
    note = "document.querySelector('.equity-box .note').textContent"
    await page.until(f"/seen it since \\d\\d:\\d\\d by your clock/.test({note})")
    since = await page.run(note)
    await page.call("Page.reload")
    await page.until(f"{note} === {since!r}")


async def test_a_crashed_app_names_the_command_that_starts_it(
    browser: Browser, hand: Hand, tmp_path: Path
) -> None:
    page = await opened(browser, hand)
    assert await page.run("document.querySelector('#down').hidden") is True, "it may be starting"
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await gone.wait()
    data_dir = tmp_path / "data"
    left = {"pid": gone.pid, "base_url": hand.base_url, "tokens": {}}
    (data_dir / "app.json").write_bytes(msgspec.json.encode(left))
    await page.until("document.querySelector('#down').hidden === false")
    assert await page.run("document.querySelector('#ready').textContent") == "no app"
    words = "document.querySelector('#down').innerText"
    assert "The app is not running; start it again with:" in await page.run(words)
    command = shlex.split(await page.run("document.querySelector('#down-command').textContent"))
    python = [sys.executable, "-m", "bot", "demo", "--app-only", "--data-dir", str(data_dir)]
    assert command == ["cd", ROOT, "&&", *python]
    await page.press("#down-copy")
    await page.until("document.querySelector('.toast')")


async def test_an_app_that_never_came_is_missed_after_its_time(
    hand: Hand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert (await hand.get("/sim/state"))["app_command"] is None
    monkeypatch.setattr(world_module, "APP_START_S", 0.0)
    assert "--app-only" in (await hand.get("/sim/state"))["app_command"]
    alive = {"pid": os.getpid(), "base_url": hand.base_url, "tokens": {}}
    (tmp_path / "data" / "app.json").write_bytes(msgspec.json.encode(alive))
    assert (await hand.get("/sim/state"))["app_command"] is None, "a process that lives is starting"
