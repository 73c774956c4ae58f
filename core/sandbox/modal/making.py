"""Making sandboxes at Modal, so that none is made twice and none is left without a name.

A reply can be lost and a wait cut off with the sandbox made all the same. So each is made under a name
that was noted before, a create is seen to its end within bounds, and where it failed its name is asked
for. The life of a sandbox and its idle time always have a limit, whatever becomes of us.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import SandboxError, SandboxLost, SandboxUnavailable
from core.sandbox.base import SandboxSpec
from core.sandbox.modal.finding import Finder
from core.sandbox.modal.gpus import candidates, in_words
from core.sandbox.modal.images import FOLDER
from core.sandbox.modal.naming import SPECIFICATION, sandbox_name, tags_of
from core.sandbox.modal.prices import OWN_MEMORY_GIB
from core.sandbox.modal.sdk import one_line, vendor_errors

CREATE_SECONDS = 60.0
"""How long a machine without a GPU may take; it is there at once or not at all."""

SETTLE_SECONDS = 10.0
MIB_PER_GIB = 1024
ENTRYPOINT = ("sleep", "infinity")


class _NoRoom(Exception):
    """Modal has no machine of this kind now."""


@dataclass(frozen=True)
class Maker:
    """Makes sandboxes.

    Attributes:
        finder: finds what was made before.
        idle_seconds: how long a sandbox stays in which nothing runs, in seconds.
        room_seconds: how long to wait for room on a GPU, in seconds.
        any_room_seconds: how long for each but the last of those that ``any`` tries, in seconds.
        volumes: what is mounted, by path.
    """

    finder: Finder
    idle_seconds: int
    room_seconds: float
    any_room_seconds: float
    volumes: Mapping[str, Any] = field(default_factory=dict)

    async def make(self, spec: SandboxSpec, name: str, image: Any, progress: Callable[[str], None]) -> Any:
        """Make a sandbox, or find the one that an earlier engine made.

        Args:
            spec: what it shall be.
            name: its name in the run.
            image: the SDK's image.
            progress: called with each line that shows progress.

        Returns:
            The SDK's sandbox.

        Raises:
            SandboxUnavailable: Modal has no room, or does not give us one.
        """
        gpus = candidates(spec.compute.gpu)
        for gpu in gpus[:-1]:
            progress(f"Asking Modal for a machine with {in_words(gpu)}")
            try:
                return await self._create(spec, name, gpu, image, self.any_room_seconds)
            except _NoRoom:
                await self._remove(spec.run_id, name)
                progress(f"Modal has no {gpu} now")
        if gpus[-1] is not None:
            progress(f"Asking Modal for a machine with {in_words(gpus[-1])}")
        try:
            seconds = CREATE_SECONDS if gpus[-1] is None else self.room_seconds
            return await self._create(spec, name, gpus[-1], image, seconds)
        except _NoRoom as full:
            await self._remove(spec.run_id, name)
            raise SandboxUnavailable(
                f"Modal has no room for {in_words(spec.compute.gpu)}: {full}",
                "Try again later, ask for another GPU, or look at your workspace's limits",
                "no room",
            ) from full

    async def _create(self, spec: SandboxSpec, name: str, gpu: str | None, image: Any, seconds: float) -> Any:
        sdk = self.finder.connection.sdk
        arguments = self._arguments(spec, name, gpu) | {"image": image}
        creating = asyncio.ensure_future(sdk.Sandbox.create.aio(*ENTRYPOINT, **arguments))
        try:
            done, _ = await asyncio.wait({creating}, timeout=seconds)
            if not done:
                creating.cancel()  # The SDK then ends what it had asked for.
                await asyncio.wait({creating}, timeout=SETTLE_SECONDS)
                raise _NoRoom(f"none within {seconds:g} s")
            return creating.result()
        except asyncio.CancelledError:
            if gpu is not None:
                creating.cancel()  # It may wait for room for long; without a GPU it never does.
            await asyncio.wait({creating}, timeout=SETTLE_SECONDS)
            raise
        except sdk.exception.AlreadyExistsError:
            return await self._found(spec, name)
        except vendor_errors(sdk) as error:
            return await self._made_all_the_same(spec, name, gpu, error)

    async def _made_all_the_same(
        self, spec: SandboxSpec, name: str, gpu: str | None, error: Exception
    ) -> Any:
        """The sandbox whose create failed, if it was made in spite of that."""
        exceptions = self.finder.connection.sdk.exception
        if isinstance(error, exceptions.ResourceExhaustedError):
            raise _NoRoom(one_line(error)) from error
        if isinstance(error, exceptions.AuthError):
            # Not for this machine, but for all: a human can mend it, and the run goes on then.
            raise SandboxUnavailable(
                "Modal does not accept the token any more",
                "Set another with 'fumehood keys set', then stop and resume the run",
                "unreachable",
            ) from error
        if isinstance(error, exceptions.ConflictError) and not hasattr(error, "_grpc_status"):
            # No reply said so but the SDK itself: nothing was refused.
            raise SandboxUnavailable(
                f"The sandbox {name} ended at Modal before it had a machine: {one_line(error)}",
                "Look at status.modal.com; the run can be resumed",
                "ended",
            ) from error
        refusals = (exceptions.PermissionDeniedError, exceptions.InvalidError)
        if not isinstance(error, refusals):
            with contextlib.suppress(SandboxLost):
                return await self._found(spec, name)
        wanted = f"a sandbox with {in_words(gpu)}" if gpu else "a sandbox"
        raise SandboxUnavailable(
            f"Modal does not give us {wanted}: {one_line(error)}",
            "Look at your workspace's limits and at status.modal.com, or ask for another machine",
            "refused" if isinstance(error, refusals) else "unreachable",
        ) from error

    async def _found(self, spec: SandboxSpec, name: str) -> Any:
        """The sandbox that was made under this name, if it was made for just what is approved now.

        Raises:
            SandboxLost: there is none, or Modal does not say.
            SandboxUnavailable: another has the name; one of ours that is approved no more is ended.
        """
        found = await self.finder.own(spec.run_id, name)
        if (await self.finder.tags(found)).get(SPECIFICATION, "") == spec.specification:
            return found
        await self._remove(spec.run_id, name)
        raise SandboxUnavailable(
            f"A sandbox {name} was there that was approved otherwise, and was ended", "", "gone"
        )

    async def _remove(self, run_id: str, name: str) -> None:
        """See that nothing is left under a name that was given up."""
        with contextlib.suppress(SandboxError, *vendor_errors(self.finder.connection.sdk)):
            async with asyncio.timeout(SETTLE_SECONDS):
                while True:
                    found = await self.finder.own(run_id, name)
                    await found.terminate.aio()

    def _arguments(self, spec: SandboxSpec, name: str, gpu: str | None) -> dict[str, Any]:
        """What a sandbox is made with."""
        compute, connection = spec.compute, self.finder.connection
        memory = int(compute.memory_gib * MIB_PER_GIB)
        arguments: dict[str, Any] = {
            "app": connection.app,
            "client": connection.client,
            "name": sandbox_name(spec.run_id, name),
            "tags": tags_of(spec, name, gpu),
            "timeout": compute.timeout_seconds,
            "idle_timeout": min(self.idle_seconds, compute.timeout_seconds),
            "workdir": FOLDER,
            "cpu": (float(compute.cpus), float(compute.cpus)),
            "memory": (memory, memory + int(OWN_MEMORY_GIB * MIB_PER_GIB)),
            "block_network": compute.network == "blocked",
            "volumes": dict(self.volumes),
        }
        if compute.network == "allowed":
            arguments["outbound_domain_allowlist"] = list(compute.domains)
        if gpu is not None:
            arguments["gpu"] = gpu
        return arguments
