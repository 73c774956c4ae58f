"""Writing a bundle: whole or not at all, the same bytes for the same run, and never with a key in it."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.bundle.contents import Gathered, write_contents
from core.bundle.crate import METADATA, crate_metadata
from core.bundle.key_search import find_keys_below
from core.errors import InputError, StorageError
from core.evidence.gather import gather
from core.record.folder import RunFolder

EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of every file in a zip, so that the same run gives the same bytes."""

READABLE = 0o644


@dataclass(frozen=True)
class Exported:
    """A bundle that was written.

    Attributes:
        path: the folder or the zip file.
        files: how many files are in it.
        size_bytes: how large it is on disk, in bytes.
    """

    path: Path
    files: int
    size_bytes: int


def export_run(
    folder: RunFolder,
    target: Path,
    *,
    zipped: bool,
    replace: bool = False,
    allow_lookalikes: bool = False,
    with_data: bool = False,
) -> Exported:
    """Write a run's bundle.

    Keys are looked for in everything that is written, in all the forms they take; those that this
    process holds have to be known to ``core.keys.redaction`` before.

    Args:
        folder: the run.
        target: the folder or zip file to make.
        zipped: whether it is a zip file.
        replace: whether an earlier bundle there is replaced.
        allow_lookalikes: whether to go on where something only looks like a key.
        with_data: whether the human's files are in it; otherwise they are named by their hashes.

    Raises:
        InputError: there is something at the target already, or a key in the run.
        JournalError: the journal cannot be read.
        StorageError: the disk is full, read-only or forbidden.
    """
    _refuse_existing(target, zipped=zipped, replace=replace)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _unfinished(target) as place:
            contents = place / folder.run_id
            contents.mkdir()
            files = _fill(folder, contents, with_data=with_data)
            _refuse_keys(folder, contents, allow_lookalikes=allow_lookalikes)
            made = contents
            if zipped:
                made = place / "bundle.zip"
                _write_zip(contents, made)
            size = sum(path.stat().st_size for path in (made, *made.rglob("*")) if path.is_file())
            _put(made, target, place)
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written: {error.strerror or error}",
            "Make room, or choose another place with --to.",
        ) from None
    return Exported(target, files, size)


def _fill(folder: RunFolder, place: Path, *, with_data: bool) -> int:
    """Write everything into a folder and say how many files that is."""
    state = folder.state()
    with folder.journal() as journal:
        gathered = Gathered(state, gather(journal, state))
    write_contents(folder, place, gathered, with_data=with_data)
    metadata = crate_metadata(folder.run_id, place, gathered)
    (place / METADATA).write_text(metadata, encoding="utf-8")
    return sum(path.is_file() for path in place.rglob("*"))


def _refuse_existing(target: Path, *, zipped: bool, replace: bool) -> None:
    if not os.path.lexists(target):
        return
    if not replace:
        raise InputError(f"{target} exists already", "Use --force to replace it, or another place with --to.")
    ours = zipfile.is_zipfile(target) if zipped else (target / METADATA).is_file()
    if target.is_symlink() or not ours or target.is_dir() == zipped:
        raise InputError(
            f"{target} is no bundle of ours, so it is not replaced", "Choose another place with --to."
        )


def _refuse_keys(folder: RunFolder, contents: Path, *, allow_lookalikes: bool) -> None:
    leaks = list(find_keys_below(contents))
    if sure := [leak.path.as_posix() for leak in leaks if leak.certain]:
        raise InputError(
            f"a key of yours is in {_listed(sure)}, so nothing was exported",
            f"Change that key at its provider; the run's own files are in {folder.path}.",
        )
    if leaks and not allow_lookalikes:
        where = _listed([leak.path.as_posix() for leak in leaks])
        raise InputError(
            f"something in {where} looks like a key, so nothing was exported",
            "Look at it; --allow-lookalikes exports it all the same.",
        )


def _listed(paths: list[str]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more files" if len(paths) > 3 else "")


@contextlib.contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """A folder beside the target, gone in the end, so that nobody ever meets half a bundle."""
    place = Path(tempfile.mkdtemp(prefix=f".{target.name}.unfinished-", dir=target.parent))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _write_zip(contents: Path, zip_path: Path) -> None:
    """Pack a folder under its name: sorted, without times, owners or the machine's own ways."""
    with zipfile.ZipFile(zip_path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(contents.rglob("*")):
            if not path.is_file():
                continue
            entry = zipfile.ZipInfo(f"{contents.name}/{path.relative_to(contents).as_posix()}", EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = (stat.S_IFREG | READABLE) << 16
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=False) as packed:
                shutil.copyfileobj(source, packed)


def _put(made: Path, target: Path, place: Path) -> None:
    """Put what was made where it belongs; what was there goes first, and comes back if that fails."""
    if made.is_file():
        made.replace(target)
        return
    earlier = place / "earlier"
    if target.exists():
        target.rename(earlier)
    try:
        made.rename(target)
    except OSError:
        if earlier.exists():
            earlier.rename(target)
        raise
