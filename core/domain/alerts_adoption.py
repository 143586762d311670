"""What is told of questions which trade a position is, and of the answers."""

from datetime import datetime
from decimal import Decimal

from core.domain.adoption import Asked
from core.domain.alert_parts import AccountAlert


class PositionQuestion(AccountAlert, frozen=True, kw_only=True):
    """A position that may be a trade: an admin says which. It takes its episode's message's place.

    `state`: open, declined, adopted, over (`core.domain.adoption`), or disowned: the message of an
    adoption that was taken back. `signal_id` is what it was adopted as, None for a trade of its
    own. `by` is who answered, `at` when; empty and None while nobody has.
    """

    question_id: int
    version: int
    episode_id: int
    asked: Asked
    state: str
    signal_id: int | None = None
    by: str = ""
    at: datetime | None = None


class PositionAdopted(AccountAlert, frozen=True, kw_only=True):
    """A person said that a position is a trade; `undone_by` where one took it back, at `at`.

    `signal_id` is None for a trade that no signal called for. The levels and lots are what is
    expected of it from now on, `expected_entry` what it is measured against.
    """

    position_id: int
    signal_id: int | None
    symbol: str
    side: str
    volume: Decimal
    expected_volume: Decimal
    price: Decimal
    expected_entry: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    by: str
    adopted_at: datetime
    at: datetime
    undone_by: str = ""


AdoptionAlert = PositionQuestion | PositionAdopted
