"""Questions which signal a position is, and services that remember the answers."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.domain import alerts as a
from core.domain.adoption import Asked, Choice
from core.domain.alerts_adoption import PositionAdopted, PositionQuestion
from core.domain.answers import QuestionAnswered
from core.domain.people import Person
from core.services.answering import Answer
from core.services.errors import Refused
from core.services.questions import OpenQuestions
from tests.fakes.alerts_terminal import ACCOUNT
from tests.fakes.clock import START

D = Decimal


def choice(**changes: Any) -> Choice:
    """Signal 5: expected at 1950.00, 20 cents or 2 pips lower than it was filled."""
    facts: dict[str, Any] = {
        "trade_id": 31,
        "signal_id": 5,
        "volume": D("0.10"),
        "filled": D(0),
        "expected_entry": D("1950.00"),
        "off_pips": D(2),
        "after": timedelta(seconds=41),
    }
    return Choice(**{**facts, **changes})


OTHER = choice(
    trade_id=32, signal_id=7, volume=D("0.20"), off_pips=D("-1.5"), expected_entry=D("1950.35")
)


def card(**changes: Any) -> PositionQuestion:
    """A tenth of a lot of gold, bought on a phone; signal 5 or 7."""
    facts: dict[str, Any] = {
        "question_id": 41,
        "version": 1,
        "episode_id": 51,
        "state": "open",
        "asked": asked(choices=changes.pop("choices", (choice(), OTHER))),
    }
    return PositionQuestion(**ACCOUNT, **{**facts, **changes})


def asked(**changes: Any) -> Asked:
    """The position of `card`."""
    facts: dict[str, Any] = {
        "position_id": 900001,
        "symbol": "XAUUSD",
        "side": "buy",
        "volume": D("0.10"),
        "price": D("1950.20"),
        "opened_at": START,
        "opened_by": 1,
        "magic": 0,
        "total": len(changes["choices"]),
        **changes,
    }
    return Asked(**facts)


def adopted(**changes: Any) -> PositionAdopted:
    """The same, as signal 5, as the client reads it."""
    facts: dict[str, Any] = {
        "position_id": 900001,
        "signal_id": 5,
        "symbol": "XAUUSD",
        "side": "buy",
        "volume": D("0.10"),
        "expected_volume": D("0.10"),
        "price": D("1950.20"),
        "expected_entry": D("1950.00"),
        "stop_loss": D(1945),
        "take_profit": None,
        "by": "Olga",
        "adopted_at": START,
        "at": START,
    }
    return PositionAdopted(**ACCOUNT, **{**facts, **changes})


def adoptions() -> list[a.Alert]:
    """Every turn of them."""
    said: dict[str, Any] = {"by": "Olga", "at": START}
    return [
        card(),
        card(choices=()),
        card(choices=tuple(choice(trade_id=n, signal_id=n, off_pips=None) for n in range(1, 6))),
        card(state="declined", **said),
        card(state="adopted", signal_id=5, **said),
        card(state="adopted", **said),
        card(state="disowned", signal_id=5, **said),
        card(state="over"),
        adopted(),
        adopted(signal_id=None),
        adopted(undone_by="Olga"),
        adopted(undone_by="Olga", signal_id=None),
    ]


class FakeQuestions:
    """The services; every call is noted, and raises what is to be raised."""

    def __init__(self, noted: Callable[..., None]) -> None:
        self._noted = noted
        self.cards = [card()]

    async def waiting(self, actor: Person) -> OpenQuestions:
        self._noted("waiting", actor.telegram_id)
        return OpenQuestions(cards=tuple(self.cards), total=len(self.cards))

    async def card(self, actor: Person, question_id: int) -> PositionQuestion:
        del actor
        found = next((each for each in self.cards if each.question_id == question_id), None)
        if found is None:
            raise Refused("not_found")
        return found

    async def find(self, actor: Person, position_id: int) -> PositionQuestion:
        self._noted("find", actor.telegram_id, position_id)
        return self.cards[0]

    async def trade_of(self, question_id: int, signal_id: int) -> int:
        del question_id
        return {5: 31, 7: 32}[signal_id]

    async def adopt(self, actor: Person, question_id: int, said: Answer) -> QuestionAnswered:
        self._noted("adopt", actor.telegram_id, question_id, said)
        named = said.own or said.trade_id is not None
        signal_id = {31: 5, 32: 7}.get(said.trade_id or 0)
        return self._done("adopted" if named else "declined", signal_id)

    async def disown(self, actor: Person, question_id: int, said: Answer) -> QuestionAnswered:
        self._noted("disown", actor.telegram_id, question_id, said)
        return self._done("disowned", 5)

    def _done(self, state: str, signal_id: int | None) -> QuestionAnswered:
        return QuestionAnswered(
            question_id=41,
            login=50001,
            position_id=900001,
            symbol="XAUUSD",
            side="buy",
            volume=D("0.10"),
            state=state,
            signal_id=signal_id,
        )
