"""A run's folder: creating, finding and locking it."""

from __future__ import annotations

import contextlib
import difflib
import fcntl
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from core.config import RunSettings
from core.errors import InputError, JournalError, RunLocked, RunNotFound, StorageError
from core.record.events import RunCreated
from core.record.fold import fold
from core.record.journal import Journal
from core.record.state import RunState

MAX_QUESTION_CHARACTERS = 4000

LOCK_TRIES = 10
LOCK_PAUSE_SECONDS = 0.01

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "lustre"}
)
"""Where SQLite's write-ahead log does not work, because its shared memory needs one host."""

_SMALL_WORDS = re.compile(
    r"\b(an?|and|are|as|at|be|by|can|could|did|do|does|every|for|from|ha[sv]e?|how|i|in|into|is|its?|of|on|only|or"
    r"|our|should|tha[nt]|the|their|them|there|these|this|to|under|was|we|what|when|where|which|who|why|will|with)\b"
)


@dataclass(frozen=True)
class RunFolder:
    """One run on disk.

    Attributes:
        path: the folder; its name is the run's id.
    """

    path: Path

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.path.name

    @property
    def journal_path(self) -> Path:
        """The journal."""
        return self.path / "journal.db"

    @property
    def logs(self) -> Path:
        """What scripts printed, a file per exec, and the engine's own log."""
        return self.path / "logs"

    @property
    def files(self) -> Path:
        """Artifacts by content."""
        return self.path / "files"

    @property
    def paper(self) -> Path:
        """The paper and its evidence."""
        return self.path / "paper"

    @property
    def data(self) -> Path:
        """Copies of what the human gave the run; local sandboxes see them, and cannot change them."""
        return self.path / "data"

    @property
    def shared(self) -> Path:
        """What experiments in local sandboxes hand to each other."""
        return self.path / "shared"

    @property
    def trajectory_path(self) -> Path:
        """The turns of a scripted model; only where the run uses one."""
        return self.path / "trajectory.json"

    def log_path(self, exec_id: str) -> Path:
        """What one exec printed, byte for byte."""
        return self.logs / f"{exec_id}.log"

    def journal(self) -> Journal:
        """Open the journal.

        Raises:
            JournalError: it is not there or not readable.
        """
        return Journal(self.journal_path)

    def state(self) -> RunState:
        """What the run looks like now.

        Raises:
            JournalError: the journal cannot be read, or says nothing.
        """
        with self.journal() as journal:
            state = fold(journal.read())
        if state.created is None:
            raise JournalError(f"the journal of {self.run_id} does not say what the run is about")
        return state

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run's lock; the system lets go of it when this process ends, however it ends.

        Raises:
            RunLocked: another engine holds it.
        """
        with (self.path / "lock").open("a+") as lock:
            if not _take(lock):
                lock.seek(0)
                raise RunLocked(
                    f"another engine (process {lock.read().strip() or 'unknown'}) drives {self.run_id}",
                    f"See it with 'fumehood show {self.run_id}'; end it with 'fumehood stop {self.run_id}'.",
                )
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield

    def has_engine(self) -> bool:
        """Whether an engine holds the run's lock now."""
        try:
            with (self.path / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False


def _take(lock: IO[str]) -> bool:
    """Take a lock. ``has_engine`` holds it for microseconds to find out, so a few tries are needed."""
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_SECONDS)
        else:
            return True
    return False


def create_run(
    runs: Path, question: str, settings: RunSettings, version: str, trajectory: str | None = None
) -> RunFolder:
    """Create the folder of a new run, with its first event in the journal.

    Args:
        runs: the folder that holds all runs.
        question: what is investigated.
        settings: what is fixed for the run.
        version: the fumehood that creates it.
        trajectory: the turns of its scripted model as JSON; None where it uses none.

    Raises:
        InputError: the question is empty or too long.
        StorageError: the folder cannot be made, or lies on a network file system.
    """
    # Bytes of the command line that are no text arrive as lone surrogates, which nothing can store.
    question = " ".join(question.encode(errors="replace").decode().split())
    if not question:
        raise InputError("the question is empty", "Say what you want to know, in quotes.")
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise InputError(
            f"the question has {len(question):,} characters, more than {MAX_QUESTION_CHARACTERS:,}",
            "Ask it shorter; details belong into messages to the orchestrator.",
        )
    folder = _new_folder(runs, question)
    try:
        for part in (folder.logs, folder.files, folder.paper):
            part.mkdir(mode=0o700)
        if trajectory is not None:
            folder.trajectory_path.write_text(trajectory, encoding="utf-8")
        # Under another name until it says what the run is about, so that nobody meets an empty one.
        unfinished = folder.path / "journal.unfinished"
        with Journal(unfinished, create=True) as journal:
            journal.append(
                RunCreated(run_id=folder.run_id, question=question, settings=settings, version=version)
            )
        unfinished.rename(folder.journal_path)
    except BaseException as error:
        shutil.rmtree(folder.path, ignore_errors=True)
        if isinstance(error, OSError):
            raise _cannot_create(runs, error) from None
        raise
    return folder


