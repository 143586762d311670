"""The symbol that a signal means at one account's broker, and what may be traded of it."""

from decimal import Decimal

from core.domain.broker import AccountSnapshot, Side, SymbolSpec, Tick
from core.domain.permissions import may_open
from core.domain.quotes import is_quoted
from core.domain.signals import volume_fits
from core.domain.symbols import known_as, meaning
from core.services.errors import Refused


def quoted_symbol(snapshot: AccountSnapshot, asked: str) -> tuple[Tick, SymbolSpec]:
    """The symbol of this account's broker that is meant, with its quote.

    Raises Refused: ambiguous_symbol, no_such_symbol, no_price.
    """
    if asked in snapshot.ambiguous:
        raise Refused("ambiguous_symbol", symbol=asked, names=snapshot.ambiguous[asked])
    name = snapshot.aliases.get(asked, asked)
    spec, tick = snapshot.symbols.get(name), snapshot.ticks.get(name)
    if spec is None or (meaning(asked) is not None and spec.canonical != known_as(asked)):
        # A symbol of that very name may be held and be another thing: a share called GOLD.
        raise Refused("no_such_symbol", symbol=asked)
    if tick is None or not is_quoted(tick):
        raise Refused("no_price", symbol=name)
    return tick, spec


def tradable_symbol(
    snapshot: AccountSnapshot, asked: str, side: Side, volume: Decimal
) -> tuple[Tick, SymbolSpec]:
    """The same where this side and volume may be opened here.

    Raises Refused as `quoted_symbol`, and symbol_not_tradable or bad_volume.
    """
    tick, spec = quoted_symbol(snapshot, asked)
    if not may_open(spec.trade_mode, side):
        raise Refused("symbol_not_tradable", symbol=spec.name)
    if not volume_fits(volume, spec):
        raise bad_volume(volume, spec)
    return tick, spec


def bad_volume(volume: Decimal, spec: SymbolSpec) -> Refused:
    """The refusal of a volume that the symbol does not take."""
    return Refused(
        "bad_volume",
        volume=volume,
        minimum=spec.volume_min,
        maximum=spec.volume_max,
        step=spec.volume_step,
    )
