"""An admin's answer to a market warning."""

from core.domain.answers import WarningAnswered
from core.domain.people import Person
from core.services.errors import Refused
from core.services.market_guard import MarketGuard


class AnswerWarning:
    """Close now (gaps), hold, or dismiss. It binds the market guard, never the drawdown guard."""

    def __init__(self, market: MarketGuard) -> None:
        self._market = market

    async def __call__(
        self, actor: Person, warning_id: int, version: int | None, verb: str, reason: str
    ) -> WarningAnswered:
        """Answer the version that was seen (None: as it stands now).

        Raises Refused: not_admin, and those of `MarketGuard.answer`.
        """
        if not actor.is_admin:
            raise Refused("not_admin")
        warning = await self._market.answer(actor, warning_id, version, verb, reason)
        return WarningAnswered(
            state=warning.state, symbol=warning.symbol, hold_until=warning.hold_until
        )
