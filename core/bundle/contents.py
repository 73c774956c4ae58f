"""What is in a bundle: copies of a run's files, and its measurements and journal as text."""

from __future__ import annotations

import contextlib
import json
import math
import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.bundle.measurements_table import measurements_csv
from core.errors import JournalError
from core.evidence.evidence import Evidence
from core.record.events import Event
from core.record.folder import RunFolder
from core.record.records import Record
from core.record.state import RunState

READ_ME = "README.txt"

FOLDERS = {
    "paper": "The paper in every form that there is, with the evidence that its numbers rest on.",
    "code": "The code of every exec, exactly as it ran.",
    "logs": "What every exec printed, byte for byte.",
    "files": "Files that code left behind, by the SHA-256 of their content.",
    "data": "What the human gave the run, as its experiments read it.",
    "journal": "Everything that happened, in order, and everything that code recorded.",
}
"""Folders of a bundle, and what is in them."""

PREVIEWS = "pages"
"""Pictures of the paper's pages; the PDF holds the same and more."""

_ARTIFACT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Gathered:
    """A run as it was when its bundle was made.

    Attributes:
        state: what it looked like.
        evidence: what was measured and judged.
    """

    state: RunState
    evidence: Evidence


def write_contents(folder: RunFolder, place: Path, gathered: Gathered, *, with_data: bool) -> None:
    """Write everything but the description of the bundle.

    Args:
        folder: the run.
        place: an empty folder.
        gathered: the run's state and evidence.
        with_data: whether the human's files are in it, and not only named by their hashes.

    Raises:
        OSError: something cannot be read or written.
        JournalError: the journal cannot be read.
    """
    for name in FOLDERS:
        (place / name).mkdir()
    for source in _regular_files(folder.paper):
        if source.relative_to(folder.paper).parts[0] == PREVIEWS:
            continue
        _copy(source, place / "paper" / source.relative_to(folder.paper))
    for exec_id, script in gathered.state.execs.items():
        (place / "code" / f"{exec_id}.py").write_bytes(script.asked.code.encode("utf-8", "replace"))
        if (log := folder.log_path(exec_id)).is_file():
            _copy(log, place / "logs" / log.name)
    for source in _regular_files(folder.files):
        if _ARTIFACT.fullmatch(source.name):
            _copy(source, place / "files" / source.name)
    for name in gathered.state.data if with_data else ():
        _copy(folder.data / name, place / "data" / name)
    (place / "measurements.csv").write_text(
        measurements_csv(gathered.evidence.ledger), encoding="utf-8", newline=""
    )
    _write_journal(folder, place / "journal")
    for name in FOLDERS:
        if not any((place / name).iterdir()):
            (place / name).rmdir()  # a zip file has no empty folders either
    (place / READ_ME).write_text(_read_me(folder, gathered.state, there(place)), encoding="utf-8")


def there(place: Path) -> tuple[str, ...]:
    """The folders that a bundle has."""
    return tuple(name for name in FOLDERS if (place / name).is_dir())


def _regular_files(folder: Path) -> Iterator[Path]:
    """Files below a folder, no links and nothing unfinished."""
    if folder.is_dir():
        for path in sorted(folder.rglob("*")):
            unfinished = any(".unfinished" in part for part in path.relative_to(folder).parts)
            if path.is_file() and not path.is_symlink() and not unfinished:
                yield path


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target, follow_symlinks=False)


def _write_journal(folder: RunFolder, place: Path) -> None:
    """The journal as it is, and as lines of JSON that need no program of ours."""
    with folder.journal() as journal:
        _write_lines(place / "events.jsonl", map(_event_line, journal.read()))
        _write_lines(place / "records.jsonl", map(_record_line, journal.records()))
    copy = place / "journal.db"
    try:
        with contextlib.closing(sqlite3.connect(folder.journal_path)) as database:
            database.execute("VACUUM INTO ?", (str(copy),))
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as database:
            database.execute("DELETE FROM partial")  # scratch: text that was streaming in just then
            database.execute("VACUUM")
    except sqlite3.Error as error:
        raise JournalError(f"the journal cannot be copied: {error}") from None


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(f"{line}\n")


def _event_line(event: Event) -> str:
    return _json(event.model_dump(mode="json"))


def _record_line(record: Record) -> str:
    fields = {
        "exec": record.exec_id,
        "number": record.number,
        "kind": record.kind,
        "line": record.line,
        "condition": dict(record.condition),
        "body": dict(record.body),
        "at": record.at.isoformat(),
        "chain": record.chain,
    }
    return _json(fields)


def _json(value: Any) -> str:
    return json.dumps(_strict(value), ensure_ascii=False, sort_keys=True, allow_nan=False)


def _strict(value: Any) -> Any:
    """A value that every reader of JSON takes: what is no number is text."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {str(name): _strict(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(inner) for inner in value]
    return value


def _read_me(folder: RunFolder, state: RunState, names: Sequence[str]) -> str:
    question = state.created.question if state.created else ""
    ended = state.ended.outcome if state.ended else "it has not ended; this is what there was"
    folders = "\n".join(f"{name + '/':<23} {FOLDERS[name]}" for name in names)
    where = "in data/" if "data" in names else "not in this bundle"
    data = [f"{one.name:<23} {one.size_bytes:,} bytes, sha256 {one.sha256}" for one in state.data.values()]
    read = "\n".join([f"Its experiments read these files, which are {where}:", *data, "", ""]) if data else ""
    return (
        f"{folder.run_id}\n\nQuestion: {question}\nHow it ended: {ended}\n\n{folders}\n"
        f"{'measurements.csv':<23} Every number that code recorded, with where, under what and how sure.\n"
        f"{'ro-crate-metadata.json':<23} The same for programs: an RO-Crate 1.1 (JSON-LD).\n\n{read}"
        "Numbers of the paper name exec and code line; 'fumehood verify paper/paper.pdf' recomputes them\n"
        "from the evidence alone.\n"
    )
