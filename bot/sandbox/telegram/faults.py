"""Scheduled misbehaviour of the local Telegram: the next calls fail as told."""

from typing import Any, Final

import msgspec

from bot.sandbox.store import WorldStore
from bot.sandbox.telegram import limits
from bot.sandbox.telegram.call import Call
from bot.sandbox.telegram.errors import ApiError, PersonError

FAULT: Final = "tg.fault"
BROKEN: Final = ("drop", "drop_after", "truncated", "html")
"""Faults that are no error envelope: connection dropped before or after the call is executed, or in
the middle of the answer to an executed one, and a proxy's HTML 502 (not executed)."""
DESCRIPTIONS: Final = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
RETRY_AFTER_S_DEFAULT: Final = 1
ERROR_CODES: Final = range(400, 600)


class FaultSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault as asked for: which calls, how often, and what happens to them."""

    code: int | str
    method: str = "*"
    times: int = 1
    retry_after: int | None = None
    contains: str = ""
    description: str = ""
    migrate_to_chat_id: int | None = None


class Faults:
    """Faults waiting for their calls, oldest first, durable."""

    def __init__(self, store: WorldStore) -> None:
        self._store = store
        stored = store.load(FAULT)
        self._faults = {
            int(key): msgspec.convert(stored[key], FaultSpec) for key in sorted(stored, key=int)
        }
        self._next = max(self._faults, default=0) + 1

    def add(self, spec: FaultSpec) -> None:
        """Schedule a fault. Raises PersonError naming the field that is wrong."""
        if isinstance(spec.code, str) and spec.code not in BROKEN:
            raise PersonError(400, f"code must be 400..599 or one of {', '.join(BROKEN)}")
        if isinstance(spec.code, int) and spec.code not in ERROR_CODES:
            raise PersonError(400, f"code must be 400..599, was {spec.code}")
        if not 1 <= spec.times <= limits.FAULT_TIMES_MAX:
            raise PersonError(400, f"times must be 1..{limits.FAULT_TIMES_MAX}, was {spec.times}")
        if len(self._faults) >= limits.FAULTS_MAX:
            raise PersonError(400, f"{limits.FAULTS_MAX} faults wait already; DELETE /sim/fault")
        self._keep(self._next, spec)
        self._next += 1

    def take(self, call: Call) -> FaultSpec | None:
        """Take the first fault that fits the call, once."""
        for number, spec in self._faults.items():
            if spec.method != "*" and spec.method.lower() != call.method.lower():
                continue
            if spec.contains and not _mentions(call, spec.contains):
                continue
            if spec.times > 1:
                self._keep(number, msgspec.structs.replace(spec, times=spec.times - 1))
            else:
                self._drop(number)
            return spec
        return None

    def waiting(self) -> list[dict[str, Any]]:
        """List the faults that wait."""
        return [msgspec.to_builtins(spec) for spec in self._faults.values()]

    def clear(self) -> None:
        """Forget every fault."""
        for number in list(self._faults):
            self._drop(number)

    def _keep(self, number: int, spec: FaultSpec) -> None:
        self._faults[number] = spec
        self._store.put(FAULT, number, msgspec.to_builtins(spec))

    def _drop(self, number: int) -> None:
        del self._faults[number]
        self._store.delete(FAULT, number)


def _mentions(call: Call, needle: str) -> bool:
    return any(needle in call.text(name) for name in call.params)


def as_error(spec: FaultSpec) -> ApiError:
    """Make the refusal a fault with a numeric code asks for, worded as Telegram's own."""
    code = int(spec.code)
    retry_after = spec.retry_after
    if code == 429 and retry_after is None:  # noqa: PLR2004 - HTTP's own number
        retry_after = RETRY_AFTER_S_DEFAULT
    parameters: dict[str, int] = {}
    description = spec.description or DESCRIPTIONS.get(code, "Error")
    if retry_after is not None:
        parameters["retry_after"] = retry_after
        description = spec.description or f"{description}: retry after {retry_after}"
    if spec.migrate_to_chat_id is not None:
        parameters["migrate_to_chat_id"] = spec.migrate_to_chat_id
    return ApiError(code, description, parameters or None)
