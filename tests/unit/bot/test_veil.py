"""What is journalled of an update: never words that could be a password."""

import asyncio
from typing import Any

import pytest
from aiogram.types import Update
from hypothesis import given
from hypothesis import strategies as st

from bot.removing import TRIES, Remover
from bot.veil import REMOVE, Veil, is_to_remove
from core.domain.link_heard import NOTHING, Ask, Heard
from core.ports import Transaction
from core.services.link_hearing import Said
from tests.fakes.memory_store import MemoryStore
from tests.fakes.telegram import ADMIN_CHAT, Answer, make_bot, message_json, press_json, update

ANN = 900
SECRET = "S3cret-of-Ann"
ANSWERED = f"{REMOVE} refused links_full"


class Ears:
    """Answers as told; `asked` is what it was given."""

    def __init__(self, heard: Heard = NOTHING) -> None:
        self.heard = heard
        self.asked: list[tuple[int, Ask, str | None, bool]] = []

    async def hear(self, tx: Transaction, said: Said) -> Heard:
        text = None if said.text is None else said.text.reveal()
        self.asked.append((said.telegram_id, said.ask, text, said.private))
        return self.heard

    def expects(self, telegram_id: int) -> bool:
        return telegram_id == ANN


async def veiled(body: dict[str, Any], ears: Ears | None = None) -> Update:
    """The update as it is kept."""
    bot, _ = make_bot()
    async with MemoryStore().writing() as tx:
        return await Veil(ears)(tx, update(body, bot))


def text_of(kept: Update) -> str | None:
    """The words that are left."""
    assert kept.message is not None
    return kept.message.text


def written(kept: Update) -> str:
    """What the journal's row has."""
    return kept.model_dump_json(exclude_unset=True, by_alias=True)


@given(st.text(min_size=1, max_size=80).filter(lambda text: not text.startswith("/")))
def test_of_private_words_nothing_is_kept_even_where_nobody_links(text: str) -> None:
    words = f"{text}{SECRET}"
    for ears in (None, Ears(), Ears(Heard(is_ours=True)), Ears(Heard(remove=True))):
        kept = asyncio.run(veiled(message_json(ANN, words), ears))
        assert SECRET not in written(kept)


NEAR = Heard(near=True)
CODE = "aB3_-" * 6 + "xy"
"""As long as an invitation's code: 32."""


@pytest.mark.parametrize(
    ("said", "heard", "kept"),
    [
        ("hello", NOTHING, None),
        ("/status", NOTHING, "/status"),
        ("/approve 12", NOTHING, "/approve 12"),
        (f"/link {SECRET}", NOTHING, REMOVE),
        (f"/LINK@reckoner_bot\n{SECRET}", NOTHING, REMOVE),
        (f"/link {SECRET}", Heard(is_ours=True), REMOVE),
        (f"/link {SECRET}", Heard(is_ours=True, refused="links_full"), ANSWERED),
        ("/LINK@Reckoner_Bot ", NOTHING, "/link@Reckoner_Bot"),
        ("Help!", NOTHING, "/help"),
        ("ayuda", NOTHING, "/help"),
        ("/Ayuda", NOTHING, "/help"),
        ("help", Heard(near=True), "/help"),
        ("help", Heard(is_ours=True, remove=True), REMOVE),
        ("help me", NOTHING, None),
        ("/Approve 12", NOTHING, "/approve 12"),
        (f"/START {CODE}", NEAR, f"/start {CODE}"),
        ("/link", Heard(is_ours=True), "/link"),
        ("/link", Heard(is_ours=True, refused="links_full"), "/link refused links_full"),
        ("/cancel", NOTHING, "/cancel"),
        ("/cancel", Heard(is_ours=True), "/link"),
        (SECRET, Heard(is_ours=True), "/link"),
        (SECRET, Heard(is_ours=True, remove=True), REMOVE),
        (SECRET, Heard(remove=True, near=True), REMOVE),
        (f"/{SECRET}", Heard(is_ours=True, remove=True), REMOVE),
    ],
)
async def test_what_is_kept_of_a_private_message(said: str, heard: Heard, kept: str | None) -> None:
    left = await veiled(message_json(ANN, said), Ears(heard))
    assert text_of(left) == kept
    assert is_to_remove(left) is (kept in {REMOVE, ANSWERED})


