"""Figures that the code of experiments drew: which of them a paper shows, and their content."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.evidence.evidence import Evidence

LARGEST_BYTES = 4 * 1024 * 1024
"""A larger figure is not shown in a paper."""

MOST_PICTURES = 16
"""Figures of a paper that experiments drew."""

MOST_PIXELS = 30_000_000
"""A picture with more of them could fill the memory when it is unpacked."""

FORMATS = ("png", "jpg", "svg", "pdf")


@dataclass(frozen=True)
class Picture:
    """A figure that an experiment's code drew, by content.

    Attributes:
        sha256: of its content.
        format: one of ``FORMATS``, by its name.
        name: what the code called it.
        exec_id: the exec that drew it.
    """

    sha256: str
    format: str
    name: str
    exec_id: str


def pictures_of(evidence: Evidence) -> tuple[Picture, ...]:
    """The figures that a run's execs left behind; one that was kept in several formats is shown once."""
    found: dict[tuple[str, str], Picture] = {}
    for artifact in sorted(evidence.ledger.artifacts, key=lambda a: not a.file.lower().endswith("svg")):
        suffix = artifact.file.rpartition(".")[2].lower().replace("jpeg", "jpg")
        facts = evidence.ledger.execs.get(artifact.exec_id)
        if suffix not in FORMATS or artifact.size_bytes > LARGEST_BYTES or facts is None or facts.doubt:
            continue
        if len(artifact.sha256) == 64 and set(artifact.sha256) <= set("0123456789abcdef"):
            picture = Picture(artifact.sha256, suffix, artifact.name, artifact.exec_id)
            found.setdefault((artifact.exec_id, artifact.name.rpartition(".")[0] or artifact.name), picture)
    once = {picture.sha256: picture for picture in found.values()}
    return tuple(sorted(once.values(), key=lambda p: (p.exec_id, p.name, p.sha256)))[:MOST_PICTURES]


def read_pictures(pictures: Sequence[Picture], files: Path) -> dict[str, bytes]:
    """The content of figures, by hash; what is gone, changed, too large or no picture is left out.

    Args:
        pictures: which ones.
        files: the run's folder of artifacts by content.
    """
    found: dict[str, bytes] = {}
    for picture in pictures:
        path = files / picture.sha256
        try:
            content = path.read_bytes() if path.stat().st_size <= LARGEST_BYTES else b""
        except OSError:
            continue
        if hashlib.sha256(content).hexdigest() == picture.sha256 and looks_sound(content, picture.format):
            found[picture.sha256] = content
    return found


def sound_pictures(contents: Mapping[str, bytes], pictures: Sequence[Picture]) -> dict[str, bytes]:
    """The contents that are what their hash and format say."""
    return {
        p.sha256: contents[p.sha256]
        for p in pictures
        if p.sha256 in contents
        and hashlib.sha256(contents[p.sha256]).hexdigest() == p.sha256
        and looks_sound(contents[p.sha256], p.format)
    }


def looks_sound(content: bytes, picture_format: str) -> bool:
    """Whether a content begins as its format does, and is not too large once unpacked."""
    if picture_format == "png":
        if not content.startswith(b"\x89PNG\r\n\x1a\n") or len(content) < 24:
            return False
        width, height = struct.unpack(">II", content[16:24])
        return bool(0 < width * height <= MOST_PIXELS)
    if picture_format == "jpg":
        return content.startswith(b"\xff\xd8\xff") and _pixels_of_jpeg(content) <= MOST_PIXELS
    if picture_format == "svg":
        return b"<svg" in content[:4096] and b"<!ENTITY" not in content
    return content.startswith(b"%PDF-")


def _pixels_of_jpeg(content: bytes) -> int:
    """Width times height as the frame header says; a large number where there is none."""
    place = 2
    while place + 9 < len(content) and content[place] == 0xFF:
        marker, length = content[place + 1], int.from_bytes(content[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height = int.from_bytes(content[place + 5 : place + 7], "big")
            return height * int.from_bytes(content[place + 7 : place + 9], "big")
        place += 2 + length
    return MOST_PIXELS + 1
