"""Keeping what scripts left behind, before their sandbox is closed."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from core.errors import SandboxError
from core.record.live import LiveRun
from core.sandbox.base import Sandbox

LARGEST_BYTES = 64 * 1024 * 1024
"""A larger artifact is left behind, and that is logged."""

MOST_BYTES = 512 * 1024 * 1024
"""Artifacts of one experiment together."""

log = logging.getLogger("fumehood.artifacts")


async def keep_artifacts(live: LiveRun, experiment_id: str, sandbox: Sandbox) -> None:
    """Copy every artifact that an experiment's scripts recorded into the run's files, by content.

    What is too large, gone, or not what its record says is left behind and logged: an artifact is
    an extra, and its loss must not cost a result.
    """
    kept = 0
    for name in live.state.experiments[experiment_id].execs:
        for record in live.journal.records(name):
            if record.kind != "artifact":
                continue
            path, sha256 = str(record.body.get("file", "")), str(record.body.get("sha256", ""))
            try:
                content = await sandbox.fetch(f"{name}/{path}", min(LARGEST_BYTES, MOST_BYTES - kept))
            except (OSError, ValueError, SandboxError) as error:
                log.warning("artifact %r of %s is not kept: %s", path, name, error)
                continue
            if hashlib.sha256(content).hexdigest() != sha256:
                log.warning("artifact %r of %s is not what its record says", path, name)
                continue
            kept += len(content)
            _keep(live.folder.files / sha256, content)


def _keep(path: Path, content: bytes) -> None:
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(content)
        unfinished.replace(path)
