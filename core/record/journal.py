"""The journal: a run's append-only event log, in SQLite.

Any number of processes of one host may append and follow at once. An append is one transaction
and is on the disk when it returns, so that SIGKILL at any moment leaves a readable journal.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from core.errors import JournalError, JournalTooNew, Outrun, StorageError
from core.keys.redaction import without_known_keys
from core.record.events import EVENT_TYPES, Event, UnknownEvent
from core.record.records import Record

POLL_SECONDS = 0.05
"""How often a follower asks whether anything was appended; asking takes microseconds."""

BUSY_SECONDS = 30.0
"""How long an append waits for another process's append."""

READ_ROWS = 5000


def _version_1(database: sqlite3.Connection) -> None:
    """Events, records and the text of turns now streaming."""
    database.execute(
        "CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL,"
        " once TEXT UNIQUE, body TEXT NOT NULL)"
    )
    database.execute(
        "CREATE TABLE records (id INTEGER PRIMARY KEY AUTOINCREMENT, exec_id TEXT NOT NULL,"
        " number INTEGER NOT NULL, kind TEXT NOT NULL, line INTEGER NOT NULL, condition TEXT NOT NULL,"
        " body TEXT NOT NULL, at TEXT NOT NULL, chain TEXT NOT NULL, UNIQUE (exec_id, number))"
    )
    database.execute("CREATE TABLE partial (agent TEXT PRIMARY KEY, text TEXT NOT NULL)")
    for table in ("events", "records"):
        for change in ("UPDATE", "DELETE"):
            database.execute(
                f"CREATE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END"
            )


MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_version_1,)
"""How a journal comes from one schema version to the next; only ever appended to."""


