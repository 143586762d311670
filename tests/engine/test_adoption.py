"""Which signal is this? Asked where it cannot be told, answered by an admin, taken back by one."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.domain import alerts as a
from core.domain.alerts_adoption import PositionAdopted, PositionQuestion
from core.domain.answers import QuestionAnswered
from core.records import (
    AuditRow,
    EpisodeRow,
    OutboxRow,
    QuestionRow,
    ReconciliationLogRow,
    TradeRow,
)
from core.services.answering import Answer
from core.services.errors import Refused
from tests.engine.house import (
    ADMIN,
    ADMIN_CHAT,
    ALICE,
    BEN,
    GBP,
    USD,
    House,
)

D = Decimal
GUARD = (
    "peak_equity",
    "warned_at",
    "latched_at",
    "withdrawal_exempt",
    "armed_at",
    "ledger_balance",
)
"""What of an account's state belongs to the drawdown guard and the ledger."""


async def asked(house: House) -> list[PositionQuestion]:
    """Every question the admin chat was shown, in order."""
    return [x for x in await house.said(ADMIN_CHAT) if isinstance(x, PositionQuestion)]


async def question(house: House, position_id: int) -> QuestionRow:
    (row,) = await house.rows(QuestionRow, position_id=position_id)
    assert isinstance(row, QuestionRow)
    return row


async def answers(
    house: House, row: QuestionRow, who: int = ADMIN, **said: Any
) -> QuestionAnswered:
    """Somebody presses a button under the question as it stands."""
    facts = {"source": "chat -100 message 7", "version": row.version, **said}
    return await house.engine.adoption(await house.person(who), row.id, Answer(**facts))


async def takes_back(house: House, row: QuestionRow, who: int = ADMIN) -> QuestionAnswered:
    said = Answer(source="chat -100 message 8", version=row.version)
    return await house.engine.disown(await house.person(who), row.id, said)


async def two_waiting(house: House, who: int = ALICE) -> tuple[int, int]:
    """A client approves two signals for gold alike; answers their trades."""
    for _ in range(2):
        await house.approve(who, await house.signal())
        house.clock.instant += timedelta(seconds=1)
    one, two = await house.rows(TradeRow)
    return one.id, two.id


async def by_phone(house: House, login: int = GBP, volume: str = "0.10") -> int:
    """The account's client buys gold on a phone; answers the position."""
    house.clock.instant += timedelta(seconds=10)
    position_id = house.open(login, "buy", volume, sl=1950.0, tp=1990.0)
    await house.run(4)
    return position_id


async def trade(house: House, trade_id: int) -> TradeRow:
    (row,) = await house.rows(TradeRow, id=trade_id)
    assert isinstance(row, TradeRow)
    return row


def whys(refusal: pytest.ExceptionInfo[Refused]) -> tuple[str, Any]:
    return refusal.value.code, refusal.value.facts.get("why")


async def test_two_signals_and_a_position_by_hand_are_a_question_with_figures(
    house: House,
) -> None:
    """Bought at 1970.30 as both expected; 11 s and 10 s after they were approved."""
    one, two = await two_waiting(house)
    position_id = await by_phone(house)
    (card,) = await asked(house)
    assert [(c.trade_id, c.off_pips) for c in card.asked.choices] == [(one, D(0)), (two, D(0))]
    assert [c.after for c in card.asked.choices] == [timedelta(seconds=12), timedelta(seconds=11)]
    assert (card.asked.price, card.asked.volume, card.asked.total) == (D("1970.30"), D("0.10"), 2)
    row = await question(house, position_id)
    assert (row.state, row.candidates, row.about) == ("open", [one, two], "buy 0.1")
    # It takes the place of what told of the position: one message in the chat, not two.
    rows = await house.rows(OutboxRow, chat_id=ADMIN_CHAT, thread=f"episode:{card.episode_id}")
    assert [(r.kind, r.mode) for r in rows] == [
        ("DivergenceOpened", "new"),
        ("PositionQuestion", "edit"),
    ]
    assert "PositionQuestion" not in await house.kinds(ALICE)


async def test_nothing_is_asked_twice_and_nothing_is_adopted_by_waiting(house: House) -> None:
    one, two = await two_waiting(house)
    position_id = await by_phone(house)
    await house.restart()
    await house.run(140)  # the trades expire, too
    assert len(await asked(house)) == 1
    assert [(await trade(house, t)).position_id for t in (one, two)] == [None, None]
    assert (await question(house, position_id)).state == "open"


