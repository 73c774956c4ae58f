"""A run's data: files that the human gives it, kept as copies in the run's folder.

A file is hashed while it is copied, so what every sandbox sees is what the journal names, whatever
becomes of the original. What a run has never changes: what was measured rests on it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from core.errors import InputError, StorageError
from core.record.events import DataAdded
from core.record.folder import RunFolder

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
"""Names that every shell, prompt and provider takes as they are. None begins with a dot: what does
is a program's own, and may hold keys."""

MOST_BYTES = 20 * 1024**3
"""All of a run's data together: a copy of it stays with the run, and another goes to Modal."""

MOST_FILES = 100
"""Files of a run: every agent is told of each by name."""

CHUNK_BYTES = 1024 * 1024
ZEROS = bytes(CHUNK_BYTES)
SPARE_BYTES = 64 * 1024 * 1024
"""Room that is left on the disk, for the journal above all."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with a file's name, its bytes that are done and all of its bytes."""


@dataclass(frozen=True)
class Intake:
    """Files on their way into a run: copied and hashed, and not yet where sandboxes see them.

    Attributes:
        folder: the run.
        files: what the journal will say of them.
    """

    folder: RunFolder
    files: tuple[DataAdded, ...]

    def path(self, file: DataAdded) -> Path:
        """Where a file's copy is meanwhile."""
        return _unfinished(self.folder) / file.name

    def keep(self) -> None:
        """Put the copies where sandboxes see them.

        Raises:
            StorageError: the disk is full, read-only or forbidden.
        """
        try:
            self.folder.data.mkdir(mode=0o700, exist_ok=True)
            for file in self.files:
                self.path(file).replace(self.folder.data / file.name)
        except OSError as error:
            raise _not_kept(self.folder, error) from None


@contextlib.contextmanager
def taken_in(
    folder: RunFolder,
    files: Sequence[Path],
    there: Sequence[DataAdded],
    progress: Progress = lambda name, done, size: None,
) -> Iterator[Intake]:
    """Copy files into a run, all or none; gone again at the end unless they were kept.

    Args:
        folder: the run.
        files: the human's files; links are followed, since the human named them.
        there: what the run has already.
        progress: called while a file is copied.

    Raises:
        InputError: a file is not to be had, cannot be data as it is, or is in the run already.
        StorageError: there is no room for the copies, or the run's folder cannot be written.
    """
    sizes = checked_files(files, there)
    with _alone(folder):
        unfinished = _unfinished(folder)
        try:
            _refuse_full_disk(folder, files)
            _emptied(unfinished)
            copies = tuple(
                _copied(folder, file, unfinished / file.name, size, progress)
                for file, size in zip(files, sizes, strict=True)
            )
            yield Intake(folder, copies)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def checked_files(files: Sequence[Path], there: Sequence[DataAdded]) -> list[int]:
    """Say what is wrong with files before anything is copied.

    Args:
        files: the human's files.
        there: what the run has already.

    Returns:
        Their sizes in bytes.

    Raises:
        InputError: a file is not to be had, cannot be data as it is, or is in the run already.
    """
    if not files:
        raise InputError("no file is named", "Name one or more files.")
    if len(files) + len(there) > MOST_FILES:
        raise InputError(
            f"a run can have {MOST_FILES} files, and this would be {len(files) + len(there)}",
            "Put them into one archive.",
        )
    taken = {file.name for file in there}
    sizes = []
    for file in files:
        sizes.append(_size(file))
        if not NAME.fullmatch(file.name):
            raise InputError(
                f"{file.name!r} cannot be the name of data",
                "Rename it: letters, digits and . _ + - only, at most 100, with a letter or digit first.",
            )
        if file.name in taken:
            raise InputError(
                f"the run has a file {file.name} already, or it is named twice",
                "Data of a run never changes: add it under another name.",
            )
        taken.add(file.name)
    whole = sum(sizes) + sum(file.size_bytes for file in there)
    if whole > MOST_BYTES:
        raise InputError(
            f"the run's data would have {whole:,} bytes, more than {MOST_BYTES:,}: a copy stays with the run",
            "Give it a part, or let experiments fetch the data over a network that you approve.",
        )
    return sizes


