"""Giving a run data from the console: a process of its own copies it, and toasts say how far it is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from core.ending import end
from core.errors import FumehoodError, RunError
from core.keys.lookup import handed_on
from core.process import environment_passed_on
from core.record.folder import RunFolder
from tui.safe_text import one_line
from tui.themed_app import ThemedApp
from tui.wording import counted, size_in_words

COMMAND = (sys.executable, "-P", "-m", "tui.cli", "data", "add", "--json", "--keys-on-stdin", "--")

TOAST_SECONDS = 5.0
"""How long each toast about the way of a file stays, and how often there is one."""

END_SECONDS = 5.0
"""How long the process may take to tidy up once it was told to end."""


async def give(app: ThemedApp, folder: RunFolder, files: Sequence[Path], next_step: str = "") -> bool:
    """Give a run files, and say in toasts how far it is and what came of it.

    Args:
        app: what shows toasts.
        folder: the run.
        files: the human's files.
        next_step: what to do where it fails; empty for nothing beside what is said anyway.

    Returns:
        Whether the run has them.
    """
    telling = _Toasts(app)
    try:
        names = await add_in_process(folder, files, telling)
    except RunError as error:
        app.warn("the data was not added", f"{error.message} {next_step}".strip())
        return False
    finally:
        telling.end()
    what = names[0] if len(names) == 1 else counted(len(names), "file")
    app.notify(f"{one_line(what)} added: scripts that start from now on can read it.", markup=False)
    return True


async def give_and_start(app: ThemedApp, folder: RunFolder, files: Sequence[Path]) -> None:
    """Give a new run files, and then start its engine; say in toasts what came of it.

    Args:
        app: what shows toasts.
        folder: the run.
        files: the human's files.
    """
    from core.process import start_engine

    app.notify("The data is being copied; the engine starts once it is there.", markup=False)
    if not await give(
        app, folder, files, "The run is kept: add the data by ':' and 'add data', then resume."
    ):
        return
    try:
        # A thread, because an engine takes a second to come up, or thirty to say that it cannot.
        await asyncio.to_thread(start_engine, folder)
    except FumehoodError as error:
        app.warn(error.message, f"{error.next_step} The run is kept; resume it.".strip())


async def add_in_process(
    folder: RunFolder, files: Sequence[Path], told: Callable[[dict[str, Any]], None]
) -> list[str]:
    """Give a run files by ``fumehood data add``, all or none.

    A process, because a copy takes minutes in which keys must be answered, and because Modal's SDK is never
    imported here. Where this is cancelled it ends, and the run is as it was before.

    Args:
        folder: the run.
        files: the human's files.
        told: called with each step as the command says it.

    Returns:
        The names that the files have in the run.

    Raises:
        RunError: none was added; the message says all there is to say.
    """
    process = await asyncio.create_subprocess_exec(
        *(*COMMAND, folder.run_id, *(str(file.absolute()) for file in files)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment_passed_on() | {"FUMEHOOD_DATA_FOLDER": str(folder.path.parent.parent)},
        start_new_session=True,  # what a terminal tells its processes, this one is told by us
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    added: list[str] = []
    try:
        with contextlib.suppress(ConnectionError):  # what it says next tells why
            process.stdin.write(handed_on())
            process.stdin.close()
        async with asyncio.TaskGroup() as group:
            said = group.create_task(process.stderr.read())
            async for line in process.stdout:
                step = json.loads(line)
                if step["step"] == "added":
                    added.append(step["name"])
                told(step)
        await process.wait()
    finally:
        await asyncio.shield(_ended(process))
    if process.returncode != 0:
        lines = said.result().decode(errors="replace").splitlines()
        last = lines[-1].removeprefix("fumehood: ") if lines else "it ended without a word."
        raise RunError(one_line(last, 600))
    return added


async def _ended(process: asyncio.subprocess.Process) -> None:
    """End the process as ctrl+c would, so that it tidies up."""
    try:
        with contextlib.suppress(ProcessLookupError, TimeoutError):
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
    finally:
        await end(process)


class _Toasts:
    """Says now and then how far it is."""

    def __init__(self, app: ThemedApp) -> None:
        self._app = app
        self._step: dict[str, Any] = {}
        self._began = monotonic()
        self._timer = app.set_interval(TOAST_SECONDS, self._tell)

    def __call__(self, step: dict[str, Any]) -> None:
        """Take a step in."""
        if (step["step"], step["name"]) != (self._step.get("step"), self._step.get("name")):
            self._began = monotonic()
        self._step = step

    def end(self) -> None:
        """Say no more."""
        self._timer.stop()

    def _tell(self) -> None:
        if words := step_in_words(self._step, monotonic() - self._began):
            self._app.notify(words, markup=False, timeout=TOAST_SECONDS)


def step_in_words(step: dict[str, Any], seconds: float) -> str:
    """How far a file is; empty where there is nothing to say.

    Args:
        step: as the command says it.
        seconds: how long it has been at that, in seconds.
    """
    name, size = one_line(str(step.get("name", ""))), int(step.get("size_bytes", 0))
    match step.get("step"):
        case "copying":
            share = step["done_bytes"] / size if size else 1.0
            return f"{name}: {share:.0%} of {size_in_words(size)} is copied."
        case "bringing":
            return f"{name}: {size_in_words(size)} on the way to Modal for {seconds:.0f} s."
    return ""
