"""Names and tags of sandboxes: chosen before anything is made, so that anything is found again."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Mapping

from core.experiment import Compute
from core.sandbox.base import SandboxSpec

APP = "fumehood"
"""The app at Modal that all sandboxes belong to."""

OURS = "fumehood"
"""The tag that says that a sandbox is ours; nothing without it is ever touched."""

RUN = "fumehood-run"
NAME = "fumehood-experiment"
SPECIFICATION = "fumehood-specification"
"""The tag with the hash of the specification that was approved."""

GPU, CPUS, MEMORY = "fumehood-gpu", "fumehood-cpus", "fumehood-memory-gib"
"""Tags with what the sandbox was made with, for whoever wants to know what it costs."""

LONGEST_NAME = 64
DIGEST_CHARACTERS = 12


def sandbox_name(run_id: str, name: str) -> str:
    """The name at Modal: unique there, the same whenever it is asked for, at most 64 characters.

    Args:
        run_id: the run.
        name: the sandbox's name in the run.
    """
    whole = re.sub(r"[^A-Za-z0-9_.-]", "-", f"{run_id}.{name}")
    if len(whole) <= LONGEST_NAME:
        return whole
    digest = hashlib.sha256(f"{run_id}.{name}".encode()).hexdigest()[:DIGEST_CHARACTERS]
    return f"{whole[: LONGEST_NAME - DIGEST_CHARACTERS - 1]}.{digest}"


def identity(run_id: str, name: str) -> dict[str, str]:
    """The tags by which a sandbox is known to be this one of ours."""
    return {OURS: "1", RUN: run_id, NAME: name}


def is_ours(tags: Mapping[str, str]) -> bool:
    """Whether a sandbox with these tags was made by us."""
    return tags.get(OURS) == "1" and RUN in tags and NAME in tags


def tags_of(spec: SandboxSpec, name: str, gpu: str | None) -> dict[str, str]:
    """Every tag that a sandbox is made with: who it is, what was approved, and what it costs by."""
    tags = identity(spec.run_id, name) | {
        GPU: gpu or "",
        CPUS: str(spec.compute.cpus),
        MEMORY: f"{spec.compute.memory_gib:g}",
    }
    return tags | {SPECIFICATION: spec.specification} if spec.specification else tags


def compute_of(tags: Mapping[str, str]) -> Compute:
    """What a sandbox was made with, as far as it costs anything, by its tags."""
    with contextlib.suppress(ValueError, KeyError):
        return Compute(gpu=tags[GPU] or None, cpus=int(tags[CPUS]), memory_gib=float(tags[MEMORY]))
    return Compute(gpu="unknown")
