"""Unique fake keys, and a search for them in every encoding that a leak could take."""

from __future__ import annotations

import base64
import contextlib
import gzip
import html
import io
import json
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

LAST = 16
"""So many of a key's last characters are as good as the key."""

MARKUP = re.compile(rb"<[^>]*>")
ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
MOST_DEPTH = 3


def forms(value: str) -> dict[str, bytes]:
    """Every form in which a key is looked for, by its name."""
    raw = value.encode()
    found = {
        "raw": raw,
        "URL-quoted": quote(value, safe="").encode(),
        "JSON": json.dumps(value)[1:-1].encode(),
        "hex": raw.hex().encode(),
        "upper hex": raw.hex().upper().encode(),
        "reversed": raw[::-1],
        "UTF-16, little end first": value.encode("utf-16-le"),
        "UTF-16, big end first": value.encode("utf-16-be"),
        "last characters": raw[-LAST:],
    }
    for shift in range(3):
        # Base64 of a longer text has the key's own part at one of three alignments; its edges mix with
        # what stands around it.
        for name, encode in (("base64", base64.b64encode), ("URL base64", base64.urlsafe_b64encode)):
            encoded = encode(b"\0" * shift + raw).rstrip(b"=")
            found[f"{name}, shifted by {shift}"] = encoded[
                (0, 2, 3)[shift] : -1 if len(raw + b"\0" * shift) % 3 else None
            ]
    return found


class Canaries:
    """Fake keys by the place where they were put.

    Args:
        keys: the place and the key.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self._forms = [
            (place, form, sought) for place, value in keys.items() for form, sought in forms(value).items()
        ]

    def leaks_in(self, data: bytes, where: str) -> list[str]:
        """Every key in some bytes, also inside what is packed or painted in them.

        Args:
            data: the bytes.
            where: what they are, for the answer.
        """
        leaks: dict[str, None] = {}
        for content, inside in _layers(data, where, MOST_DEPTH):
            for place, form, sought in self._forms:
                if sought in content:
                    leaks[f"the key in {place} ({form}) is in {inside}"] = None
        return list(leaks)

    def leaks_below(self, folder: Path, but: frozenset[Path] = frozenset()) -> list[str]:
        """Every key in a file below a folder, or in a file's name.

        Args:
            folder: where to look.
            but: files that the test itself wrote keys into.
        """
        leaks = []
        for path in sorted(folder.rglob("*")):
            leaks += self.leaks_in(str(path.relative_to(folder)).encode(), f"the name {path.name}")
            if path.is_symlink():
                leaks += self.leaks_in(str(path.readlink()).encode(), f"the link {path}")
            elif path.is_file() and path not in but:
                leaks += self.leaks_in(path.read_bytes(), str(path))
        return leaks

    def leaks_in_processes(self, but: frozenset[int] = frozenset()) -> list[str]:
        """Every key in the command line or the environment of a process that we may read.

        Args:
            but: processes that the test itself gave keys to.
        """
        leaks = []
        for process in Path("/proc").glob("[0-9]*"):
            if int(process.name) in but:
                continue
            for name in ("cmdline", "environ"):
                try:
                    data = (process / name).read_bytes()
                    program = (
                        (process / "cmdline").read_bytes().replace(b"\0", b" ")[:200].decode(errors="replace")
                    )
                except OSError:
                    continue  # it is gone, or not ours to read
                leaks += self.leaks_in(data, f"/proc/{process.name}/{name} of {program}")
        return leaks


def _layers(data: bytes, where: str, depth: int) -> Iterator[tuple[bytes, str]]:
    """The bytes, and whatever is packed or painted in them."""
    yield data, where
    if b"<" in data or b"\x1b" in data:
        plain = ESCAPES.sub(b"", MARKUP.sub(b"", data))
        yield plain, f"the text of {where}"
        yield html.unescape(plain.decode(errors="replace")).encode(), f"the text of {where}"
        yield re.sub(rb"[\s|]+", b"", plain), f"the joined lines of {where}"
    if depth:
        for content, inside in _unpacked(data, where):
            yield from _layers(content, inside, depth - 1)


def _unpacked(data: bytes, where: str) -> Iterator[tuple[bytes, str]]:
    for start in (match.start() for match in re.finditer(rb"\x1f\x8b\x08", data)):
        try:
            yield zlib.decompressobj(wbits=31).decompress(data[start:]), f"gzip in {where}"
        except zlib.error:
            continue
    if data[:1] == b"\x78":
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj().decompress(data), f"zlib in {where}"
    if b"PK\x03\x04" in data:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for name in archive.namelist():
                    yield archive.read(name), f"{name} in {where}"
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
            pass
    if data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar.getmembers():
                if (file := tar.extractfile(member)) is not None:
                    yield file.read(), f"{member.name} in {where}"


def gzipped(data: bytes) -> bytes:
    """Packed as ``gzip`` packs."""
    return gzip.compress(data)


def zipped(data: bytes) -> bytes:
    """Packed as ``zip`` packs, squeezed."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/file.txt", data)
    return file.getvalue()


def tarred(data: bytes) -> bytes:
    """Packed as ``tar`` packs."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("inner/file.txt")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()