async def test_what_stands_behind_link_leaves_the_chat() -> None:
    """Where it is off as well, and in a group."""
    told = message_json(ANN, f"/link Broker-Live 50004 {SECRET}")
    assert text_of(await veiled(told)) == REMOVE
    told["message"]["caption"] = told["message"].pop("text")
    assert text_of(await veiled(told)) == REMOVE
    for said, kept in (
        (f"/link {SECRET}", REMOVE),
        (f"/LINK@desk_bot Broker-Live 50004 {SECRET}", "/link@desk_bot remove"),
    ):
        left = await veiled(message_json(ANN, said, chat_id=ADMIN_CHAT), Ears(Heard(near=True)))
        assert (text_of(left), is_to_remove(left)) == (kept, True)
    nothing: list[tuple[str, str | None]] = [
        ("/link", "/link"),
        ("/link@desk_bot", "/link@desk_bot"),
        ("/link@- x", None),
    ]
    for said, left_of_it in nothing:
        left = await veiled(message_json(ANN, said, chat_id=ADMIN_CHAT), Ears())
        assert (text_of(left), is_to_remove(left)) == (left_of_it, False)


@pytest.mark.parametrize(("named", "tries"), [("", 1), ("@Desk_Bot", 1), ("@other_bot", 0)])
async def test_in_a_group_what_names_another_bot_is_left(named: str, tries: int) -> None:
    bot, telegram = make_bot()
    username = (await bot.me()).username
    named = named.replace("Desk_Bot", (username or "").upper())
    kept = await veiled(message_json(ANN, f"/link{named} {SECRET}", chat_id=ADMIN_CHAT))
    assert await Remover(bot, None).at_once(kept)
    assert len(telegram.named("deleteMessage")) == tries


async def test_what_cannot_be_removed_in_a_group_is_told_of_there_alone() -> None:
    """By the answer: the conversation's own warning would go to the group as a person."""
    bot, telegram = make_bot()
    telegram.script.append(Answer(400, "Bad Request: message can't be deleted"))
    told = Warned()
    await Remover(bot, told)(await veiled(message_json(ANN, f"/link {SECRET}", chat_id=ADMIN_CHAT)))
    assert told.who == []


@pytest.mark.parametrize("place", [ANN, ADMIN_CHAT])
@pytest.mark.parametrize(
    ("said", "heard", "kept"),
    [
        ("/signal XAUUSD buy 0.10", NOTHING, "/signal XAUUSD buy 0.10"),
        ("/override 12 close the broker froze", NOTHING, "/override 12 close the broker froze"),
        (f"/positions {SECRET}", Heard(near=True), "/positions"),
        (f"/status {SECRET}", NOTHING, "/status"),
    ],
)
async def test_a_command_below_a_picture_is_a_command(
    said: str, heard: Heard, kept: str, place: int
) -> None:
    """As an admin sends a signal with its chart."""
    body = message_json(ANN, said, chat_id=place)
    body["message"] |= {"caption": body["message"].pop("text"), "photo": [_photo()]}
    ears = Ears(heard)
    assert text_of(await veiled(body, ears)) == kept
    assert ears.asked == [(ANN, Ask.OTHER, None, place == ANN)], "and no answer to a question"


@pytest.mark.parametrize(
    ("said", "ask"),
    [
        ("/link", Ask.BEGIN),
        ("/link words", Ask.BEGIN),
        ("/Cancel", Ask.CANCEL),
        ("words", Ask.WORDS),
        ("/no-such-command", Ask.WORDS),
        ("/status", Ask.OTHER),
        ("/start x", Ask.OTHER),
        ("/close", Ask.OTHER),
    ],
)
async def test_other_commands_are_no_answer(said: str, ask: Ask) -> None:
    ears = Ears()
    await veiled(message_json(ANN, said), ears)
    assert ears.asked == [(ANN, ask, said, True)]


