"""Files that only their owner may read or change, and refusal of anything else in their place."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from core.errors import KeysError

LOCK_SECONDS = 5.0
LOCK_POLL_SECONDS = 0.05
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_private(path: Path, most_bytes: int) -> bytes | None:
    """The content of a file that is nobody else's business; None where there is none.

    Args:
        path: the file.
        most_bytes: more is refused.

    Raises:
        KeysError: it is a link or no plain file, belongs to someone else, others may use it, or it is
            too long.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, error) from None
    with open(handle, "rb") as file:  # noqa: PTH123 - it is open already, so that nobody can exchange it
        _check(path, os.fstat(handle))
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise KeysError(f"{path} is too long for what it should hold; nothing was changed", "Move it away.")
    return content


@contextlib.contextmanager
def private_folder(path: Path) -> Iterator[int]:
    """Hold a folder that is nobody else's business, made now if need be; gives its descriptor.

    One process holds it at a time, so that what is read, changed and written is never lost.

    Raises:
        KeysError: it is a link, belongs to someone else, others may use it, or it cannot be made.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        _check(path, os.fstat(handle), folder=True)
        _lock(handle)
        yield handle
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise KeysError("another fumehood changes the encrypted key file", "Try again.") from None
            time.sleep(LOCK_POLL_SECONDS)
        else:
            return


def check_folder(path: Path) -> bool:
    """Whether a folder is there; nobody else may use it.

    Raises:
        KeysError: it is a link or no folder, belongs to someone else, or others may use it.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(path, error) from None
    _check(path, found, folder=True)
    return True


def write_private(folder: int, path: Path, content: bytes) -> None:
    """Put a file in its place, whole or not at all.

    Args:
        folder: the descriptor of the held folder.
        path: the file in it.
        content: what it is to hold.

    Raises:
        KeysError: it cannot be written.
    """
    draft = f".{path.name}.{secrets.token_hex(4)}"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(draft, flags, 0o600, dir_fd=folder)
        try:
            with open(handle, "wb") as file:  # noqa: PTH123 - it is open already
                os.fchmod(handle, 0o600)
                file.write(content)
                file.flush()
                os.fsync(handle)
            os.replace(draft, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(draft, dir_fd=folder)
            raise
        os.fsync(folder)
    except OSError as error:
        raise KeysError(
            f"{path} cannot be written: {error.strerror}; what was there is unchanged", "Make room there."
        ) from None


def _check(path: Path, found: os.stat_result, *, folder: bool = False) -> None:
    mode = found.st_mode
    if stat.S_ISLNK(mode):
        raise _link(path)
    if not (stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)):
        raise KeysError(f"{path} is no plain {'folder' if folder else 'file'}", "Move it away.")
    if found.st_uid != os.geteuid():
        raise KeysError(
            f"{path} belongs to another user; nothing was read or changed", "Move it away, or make it yours."
        )
    if mode & OTHERS:
        right = "700" if folder else "600"
        raise KeysError(
            f"{path} can be used by other users (mode {stat.S_IMODE(mode):04o}); nothing was read or changed",
            f"If nobody has tampered with it: chmod {right} {path}",
        )
    if not folder and found.st_nlink != 1:
        raise KeysError(f"{path} has other names (hard links); nothing was read or changed", "Move it away.")


def _unusable(path: Path, error: OSError) -> KeysError:
    if error.errno in (errno.ELOOP, errno.EMLINK) or path.is_symlink():
        return _link(path)
    return KeysError(f"{path} cannot be used: {error.strerror}", "Check who owns it.")


def _link(path: Path) -> KeysError:
    return KeysError(f"{path} is a link; nothing was read or changed", "Put the real thing there.")
