"""The engine's process: drives one run until it is over, killed or asked to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from core.engine import Engine, Models
from core.errors import ConfigError, FumehoodError, KeysError, SandboxError, TrajectoryError
from core.keys.hardening import harden
from core.keys.lookup import MOST_HANDED_BYTES, take_over
from core.keys.redaction import redact_process, redacted
from core.literature.literature import Literature
from core.models.base import Model
from core.models.choice import is_scripted, keys_for, model_for
from core.models.scripted import ScriptedModel, Trajectory
from core.process import READY
from core.rates import prices_taken, rates_of
from core.record.events import EngineStopped, PricesTaken, StopRequested
from core.record.folder import RunFolder
from core.record.live import LiveRun
from core.sandbox.base import SandboxProvider
from core.sandbox.modal.prices import LIVE_SOURCE, TABLE
from core.sandbox.modal.provider import ModalProvider
from core.sandbox.providers import provider_for

OWN_ERROR = "the engine met an error of its own; logs/engine.log in the run's folder says more"

_NOBODY = ScriptedModel("scripted:nobody", Trajectory(title="", question="", turns={}))

NO_MODELS = Models(_NOBODY, _NOBODY, _NOBODY)
"""For a reproduction, in which no model is asked, so that no key is needed."""

log = logging.getLogger("fumehood.engine")


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
        ConfigError: a model is not known, or a key is missing.
        SandboxUnavailable: Modal does not let us in, or cannot be reached in time; the run is paused.
        FumehoodError: the run cannot go on now; that is in its journal.
    """
    with contextlib.ExitStack() as stack:
        # Read before the lock is held: whoever sees the lock and asks for a stop asks it of this engine.
        live = LiveRun(folder, stack.enter_context(folder.journal()))
        stack.enter_context(folder.locked())
        live.refresh()
        models = models or (NO_MODELS if live.state.reproduction else await models_of(folder, live))
        provider = await _ready_provider(live)
        try:
            await _drive(live, models, provider, started)
        finally:
            await provider.close()  # Whoever reads from a sandbox has ended by now.


async def _drive(
    live: LiveRun, models: Models, provider: SandboxProvider, started: Callable[[], None]
) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, lambda: live.record(StopRequested(by="engine")))
    announcement = asyncio.create_task(_announce(live, live.state.engines, started))
    try:
        literature = Literature() if live.state.settings.literature else None
        await Engine(live, models, provider, rates_of(live.state), literature=literature).run()
    except BaseException as error:
        # The outermost place that can still write to the journal: say it there, then go on failing.
        live.record(EngineStopped(reason="failed", message=_in_words(error), sandboxes="left"))
        raise
    finally:
        announcement.cancel()
        loop.remove_signal_handler(signal.SIGTERM)  # the journal is closed next


async def _ready_provider(live: LiveRun) -> SandboxProvider:
    """The run's provider, logged in; where it does not let us in, the run pauses until a human acted.

    Raises:
        ConfigError: the provider's token is missing.
        KeysError: it is missing, and a place that may have it cannot be read.
        SandboxUnavailable: Modal does not let us in, or cannot be reached in time.
    """
    provider: SandboxProvider | None = None
    try:
        provider = await provider_for(live.folder.path, live.state.settings)
        if isinstance(provider, ModalProvider):
            await _learn_prices(live, provider)
    except (ConfigError, KeysError, SandboxError) as error:
        left = any(experiment.sandbox is not None for experiment in live.state.experiments.values())
        live.record(
            EngineStopped(
                reason="paused",
                message=error.message,
                next_step=error.next_step,
                sandboxes="left" if left else "closed",
            )
        )
        if provider is not None:
            await provider.close()
        raise
    return provider


async def _learn_prices(live: LiveRun, provider: ModalProvider) -> None:
    """Log in at Modal, and keep what its sandboxes cost where that is news.

    Where it does not say its rates, those that it said earlier stay in force.

    Raises:
        SandboxUnavailable: Modal does not let us in, or cannot be reached in time.
    """
    await provider.account.connect()
    prices, earlier = await provider.account.prices(), live.state.prices
    if prices is TABLE and earlier is not None and earlier.source.startswith(LIVE_SOURCE):
        return
    taken = prices_taken(prices)
    if earlier is None or _said(taken) != _said(earlier):
        live.record(taken)


def _said(prices: PricesTaken) -> object:
    return prices.gpus, prices.cpu, prices.memory, prices.source


async def _announce(live: LiveRun, engines_before: int, started: Callable[[], None]) -> None:
    await live.until(lambda state: state.engines > engines_before)
    started()


def _in_words(error: BaseException) -> str:
    """What an engine failed over. What the system refuses, such as room on a disk, is no bug of ours."""
    if isinstance(error, FumehoodError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename})" if error.filename else ""
        return f"the system refused what the engine needs: {error.strerror}{where}"
    return OWN_ERROR


async def models_of(folder: RunFolder, live: LiveRun) -> Models:
    """The models that a run's settings name.

    Raises:
        ConfigError: a model is not known, or its vendor's key is missing.
        KeysError: that key is missing, and a place that may have it cannot be read.
        TrajectoryError: the run's trajectory cannot be read.
    """
    settings = live.state.settings
    names = (settings.model, settings.researcher_model, settings.writer_model)
    keys = await keys_for(names, settings)

    def model(name: str) -> Model:
        if is_scripted(name):
            return _scripted_model(name, folder, settings.characters_per_second)
        return model_for(name, settings, keys.get)

    return Models(*map(model, names))


def _scripted_model(name: str, folder: RunFolder, characters_per_second: float | None) -> Model:
    try:
        trajectory = Trajectory.model_validate_json(folder.trajectory_path.read_bytes())
    except (OSError, ValueError) as error:
        raise TrajectoryError(f"the run's trajectory cannot be read: {error}") from None
    return ScriptedModel(name, trajectory, characters_per_second)


def main() -> int:
    """Drive one run in this process, its outer edge: whatever goes wrong is said and logged here."""
    parser = argparse.ArgumentParser(prog="python -m core.driving")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ready-fd", type=int)
    parser.add_argument("--keys-on-stdin", action="store_true")
    arguments = parser.parse_args()
    harden()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    redact_process()
    tell = _Teller(arguments.ready_fd)
    try:
        take_over(_handed_keys() if arguments.keys_on_stdin else b"")
        asyncio.run(drive(RunFolder(arguments.folder), started=lambda: tell(READY)))
    except FumehoodError as error:
        log.error("%s", error)
        tell(redacted(f"{error.message}\n{error.next_step}").encode())
        return 1
    except BaseException as error:
        log.exception(OWN_ERROR)
        tell(redacted(_in_words(error)).encode())
        raise
    return 0


def _handed_keys() -> bytes:
    """What the starting command hands on; nothing that this engine starts can read it after that."""
    handed = sys.stdin.buffer.read(MOST_HANDED_BYTES)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, sys.stdin.fileno())
    os.close(nowhere)
    return handed


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