class Journal:
    """A run's event log.

    Args:
        path: the database file.
        create: make it if it is not there.

    Raises:
        JournalTooNew: it was written by a newer fumehood.
        JournalError: it is not there, or not a journal.
        StorageError: the disk is full, read-only or forbidden.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        if not create and not path.is_file():
            raise JournalError(f"there is no journal at {path}")
        with self._errors():
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise
        self._appends = 0
        self._appended = asyncio.Event()

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        if self._version() > len(MIGRATIONS):
            raise JournalTooNew(
                f"{self.path} was written by a newer fumehood", "Upgrade fumehood to read this run."
            )
        if self._version() < len(MIGRATIONS):
            self._migrate()

    def _version(self) -> int:
        version: int = self._database.execute("PRAGMA user_version").fetchone()[0]
        return version

    def _migrate(self) -> None:
        with self._transaction():
            for number in range(self._version(), len(MIGRATIONS)):
                MIGRATIONS[number](self._database)
                self._database.execute(f"PRAGMA user_version={number + 1}")

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, *events: Event, records: Sequence[Record] = (), only_after: int | None = None) -> int:
        """Append events, and records that belong to them, in one transaction.

        An event that says by its ``once`` field that it is in already is passed over.

        Args:
            events: what became a fact.
            records: what experiment code wrote, taken in together with its event.
            only_after: append only if this is still the last ``seq``.

        Returns:
            The journal's last ``seq``.

        Raises:
            Outrun: something was appended after ``only_after``; nothing was appended now.
            StorageError: the disk is full, read-only or forbidden; nothing was appended.
            JournalError: the file is damaged, or an event could not be read back; nothing was appended.
        """
        rows = [(event.type, _once(event), self._body(event)) for event in events]
        with self._errors(), self._transaction():
            if only_after is not None and self._last() != only_after:
                raise Outrun("the journal grew meanwhile")
            self._database.executemany(
                "INSERT INTO events (type, once, body) VALUES (?, ?, ?) ON CONFLICT (once) DO NOTHING", rows
            )
            self._database.executemany(
                "INSERT INTO records (exec_id, number, kind, line, condition, body, at, chain)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                map(_record_row, records),
            )
            last = self._last()
        self._appends += 1
        self._appended.set()
        self._appended = asyncio.Event()
        return last

    def read(self, after: int = 0) -> Iterator[Event]:
        """Events in order.

        Args:
            after: leave out everything up to and with this ``seq``.

        Raises:
            JournalError: the file is damaged.
        """
        with self._errors():
            while rows := self._database.execute(
                "SELECT seq, type, body FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after, READ_ROWS)
            ).fetchall():
                for seq, kind, body in rows:
                    yield self._event(seq, kind, body)
                after = rows[-1][0]

    async def follow(self, after: int = 0) -> AsyncIterator[list[Event]]:
        """Events in order, for ever: what is there, then what comes, in batches that are never empty.

        Args:
            after: leave out everything up to and with this ``seq``.

        Raises:
            JournalError: the file is damaged.
        """
        seen: tuple[int, int] | None = None
        while True:
            # SQLite's number changes with what other connections append, ours with our own appends.
            version = self._data_version(), self._appends
            if version != seen:
                seen = version
                if batch := list(self.read(after)):
                    after = batch[-1].seq
                    yield batch
                    continue
            # Not wait_for: in Python 3.11 it swallows a cancellation that meets the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._appended.wait()

    def records(
        self, exec_id: str | None = None, *, after: int = 0, kind: str | None = None
    ) -> Iterator[Record]:
        """Records in the order they were taken in, of one exec or of all.

        Args:
            exec_id: the exec; None for all.
            after: of one exec, pass over its records up to this number.
            kind: of one exec, only its records of this kind; None for every kind.

        Raises:
            JournalError: the file is damaged.
        """
        # Of one exec the index knows all records; "where null or equal" would read those of all execs.
        which, values = "ORDER BY id", list[str | int]()
        if exec_id is not None:
            of_kind = "" if kind is None else "AND kind = ?"
            which = f"WHERE exec_id = ? AND number > ? {of_kind} ORDER BY number"
            values = [exec_id, after] if kind is None else [exec_id, after, kind]
        with self._errors():
            for row in self._database.execute(
                f"SELECT exec_id, number, kind, line, condition, body, at, chain FROM records {which}",  # noqa: S608
                values,
            ):
                yield Record(
                    row[0], row[1], row[2], row[3], json.loads(row[4]), json.loads(row[5]),
                    datetime.fromisoformat(row[6]), row[7],
                )  # fmt: skip

    def set_partial(self, agent: str, text: str) -> None:
        """Overwrite the text of an agent's turn that is now streaming; empty once it is complete."""
        row = agent, without_known_keys(text)
        with self._errors():
            # Worth nothing after a crash, and written many times a second: it must not wait for the disk.
            self._database.execute("PRAGMA synchronous=NORMAL")
            try:
                self._database.execute(
                    "INSERT INTO partial VALUES (?, ?)"
                    " ON CONFLICT (agent) DO UPDATE SET text = excluded.text",
                    row,
                )
            finally:
                self._database.execute("PRAGMA synchronous=FULL")

    def partials(self) -> Mapping[str, str]:
        """The text of every turn that is now streaming, by agent."""
        with self._errors():
            return dict(self._database.execute("SELECT agent, text FROM partial WHERE text <> ''"))

    def _last(self) -> int:
        last: int | None = self._database.execute("SELECT max(seq) FROM events").fetchone()[0]
        return last or 0

    def _data_version(self) -> int:
        with self._errors():
            version: int = self._database.execute("PRAGMA data_version").fetchone()[0]
        return version

    def _body(self, event: Event) -> str:
        """An event as it is stored. What could not be read back would make the whole run unreadable."""
        try:
            body = without_known_keys(event.model_dump_json(exclude={"seq"}))
        except ValueError as error:
            raise JournalError(f"an event {event.type} cannot be written: {error}") from error
        self._event(0, event.type, body)
        return body

    def _event(self, seq: int, kind: str, body: str) -> Event:
        # The seq is known only after the body was written, so it is spliced in rather than stored twice.
        text = f'{{"seq":{seq},{body[1:]}'
        try:
            return EVENT_TYPES.get(kind, UnknownEvent).model_validate_json(text)
        except ValueError as error:
            raise JournalError(
                f"event {seq or 'to append'} ({kind}) of {self.path} is not readable: {error}"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> JournalError | StorageError:
        name = getattr(error, "sqlite_errorname", "") or ""
        folder = self.path.parent
        if name.startswith("SQLITE_FULL"):
            return StorageError(f"the disk that holds {folder} is full", "Make room; the run can be resumed.")
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
            return StorageError(
                f"{folder} cannot be written", "Check who owns it and whether it is read-only."
            )
        if name.startswith("SQLITE_BUSY"):
            return JournalError(f"{self.path} was kept locked for {BUSY_SECONDS:.0f} s", "Try again.")
        if name.startswith("SQLITE_IOERR"):
            return StorageError(f"the disk that holds {folder} fails: {error}", "Check its space and health.")
        return JournalError(f"{self.path} is not a readable journal: {error}")


def _once(event: Event) -> str | None:
    return f"{event.type}:{getattr(event, event.once)}" if event.once else None


def _record_row(record: Record) -> tuple[str, int, str, int, str, str, str, str]:
    return (
        record.exec_id,
        record.number,
        record.kind,
        record.line,
        json.dumps(dict(record.condition)),
        json.dumps(dict(record.body)),
        record.at.isoformat(),
        record.chain,
    )
