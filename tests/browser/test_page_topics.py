"""A forum on the page: its topics are named, chosen, and written to, on a phone too."""

import pytest

from bot.sandbox.people import ADMIN_CHAT_ID
from tests.browser.devtools import Browser
from tests.browser.hand import Hand

pytestmark = pytest.mark.browser

PHONE = (390, 844)
CHOOSE = (
    "[...document.querySelectorAll('#topics button')].find(n => n.textContent === '{}').click()"
)
WORDS = "[...document.querySelectorAll('.words')].map(n => n.textContent)"


async def test_a_topic_shows_its_messages_only_and_is_written_to(
    browser: Browser, hand: Hand
) -> None:
    await hand.person("/sim/forum", chat_id=ADMIN_CHAT_ID)
    topic = await hand.bot("createForumTopic", chat_id=ADMIN_CHAT_ID, name="Alerts")
    thread_id = topic["message_thread_id"]
    await hand.bot("sendMessage", chat_id=ADMIN_CHAT_ID, text="gap", message_thread_id=thread_id)
    await hand.bot("sendMessage", chat_id=ADMIN_CHAT_ID, text="started")
    page = await browser.page()
    await page.open(hand.base_url + "/", *PHONE)
    await page.until(f"{WORDS}.length === 3")
    names = await page.run(
        "[...document.querySelectorAll('#topics button')].map(n => n.textContent)"
    )
    assert names == ["All", "General", "Alerts"]
    assert await page.run("document.querySelectorAll('p.topic')[0].textContent") == "# Alerts"
    await page.run(CHOOSE.format("Alerts"))
    assert await page.run(WORDS) == ["opened the topic Alerts", "gap"]
    await page.run(
        "document.querySelector('#words').value = 'seen';"
        "document.querySelector('#composer').requestSubmit()"
    )
    await page.until(f"{WORDS}.includes('seen')")
    newest = (await hand.get(f"/sim/chat/{ADMIN_CHAT_ID}"))["messages"][-1]
    assert (newest["text"], newest["topic_id"]) == ("seen", thread_id)
    await page.run(CHOOSE.format("General"))
    assert await page.run(WORDS) == ["started"]
    assert await page.run("document.documentElement.scrollWidth") == PHONE[0]
    assert page.errors == []


async def test_without_topics_there_is_no_row_of_them(browser: Browser, hand: Hand) -> None:
    await hand.bot("sendMessage", chat_id=ADMIN_CHAT_ID, text="x")
    page = await browser.page()
    await page.open(hand.base_url + "/", *PHONE)
    await page.until(f"{WORDS}.length === 1")
    assert await page.run("document.querySelector('#topics').hidden")
