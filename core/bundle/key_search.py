"""Looks for keys in files that are about to leave this machine."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.keys.redaction import unmistakable_forms

CHUNK_BYTES = 4 * 1024 * 1024
OVERLAP_BYTES = 8 * 1024
"""What two chunks share, so that no key lies between them; longer than any form of a key."""

LOOKALIKES = re.compile(
    rb"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{24,}|AIza[A-Za-z0-9_-]{35}|(?:ak|as)-[A-Za-z0-9]{22,})"
)
"""What keys of providers look like."""


@dataclass(frozen=True)
class Leak:
    """A key in a file.

    Attributes:
        path: the file, relative to what was searched.
        certain: whether it is a key that this process holds; else it only looks like one.
    """

    path: Path
    certain: bool


def find_keys_below(place: Path) -> Iterator[Leak]:
    """Every file below a folder that has a key in it, or something that looks like one.

    Keys are looked for as they are, quoted for URLs and JSON, and in Base64 at each of its alignments.

    Raises:
        OSError: a file cannot be read.
    """
    sought = tuple(dict.fromkeys(form for key in unmistakable_forms() for form in _forms(key)))
    for path in sorted(path for path in place.rglob("*") if path.is_file()):
        found = _search(path, sought)
        if found is not None:
            yield Leak(path.relative_to(place), found)


def _search(path: Path, sought: Iterable[bytes]) -> bool | None:
    """Whether a file surely has a key in it; None where nothing in it even looks like one."""
    lookalike = None
    for chunk in _chunks(path):
        if any(form in chunk for form in sought):
            return True
        if lookalike is None and any(map(_mixed, LOOKALIKES.findall(chunk))):
            lookalike = False
    return lookalike


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        before = b""
        while chunk := file.read(CHUNK_BYTES):
            yield before + chunk
            before = chunk[-OVERLAP_BYTES:]


def _mixed(text: bytes) -> bool:
    """Whether it has digits and letters of both cases, as keys have and names joined by dashes have not."""
    return bool(re.search(rb"\d", text) and re.search(rb"[a-z]", text) and re.search(rb"[A-Z]", text[2:]))


def _forms(key: str) -> Iterator[bytes]:
    raw = key.encode()
    yield raw
    yield raw.hex().encode()
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * shift + raw).rstrip(b"=")
            # The edges mix with what stands around the key.
            yield encoded[(0, 2, 3)[shift] : -1 if (len(raw) + shift) % 3 else None]
