"""Sandboxes on the user's own machine: a folder, a box around each script, and a supervisor.

Nothing here has to stay alive: supervisors run by themselves, and everything they do is in files
below ``<run folder>/sandboxes/<name>/``:

=================  ================================================================================
``work/``          what scripts see as their work folder; it outlives each exec
``execs/<id>/``    one exec; its files are said in ``supervisor.py``, its records are in ``lab/``
``library/``       what scripts import: ``lab`` and its companions
``heartbeat``      touched by the engine; when it stands still for the lease, execs end themselves
``spec.json``      made last when the sandbox is opened; says when its approved time is over
=================  ================================================================================

Beside them, ``<run folder>/data/`` is what the human gave the run, and ``<run folder>/shared/`` what
its experiments hand to each other: ``/data`` and ``/shared`` in the box. Without a box there is no such
path, and scripts find both by ``lab.data_path`` and ``lab.shared_path``.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import platformdirs

from core.errors import SandboxLost, SandboxUnavailable
from core.experiment import Compute
from core.sandbox.base import Isolation, OpenSandbox, SandboxSpec
from core.sandbox.environments import Environment, ready_environment
from core.sandbox.execs import ExecFolder
from core.sandbox.isolation import found_isolation
from core.sandbox.local_sandbox import NAME, LocalSandbox, remove_sandbox, write_whole
from core.sandbox.machines import checked_machine
from core.sandbox.setting import Places

LIBRARY_FILES = (Path(__file__).with_name("lab.py"), Path(__file__).with_name("wandb.py"))


class LocalProvider:
    """Opens sandboxes on this machine.

    Args:
        run_folder: the run's folder; sandboxes live below it.
        isolation: what to give scripts; None for the best that works here.
        lease_seconds: how long execs go on without an engine's heartbeat, in seconds.
        cache: where environments are kept; None for the user's cache folder.
    """

    name = "local"
    closing_seconds = 0.0

    def __init__(
        self,
        run_folder: Path,
        *,
        isolation: Isolation | None = None,
        lease_seconds: float = 600,
        cache: Path | None = None,
    ) -> None:
        self._folder = run_folder.absolute() / "sandboxes"
        self._places = Places(run_folder.absolute() / "data", run_folder.absolute() / "shared")
        self._isolation = isolation
        self._lease_seconds = lease_seconds
        self._cache = cache or platformdirs.user_cache_path("fumehood") / "environments"

    async def isolation(self) -> tuple[Isolation, str]:
        """The isolation that sandboxes will have, and what to do for better."""
        if self._isolation is not None:
            return self._isolation, ""
        found = await found_isolation()
        return found.isolation, found.next_step

    async def open(self, spec: SandboxSpec, name: str, progress: Callable[[str], None]) -> LocalSandbox:
        """Open a sandbox under a name, or find the one that has this name."""
        checked_machine(self.name, spec.compute)
        if not NAME.fullmatch(name):
            raise SandboxUnavailable(f"{name!r} cannot be the name of a sandbox")
        folder = self._folder / name
        environment = await ready_environment(spec.compute.packages, self._cache, progress)
        if not (folder / "spec.json").exists():
            self._make_folder(folder, spec, (await self.isolation())[0])
        return await self._sandbox(folder, spec, environment)

    async def reopen(self, sandbox_id: str, spec: SandboxSpec) -> LocalSandbox:
        """Find a sandbox again."""
        folder = self._folder / sandbox_id
        if not NAME.fullmatch(sandbox_id):
            raise SandboxLost(f"There is no sandbox {sandbox_id!r}")
        if not (folder / "spec.json").exists():
            # An engine may have died while it made or removed the folder; no script runs there.
            await asyncio.to_thread(remove_sandbox, folder)
            raise SandboxLost(f"The sandbox {sandbox_id} is gone")
        environment = await ready_environment(spec.compute.packages, self._cache, lambda _: None)
        return await self._sandbox(folder, spec, environment)

    async def list(self, run_id: str | None = None, *, inside: bool = True) -> list[OpenSandbox]:
        """Every sandbox in this run's folder."""
        found = []
        for path in sorted(self._folder.glob("*/spec.json")):
            opened = json.loads(path.read_bytes())
            if run_id in (None, opened["run_id"]):
                execs = sorted((path.parent / "execs").glob("*"))
                running = tuple(folder.name for folder in execs if inside and _runs(ExecFolder(folder)))
                name = path.parent.name
                found.append(OpenSandbox(id=name, name=name, run_id=opened["run_id"], running=running))
        return found

    async def end(self, sandbox_id: str) -> None:
        """End a sandbox in this run's folder, whatever runs in it."""
        folder = self._folder / sandbox_id
        try:
            opened = json.loads((folder / "spec.json").read_bytes()) if NAME.fullmatch(sandbox_id) else None
        except (OSError, ValueError):
            opened = None
        if opened is None:
            raise SandboxLost(f"There is no sandbox {sandbox_id!r}")
        # Only to be closed: it needs no packages, and keeps the isolation that it has.
        spec = SandboxSpec(run_id=opened["run_id"], compute=Compute())
        nothing = Environment(Path())
        sandbox = LocalSandbox(
            folder, self._places, spec, nothing, opened["isolation"], "", 0, self._lease_seconds
        )
        await sandbox.close()

    async def billed(self, sandbox_id: str) -> Decimal | None:
        """Nobody sends a bill for this machine."""
        return None

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def _sandbox(self, folder: Path, spec: SandboxSpec, environment: Environment) -> LocalSandbox:
        isolation, next_step = await self.isolation()
        opened = json.loads((folder / "spec.json").read_bytes())
        if isolation != opened["isolation"]:
            # Never less than what the human has agreed to, and never half of each.
            raise SandboxLost(
                f"The sandbox {folder.name} was opened with isolation {opened['isolation']!r}, and there is "
                f"{isolation!r} now",
                next_step,
                "refused",
            )
        box_program = shutil.which("bwrap") if isolation == "namespaces" else ""
        if box_program is None:
            raise SandboxUnavailable("bubblewrap is not installed", "Install it: sudo apt install bubblewrap")
        # An engine that comes back asks for what is left, so the first one's word counts.
        ends_at = opened.get("ends_at", time.time() + spec.compute.timeout_seconds)
        sandbox = LocalSandbox(
            folder,
            self._places.made(),
            spec,
            environment,
            isolation,
            box_program,
            ends_at,
            self._lease_seconds,
        )
        await sandbox.heartbeat()
        return sandbox

    def _make_folder(self, folder: Path, spec: SandboxSpec, isolation: Isolation) -> None:
        try:
            for inner in ("work", "temporary", "execs", "library"):
                (folder / inner).mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            for file in LIBRARY_FILES:
                shutil.copyfile(file, folder / "library" / file.name)
            (folder / "heartbeat").touch(mode=0o600)
            ends_at = time.time() + spec.compute.timeout_seconds
            opened = {"run_id": spec.run_id, "ends_at": ends_at, "isolation": isolation}
            write_whole(folder / "spec.json", opened)
        except OSError as error:
            raise SandboxUnavailable(
                f"The sandbox's folder cannot be made: {error.strerror}", f"Look at {folder}"
            ) from error


def _runs(run: ExecFolder) -> bool:
    return run.claimed and not run.ended()