@pytest.mark.parametrize(
    ("said", "heard", "kept"),
    [
        (f"/lnk 50004 {SECRET}", NOTHING, "/lnk"),
        (f"/status {SECRET}", NOTHING, "/status"),
        (f"/status\n{SECRET}", NOTHING, "/status"),
        (f"/{SECRET} x", NOTHING, "/"),
        (f"/{'x' * 32} {SECRET}", NOTHING, f"/{'x' * 32}"),
        (f"/{'x' * 33}", NOTHING, "/"),
        ("/ words", NOTHING, "/"),
        ("/override 12 hold news at three", NOTHING, "/override 12 hold news at three"),
        (f"/start {SECRET}", NOTHING, f"/start {SECRET}"),
        (f"/status {SECRET}", NEAR, "/status"),
        (f"/positions {SECRET}", NEAR, "/positions"),
        (f"/positions 50001 {SECRET}", NEAR, "/positions"),
        ("/positions chart 50001", NEAR, "/positions chart 50001"),
        ("/approve 12", NEAR, "/approve 12"),
        (f"/approve {'1' * 18}", NEAR, f"/approve {'1' * 18}"),
        (f"/approve {'1' * 19}", NEAR, "/approve"),
        ("/report day 2026-11-27 50001", NEAR, "/report day 2026-11-27 50001"),
        ("/settings market silent", NEAR, "/settings market silent"),
        ("/settings quiet 22-7", NEAR, "/settings quiet 22-7"),
        ("/settings zone Europe/Madrid", NEAR, "/settings zone Europe/Madrid"),
        ("/settings language es", NEAR, "/settings language es"),
        (f"/settings zone {SECRET}", NEAR, "/settings"),
        ("/token new Office", NEAR, "/token"),
        ("/Secr3t_Slash9 x", NEAR, "/"),
        ("/postions", NEAR, "/postions"),
        ("/Sekret", NEAR, "/"),
        ("/status@reckoner_bot", NEAR, "/status@reckoner_bot"),
        ("/status@Secr3t_9", NEAR, "/"),
        ("/close", NEAR, "/close"),
        (f"/start {SECRET}", NEAR, "/start"),
        (f"/start {CODE}", NEAR, f"/start {CODE}"),
    ],
)
async def test_of_a_command_its_name_is_kept_and_what_it_takes(
    said: str, heard: Heard, kept: str
) -> None:
    assert text_of(await veiled(message_json(ANN, said), Ears(heard))) == kept


@pytest.mark.parametrize(
    ("said", "heard", "kept"),
    [
        (SECRET, NOTHING, None),
        ("hello", NEAR, None),
        (f"look https://t.me/a_bot?start={CODE} {SECRET}", NOTHING, f"?start={CODE}"),
        (f"/start {CODE}", NOTHING, f"/start ?start={CODE}"),
        (f"/start {SECRET}", NOTHING, "/start"),
        (f"/status@reckoner_bot {SECRET}", NOTHING, "/status@reckoner_bot"),
        (f"/other@some_bot {SECRET}", NOTHING, "/other@some_bot"),
        ("/signal XAUUSD buy 0.10", NOTHING, "/signal XAUUSD buy 0.10"),
        (f"/{SECRET}", NOTHING, None),
        ("/Secr3t_Slash9", NEAR, None),
        ("/status@Secr3t_9", NEAR, None),
        (f"/positions {SECRET}", NEAR, "/positions"),
    ],
)
async def test_of_a_groups_words_commands_and_shown_codes_are_kept(
    said: str, heard: Heard, kept: str | None
) -> None:
    left = await veiled(message_json(ANN, said, chat_id=ADMIN_CHAT), Ears(heard))
    assert text_of(left) == kept
    assert SECRET not in written(left)


async def test_codes_in_a_groups_links_and_captions_are_kept_with_their_topic() -> None:
    body = message_json(ANN, "here", chat_id=ADMIN_CHAT)
    url = f"https://t.me/a_bot?start={CODE}"
    link = {"type": "text_link", "offset": 0, "length": 4, "url": url}
    body["message"] |= {"entities": [link], "message_thread_id": 7, "is_topic_message": True}
    left = await veiled(body)
    assert text_of(left) == f"?start={CODE}"
    assert left.message is not None
    assert (left.message.message_thread_id, left.message.is_topic_message) == (7, True)
    del body["message"]["text"], body["message"]["entities"]
    body["message"] |= {"caption": f"{SECRET} {url}", "photo": [_photo()]}
    left = await veiled(body)
    assert text_of(left) == f"?start={CODE}"
    assert SECRET not in written(left)