def _new_folder(runs: Path, question: str) -> RunFolder:
    """An empty folder of a name that no run has."""
    try:
        runs.mkdir(parents=True, exist_ok=True, mode=0o700)
        _refuse_network_file_system(runs)
        while True:
            folder = RunFolder(runs / _run_id(question))
            with contextlib.suppress(FileExistsError):
                folder.path.mkdir(mode=0o700)
                return folder
    except OSError as error:
        raise _cannot_create(runs, error) from None


def _cannot_create(runs: Path, error: OSError) -> StorageError:
    return StorageError(
        f"cannot create a run in {runs}: {error.strerror}",
        "Make room or set FUMEHOOD_DATA_FOLDER to a folder that you can write.",
    )


def list_runs(runs: Path) -> list[RunFolder]:
    """Every run, newest first; empty where there is no folder yet."""
    if not runs.is_dir():
        return []
    folders = [RunFolder(path) for path in runs.iterdir() if (path / "journal.db").is_file()]
    return sorted(folders, key=_changed_at, reverse=True)


def _changed_at(folder: RunFolder) -> float:
    """When something was last appended, seconds; appends go to the write-ahead log first."""
    times = [0.0]
    for suffix in ("", "-wal"):
        with contextlib.suppress(OSError):  # a run may be removed while we look
            status = Path(f"{folder.journal_path}{suffix}").stat()
            if status.st_size > 0:  # whoever only reads makes an empty one
                times.append(status.st_mtime)
    return max(times)


def find_run(runs: Path, name: str | None) -> RunFolder:
    """Find a run by its id, or any part of it that no other run has.

    Args:
        runs: the folder that holds all runs.
        name: the id or a part of it; None for the run that changed last.

    Raises:
        RunNotFound: none or several fit.
    """
    folders = list_runs(runs)
    if name is None:
        if not folders:
            raise RunNotFound(
                "there is no run yet", "Start with 'fumehood demo' or 'fumehood run \"question\"'."
            )
        return folders[0]
    exact = [folder for folder in folders if folder.run_id == name]
    fitting = exact or [folder for folder in folders if name and name in folder.run_id]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(sorted(folder.run_id for folder in fitting)[:5])
        raise RunNotFound(f"{name!r} fits {len(fitting)} runs: {names}", "Type more of the name.")
    close = difflib.get_close_matches(name, [folder.run_id for folder in folders], n=1)
    raise RunNotFound(
        f"there is no run {name!r}", f"Did you mean {close[0]}?" if close else "See 'fumehood runs'."
    )


def file_system_of(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The type of the file system that a path lies on, e.g. ``ext4``; empty where unknown."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = "", ""
    for line in lines:
        point, this_kind = line.split(" ")[1:3]
        point = point.replace("\\040", " ")
        if path.resolve().is_relative_to(point) and len(point) >= len(best):
            best, kind = point, this_kind
    return kind


def _refuse_network_file_system(runs: Path) -> None:
    if (kind := file_system_of(runs)) in NETWORK_FILE_SYSTEMS:
        raise StorageError(
            f"{runs} lies on a network file system ({kind}), where a journal is not safe",
            "Set FUMEHOOD_DATA_FOLDER to a folder on a local disk.",
        )


def _run_id(question: str) -> str:
    plain = unicodedata.normalize("NFKD", question).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", _SMALL_WORDS.sub(" ", plain))
    name = "-".join(words[:3])[:40].strip("-") or "run"
    return f"{datetime.now(UTC):%Y%m%d}-{name}-{secrets.token_hex(2)}"
