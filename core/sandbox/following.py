"""Reading files that a script may still write to, or may have put a trap in.

Scripts own their folders: where a file was there may be a symbolic link to the user's keys, a pipe
that never answers or a device. Only regular files are read, and no link is followed.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

READ_BYTES = 1024 * 1024
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.1
LONGEST_LINE_BYTES = 32 * 1024 * 1024
"""Twice what a record can have; nothing that follows a longer line can be trusted."""


async def follow(path: Path, offset: int, ended: Callable[[], bool]) -> AsyncIterator[bytes]:
    """A growing file's bytes from an offset on, until its writer has ended and all was given out.

    Args:
        path: the file; it may not be there yet.
        offset: bytes to skip.
        ended: whether the writer has ended.
    """
    handle: int | None = None
    pause = FIRST_PAUSE_SECONDS
    try:
        while True:
            # Asked before reading: what was written before the end is then read after it.
            done = ended()
            if handle is None:
                handle = open_regular(path)
            chunk = b"" if handle is None else os.pread(handle, READ_BYTES, offset)
            if chunk:
                offset += len(chunk)
                pause = FIRST_PAUSE_SECONDS
                yield chunk
                # A long backlog must not keep the loop from everybody else.
                await asyncio.sleep(0)
            elif done:
                return
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
    finally:
        if handle is not None:
            os.close(handle)


async def follow_lines(path: Path, offset: int, ended: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Like ``follow``, in chunks that end at the end of a line; an unfinished last line is left out."""
    parts: list[bytes] = []
    waiting = 0
    async for chunk in follow(path, offset, ended):
        end = chunk.rfind(b"\n") + 1
        if end:
            yield b"".join((*parts, chunk[:end]))
            parts, waiting = [], 0
        parts.append(chunk[end:])
        waiting += len(chunk) - end
        if waiting > LONGEST_LINE_BYTES:
            return


def open_regular(path: Path | str, *, folder: int | None = None) -> int | None:
    """Open a regular file for reading.

    Args:
        path: its path; only the last part is kept from being a link.
        folder: a descriptor of the folder that the path is relative to.

    Returns:
        A file descriptor, or None where there is no regular file.
    """
    # O_NONBLOCK: opening a pipe would otherwise wait for somebody to write into it.
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    return None


def read_inside(root: Path, path: str, limit_bytes: int) -> bytes:
    """A regular file below a folder that a script can change.

    Args:
        root: the folder; it is ours.
        path: relative to it.
        limit_bytes: refuse more than this many bytes.

    Raises:
        FileNotFoundError: no regular file by that name, or only by way of a link.
        ValueError: the path leads outside, or the file is larger than the limit.
    """
    parts = Path(path).parts
    if not parts or Path(path).is_absolute() or ".." in parts:
        raise ValueError(f"{path!r} lies outside the sandbox")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            inner = _open_folder(part, folder, path)
            os.close(folder)
            folder = inner
        handle = open_regular(parts[-1], folder=folder)
    finally:
        os.close(folder)
    if handle is None:
        raise FileNotFoundError(f"no regular file {path!r} in the sandbox")
    with os.fdopen(handle, "rb") as file:
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise ValueError(f"{path!r} is larger than {limit_bytes:,} bytes")
    return content


def _open_folder(name: str, parent: int, path: str) -> int:
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    except OSError:
        raise FileNotFoundError(f"no regular file {path!r} in the sandbox") from None