def _size(file: Path) -> int:
    try:
        status = file.stat()
    except FileNotFoundError:
        raise InputError(f"there is no file {file}", "Look at its name.") from None
    except OSError as error:
        raise _unreadable(file, error) from None
    if stat.S_ISDIR(status.st_mode):
        raise InputError(
            f"{file} is a folder", f"Name its files, or an archive: tar -cf {file.name or 'data'}.tar {file}"
        )
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{file} is no regular file", "Copy what it gives into a file, and name that.")
    return status.st_size


def _copied(folder: RunFolder, file: Path, copy: Path, size: int, progress: Progress) -> DataAdded:
    """Copy a file, holes as holes, and hash it."""
    digest = hashlib.sha256()
    with _opened(file) as source:
        before = os.fstat(source.fileno())
        with _made(folder, copy) as target:
            done = 0
            while chunk := _read(file, source):
                done += len(chunk)
                if done > size:
                    break
                digest.update(chunk)
                _write(folder, target, chunk)
                progress(file.name, done, size)
        after = os.fstat(source.fileno())
    if done != size or (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise InputError(f"{file} changed while it was read", "Try again when nobody writes to it.")
    return DataAdded(name=file.name, sha256=digest.hexdigest(), size_bytes=size)


def _opened(file: Path) -> BinaryIO:
    try:
        # A pipe could have taken the file's place since: opening one would wait for somebody to write.
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(file, error) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InputError(f"{file} is no regular file any more", "Look at it, and try again.")
    return os.fdopen(handle, "rb", buffering=0)


def _read(file: Path, source: BinaryIO) -> bytes:
    try:
        return source.read(CHUNK_BYTES)
    except OSError as error:
        raise _unreadable(file, error) from None


@contextlib.contextmanager
def _made(folder: RunFolder, copy: Path) -> Iterator[BinaryIO]:
    """A new file that nobody may write to once it is whole."""
    try:
        target = copy.open("xb", buffering=0)
    except OSError as error:
        raise _not_kept(folder, error) from None
    with target:
        yield target
        try:
            target.truncate()
            os.fsync(target.fileno())
            os.fchmod(target.fileno(), 0o444)
        except OSError as error:
            raise _not_kept(folder, error) from None


def _write(folder: RunFolder, target: BinaryIO, chunk: bytes) -> None:
    try:
        if chunk == ZEROS:
            target.seek(len(chunk), os.SEEK_CUR)
            return
        view = memoryview(chunk)
        while view:
            view = view[target.write(view) :]
    except OSError as error:
        raise _not_kept(folder, error) from None


def _refuse_full_disk(folder: RunFolder, files: Sequence[Path]) -> None:
    needed = sum(min(status.st_size, status.st_blocks * 512) for status in map(Path.stat, files))
    free = shutil.disk_usage(folder.path).free
    if needed + SPARE_BYTES > free:
        raise StorageError(
            f"a copy of the data needs {needed:,} bytes, and {free:,} are free in {folder.path}",
            "Make room there.",
        )


@contextlib.contextmanager
def _alone(folder: RunFolder) -> Iterator[None]:
    """Nobody else adds data to the run meanwhile.

    Raises:
        InputError: somebody does.
    """
    with (folder.path / "data.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError("another command adds data to this run", "Try again when it is done.") from None
        yield


def _emptied(unfinished: Path) -> None:
    """An empty folder, whatever an interrupted command left in it."""
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)


def _unfinished(folder: RunFolder) -> Path:
    return folder.path / "data.unfinished"


def _unreadable(file: Path, error: OSError) -> InputError:
    return InputError(f"{file} cannot be read: {error.strerror}", "Look at who may read it.")


def _not_kept(folder: RunFolder, error: OSError) -> StorageError:
    room = "Make room there." if error.errno in (errno.ENOSPC, errno.EDQUOT) else "Look at who may write."
    return StorageError(f"the data cannot be kept in {folder.path}: {error.strerror}", room)
