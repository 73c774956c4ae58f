"""The engine's process: started in a session of its own, so that it outlives the terminal."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from core.budget import Rates
from core.engine import Engine, Models
from core.errors import ConfigError, EngineError, FumehoodError, TrajectoryError
from core.models.base import Model
from core.models.scripted import ScriptedModel, Trajectory
from core.record.events import EngineStopped, StopRequested
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.sandbox.local import LocalProvider

START_SECONDS = 30.0
"""How long a starting engine may take to say that it drives the run."""

READY = b"ready"

OWN_ERROR = "the engine met an error of its own; logs/engine.log in the run's folder says more"

PASSED_ON = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"}
)
PASSED_ON_PREFIXES = (
    "LC_",
    "XDG_",
    "FUMEHOOD_",
    "UV_",
    "PIP_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
)
"""What an engine gets of its starter's environment: nothing else, so that nothing else can leak."""

log = logging.getLogger("fumehood.engine")


def start_engine(folder: RunFolder) -> None:
    """Start an engine for a run, and wait until it drives it.

    Raises:
        EngineError: it did not come up; the message says why, as the engine saw it.
    """
    read_end, write_end = os.pipe()
    with (folder.logs / "engine.log").open("ab") as engine_log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "core.process", str(folder.path), "--ready-fd", str(write_end)],
            stdin=subprocess.DEVNULL,
            stdout=engine_log,
            stderr=engine_log,
            cwd=folder.path,
            env=_environment(),
            pass_fds=(write_end,),
            start_new_session=True,
        )
    os.close(write_end)
    try:
        said = _hear(read_end)
    finally:
        os.close(read_end)
    if said == READY:
        return
    if said is None:
        process.terminate()
        raise EngineError(
            f"the engine did not come up within {START_SECONDS:.0f} s", f"See {folder.logs / 'engine.log'}."
        )
    message, _, next_step = said.decode(errors="replace").partition("\n")
    raise EngineError(
        message or "the engine ended at once", next_step or f"See {folder.logs / 'engine.log'}."
    )


async def drive(
    folder: RunFolder, models: Models | None = None, started: Callable[[], None] = lambda: None
) -> None:
    """Drive a run in this process until it is over, killed or asked to stop.

    Args:
        folder: the run; this takes its lock.
        models: who thinks; None for what the run's settings say.
        started: called once the run is being driven.

    Raises:
        RunLocked: another engine drives it.
        FumehoodError: the run cannot go on now; that is in its journal.
    """
    with folder.locked(), folder.journal() as journal:
        live = LiveRun(folder, journal)
        settings = live.state.settings
        models = models or models_of(folder, live)
        rates = Rates(settings.local_usd_per_hour, models.researcher.turn_price(), settings.max_turns)
        provider = LocalProvider(folder.path, lease_seconds=settings.lease_seconds)
        asyncio.get_running_loop().add_signal_handler(
            signal.SIGTERM, lambda: live.record(StopRequested(by="engine"))
        )
        announcement = asyncio.create_task(_announce(live, started))
        try:
            await Engine(live, models, provider, rates).run()
        except BaseException as error:
            # The outermost place that can still write to the journal: say it there, then go on failing.
            said = str(error) if isinstance(error, FumehoodError) else OWN_ERROR
            live.record(EngineStopped(reason="failed", message=said, sandboxes="left"))
            raise
        finally:
            announcement.cancel()


async def _announce(live: LiveRun, started: Callable[[], None]) -> None:
    before = live.state.engines
    await live.until(lambda state: state.engines > before)
    started()


def models_of(folder: RunFolder, live: LiveRun) -> Models:
    """The models that a run's settings name.

    Raises:
        ConfigError: a model is not known.
        TrajectoryError: the run's trajectory cannot be read.
    """
    settings = live.state.settings
    return Models(
        orchestrator=_model(settings.model, folder, settings.characters_per_second),
        researcher=_model(settings.researcher_model, folder, settings.characters_per_second),
        writer=_model(settings.writer_model, folder, settings.characters_per_second),
    )


def _model(name: str, folder: RunFolder, characters_per_second: float | None) -> Model:
    if not name.startswith("scripted:"):
        raise ConfigError(f"there is no model {name!r}", "See 'fumehood doctor' for what there is.")
    try:
        trajectory = Trajectory.model_validate_json(folder.trajectory_path.read_bytes())
    except (OSError, ValueError) as error:
        raise TrajectoryError(f"the run's trajectory cannot be read: {error}") from None
    return ScriptedModel(name, trajectory, characters_per_second)


def _environment() -> dict[str, str]:
    return {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.upper().startswith(PASSED_ON_PREFIXES)
    }


def _hear(read_end: int) -> bytes | None:
    """Everything a starting engine says until it closes its end; None where it says nothing in time."""
    said = b""
    while select.select([read_end], [], [], START_SECONDS)[0]:
        chunk = os.read(read_end, 4096)
        if not chunk:
            return said
        said += chunk
    return None


def main() -> int:
    """Drive one run in this process, its outer edge: whatever goes wrong is said and logged here."""
    parser = argparse.ArgumentParser(prog="python -m core.process")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ready-fd", type=int)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    tell = _Teller(arguments.ready_fd)
    try:
        asyncio.run(drive(RunFolder(arguments.folder), started=lambda: tell(READY)))
    except FumehoodError as error:
        log.error("%s", error)
        tell(f"{error.message}\n{error.next_step}".encode())
        return 1
    except BaseException:
        log.exception(OWN_ERROR)
        tell(OWN_ERROR.encode())
        raise
    return 0


class _Teller:
    """Tells the command that started this engine one thing, and hangs up."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    def __call__(self, message: bytes) -> None:
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        with contextlib.suppress(BrokenPipeError):  # the command has gone; the run goes on
            os.write(descriptor, message)
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
