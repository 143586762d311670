"""What is read, what is new, whose answer it is: the page's memory of the conversations."""

import asyncio
from typing import Final

import pytest

from bot.sandbox.people import ADMIN_CHAT_ID
from tests.browser.devtools import Browser, Page
from tests.browser.hand import Hand

pytestmark = pytest.mark.browser

ALICE, SAM = 101, 999
PHONE, DESKTOP = (390, 844), (1440, 900)
ENOUGH_TO_SCROLL: Final = 30
KEYBOARD = {"inline_keyboard": [[{"text": "Ask for release", "callback_data": "ask"}]]}
OPEN_CHAT = (
    "[...document.querySelectorAll('.chat')].find(n => n.textContent.includes('{}')).click()"
)
AT_END = (
    "(() => { const n = document.querySelector('#transcript');"
    "return n.clientHeight > 0 && n.scrollHeight - n.scrollTop - n.clientHeight < 2; })()"
)
SHOWN = "document.querySelectorAll('.bubble').length"
BADGES = (
    "['#badge-talk', '#badge-chats'].map(n => document.querySelector(n))"
    ".map(n => n.hidden ? '' : n.textContent)"
)


async def talk(hand: Hand, chat_id: int, messages: int, word: str = "line") -> None:
    """Have the bot say so many things."""
    for number in range(messages):
        await hand.bot("sendMessage", chat_id=chat_id, text=f"{word} {number}\nmore\nand more")


async def opened(browser: Browser, hand: Hand, size: tuple[int, int]) -> Page:
    page = await browser.page()
    await page.open(hand.base_url + "/", *size)
    await page.until("document.querySelectorAll('.chat').length >= 6")
    return page


async def test_after_a_reload_the_newest_is_in_sight_and_read_chats_stay_read(
    browser: Browser, hand: Hand
) -> None:
    await talk(hand, ADMIN_CHAT_ID, ENOUGH_TO_SCROLL)
    await talk(hand, ALICE, 3)
    page = await opened(browser, hand, DESKTOP)
    await page.until(f"{SHOWN} === {ENOUGH_TO_SCROLL} && {AT_END}")
    assert await page.run("!document.querySelector('.chat .badge')"), "history is not news"
    await talk(hand, ALICE, 2)
    alices = "[...document.querySelectorAll('.chat')].find(n => n.textContent.includes('Alice'))"
    assert await page.until(f"{alices}.querySelector('.badge')?.textContent") == "2"
    await page.run(OPEN_CHAT.format("Alice"))
    await page.until(f"{SHOWN} === 5 && !document.querySelector('.chat .badge')")
    await page.call("Page.reload")
    await page.until(f"{SHOWN} === {ENOUGH_TO_SCROLL} && {AT_END}")
    await page.until(f"{alices} && !document.querySelector('.chat .badge')")


async def test_on_a_phone_coming_back_shows_the_newest(browser: Browser, hand: Hand) -> None:
    await talk(hand, ADMIN_CHAT_ID, ENOUGH_TO_SCROLL)
    page = await opened(browser, hand, PHONE)
    await page.until(f"{SHOWN} === {ENOUGH_TO_SCROLL} && {AT_END}")
    await page.press("[data-show=market]")
    await talk(hand, ADMIN_CHAT_ID, 2, "news")
    await talk(hand, ALICE, 1, "news")
    await page.until(f'JSON.stringify({BADGES}) === \'["2","1"]\'')
    await page.press("[data-show=talk]")
    await page.until(f'{AT_END} && JSON.stringify({BADGES}) === \'["","1"]\'')


async def test_who_has_scrolled_up_is_left_there_and_told(browser: Browser, hand: Hand) -> None:
    await talk(hand, ADMIN_CHAT_ID, ENOUGH_TO_SCROLL)
    page = await opened(browser, hand, PHONE)
    await page.until(f"{SHOWN} === {ENOUGH_TO_SCROLL} && {AT_END}")
    top = "document.querySelector('#transcript').scrollTop"
    await page.run(f"{top} = 100")
    await asyncio.sleep(0.1)  # the scroll event comes with the next frame
    assert await page.run("document.querySelector('#newer').hidden") is True
    await talk(hand, ADMIN_CHAT_ID, 1, "news")
    await page.until("document.querySelector('#newer').hidden === false")
    await page.press("[data-show=market]")
    await page.press("[data-show=talk]")
    await page.until(f"{top} === 100")
    await page.press("#newer")
    await page.until(f"{AT_END} && document.querySelector('#newer').hidden")


async def test_an_alert_goes_away_with_its_chat(browser: Browser, hand: Hand) -> None:
    await hand.bot("sendMessage", chat_id=ALICE, text="Locked", reply_markup=KEYBOARD)
    page = await opened(browser, hand, DESKTOP)
    await page.run(OPEN_CHAT.format("Alice"))

    async def press_and(go: str) -> None:
        await page.press(".key")
        updates = await hand.bot("getUpdates", timeout=5, allowed_updates=["callback_query"])
        await hand.bot("getUpdates", offset=updates[-1]["update_id"] + 1)
        if go:
            await page.run(OPEN_CHAT.format(go))
        query_id = updates[-1]["callback_query"]["id"]
        await hand.bot(
            "answerCallbackQuery", callback_query_id=query_id, text="Asked.", show_alert=True
        )

    await press_and("")
    await page.until("document.querySelector('#alert').open")
    await page.run(OPEN_CHAT.format("Ben"))
    assert await page.run("document.querySelector('#alert').open") is False
    await page.run(OPEN_CHAT.format("Alice"))
    await press_and("Ben")
    await asyncio.sleep(0.3)  # time in which a stray alert would come
    assert await page.run("document.querySelector('#alert').open") is False
    await page.run(OPEN_CHAT.format("Alice"))
    await page.until("document.querySelector('#alert').open")


async def test_the_stranger_is_captioned(browser: Browser, hand: Hand) -> None:
    page = await opened(browser, hand, DESKTOP)
    await page.run(OPEN_CHAT.format("Sam"))
    wanted = "stranger at first, private chat"
    assert await page.run("document.querySelector('#talk-sub').textContent") == wanted