async def test_a_picture_with_a_caption_leaves_nothing_of_it() -> None:
    body = message_json(ANN, "")
    del body["message"]["text"]
    body["message"] |= {"caption": SECRET, "photo": [_photo()]}
    ears = Ears()
    assert SECRET not in written(await veiled(body, ears))
    assert ears.asked == [(ANN, Ask.WORDS, None, True)]


async def test_what_a_message_shows_again_is_not_kept() -> None:
    old = message_json(ANN, SECRET)["message"]
    body = message_json(ANN, "/status")
    body["message"]["reply_to_message"] = old
    assert SECRET not in written(await veiled(body))
    pinned = message_json(ANN, "")
    del pinned["message"]["text"]
    pinned["message"]["pinned_message"] = old
    assert SECRET not in written(await veiled(pinned))
    press = press_json(ANN, "rf1:positions")
    press["callback_query"]["message"]["reply_to_message"] = old
    kept = await veiled(press)
    assert SECRET not in written(kept)
    assert kept.callback_query is not None
    assert kept.callback_query.data == "rf1:positions"


async def test_an_edited_message_is_not_kept_at_all() -> None:
    body = message_json(ANN, SECRET)
    body["edited_message"] = body.pop("message")
    kept = await veiled(body, Ears(Heard(remove=True)))
    assert written(kept) == f'{{"update_id":{body["update_id"]}}}'


@pytest.mark.parametrize(
    ("said", "who", "place", "expected"),
    [
        (SECRET, ANN, ANN, True),
        (f"/{SECRET}", ANN, ANN, True),
        ("/status", ANN, ANN, False),
        ("/cancel", ANN, ANN, False),
        (SECRET, ANN, ADMIN_CHAT, False),
        (SECRET, 901, 901, False),
    ],
)
async def test_a_password_is_known_without_the_database(
    said: str, who: int, place: int, *, expected: bool
) -> None:
    bot, _ = make_bot()
    body = update(message_json(who, said, place), bot)
    assert Veil(Ears()).is_expected(body) is expected
    assert not Veil().is_expected(body)


async def test_what_is_kept_can_be_read_again_after_a_crash() -> None:
    bot, _ = make_bot()
    for heard in (NOTHING, Heard(is_ours=True), Heard(remove=True)):
        kept = await veiled(message_json(ANN, "words"), Ears(heard))
        again = Update.model_validate_json(written(kept), context={"bot": bot})
        assert again.message is not None
        assert again.message.from_user is not None
        assert (again.message.text, again.message.from_user.id) == (text_of(kept), ANN)


class Warned:
    """Who was told that their message is still there."""

    def __init__(self) -> None:
        self.who: list[int] = []

    async def not_removed(self, telegram_id: int) -> None:
        self.who.append(telegram_id)


@pytest.mark.parametrize(
    ("answers", "tries", "warned"),
    [
        ([], 1, False),
        ([Answer(400, "Bad Request: message to delete not found")], 1, False),
        ([Answer(400, "Bad Request: message can't be deleted for everyone")], 1, True),
        ([Answer(500, "Internal Server Error")] * 2, 3, False),
        ([Answer(500, "Internal Server Error")] * 3, 3, True),
        (
            [Answer(429, "Too Many Requests: retry after 0", parameters={"retry_after": 0})],
            2,
            False,
        ),
    ],
)
async def test_a_message_is_removed_or_its_writer_is_told(
    monkeypatch: pytest.MonkeyPatch, answers: list[Answer], tries: int, *, warned: bool
) -> None:
    monkeypatch.setattr("bot.removing.PAUSE_S", 0.0)
    bot, telegram = make_bot()
    told = Warned()
    telegram.script.extend(answers)
    kept = await veiled(message_json(ANN, SECRET), Ears(Heard(remove=True)))
    await Remover(bot, told)(kept)
    assert len(telegram.named("deleteMessage")) == tries
    assert told.who == ([ANN] if warned else [])


async def test_a_longer_pause_than_the_bound_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.removing.PAUSE_S_MAX", 0.0)
    bot, telegram = make_bot()
    told, busy = Warned(), {"retry_after": 60}
    telegram.script.extend([Answer(429, "Too Many Requests", parameters=busy)] * TRIES)
    kept = await veiled(message_json(ANN, SECRET), Ears(Heard(remove=True)))
    async with asyncio.timeout(5):
        await Remover(bot, told)(kept)
    assert told.who == [ANN]


def _photo() -> dict[str, Any]:
    return {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}