async def test_a_press_adopts_with_provenance_and_both_chats_read_it(house: House) -> None:
    one, two = await two_waiting(house)
    position_id = await by_phone(house)
    row = await question(house, position_id)
    done = await answers(house, row, trade_id=two)
    assert (done.state, done.signal_id) == ("adopted", (await trade(house, two)).signal_id)
    adopted = await trade(house, two)
    ada = await house.person(ADMIN)
    assert (adopted.status, adopted.position_id) == ("open", position_id)
    assert (adopted.adopted_by, adopted.adopted_at) == (ada.user_id, house.clock.now())
    (link,) = await house.rows(AuditRow, action="position_adopted")
    assert link.actor == "Ada"
    assert (link.detail["position"], link.detail["trade"]) == (position_id, two)
    assert link.detail["candidates"] == [one, two]
    assert link.detail["source"] == "chat -100 message 7"
    assert await house.rows(EpisodeRow, resolved_at=None) == []
    (told,) = [x for x in await house.said(ALICE) if isinstance(x, PositionAdopted)]
    assert (told.signal_id, told.by, told.price) == (adopted.signal_id, "Ada", D("1970.30"))
    over = [x for x in await house.said(ALICE) if isinstance(x, a.DivergenceResolved)]
    assert [x.how for x in over] == ["adopted"]
    assert [(x.state, x.by) for x in await asked(house)] == [("open", ""), ("adopted", "Ada")]
    logged = await house.rows(ReconciliationLogRow, mt5_position_id=position_id, matched=True)
    assert (logged[0].signal_id, logged[0].error_message) == (adopted.signal_id, "adopted by Ada")


async def test_an_adopted_position_is_held_over_restarts_and_ends_as_its_trade(
    house: House,
) -> None:
    one, _ = await two_waiting(house)
    position_id = await by_phone(house)
    await answers(house, await question(house, position_id), trade_id=one)
    await house.run(10)
    await house.restart()
    await house.run(200)
    assert await house.rows(EpisodeRow, resolved_at=None) == []
    assert "TradeOpened" not in await house.kinds(ALICE)
    house.close_position(GBP, position_id)
    await house.run(10)
    ended = await trade(house, one)
    assert (ended.status, ended.close_reason) == ("closed", "client_mobile")
    with pytest.raises(Refused) as refused:
        await takes_back(house, await question(house, position_id))
    assert whys(refused)[0] == "not_disowned"


async def test_an_adopted_trade_is_judged_like_any_other(house: House) -> None:
    """Expected at 1970.30 with a stop; opened at 1971.30, ten pips worse, without one."""
    await house.approve(ALICE, await house.signal())
    house.price("1971.00", "1971.30")
    position_id = house.open(GBP, "buy", "0.10", tp=1990.0)
    await house.run(4)
    (row,) = await house.rows(TradeRow)
    await answers(house, await question(house, position_id), trade_id=row.id)
    await house.run(4)
    kinds = {e.kind for e in await house.rows(EpisodeRow, resolved_at=None)}
    assert kinds == {"entry_slippage", "sl_missing"}


async def test_of_two_presses_at_once_one_acts_and_the_other_reads_who_did(house: House) -> None:
    one, two = await two_waiting(house)
    row = await question(house, await by_phone(house))
    both = await asyncio.gather(
        answers(house, row, trade_id=one),
        answers(house, row, trade_id=two),
        return_exceptions=True,
    )
    done = [x for x in both if isinstance(x, QuestionAnswered)]
    refused = [x for x in both if isinstance(x, Refused)]
    assert (len(done), len(refused)) == (1, 1)
    assert refused[0].code == "question_answered"
    assert (refused[0].facts["by"], refused[0].facts["state"]) == ("Ada", "adopted")
    held = [t.id for t in await house.rows(TradeRow) if t.position_id is not None]
    assert len(held) == 1


async def test_a_press_handled_again_after_a_kill_says_the_same_and_does_nothing(
    house: House,
) -> None:
    one, _ = await two_waiting(house)
    row = await question(house, await by_phone(house))
    first = await answers(house, row, trade_id=one)
    said = len(await house.said())
    await house.restart()
    assert await answers(house, row, trade_id=one) == first
    assert len(await house.said()) == said
    assert len(await house.rows(AuditRow, action="position_adopted")) == 1


async def test_none_of_these_lasts_until_something_new_may_be_meant(house: House) -> None:
    await two_waiting(house)
    position_id = await by_phone(house)
    row = await question(house, position_id)
    await answers(house, row)
    assert [(x.state, x.by) for x in await asked(house)] == [("open", ""), ("declined", "Ada")]
    await house.run(30)
    await house.restart()
    await house.run(600)  # the trades expire meanwhile
    assert len(await asked(house)) == 2
    assert (await question(house, position_id)).state == "declined"
    house.close_position(GBP, position_id, "0.04")
    await house.run(4)
    assert [x.state for x in await asked(house)] == ["open", "declined", "open"]
    assert (await asked(house))[-1].asked.volume == D("0.06")


