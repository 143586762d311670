"""Find the numbers of rows that may be unreadable, by counting: to count reads no row."""

from typing import Any, Final

from core.ports import Transaction
from core.record_base import Record

KEY_MAX: Final = 2**63 - 1
"""The largest number a column of the database holds."""


async def following(
    tx: Transaction, kind: type[Record], column: str, after: int, **where: Any
) -> int | None:
    """The least value of a column of whole numbers that is more than `after`; None at the end."""

    async def is_by(number: int) -> bool:
        bounds = {f"{column}__gt": after, f"{column}__le": number}
        return bool(await tx.count(kind, **where, **bounds))

    step, low = 1, after
    while not await is_by(low + step):
        low, step = low + step, step * 2
        if low + step > KEY_MAX:
            return None
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        if await is_by(middle):
            high = middle
        else:
            low = middle
    return high
