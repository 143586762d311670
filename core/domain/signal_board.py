"""Signals as they are shown on request: offers that wait, and what became of the last ones."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from core.domain.alerts import SignalOffered


class AnsweredOffer(Struct, frozen=True, kw_only=True):
    """An offer that waits no longer. `status`: approved, rejected or expired."""

    signal_id: int
    login: int
    symbol: str
    side: str
    volume: Decimal
    status: str
    at: datetime


class OwnSignals(Struct, frozen=True, kw_only=True):
    """A person's offers: those that wait, each with its buttons, and the last that do not.

    `locked` are the logins on which none can be approved before the release.
    """

    waiting: tuple[SignalOffered, ...]
    more_waiting: int
    answered: tuple[AnsweredOffer, ...]
    locked: tuple[int, ...] = ()


class SignalLine(Struct, frozen=True, kw_only=True):
    """One signal for admins. `answers` counts its offers by status; `offered` ones wait."""

    signal_id: int
    symbol: str
    side: str
    volume: Decimal
    author: str
    posted_at: datetime
    expires_at: datetime
    answers: Mapping[str, int]