async def test_what_was_declined_is_not_matched_later_because_nothing_else_is_left(
    house: House,
) -> None:
    """Two untagged fills for one trade; "none of these" of one, and the other is closed."""
    await house.approve(BEN, await house.signal())
    fills = [house.open(USD, "buy", "0.10", source="executor") for _ in range(2)]
    await house.run(1)
    assert await asked(house) == []  # its own tag may still come
    house.clock.instant += timedelta(seconds=126)
    await house.run(4)
    assert [x.asked.position_id for x in await asked(house)] == fills
    await answers(house, await question(house, fills[0]))
    house.close_position(USD, fills[1])
    await house.run(10)
    (row,) = await house.rows(TradeRow)
    assert (row.status, row.position_id) == ("expired", None)


async def test_a_position_that_fits_no_signal_is_listed_and_becomes_a_trade_of_its_own(
    house: House,
) -> None:
    position_id = await by_phone(house)
    assert await asked(house) == []
    ada = await house.person(ADMIN)
    found = await house.engine.questions.waiting(ada)
    assert (found.total, found.cards[0].asked.position_id) == (1, position_id)
    done = await answers(house, await question(house, position_id), own=True)
    assert (done.state, done.signal_id) == ("adopted", None)
    await house.run(10)
    await house.restart()
    await house.run(60)
    (row,) = await house.rows(TradeRow)
    assert (row.signal_id, row.approval_id, row.adopted_by) == (None, None, ada.user_id)
    assert (row.status, row.position_id, row.stop_loss) == ("open", position_id, D(1950))
    assert await house.rows(EpisodeRow, resolved_at=None) == []
    # Another by hand is nobody's: it is not taken for the first.
    other = house.open(GBP, "buy", "0.10")
    house.close_position(GBP, position_id, "0.04")
    await house.run(10)
    kinds = {(e.kind, e.subject) for e in await house.rows(EpisodeRow, resolved_at=None)}
    assert kinds == {("volume_reduced", str(position_id)), ("unknown_position", str(other))}
    house.close_position(GBP, position_id)
    await house.run(10)
    assert (await trade(house, row.id)).status == "closed"


@pytest.mark.parametrize("own", [False, True])
async def test_an_adoption_is_taken_back_while_the_trade_is_open(
    house: House,
    own: bool,  # noqa: FBT001 - a case
) -> None:
    one, two = await two_waiting(house)
    position_id = await by_phone(house)
    before = await trade(house, one)
    row = await question(house, position_id)
    await answers(house, row, **({"own": True} if own else {"trade_id": one}))
    await house.run(4)
    done = await takes_back(house, await question(house, position_id))
    assert done.state == "disowned"
    await house.run(4)
    assert await trade(house, one) == before
    if own:
        made = max(await house.rows(TradeRow), key=lambda t: t.id)
        assert (made.status, made.position_id) == ("cancelled", None)
    (episode,) = await house.rows(EpisodeRow, resolved_at=None)
    assert (episode.kind, episode.subject) == ("unknown_position", str(position_id))
    told = [x for x in await house.said(ALICE) if isinstance(x, PositionAdopted)]
    assert [x.undone_by for x in told] == ["", "Ada"]
    (link,) = await house.rows(AuditRow, action="position_disowned")
    assert (link.actor, link.detail["position"]) == ("Ada", position_id)
    # It is not asked about again, over a restart neither, and may be adopted again all the same.
    await house.restart()
    await house.run(30)
    assert [x.state for x in await asked(house)] == ["open", "adopted", "disowned"]
    again = await question(house, position_id)
    await answers(house, again, **({"own": True} if own else {"trade_id": two}))
    await house.run(4)
    assert await house.rows(EpisodeRow, resolved_at=None) == []


async def test_what_has_changed_since_it_was_shown_is_refused(house: House) -> None:
    """Half of it is closed between the last reading and the press: the latest reading decides."""
    one, _ = await two_waiting(house)
    position_id = await by_phone(house)
    row = await question(house, position_id)
    house.close_position(GBP, position_id, "0.05")
    with pytest.raises(Refused) as refused:
        await answers(house, row, trade_id=one)
    assert refused.value.code == "question_changed"
    await house.run(4)
    with pytest.raises(Refused) as refused:
        await answers(house, row, trade_id=one)
    assert refused.value.code == "question_changed"
    house.close_position(GBP, position_id)
    with pytest.raises(Refused) as refused:
        await answers(house, await question(house, position_id), trade_id=one)
    assert whys(refused) == ("not_adopted", "gone")
    assert (await trade(house, one)).position_id is None
    assert len(await house.rows(AuditRow, action="adoption_refused")) == 3


