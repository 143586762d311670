"""The world's memory: one SQLite file, owned by one process, committed before any answer.

Objects in memory are the truth while the world runs; this file is what a crash leaves behind.
Nothing is written before :meth:`WorldStore.commit`, which makes everything put since the last one
durable in a single transaction (WAL, ``synchronous=FULL``) or raises. A body is encoded when it is
put, so changing the object afterwards changes nothing here until it is put again.

Two shapes are kept: *records* (kind, key) -> body, the latest wins, and *logs*, append-only per
kind, whose ids grow for ever, also after a trim, so that a reader's ``since`` keeps its meaning.
Bytes (photos, documents) are blobs, read from the file when asked for.
"""

import sqlite3
from pathlib import Path
from typing import Any, Final

import msgspec

SCHEMA_VERSION: Final = 1
BODY_BYTES_MAX: Final = 4 * 1024 * 1024
"""One record or log entry, encoded. Larger bytes belong in a blob."""
BLOB_BYTES_MAX: Final = 50 * 1024 * 1024
LOG_READ_MAX: Final = 10_000
"""The most entries one :meth:`WorldStore.log` call answers."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
    kind TEXT NOT NULL, id INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heads (kind TEXT PRIMARY KEY, last_id INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (key TEXT PRIMARY KEY, content BLOB NOT NULL);
"""

Body = dict[str, Any]


class StoreError(Exception):
    """The file cannot be used; the message says what to do about it."""


class StoreLockedError(StoreError):
    """Another process owns the file."""


