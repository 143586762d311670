"""Sending rates at their bounds and past them. Times are seconds, chosen by the test."""

from bot.limits import ANSWER, CHATS_MAX, Bucket, Recently, SendLimits, Window

PERSON, GROUP = 1, -1


def test_a_person_gets_three_at_once_then_one_a_second() -> None:
    limits = SendLimits()
    for _ in range(3):
        assert limits.wait_s(PERSON, 0.0) == 0
        limits.take(PERSON, 0.0)
    assert limits.wait_s(PERSON, 0.0) == 1.0
    assert limits.wait_s(PERSON, 1.0) == 0


def test_a_group_gets_eighteen_in_any_minute() -> None:
    limits = SendLimits()
    for n in range(18):
        assert limits.wait_s(GROUP, float(n)) == 0
        limits.take(GROUP, float(n))
    assert limits.wait_s(GROUP, 18.0) == 42.0, "until the first is a minute old"
    assert limits.wait_s(GROUP, 60.0) == 0
    limits.take(GROUP, 60.0)
    assert limits.wait_s(GROUP, 60.0) == 1.0


def test_everybody_together_gets_twenty_five_a_second() -> None:
    limits = SendLimits()
    for chat in range(1, 26):
        assert limits.overall_left(0.0) == 26 - chat
        limits.take(chat, 0.0)
    assert limits.overall_left(0.0) == 0
    assert limits.wait_s(99, 0.0) == 1.0
    assert limits.overall_wait_s(0.25) == 0.75
    assert limits.overall_wait_s(1.0) == 0
    assert limits.overall_left(1.0) == 25


def test_a_send_that_sets_out_late_is_counted_when_it_does() -> None:
    limits = SendLimits()
    for chat in range(1, 26):
        limits.take(chat, 0.0)
    limits.sets_out(1, 0.0, 0.5)
    assert limits.overall_left(1.0) == 24
    assert limits.overall_left(1.5) == 25
    for _ in range(18):
        limits.take(GROUP, 2.0)
    limits.sets_out(GROUP, 2.0, 3.0)
    assert limits.wait_s(GROUP, 62.0) == 0, "seventeen are a minute old"
    for _ in range(17):
        limits.take(GROUP, 62.0)
    assert limits.wait_s(GROUP, 62.0) == 1.0, "the one that set out later is not"


def test_a_pause_holds_its_chat_only_and_is_not_shortened() -> None:
    limits = SendLimits()
    limits.pause(PERSON, 30.0)
    limits.pause(PERSON, 10.0)
    assert limits.wait_s(PERSON, 5.0) == 25.0
    assert limits.wait_s(2, 5.0) == 0
    assert limits.wait_s(PERSON, 30.0) == 0


def test_what_is_critical_may_have_a_shorter_pause_which_nothing_shortens_either() -> None:
    limits = SendLimits()
    limits.pause(PERSON, 30.0, 1.0)
    assert [limits.wait_s(PERSON, 0.0, priority) for priority in (0, 1, 2)] == [1.0, 30.0, 30.0]
    limits.pause(PERSON, 2.0, 2.0)
    assert [limits.wait_s(PERSON, 0.5, priority) for priority in (0, 1)] == [1.5, 29.5]
    assert [limits.wait_s(PERSON, 2.0, priority) for priority in (0, 1)] == [0, 28.0]
    limits.told_to_wait(PERSON, 2.0, 40.0)
    assert limits.wait_s(PERSON, 2.0) == 40.0, "what Telegram says holds for everything"


def test_where_three_chats_are_told_to_wait_everybody_waits_but_not_for_long() -> None:
    limits = SendLimits()
    limits.told_to_wait(1, 0.0, 2.0)
    limits.told_to_wait(1, 1.0, 2.0)
    limits.told_to_wait(2, 1.0, 2.0)
    assert limits.wait_s(9, 1.0) == 0, "two chats are two chats"
    limits.told_to_wait(3, 4.9, 40.0)
    assert limits.wait_s(9, 4.9) == 5.0
    assert (limits.overall_left(4.9), limits.overall_wait_s(4.9)) == (0, 5.0)
    assert limits.wait_s(9, 9.9) == 0
    assert limits.overall_left(9.9) == 25
    assert limits.wait_s(3, 9.9) == 35.0, "the chat itself waits as told"


def test_chats_told_to_wait_long_after_one_another_are_not_everybody() -> None:
    limits = SendLimits()
    for number in range(4):
        limits.told_to_wait(number, 2.5 * number, 1.0)
        assert limits.wait_s(9, 2.5 * number) == 0


def test_the_memory_of_chats_is_bounded() -> None:
    limits = SendLimits()
    for chat in range(1, CHATS_MAX + 2):
        limits.take(chat, float(chat))
    assert len(limits._chats) == CHATS_MAX  # noqa: SLF001 - the bound itself


def test_debt_is_paid_back() -> None:
    bucket = Bucket(1.0, 1, 0.0)
    bucket.take(0.0)
    bucket.take(0.0)
    assert bucket.wait_s(0.0) == 2.0
    window = Window(1, 10.0)
    window.take(0.0)
    window.take(1.0)
    assert window.wait_s(1.0) == 10.0, "both must be ten seconds old but one"


def test_a_key_is_first_once_per_span_and_the_oldest_is_forgotten() -> None:
    seen = Recently(10.0, keys_max=2)
    assert [seen.first("a", 0.0), seen.first("a", 9.9), seen.first("a", 10.0)] == [
        True,
        False,
        True,
    ]
    assert seen.first("b", 11.0)
    assert seen.first("c", 12.0), "now a is forgotten"
    assert not seen.first("b", 12.0)
    assert seen.first("a", 12.0)


def sent_until_full(limits: SendLimits, chat_id: int, now_s: float, priority: int) -> int:
    """How many of this priority may go at this instant."""
    sent = 0
    while limits.wait_s(chat_id, now_s, priority) == 0:
        limits.take(chat_id, now_s)
        sent += 1
    return sent


def test_in_a_busy_group_answers_overtake_news_and_criticals_come_first() -> None:
    """Of 18 sends a minute, info may use 8, warnings 12, answers 15, criticals all."""
    limits = SendLimits()
    assert sent_until_full(limits, -1, 0.0, 2) == 8
    assert limits.wait_s(-1, 5.0, 2) == 55.0
    assert sent_until_full(limits, -1, 5.0, 1) == 4
    assert sent_until_full(limits, -1, 5.0, ANSWER) == 3
    assert sent_until_full(limits, -1, 5.0, 0) == 3
    assert limits.wait_s(-1, 5.0, 0) == 55.0


def test_in_a_private_chat_info_waits_for_answers_and_answers_for_what_is_urgent() -> None:
    """A private chat's burst is 3: info may use one of it, answers a second, a warning all."""
    limits = SendLimits()
    assert sent_until_full(limits, 7, 0.0, 2) == 1
    assert sent_until_full(limits, 7, 0.0, ANSWER) == 1
    assert limits.wait_s(7, 0.0, ANSWER) == 1.0
    assert sent_until_full(limits, 7, 0.0, 1) == 1
    assert limits.wait_s(7, 0.0, 0) == 1.0
