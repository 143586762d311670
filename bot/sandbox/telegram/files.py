"""Photos and documents the bot has sent: bytes kept, ids given, ids taken back."""

import hashlib
import struct
from typing import Any, Final

from bot.sandbox.store import WorldStore
from bot.sandbox.telegram import limits
from bot.sandbox.telegram.call import Upload
from bot.sandbox.telegram.errors import bad_request

FILE: Final = "tg.file"
PNG: Final = b"\x89PNG\r\n\x1a\n"
JPEG: Final = b"\xff\xd8\xff"
IMAGE_KINDS: Final = (
    (PNG, "image/png", ".png"),
    (JPEG, "image/jpeg", ".jpg"),
    (b"GIF8", "image/gif", ".gif"),
    (b"RIFF", "image/webp", ".webp"),
)
SIZE_UNKNOWN: Final = (800, 450)
_JPEG_FRAMES: Final = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC)})


def image_kind(content: bytes) -> tuple[str, str] | None:
    """Tell an image's MIME type and file ending by its first bytes; None for no image."""
    for magic, mime_type, ending in IMAGE_KINDS:
        if content.startswith(magic):
            return mime_type, ending
    return None


def image_size(content: bytes) -> tuple[int, int]:
    """Read width and height in pixels of a PNG or JPEG, a usual size for others."""
    if content.startswith(PNG) and len(content) >= 24:  # noqa: PLR2004 - the header's length
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    if content.startswith(JPEG):
        return _jpeg_size(content)
    return SIZE_UNKNOWN


def _jpeg_size(content: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004 - a JPEG marker
        marker, length = content[at + 1], struct.unpack(">H", content[at + 2 : at + 4])[0]
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + length
    return SIZE_UNKNOWN


class FileCabinet:
    """Files by id, durable; beyond `FILES_MAX` the oldest is forgotten."""

    def __init__(self, store: WorldStore) -> None:
        self._store = store
        stored = store.load(FILE)
        self._files = dict(sorted(stored.items(), key=lambda item: int(item[1]["number"])))
        self._next = max((meta["number"] for meta in self._files.values()), default=0) + 1

    def store_photo(self, upload: Upload) -> list[dict[str, Any]]:
        """Keep a photo and answer its PhotoSize list. Raises ApiError 400 for what is no photo."""
        _not_empty(upload)
        if len(upload.content) > limits.PHOTO_BYTES_MAX:
            raise bad_request("file is too big")
        kind = image_kind(upload.content)
        if kind is None:
            raise bad_request("IMAGE_PROCESS_FAILED")
        width, height = image_size(upload.content)
        meta = self._keep(upload, f"photos/file_{self._next}{kind[1]}", kind[0])
        return [_sized(meta, {"width": width, "height": height})]

    def store_document(self, upload: Upload) -> dict[str, Any]:
        """Keep a document and answer it as the Bot API shows it."""
        _not_empty(upload)
        ending = upload.name.rpartition(".")[2][:8] if "." in upload.name else "bin"
        path = f"documents/file_{self._next}.{ending if ending.isalnum() else 'bin'}"
        meta = self._keep(upload, path, upload.mime_type)
        return _sized(meta, {"file_name": upload.name, "mime_type": upload.mime_type})

    def again(self, file_id: str, kind: str) -> Any:  # noqa: ANN401 - list or object, by kind
        """Answer a file already here, to be sent once more. Raises ApiError 400 when it is not."""
        if file_id.startswith(("http://", "https://")):
            raise bad_request("failed to get HTTP URL content")  # nothing is fetched from outside
        meta = self._files.get(file_id)
        if meta is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if not meta["path"].startswith(f"{kind}s/"):
            raise bad_request(f"can't use file of type {meta['path'].partition('/')[0]} as {kind}")
        if kind == "photo":
            width, height = image_size(self.content(file_id) or b"")
            return [_sized(meta, {"width": width, "height": height})]
        return _sized(meta, {"file_name": meta["name"], "mime_type": meta["mime_type"]})

    def describe(self, file_id: str) -> dict[str, Any]:
        """Answer a File for `getFile`. Raises ApiError 400 when there is none."""
        meta = self._files.get(file_id)
        if meta is None:
            raise bad_request("invalid file_id")
        return _sized(meta, {"file_path": meta["path"]})

    def content(self, file_id: str) -> bytes | None:
        """Read the bytes of a file."""
        return self._store.blob(file_id) if file_id in self._files else None

    def mime_type(self, file_id: str) -> str:
        """Tell what a kept file is."""
        return str(self._files[file_id]["mime_type"])

    def id_at(self, path: str) -> str | None:
        """Find the file that `getFile` answered with this path."""
        found = (file_id for file_id, meta in self._files.items() if meta["path"] == path)
        return next(found, None)

    def _keep(self, upload: Upload, path: str, mime_type: str) -> dict[str, Any]:
        number = self._next
        self._next += 1
        digest = hashlib.sha256(upload.content).hexdigest()[:16]
        file_id = f"SANDBOX-{number:06d}-{digest}"
        meta: dict[str, Any] = {
            "number": number,
            "file_id": file_id,
            "unique": digest,
            "bytes": len(upload.content),
            "name": upload.name,
            "mime_type": mime_type,
            "path": path,
        }
        self._files[file_id] = meta
        self._store.put(FILE, file_id, meta)
        self._store.put_blob(file_id, upload.content)
        while len(self._files) > limits.FILES_MAX:
            oldest = next(iter(self._files))
            del self._files[oldest]
            self._store.delete(FILE, oldest)
            self._store.delete_blob(oldest)
        return meta


def _not_empty(upload: Upload) -> None:
    if not upload.content:
        raise bad_request("file must be non-empty")


def _sized(meta: dict[str, Any], extras: dict[str, Any]) -> dict[str, Any]:
    return {
        "file_id": meta["file_id"],
        "file_unique_id": meta["unique"],
        "file_size": meta["bytes"],
        **extras,
    }
