"""Keeping what scripts left behind: as soon as each has ended, and before their sandbox is closed."""

from __future__ import annotations

import hashlib
import logging
import re
from pathlib import Path

from core.errors import SandboxError
from core.record.live import LiveRun
from core.sandbox.base import Sandbox

LARGEST_BYTES = 64 * 1024 * 1024
"""A larger artifact is left behind, and that is logged."""

MOST_BYTES = 512 * 1024 * 1024
"""Artifacts of one experiment together."""

SHA256 = re.compile(r"[0-9a-f]{64}")

log = logging.getLogger("fumehood.artifacts")


async def keep_artifacts(
    live: LiveRun, experiment_id: str, sandbox: Sandbox, exec_id: str | None = None
) -> None:
    """Copy artifacts that an experiment's scripts recorded into the run's files, by content.

    What is there already is not copied again. What is too large, gone, or not what its record says is
    left behind and logged: an artifact is an extra, and its loss must not cost a result.

    Args:
        live: the run.
        experiment_id: the experiment.
        sandbox: its sandbox.
        exec_id: the exec whose artifacts are wanted; None for all of the experiment.
    """
    kept = 0
    for name in live.state.experiments[experiment_id].execs:
        for record in live.journal.records(name, kind="artifact"):
            path, sha256 = str(record.body.get("file", "")), str(record.body.get("sha256", ""))
            if SHA256.fullmatch(sha256) and (known := live.folder.files / sha256).is_file():
                kept += known.stat().st_size
            elif exec_id in (None, name):
                kept += await _fetch(live, sandbox, name, path, sha256, min(LARGEST_BYTES, MOST_BYTES - kept))


async def _fetch(live: LiveRun, sandbox: Sandbox, exec_id: str, path: str, sha256: str, limit: int) -> int:
    """Copy one artifact; how many bytes that were."""
    try:
        content = await sandbox.fetch(f"{exec_id}/{path}", limit)
    except (OSError, ValueError, SandboxError) as error:
        log.warning("artifact %r of %s is not kept: %s", path, exec_id, error)
        return 0
    if hashlib.sha256(content).hexdigest() != sha256:
        log.warning("artifact %r of %s is not what its record says", path, exec_id)
        return 0
    _keep(live.folder.files / sha256, content)
    return len(content)


def _keep(path: Path, content: bytes) -> None:
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(content)
        unfinished.replace(path)
