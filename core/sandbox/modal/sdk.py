"""The vendor's SDK: imported late, in a thread, deaf to the user's own settings, and never heard.

Nothing else imports ``modal``. It reads its settings once, from ``~/.modal.toml`` and from variables;
both are put out of its sight, so that only the credentials we hand over are ever used.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

KEPT = frozenset(("MODAL_SERVER_URL", "MODAL_DISABLE_API_PROXY", "MODAL_SANDBOX_CHANNEL_IDLE_TIMEOUT"))
"""Variables that the SDK may see: where the server is, and the way there."""

FIXED = {
    "MODAL_CONFIG_PATH": str(Path(os.devnull) / "modal.toml"),  # Nothing can ever be there.
    "MODAL_MAX_THROTTLE_WAIT": "30",  # Without it, a throttled call waits for ever.
}

LOGGERS = ("modal-client", "modal-utils", "py.warnings")

Sdk: TypeAlias = ModuleType

_lock = threading.Lock()


async def load_sdk() -> Sdk:
    """The SDK, imported if it is not yet, silenced."""
    # A thread, because the import takes up to a second, in which logs must flow on.
    return await asyncio.to_thread(_load)


def vendor_errors(sdk: Sdk) -> tuple[type[Exception], ...]:
    """Everything by which the SDK says that something failed: not all of it is its own."""
    from grpclib.exceptions import GRPCError, StreamTerminatedError

    return (sdk.exception.Error, GRPCError, StreamTerminatedError, OSError)


def one_line(error: BaseException) -> str:
    """What the vendor says, on one short line."""
    said = " ".join(str(error).split()).rstrip(".")
    return said[:200] or type(error).__name__


class BuildLog:
    """Hears what the SDK would show of a build, if it were asked to show it.

    The SDK has no public way to follow a build, so this uses a private one, and does without where
    it is not found.

    Args:
        sdk: the SDK.
        hear: called with each line, in the loop that this was made in.
    """

    def __init__(self, sdk: Sdk, hear: Any) -> None:
        self._sdk = sdk
        self._hear = hear
        self._loop = asyncio.get_running_loop()
        self._before: Any = None

    def __enter__(self) -> None:
        try:
            from modal._output.manager import DisabledOutputManager
            from modal.output import OutputManager

            self._before = OutputManager.get()
            hear, loop = self._hear, self._loop

            class Listener(DisabledOutputManager):
                async def put_streaming_log(self, log: Any, prefix: str = "") -> None:
                    loop.call_soon_threadsafe(hear, str(log.data))

            OutputManager._set(Listener())
        except (ImportError, AttributeError):
            self._before = None

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            from modal.output import OutputManager

            OutputManager._set(self._before)


def _load() -> Sdk:
    with _lock:
        for name in [name for name in os.environ if name.startswith("MODAL_") and name not in KEPT]:
            del os.environ[name]
        os.environ.update(FIXED)
        is_new = "modal" not in sys.modules
        import modal
        import modal.exception

        _silence(modal)
        if is_new:
            # It stays: looking through all of it for garbage would hold up the loop for 30 ms each time.
            gc.freeze()
        return modal


def _silence(sdk: Sdk) -> None:
    """Keep the SDK off the terminal: what it says goes to the log, if anywhere."""
    for name in LOGGERS:
        logging.getLogger(name).handlers = [logging.NullHandler()]
    logging.captureWarnings(capture=True)
    for category in (sdk.exception.ServerWarning, sdk.exception.DeprecationError):
        warnings.simplefilter("default", category=category)
