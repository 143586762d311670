"""An admin group with topics: alerts go to theirs, answers to where they were asked."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.wire.stage import ADMIN_CHAT, QUICK, Stage, Zygote

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADA = 11
BOT = "/bot42:SANDBOX"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def forum(
    tmp_path_factory: pytest.TempPathFactory, zygote: Zygote
) -> AsyncIterator[tuple[Stage, int, int]]:
    """A world whose admin group has two topics, of which the app knows."""
    folder = tmp_path_factory.mktemp("forum")
    async with Stage(zygote, folder, env=dict(QUICK), free_sending=True) as stage:
        await stage.start_world()
        await stage.says(ADA, "Good morning", ADMIN_CHAT)  # message 1 is of no topic
        await stage.post("/sim/forum", chat_id=ADMIN_CHAT)
        made = [
            await stage.post(f"{BOT}/createForumTopic", chat_id=ADMIN_CHAT, name=name)
            for name in ("Differences", "Terminals")
        ]
        one, two = (int(each["result"]["message_thread_id"]) for each in made)
        stage.env["ADMIN_TOPICS"] = f"differences={one},terminal={two}"
        await stage.start_app()
        await stage.ready()
        yield stage, one, two


async def test_an_alert_and_what_answers_it_stand_in_the_topic_of_its_group(
    forum: tuple[Stage, int, int],
) -> None:
    stage, differences, terminal = forum
    seen = await stage.last_id(ADMIN_CHAT)
    await stage.opens(50001, "EURUSD", "buy", 0.1)
    unknown = await stage.hears_after(ADMIN_CHAT, seen, "Unknown position", "50001")
    assert unknown["topic_id"] == differences
    await stage.fault(50003, "expert_disabled")
    blocked = await stage.hears_after(ADMIN_CHAT, seen, "Cannot close", "50003")
    assert blocked["topic_id"] == terminal
    await stage.mend(50003)
    over = await stage.hears_after(ADMIN_CHAT, blocked["id"], "Closing works again on 50003")
    assert (over["topic_id"], over["reply_to"]) == (terminal, blocked["id"])


async def test_a_command_is_answered_in_the_topic_it_was_asked_in(
    forum: tuple[Stage, int, int],
) -> None:
    stage, differences, _ = forum
    for topic_id in (differences, None):
        asked = await stage.post(
            "/sim/message",
            user_id=ADA,
            chat_id=ADMIN_CHAT,
            text="/warnings",
            message_thread_id=topic_id,
        )
        answer = await stage.hears_after(ADMIN_CHAT, asked["message_id"], "warning")
        assert (answer.get("topic_id"), answer["reply_to"]) == (topic_id, asked["message_id"])


async def test_an_alert_whose_topic_was_deleted_is_in_general_at_its_first_attempt(
    forum: tuple[Stage, int, int],
) -> None:
    stage, differences, _ = forum
    await stage.post(f"{BOT}/deleteForumTopic", chat_id=ADMIN_CHAT, message_thread_id=differences)
    seen = await stage.last_id(ADMIN_CHAT)
    await stage.opens(50002, "EURUSD", "sell", 0.1)
    unknown = await stage.hears_after(ADMIN_CHAT, seen, "Unknown position", "50002")
    assert "topic_id" not in unknown
    await stage.settled(ADMIN_CHAT, unknown["id"])
    query = "SELECT state, attempts, error FROM outbox WHERE chat_id = ? AND message_id = ?"
    assert await stage.rows(query, ADMIN_CHAT, unknown["id"]) == [("sent", 1, None)]
