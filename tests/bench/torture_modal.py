"""Torture of runs whose experiments are at Modal: what goes wrong there, and what is left there."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from core.record.events import SandboxOpened
from core.record.folder import RunFolder
from tests.bench.tiny_study import VERDICTS
from tests.bench.torture_checks import GONE_SECONDS, Faults
from tests.bench.torture_site import Site
from tests.fakes.modal.double import ModalDouble
from tests.fakes.modal.machine import processes_of

WAYS = ("TaskExecStart", "TaskExecStdioRead", "TaskExecStdinWrite", "TaskExecWait")
"""Methods of the command router."""

STREAM_KINDS = ("fail", "cut", "cut connection", "disconnect")
CALL_KINDS = ("fail", "drop reply", "cut connection", "disconnect")

CREATES = ("SandboxCreate", "SandboxCreateV2")
CONTROL = (
    *("SandboxWait", "SandboxTerminate", "SandboxGetFromName", "SandboxTagsGet", "SandboxGetTaskId"),
    *(
        "SandboxWaitV2",
        "SandboxTerminateV2",
        "SandboxGetFromNameV2",
        "SandboxTagsGetV2",
        "SandboxGetTaskIdV2",
    ),
    *("SandboxListV2", "ImageGetOrCreate", "TaskGetCommandRouterAccess", "SandboxGetCommandRouterAccess"),
)
"""Methods of the control plane that fail only as often as the SDK asks again by itself."""

CALM_SECONDS = (0.02, 0.4)
DOWN_SECONDS = (0.2, 2.0)
DOWN_SHARE = 0.05
"""Of what goes wrong: the router is down for a while."""

PREEMPTED_SECONDS = (0.5, 4.0)
ENDINGS = (("FAILURE", 0), ("INTERNAL_FAILURE", 1), ("SUCCESS", 0))
"""How sandboxes end that are taken away: never with a code that says so."""


class ModalSite(Site):
    """The double of Modal.

    Args:
        double: the double.
        gpu: what sandboxes have: with one they are of the first generation, without of the second.

    Attributes:
        weather: how much went wrong at the double, by kind.
    """

    def __init__(self, double: ModalDouble, gpu: str | None) -> None:
        super().__init__(
            settings={"sandbox": "modal", "gpu": gpu},
            environment={"MODAL_SERVER_URL": double.url},
            arguments=("--modal",),
            life_seconds=240.0,
        )
        self.double = double
        self.gpu = gpu
        self.weather: Counter[str] = Counter()

    async def check(self, faults: Faults, folder: RunFolder, *, lossy: bool) -> None:
        """Find what is left at the double, and what was made there twice or without approval."""
        await super().check(faults, folder, lossy=lossy)
        report = await self.double.acall("report", run_id=folder.run_id)
        await self.double.acall("forget", run_id=folder.run_id)
        alive = [name for name, one in report["sandboxes"].items() if one["alive"]]
        faults.add("leaked sandboxes", f"at Modal: {alive}", len(alive))
        # While Modal fails, one that nobody got to work in may end by itself, and is made anew; two at once
        # are found below.
        with folder.journal() as journal:
            opened = {event.sandbox_id for event in journal.read() if isinstance(event, SandboxOpened)}
        counted = [one for one in report["creates"] if one["id"] in opened or not self.weather]
        made = sorted(one["tags"]["fumehood-experiment"] for one in counted)
        if not lossy and made != sorted(VERDICTS):
            faults.add("doubled sandboxes", f"{made}", max(1, len(made) - len(VERDICTS)))
        _check_overlaps(faults, report)
        objections = [one for one in report["objections"] if one.startswith(f"{folder.run_id}.")]
        faults.add("creates without approval", f"{objections}", len(objections))
        self._check_processes(faults, [Path(one["folder"]) for one in report["sandboxes"].values()])

    def _check_processes(self, faults: Faults, folders: list[Path]) -> None:
        deadline = time.monotonic() + GONE_SECONDS
        while (left := [pid for folder in folders for pid in processes_of(folder)]) and (
            time.monotonic() < deadline
        ):
            time.sleep(0.02)
        faults.add("leaked processes", f"in sandboxes: {left}", len(left))

    @asynccontextmanager
    async def storm(self, seed: int, *, preempting: bool) -> AsyncIterator[None]:
        """Let things go wrong at random meanwhile.

        Args:
            seed: of what is drawn.
            preempting: whether sandboxes are taken away, too.
        """
        drawn = random.Random(seed)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._blow(drawn))]
            if preempting:
                tasks.append(group.create_task(self._preempt(drawn)))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await self.double.acall("heal")

    async def _blow(self, drawn: random.Random) -> None:
        """Streams are cut, replies are lost, the router is down for a while."""
        while True:
            await asyncio.sleep(drawn.uniform(*CALM_SECONDS))
            if drawn.random() < DOWN_SHARE:
                await self._router_down(drawn.uniform(*DOWN_SECONDS))
                continue
            rpc = drawn.choice((*WAYS, *WAYS, *CREATES, *CONTROL))
            kind = drawn.choice(STREAM_KINDS if rpc == "TaskExecStdioRead" else CALL_KINDS)
            most = 6 if rpc in (*WAYS, *CREATES) else 2
            times, after = drawn.randint(1, most), drawn.randint(0, 3)
            await self.double.acall("fault", rpc=rpc, kind=kind, times=times, after_messages=after)
            self.weather[kind] += 1

    async def _router_down(self, seconds: float) -> None:
        for rpc in WAYS:
            await self.double.acall("fault", rpc=rpc, kind="disconnect", times=-1)
        await asyncio.sleep(seconds)
        await self.double.acall("heal")
        self.weather["router down"] += 1

    async def _preempt(self, drawn: random.Random) -> None:
        """Sandboxes are taken away, whatever runs in them."""
        while True:
            await asyncio.sleep(drawn.uniform(*PREEMPTED_SECONDS))
            sandboxes = (await self.double.acall("report"))["sandboxes"]
            alive = [name for name, one in sandboxes.items() if one["alive"]]
            if alive:
                status, exit_code = drawn.choice(ENDINGS)
                await self.double.acall(
                    "end", sandbox_id=drawn.choice(alive), status=status, exit_code=exit_code
                )
                self.weather["preempted"] += 1

    def held_reply(self, drawn: random.Random) -> tuple[str, str]:
        """A create's reply to hold back for ever, and how: after it was carried out, or instead of that."""
        if self.gpu is None:
            return drawn.choice((("SandboxCreateV2", "silence"), ("SandboxCreateV2", "hang")))
        return drawn.choice(
            (("SandboxCreate", "silence"), ("SandboxCreate", "hang"), ("SandboxGetTaskId", "hang"))
        )

    async def kill_over(self, folder: RunFolder, rpc: str, kind: str, pause: float) -> None:
        """Hold back a reply, wait until its call comes in, and kill the engine that waits for it.

        Args:
            folder: the run, whose engine is about to come to that call.
            rpc: the method.
            kind: how its reply is held back.
            pause: seconds between the call and the kill.
        """
        await self.double.acall("heal")
        await self.double.acall("fault", rpc=rpc, kind=kind, times=1)
        async with asyncio.timeout(self.life_seconds):
            while rpc not in (await self.double.acall("report", run_id="-"))["calls"]:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await asyncio.sleep(pause)
        engine = folder.state().engine
        assert engine is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(engine.pid, signal.SIGKILL)


def _check_overlaps(faults: Faults, report: Mapping[str, Any]) -> None:
    """Find experiments that had two sandboxes at the same time."""
    until: dict[str, float] = {}
    for create in sorted(report["creates"], key=lambda one: float(one["at"])):
        experiment = create["tags"]["fumehood-experiment"].partition(".")[0]
        if create["at"] < until.get(experiment, 0.0):
            faults.add("doubled sandboxes", f"{experiment} had two at once")
        until[experiment] = create["at"] + report["sandboxes"][create["id"]]["seconds"]
