"""One Bot API call as it came: query, form, multipart or JSON, all read into the same shape."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from aiohttp.web_request import FileField

from bot.sandbox.telegram.errors import ApiError, bad_request

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with the call."""

    name: str
    content: bytes
    mime_type: str


@dataclass(slots=True)
class Call:
    """Method, parameters and files. Values are strings, or what a JSON body held."""

    method: str
    params: dict[str, Any] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Read a string, "" when absent."""
        value = self.params.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()

    def integer(self, name: str) -> int | None:
        """Read a whole number, None when absent."""
        value = self.params.get(name)
        if value is None or value == "":
            return None
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad_request(f'can\'t parse "{name}" as an integer') from None

    def flag(self, name: str) -> bool:
        """Read a boolean, false when absent."""
        value = self.params.get(name)
        return value is True or str(value).lower() in {"true", "1", "yes"}

    def nested(self, name: str, kind: type[T]) -> T | None:
        """Read an object or array, which forms send as a JSON string; None when absent."""
        value = self.params.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str):
            try:
                value = msgspec.json.decode(value)
            except msgspec.DecodeError:
                raise bad_request(f"can't parse {name} JSON object") from None
        if not isinstance(value, kind):
            raise bad_request(f"object expected as {name}" if kind is dict else f"{name} is wrong")
        return value

    def logged(self, chars_max: int) -> dict[str, Any]:
        """Render the parameters for the outbox: long ones cut, files by name and size."""
        shown: dict[str, Any] = {
            name: value[:chars_max] if isinstance(value, str) else value
            for name, value in self.params.items()
        }
        for name, upload in self.uploads.items():
            shown[name] = {"file_name": upload.name, "bytes": len(upload.content)}
        return shown


async def read_call(method: str, request: web.Request) -> Call:
    """Read the whole call. Raises ApiError 400 for an unreadable body, 413 for one too large."""
    call = Call(method, dict(request.query))
    try:
        if request.content_type == "application/json":
            body = await request.read()
            call.params.update(msgspec.json.decode(body, type=dict[str, Any]) if body else {})
        elif request.method == "POST":
            _collect(call, (await request.post()).items())
    except web.HTTPRequestEntityTooLarge:
        raise ApiError(413, "Request Entity Too Large") from None
    except (msgspec.DecodeError, ValueError):
        raise bad_request("can't parse request body") from None
    return call


def _collect(call: Call, fields: Iterable[tuple[str, str | bytes | bytearray | FileField]]) -> None:
    for name, value in fields:
        if isinstance(value, FileField):
            mime_type = value.content_type.partition(";")[0].strip() or "application/octet-stream"
            call.uploads[name] = Upload(value.filename, value.file.read(), mime_type)
        elif isinstance(value, bytes | bytearray):
            call.params[name] = bytes(value).decode(errors="replace")
        else:
            call.params[name] = value
