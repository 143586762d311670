"""What one member of a group sees alone, on the page: theirs only, and marked as that."""

import pytest

from bot.sandbox.people import ADMIN_CHAT_ID
from tests.browser.devtools import Browser
from tests.browser.hand import Hand

pytestmark = pytest.mark.browser

PHONE = (390, 844)
OMAR = 12
WORDS = "[...document.querySelectorAll('.words')].map(n => n.textContent)"
ACT_AS = (
    "[...document.querySelectorAll('#viewer button')].find(n => n.textContent === '{}').click()"
)


async def test_it_is_shown_to_its_receiver_and_gone_for_the_next_viewer(
    browser: Browser, hand: Hand
) -> None:
    await hand.bot("sendMessage", chat_id=ADMIN_CHAT_ID, text="to all")
    await hand.bot(
        "sendMessage",
        chat_id=ADMIN_CHAT_ID,
        text="Only an admin can do that.",
        ephemeral_message_parameters={"receiver_user_id": OMAR},
        reply_markup={"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]},
    )
    page = await browser.page()
    await page.open(hand.base_url + "/", *PHONE)
    await page.until(f"{WORDS}.length === 1")  # Ada looks first
    await page.run(ACT_AS.format("Omar"))
    await page.until(f"{WORDS}.length === 2")
    marks = "[...document.querySelectorAll('.only')].map(n => n.textContent)"
    assert await page.run(marks) == ["Only you see this"]
    await page.run("document.querySelector('.key').click()")
    await page.until("document.querySelector('.key.busy') !== null")
    update = (await hand.bot("getUpdates", timeout=5))[0]["callback_query"]
    assert (update["from"]["id"], update["message"]["ephemeral_message_id"]) == (OMAR, 1)
    await hand.bot("answerCallbackQuery", callback_query_id=update["id"])
    await page.run(ACT_AS.format("Ada"))
    await page.until(f"{WORDS}.length === 1")
    assert await page.run("document.documentElement.scrollWidth") == PHONE[0]
    assert page.errors == []
