"""Where sandboxes at Modal come from: made under a name chosen before, and found again by it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from core.errors import SandboxError, SandboxLost, SandboxUnavailable
from core.experiment import Compute
from core.sandbox.base import Isolation, OpenSandbox, SandboxSpec
from core.sandbox.modal.account import Account, Connection, Credentials
from core.sandbox.modal.commands import gone
from core.sandbox.modal.gpus import candidates, in_words
from core.sandbox.modal.images import FOLDER, Images
from core.sandbox.modal.naming import (
    APP,
    CPUS,
    GPU,
    MEMORY,
    NAME,
    OURS,
    RUN,
    SPECIFICATION,
    identity,
    is_ours,
    sandbox_name,
)
from core.sandbox.modal.prices import OWN_MEMORY_GIB, Prices
from core.sandbox.modal.sandbox import ModalSandbox
from core.sandbox.modal.sdk import one_line, vendor_errors

IDLE_SECONDS = 900
"""A sandbox in which nothing runs ends itself after these. Longer than the lease, so that how a script
ended can still be read by the engine that comes back."""

ROOM_SECONDS = 600.0
"""How long to wait for room on a GPU that was asked for."""

ANY_ROOM_SECONDS = 60.0
"""How long to wait for each but the last of those that ``any`` tries."""

PATIENCE_SECONDS = 120.0
ASK_SECONDS = 30.0
SETTLE_SECONDS = 10.0
MIB_PER_GIB = 1024


class ModalProvider:
    """Opens sandboxes in the user's workspace at Modal.

    Args:
        credentials: the workspace's token.
        lease_seconds: how long execs go on without an engine's heartbeat, in seconds.
        idle_seconds: how long a sandbox stays in which nothing runs, in seconds.
        patience_seconds: how long nothing may be heard of a sandbox before it counts as lost.
        room_seconds: how long to wait for room on a GPU, in seconds.
        any_room_seconds: how long for each but the last of those that ``any`` tries, in seconds.
        login_seconds: how long logging in may take, in seconds.
    """

    name = "modal"

    def __init__(
        self,
        credentials: Credentials,
        *,
        lease_seconds: float = 600,
        idle_seconds: int = IDLE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        room_seconds: float = ROOM_SECONDS,
        any_room_seconds: float = ANY_ROOM_SECONDS,
        login_seconds: float = 10.0,
    ) -> None:
        self.account = Account(credentials, login_seconds)
        self._lease_seconds = lease_seconds
        self._idle_seconds = idle_seconds
        self._patience_seconds = patience_seconds
        self._room_seconds = room_seconds
        self._any_room_seconds = any_room_seconds
        self._images = Images()

    async def isolation(self) -> tuple[Isolation, str]:
        """Every sandbox is another machine."""
        return "remote machine", ""

    async def open(self, spec: SandboxSpec, name: str, progress: Callable[[str], None]) -> ModalSandbox:
        """Open a sandbox under a name, or find the one that has this name."""
        gpus = candidates(spec.compute.gpu)
        connection = await self.account.connect()
        image = await self._images.image(connection, spec.compute.packages, progress)
        found = None
        for number, gpu in enumerate(gpus):
            last = number == len(gpus) - 1
            if gpu is not None:
                progress(f"Asking Modal for a machine with {in_words(gpu)}")
            try:
                found = await self._create(connection, spec, name, gpu, image, last=last)
                break
            except _NoRoom as full:
                await self._remove(connection, spec.run_id, name)
                if last:
                    raise SandboxUnavailable(
                        f"Modal has no room for {in_words(spec.compute.gpu)}: {full}",
                        "Try again later, ask for another GPU, or look at your workspace's limits",
                    ) from full
                progress(f"Modal has no {gpu} now")
        sandbox = self._sandbox(connection, found, name, spec)
        await sandbox.furnish()
        return sandbox

    async def reopen(self, sandbox_id: str, spec: SandboxSpec) -> ModalSandbox:
        """Find a sandbox again, by Modal's id or by the name it was opened under."""
        connection = await self.account.connect()
        found = await self._find(connection, sandbox_id, spec.run_id)
        tags = await self._ask(connection, found.get_tags.aio, sandbox_id)
        if not is_ours(tags) or tags[RUN] != spec.run_id:
            raise SandboxLost(f"The sandbox {sandbox_id} is not one of this run")
        exit_code = await self._ask(connection, found.poll.aio, sandbox_id)
        if exit_code is not None:
            raise gone(tags[NAME], exit_code)
        sandbox = self._sandbox(connection, found, tags[NAME], spec)
        await sandbox.furnish()
        return sandbox

    async def list(self, run_id: str | None = None) -> list[OpenSandbox]:
        """Every sandbox of ours that is still there, with what it costs."""
        connection = await self.account.connect()
        tags = {OURS: "1"} if run_id is None else {OURS: "1", RUN: run_id}
        prices = await self.account.prices()
        try:
            async with asyncio.timeout(ASK_SECONDS):
                listed = connection.sdk.Sandbox.list.aio(
                    app_id=connection.app.app_id, tags=tags, client=connection.client
                )
                sandboxes = [sandbox async for sandbox in listed]
            described = await asyncio.gather(
                *(self._described(connection, sandbox, prices) for sandbox in sandboxes)
            )
        except vendor_errors(connection.sdk) as error:
            raise SandboxUnavailable(
                f"Modal does not say which sandboxes there are: {one_line(error)}", "Try again"
            ) from error
        return [sandbox for sandbox in described if sandbox is not None]

    async def end(self, sandbox_id: str) -> None:
        """End a sandbox of ours, whatever runs in it.

        Raises:
            SandboxLost: there is none of ours by that id.
        """
        connection = await self.account.connect()
        found = await self._find(connection, sandbox_id, "")
        tags = await self._ask(connection, found.get_tags.aio, sandbox_id)
        if not is_ours(tags):
            raise SandboxLost(f"The sandbox {sandbox_id} is not one of ours")
        spec = SandboxSpec(run_id=tags[RUN], compute=Compute())
        await self._sandbox(connection, found, tags[NAME], spec).close()

    async def billed(self, sandbox_id: str) -> Decimal | None:
        """What Modal says that a sandbox has cost, USD; None where it does not say (yet)."""
        connection = await self.account.connect()
        # The vendor calls this experimental: it may go.
        errors: tuple[type[Exception], ...] = (*vendor_errors(connection.sdk), AttributeError)
        try:
            async with asyncio.timeout(ASK_SECONDS):
                sandbox = await connection.sdk.Sandbox.from_id.aio(sandbox_id, client=connection.client)
                stats = await sandbox._experimental_stats.aio()
        except errors:
            return None
        cost: Decimal | None = stats.cost
        return cost

    async def close(self) -> None:
        """Let go of the connection; sandboxes stay."""
        await self.account.close()

    def _sandbox(self, connection: Connection, found: Any, name: str, spec: SandboxSpec) -> ModalSandbox:
        return ModalSandbox(
            connection.sdk,
            found,
            name,
            spec,
            lease_seconds=self._lease_seconds,
            patience_seconds=self._patience_seconds,
        )

    async def _create(
        self, connection: Connection, spec: SandboxSpec, name: str, gpu: str | None, image: Any, *, last: bool
    ) -> Any:
        """Make the sandbox, or find the one that an earlier engine made.

        A reply can be lost and a wait cut off with the sandbox made all the same. So a create is
        never left half way: it is seen to its end, within bounds, and the name finds what it made.
        """
        sdk = connection.sdk
        creating = asyncio.ensure_future(
            sdk.Sandbox.create.aio(
                "sleep", "infinity", **self._arguments(connection, spec, name, gpu), image=image
            )
        )
        seconds = self._room_seconds if last else self._any_room_seconds
        try:
            done, _ = await asyncio.wait({creating}, timeout=seconds if gpu else ASK_SECONDS)
            if not done:
                await _settle(creating)
                raise _NoRoom(f"none within {seconds:g} s")
            return creating.result()
        except asyncio.CancelledError:
            if gpu:
                creating.cancel()  # The SDK then ends what it had asked for.
            await asyncio.wait({creating}, timeout=SETTLE_SECONDS)
            raise
        except sdk.exception.AlreadyExistsError:
            return await self._adopt(connection, spec.run_id, name)
        except vendor_errors(sdk) as error:
            return await self._made_all_the_same(connection, spec, name, gpu, error)

    async def _made_all_the_same(
        self, connection: Connection, spec: SandboxSpec, name: str, gpu: str | None, error: Exception
    ) -> Any:
        """The sandbox whose create failed, if it was made in spite of that."""
        exceptions = connection.sdk.exception
        refusals = (exceptions.AuthError, exceptions.PermissionDeniedError, exceptions.InvalidError)
        if isinstance(error, exceptions.ResourceExhaustedError):
            raise _NoRoom(one_line(error)) from error
        if not isinstance(error, refusals):
            with contextlib.suppress(SandboxLost):
                return await self._adopt(connection, spec.run_id, name)
        wanted = f"a sandbox with {in_words(gpu)}" if gpu else "a sandbox"
        raise SandboxUnavailable(
            f"Modal does not give us {wanted}: {one_line(error)}",
            "Look at your workspace's limits and at status.modal.com, or ask for another machine",
        ) from error

    async def _adopt(self, connection: Connection, run_id: str, name: str) -> Any:
        """The sandbox that has our name, if it is ours.

        Raises:
            SandboxLost: there is none.
            SandboxUnavailable: another has the name.
        """
        found = await self._find(connection, name, run_id)
        tags = await self._ask(connection, found.get_tags.aio, name)
        if not identity(run_id, name).items() <= tags.items():
            raise SandboxUnavailable(
                f"Another sandbox at Modal is called {sandbox_name(run_id, name)}",
                "End it, and resume the run",
            )
        return found

    async def _remove(self, connection: Connection, run_id: str, name: str) -> None:
        """See that nothing is left under a name that was given up."""
        with contextlib.suppress(SandboxError, *vendor_errors(connection.sdk)):
            async with asyncio.timeout(SETTLE_SECONDS):
                while True:
                    found = await self._adopt(connection, run_id, name)
                    await found.terminate.aio()

    async def _find(self, connection: Connection, sandbox_id: str, run_id: str) -> Any:
        sandboxes, client = connection.sdk.Sandbox, connection.client
        if sandbox_id.startswith("sb-"):
            return await self._ask(
                connection, lambda: sandboxes.from_id.aio(sandbox_id, client=client), sandbox_id
            )
        name = sandbox_name(run_id, sandbox_id)
        return await self._ask(
            connection, lambda: sandboxes.from_name.aio(APP, name, client=client), sandbox_id
        )

    async def _ask(self, connection: Connection, call: Callable[[], Any], sandbox_id: str) -> Any:
        """Ask Modal about a sandbox, again where that failed, until patience is over."""
        exceptions = connection.sdk.exception
        pause = 0.1
        deadline = asyncio.get_running_loop().time() + self._patience_seconds
        while True:
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    return await call()
            except exceptions.NotFoundError as error:
                raise SandboxLost(f"There is no sandbox {sandbox_id} at Modal any more") from error
            except vendor_errors(connection.sdk) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise SandboxLost(
                        f"Modal does not answer about the sandbox {sandbox_id}: {one_line(error)}",
                        "It ends itself when it has stood idle",
                    ) from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def _described(self, connection: Connection, found: Any, prices: Prices) -> OpenSandbox | None:
        tags = await found.get_tags.aio()
        if not is_ours(tags):
            return None
        sandbox = ModalSandbox(
            connection.sdk,
            found,
            tags[NAME],
            SandboxSpec(run_id=tags[RUN], compute=Compute()),
            lease_seconds=self._lease_seconds,
            patience_seconds=0,
        )
        try:
            async with asyncio.timeout(ASK_SECONDS):
                running = await sandbox.running()
        except (SandboxError, OSError, ValueError):
            running = ()
        return OpenSandbox(
            id=found.object_id,
            name=tags[NAME],
            run_id=tags[RUN],
            running=running,
            usd_per_hour=prices.usd_per_hour(_compute(tags)),
        )

    def _arguments(
        self, connection: Connection, spec: SandboxSpec, name: str, gpu: str | None
    ) -> dict[str, Any]:
        """What a sandbox is made with; its life and its idle time always have a limit."""
        compute = spec.compute
        memory = int(compute.memory_gib * MIB_PER_GIB)
        tags = {
            **identity(spec.run_id, name),
            GPU: gpu or "",
            CPUS: str(compute.cpus),
            MEMORY: f"{compute.memory_gib:g}",
        }
        if spec.specification:
            tags[SPECIFICATION] = spec.specification
        arguments: dict[str, Any] = {
            "app": connection.app,
            "client": connection.client,
            "name": sandbox_name(spec.run_id, name),
            "tags": tags,
            "timeout": compute.timeout_seconds,
            "idle_timeout": min(self._idle_seconds, compute.timeout_seconds),
            "workdir": FOLDER,
            "cpu": (float(compute.cpus), float(compute.cpus)),
            "memory": (memory, memory + int(OWN_MEMORY_GIB * MIB_PER_GIB)),
            "block_network": compute.network == "blocked",
        }
        if gpu:
            arguments["gpu"] = gpu
        return arguments


class _NoRoom(Exception):
    """Modal has no machine of this kind now."""


def _compute(tags: dict[str, str]) -> Compute:
    """What a sandbox was made with, as its tags say."""
    with contextlib.suppress(ValueError, KeyError):
        return Compute(gpu=tags[GPU] or None, cpus=int(tags[CPUS]), memory_gib=float(tags[MEMORY]))
    return Compute(gpu="unknown")


async def _settle(creating: asyncio.Future[Any]) -> None:
    """Call off a create that takes too long; the SDK ends what it had asked for."""
    creating.cancel()
    await asyncio.wait({creating}, timeout=SETTLE_SECONDS)