async def test_a_question_that_answers_itself_is_over(house: House) -> None:
    """The trades are placed by their executor after all: the position fits nothing any more."""
    await two_waiting(house)
    position_id = await by_phone(house)
    await house.execute(GBP)
    await house.run(4)
    assert [len(x.asked.choices) for x in await asked(house)] == [2, 0]
    house.close_position(GBP, position_id)
    await house.run(10)
    row = await question(house, position_id)
    assert row.state == "over"
    with pytest.raises(Refused) as refused:
        await answers(house, row, own=True)
    assert whys(refused) == ("not_adopted", "settled")


async def test_only_admins_answer(house: House) -> None:
    """The client whose account it is may not either."""
    one, _ = await two_waiting(house)
    row = await question(house, await by_phone(house))
    for who in (ALICE, BEN):
        with pytest.raises(Refused) as refused:
            await answers(house, row, who, trade_id=one)
        assert refused.value.code == "not_admin"
        with pytest.raises(Refused) as refused:
            await takes_back(house, row, who)
        assert refused.value.code == "not_admin"
        for look in (
            house.engine.questions.waiting(await house.person(who)),
            house.engine.questions.card(await house.person(who), row.id),
            house.engine.questions.find(await house.person(who), row.position_id),
        ):
            with pytest.raises(Refused) as refused:
                await look
            assert refused.value.code == "not_admin"
    assert (await question(house, row.position_id)) == row


async def test_another_accounts_trade_is_not_adopted(house: House) -> None:
    await two_waiting(house)
    await house.approve(BEN, await house.signal())
    bens = max(t.id for t in await house.rows(TradeRow))
    row = await question(house, await by_phone(house))
    with pytest.raises(Refused) as refused:
        await answers(house, row, trade_id=bens)
    assert refused.value.code == "not_found"


async def test_while_a_guard_owns_the_account_nothing_is_adopted_and_nothing_asked(
    house: House,
) -> None:
    """200 oz fall by 12.10: 20.17 % of 12,000. It counts down, then the account is locked."""
    one, _ = await two_waiting(house, BEN)
    position_id = await by_phone(house, USD, "2.00")
    row = await question(house, position_id)
    house.price("1958.20", "1958.50")
    await house.run(4)
    before = await house.state(USD)
    with pytest.raises(Refused) as refused:
        await answers(house, row, trade_id=one)
    assert whys(refused) == ("not_adopted", "closing")
    assert await house.state(USD) == before
    await house.run(30)
    assert (await house.state(USD)).latched_at is not None
    with pytest.raises(Refused) as refused:
        await answers(house, row, trade_id=one)
    assert whys(refused) == ("not_adopted", "locked")
    listed = await house.engine.questions.waiting(await house.person(ADMIN))
    assert (listed.cards, listed.total) == ((), 0)
    house.open(USD, "buy", "0.10")
    await house.run(30)
    assert [x.asked.position_id for x in await asked(house)] == [position_id]
    assert (await trade(house, one)).status == "cancelled"


async def test_on_a_blocked_terminal_nothing_is_adopted(house: House) -> None:
    one, _ = await two_waiting(house)
    row = await question(house, await by_phone(house))
    house.fault(GBP, "wrong_login")
    with pytest.raises(Refused) as refused:
        await answers(house, row, trade_id=one)
    assert whys(refused) == ("not_adopted", "blocked")
    with pytest.raises(Refused) as refused:
        await answers(house, row, own=True)
    assert whys(refused) == ("not_adopted", "blocked")
    assert (await trade(house, one)).position_id is None


async def test_an_adoption_changes_nothing_of_the_guard(house: House) -> None:
    one, _ = await two_waiting(house)
    position_id = await by_phone(house)
    before = await house.state(GBP)
    await answers(house, await question(house, position_id), trade_id=one)
    await house.run(4)
    await takes_back(house, await question(house, position_id))
    await house.run(4)
    after = await house.state(GBP)
    assert [getattr(after, n) for n in GUARD] == [getattr(before, n) for n in GUARD]


async def test_more_than_three_at_once_are_listed_and_not_asked_one_by_one(house: House) -> None:
    await house.approve(ALICE, await house.signal())
    house.clock.instant += timedelta(seconds=5)
    for _ in range(4):
        house.open(GBP, "buy", "0.10")
    await house.run(4)
    assert await asked(house) == []
    found = await house.engine.questions.waiting(await house.person(ADMIN))
    assert (found.total, _choices(found.cards)) == (4, [1, 1, 1, 1])


def _choices(cards: Iterable[PositionQuestion]) -> list[int]:
    return [len(card.asked.choices) for card in cards]
