"""What sources answered, kept on disk: shared by all runs, and worth nothing that cannot be asked again."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FOUND_SECONDS = 7 * 86_400.0
"""How long an answer is as good as a new one. A work may be retracted in the meantime."""

MISSING_SECONDS = 86_400.0
"""The same for an answer that there is no such thing."""

MOST_ANSWERS = 5_000
"""Answers that are kept; the oldest go first."""

WAIT_SECONDS = 2.0
"""How long another process may keep the cache to itself."""

MISSING = 404

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS answers"
    " (url TEXT PRIMARY KEY, at REAL NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL)"
)


@dataclass(frozen=True)
class Kept:
    """An answer that was kept.

    Attributes:
        status: of HTTP; 200 or 404.
        text: its body.
        at: when it came, seconds since the epoch.
        fresh: whether it is as good as a new one.
    """

    status: int
    text: str
    at: float
    fresh: bool


class Cache:
    """Answers by their address.

    A cache that cannot be read or written keeps nothing, and nobody fails over that.

    Args:
        path: the file; None to keep nothing at all.
        now: gives the time, seconds since the epoch.
    """

    def __init__(self, path: Path | None, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now

    async def get(self, url: str) -> Kept | None:
        """What was answered last; None where nothing is kept. A 404 is an answer, too."""
        return await asyncio.to_thread(self._get, url)  # a disk may be slow, and agents stream meanwhile

    async def put(self, url: str, status: int, text: str) -> None:
        """Keep an answer.

        Args:
            url: without any key in it.
            status: 200 or 404.
            text: the body; already found to be what was asked for.
        """
        await asyncio.to_thread(self._put, url, status, text)

    def _get(self, url: str) -> Kept | None:
        if self._path is None or not self._path.exists():
            return None
        with contextlib.suppress(sqlite3.Error, OSError), self._open() as database:
            row = database.execute("SELECT status, body, at FROM answers WHERE url = ?", (url,)).fetchone()
            if row is not None:
                status, text, at = int(row[0]), str(row[1]), float(row[2])
                limit = MISSING_SECONDS if status == MISSING else FOUND_SECONDS
                return Kept(status, text, at, fresh=0 <= self._now() - at < limit)
        return None

    def _put(self, url: str, status: int, text: str) -> None:
        if self._path is None:
            return
        with contextlib.suppress(sqlite3.Error, OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with self._open() as database, database:
                database.execute(_SCHEMA)
                database.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", (url, self._now(), status, text)
                )
                database.execute(
                    "DELETE FROM answers WHERE url NOT IN (SELECT url FROM answers ORDER BY at DESC LIMIT ?)",
                    (MOST_ANSWERS,),
                )

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        assert self._path is not None
        with contextlib.closing(sqlite3.connect(self._path, timeout=WAIT_SECONDS)) as database:
            yield database
