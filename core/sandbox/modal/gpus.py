"""GPUs that Modal has, by name, and what ``any`` means."""

from __future__ import annotations

import re
from difflib import get_close_matches

from core.errors import SandboxUnavailable

KNOWN = (
    "T4",
    "L4",
    "A10",
    "L40S",
    "A100",
    "A100-40GB",
    "A100-80GB",
    "RTX-PRO-6000",
    "H100",
    "H100!",
    "H200",
    "B200",
    "B200+",
)
"""Modal's names, from its guide, 2026-11. ``A100`` is ``A100-40GB``; ``H100!`` is never an H200."""

ANY = "any"
ANY_OF = ("T4", "L4", "A10", "L40S")
"""What ``any`` tries, the cheapest first; it is priced as the last."""

MOST = {"A10": 4}
"""GPUs of a kind in one sandbox; others up to eight."""

MOST_OF_OTHERS = 8

LEAST_LIKENESS = 0.5
"""How like a name must be to be the one that was meant, from 0 to 1, see ``difflib``."""

UPGRADES = {"H100": "an H200", "B200+": "a B300"}
"""What Modal may give instead, for a name that does not pin it down (vendor's guide, 2026-11)."""


def gpu_name(text: str) -> str:
    """A GPU as Modal writes it.

    Args:
        text: as it was asked for, in any case, e.g. ``h100`` or ``A100-80GB:2``.

    Raises:
        SandboxUnavailable: Modal has no such GPU.
    """
    match = re.fullmatch(r"([^:]+)(?::([1-9]\d?))?", text.strip())
    name = match[1].upper() if match else ""
    if name == ANY.upper() and match is not None and match[2] is None:
        return ANY
    count = int(match[2] or 1) if match else 0
    if name not in KNOWN or count > MOST.get(name, MOST_OF_OTHERS):
        near = nearest(text)
        raise SandboxUnavailable(
            f"Modal has no GPU {text!r}",
            (f"Did you mean {near}? " if near else "")
            + f"Choose one of {', '.join(KNOWN)}, or {ANY} for the cheapest",
        )
    return f"{name}:{count}" if count > 1 else name


def nearest(text: str) -> str:
    """The GPU whose name is nearest to what was typed, as many as there can be; empty where none is near."""
    kind, _, count = text.strip().upper().partition(":")
    near = get_close_matches(kind, KNOWN, n=1, cutoff=LEAST_LIKENESS)
    if not near:
        return ""
    most = min(int(count) if count.isdecimal() else 1, MOST.get(near[0], MOST_OF_OTHERS))
    return f"{near[0]}:{most}" if most > 1 else near[0]


def candidates(gpu: str | None) -> tuple[str | None, ...]:
    """The GPUs to try, in this order; the one that was asked for unless that was ``any``."""
    if gpu is None:
        return (None,)
    name = gpu_name(gpu)
    return ANY_OF if name == ANY else (name,)


def in_words(gpu: str | None) -> str:
    """A GPU for people, with what ``any`` means."""
    if gpu is None:
        return "no GPU"
    name = gpu_name(gpu)
    return f"the cheapest of {', '.join(ANY_OF)} with room" if name == ANY else name


def offer_in_words(gpu: str) -> str:
    """A GPU for whoever decides about it: how many, and what the name may turn out to be."""
    name = gpu_name(gpu)
    if name == ANY:
        return "the cheapest GPU with room"
    kind, _, count = name.partition(":")
    return f"{count or 1} × {kind}" + (f" (or {UPGRADES[kind]})" if kind in UPGRADES else "")
