"""What a script on this machine is run with: its box, its limits and its environment."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.sandbox import bubblewrap
from core.sandbox.base import SandboxSpec
from core.sandbox.environments import Environment
from core.sandbox.execs import ExecFolder

GIB = 1024**3
OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024
NICENESS = 5
BLOCK_BYTES = 4096
"""What the smallest file is counted as, as the supervisor counts."""


@dataclass(frozen=True)
class Places:
    """Folders that all sandboxes of a run on this machine have in common.

    Attributes:
        data: the human's files, only to be read.
        shared: what experiments hand to each other.
    """

    data: Path
    shared: Path

    def made(self) -> Places:
        """They are there, whatever has been put into them so far."""
        for folder in (self.data, self.shared):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def shared_bytes(self) -> int:
        """What the files that experiments have handed on fill on disk, in bytes."""
        total = 0
        for parent, folders, files in os.walk(self.shared):
            for name in (*folders, *files):
                with contextlib.suppress(OSError):
                    total += max(BLOCK_BYTES, Path(parent, name).lstat().st_blocks * 512)
        return total


@dataclass(frozen=True)
class Setting:
    """What every exec of one sandbox has in common.

    Attributes:
        folder: the sandbox's files.
        places: what it has in common with the run's other sandboxes.
        spec: what it was opened with.
        environment: its interpreter and packages.
        box_program: the path of ``bwrap``; empty for no box.
        lease_seconds: how long execs go on without a heartbeat, in seconds.
    """

    folder: Path
    places: Places
    spec: SandboxSpec
    environment: Environment
    box_program: str
    lease_seconds: float

    def policy(
        self, run: ExecFolder, *, seconds_left: float, trial: bool, shared_bytes: int = 0
    ) -> dict[str, Any]:
        """What the supervisor is told; its fields are said in ``supervisor.py``.

        Args:
            run: the exec.
            seconds_left: what is left of the sandbox's life, in seconds.
            trial: whether nothing that the script measures will count.
            shared_bytes: what experiments have handed on so far, in bytes.
        """
        compute = self.spec.compute
        memory = int(compute.memory_gib * GIB)
        own = [str(self.folder / "work"), str(self.folder / "temporary"), str(run.lab)]
        policy: dict[str, Any] = {
            "environment": self._environment(run, trial=trial),
            "wall_seconds": seconds_left,
            "cpu_seconds": max(1.0, seconds_left * compute.cpus),
            "memory_bytes": memory,
            # What others have handed on takes nothing of this experiment's room.
            "disk_bytes": int(compute.disk_gib * GIB) + shared_bytes,
            "processes": compute.processes,
            "output_bytes": OUTPUT_LIMIT_BYTES,
            "disk_folders": [*own, str(self.places.shared)],
            "heartbeat": str(self.folder / "heartbeat"),
            "lease_seconds": self.lease_seconds,
            "niceness": NICENESS,
        }
        python = str(self.environment.python)
        if not self.box_program:
            work = str(self.folder / "work")
            return policy | {"command": [python, str(run.path / "script.py")], "work_folder": work}
        box = self._box(run, memory // 2)
        return policy | {
            "command": bubblewrap.bubblewrap_command(self.box_program, box, [python, str(bubblewrap.SCRIPT)]),
            "work_folder": "/",
            "box_processes": bubblewrap.BOX_PROCESSES,
            "memory_folders": box.memory_folders,
            "shell_exit_codes": True,
        }

    def _box(self, run: ExecFolder, folder_bytes: int) -> bubblewrap.Box:
        binds = [
            *(bubblewrap.Bind(path, path) for path in self.environment.paths),
            bubblewrap.Bind(self.folder / "library", bubblewrap.LIBRARY),
            bubblewrap.Bind(run.path / "script.py", bubblewrap.SCRIPT),
            bubblewrap.Bind(self.folder / "work", bubblewrap.WORK, writable=True),
            bubblewrap.Bind(run.lab, bubblewrap.LAB, writable=True),
            bubblewrap.Bind(self.places.data, bubblewrap.DATA),
            bubblewrap.Bind(self.places.shared, bubblewrap.SHARED, writable=True),
        ]
        return bubblewrap.Box(binds, self.spec.compute.network == "open", folder_bytes)

    def _environment(self, run: ExecFolder, *, trial: bool) -> dict[str, str]:
        """The script's whole environment, built from nothing."""
        boxed = bool(self.box_program)
        work = str(bubblewrap.WORK if boxed else self.folder / "work")
        library = str(bubblewrap.LIBRARY if boxed else self.folder / "library")
        threads = str(self.spec.compute.cpus)
        return {
            **self.spec.environment,
            "PATH": f"{self.environment.folder / 'bin'}:/usr/local/bin:/usr/bin:/bin",
            "HOME": work,
            "USER": "experiment",
            "LOGNAME": "experiment",
            "LANG": "C.UTF-8",
            "TMPDIR": "/tmp" if boxed else str(self.folder / "temporary"),  # noqa: S108
            "PYTHONPATH": f"{library}:{work}",
            "PYTHONUNBUFFERED": "1",
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "MPLBACKEND": "Agg",
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "NUMEXPR_NUM_THREADS": threads,
            "VECLIB_MAXIMUM_THREADS": threads,
            "LAB_DIR": str(bubblewrap.LAB if boxed else run.lab),
            "LAB_SCRIPT": str(bubblewrap.SCRIPT if boxed else run.path / "script.py"),
            "LAB_DATA": str(bubblewrap.DATA if boxed else self.places.data),
            "LAB_SHARED": str(bubblewrap.SHARED if boxed else self.places.shared),
            "LAB_SEEDS": json.dumps(self.spec.seeds) if self.spec.seeds else "",
            "LAB_TRIAL": "1" if trial else "",
        }