class WorldStore:
    """Records, logs and blobs of one world. Not thread-safe: one event loop owns it.

    Raises :class:`StoreLockedError` when another process has the file open, :class:`StoreError`
    when the file is not a world of this version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._records: dict[tuple[str, str], bytes | None] = {}
        self._appended: list[tuple[str, int, bytes]] = []
        self._trims: dict[str, int] = {}
        self._blobs: dict[str, bytes | None] = {}
        self._db = self._open(path)
        self._heads: dict[str, int] = dict(self._db.execute("SELECT kind, last_id FROM heads"))

    @classmethod
    def _open(cls, path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, isolation_level=None, timeout=0)
        try:
            # The exclusive locking mode is the file lock: held until close or death, everywhere.
            db.execute("PRAGMA locking_mode=EXCLUSIVE")
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            db.execute("BEGIN EXCLUSIVE")
            cls._prepare(db, path)
            db.execute("COMMIT")
        except (sqlite3.Error, StoreError) as error:
            db.close()
            raise cls._explain(path, error) from error
        return db

    @staticmethod
    def _prepare(db: sqlite3.Connection, path: Path) -> None:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, SCHEMA_VERSION):
            raise StoreError(
                f"{path} is a world of version {version}, this program reads {SCHEMA_VERSION}; "
                "choose another data directory or remove the file"
            )
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    @staticmethod
    def _explain(path: Path, error: Exception) -> StoreError:
        if isinstance(error, StoreError):
            return error
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            return StoreLockedError(
                f"{path} is in use by another world process; stop that one first"
            )
        return StoreError(f"{path} cannot be used as a world file: {error}")

    @property
    def dirty(self) -> bool:
        """Whether something was put that is not durable yet."""
        return bool(self._records or self._appended or self._trims or self._blobs)

    def put(self, kind: str, key: str | int, body: Body) -> None:
        """Keep ``body`` under (kind, key), replacing what was there; durable at the next commit."""
        self._records[(kind, str(key))] = self._encode(kind, body)

    def delete(self, kind: str, key: str | int) -> None:
        """Forget (kind, key); deleting what is not there is no error."""
        self._records[(kind, str(key))] = None

    def append(self, kind: str, body: Body) -> int:
        """Add ``body`` to the log ``kind`` and answer its id, one more than the last ever given."""
        encoded = self._encode(kind, body)
        entry_id = self._heads.get(kind, 0) + 1
        self._heads[kind] = entry_id
        self._appended.append((kind, entry_id, encoded))
        return entry_id

    def head(self, kind: str) -> int:
        """Answer the id of the newest entry ever appended to ``kind``, 0 for none."""
        return self._heads.get(kind, 0)

    def trim(self, kind: str, keep: int) -> None:
        """Keep only the newest ``keep`` entries of the log ``kind``."""
        self._trims[kind] = self.head(kind) - keep

    def put_blob(self, key: str, content: bytes) -> None:
        """Keep bytes (a photo, a document) under ``key``."""
        if len(content) > BLOB_BYTES_MAX:
            raise StoreError(f"blob {key!r} has {len(content)} bytes, at most {BLOB_BYTES_MAX} fit")
        self._blobs[key] = content

    def delete_blob(self, key: str) -> None:
        """Forget the bytes under ``key``; deleting what is not there is no error."""
        self._blobs[key] = None

    def blob(self, key: str) -> bytes | None:
        """Read the bytes under ``key``, None when there are none."""
        if key in self._blobs:
            return self._blobs[key]
        row = self._db.execute("SELECT content FROM blobs WHERE key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def commit(self) -> None:
        """Make everything put since the last commit durable, all of it or nothing."""
        if not self.dirty:
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._write()
            self._db.execute("COMMIT")
        except sqlite3.Error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._records.clear()
        self._appended.clear()
        self._trims.clear()
        self._blobs.clear()

    def _write(self) -> None:
        records = self._records.items()
        puts = [(kind, key, body) for (kind, key), body in records if body is not None]
        gone = [(kind, key) for (kind, key), body in records if body is None]
        self._db.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", puts)
        self._db.executemany("DELETE FROM records WHERE kind = ? AND key = ?", gone)
        self._db.executemany("INSERT INTO entries VALUES (?, ?, ?)", self._appended)
        heads = {kind: self._heads[kind] for kind, _, _ in self._appended}
        self._db.executemany("INSERT OR REPLACE INTO heads VALUES (?, ?)", list(heads.items()))
        self._db.executemany(
            "DELETE FROM entries WHERE kind = ? AND id <= ?", list(self._trims.items())
        )
        for key, content in self._blobs.items():
            if content is None:
                self._db.execute("DELETE FROM blobs WHERE key = ?", (key,))
            else:
                self._db.execute("INSERT OR REPLACE INTO blobs VALUES (?, ?)", (key, content))

    def load(self, kind: str) -> dict[str, Body]:
        """Read every record of ``kind`` by key, uncommitted ones included."""
        rows = self._db.execute("SELECT key, body FROM records WHERE kind = ?", (kind,))
        found: dict[str, bytes | None] = dict(rows.fetchall())
        found.update({key: body for (of, key), body in self._records.items() if of == kind})
        return {key: msgspec.json.decode(body) for key, body in found.items() if body is not None}

    def log(self, kind: str, since: int = 0, limit: int = LOG_READ_MAX) -> list[tuple[int, Body]]:
        """Read the oldest ``limit`` entries of ``kind`` with an id above ``since``.

        Uncommitted ones are included.
        """
        limit = min(limit, LOG_READ_MAX)
        after = max(since, self._trims.get(kind, 0))
        rows = self._db.execute(
            "SELECT id, body FROM entries WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
            (kind, after, limit),
        ).fetchall()
        rows += [(n, body) for of, n, body in self._appended if of == kind and n > after]
        return [(n, msgspec.json.decode(body)) for n, body in rows[:limit]]

    def close(self) -> None:
        """Release the file. What was not committed is gone: the caller commits first."""
        self._db.close()

    @staticmethod
    def _encode(kind: str, body: Body) -> bytes:
        encoded = msgspec.json.encode(body)
        if len(encoded) > BODY_BYTES_MAX:
            raise StoreError(
                f"a {kind!r} body has {len(encoded)} bytes encoded, at most {BODY_BYTES_MAX} fit"
            )
        return encoded
