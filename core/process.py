"""Starting an engine: a process in a session of its own, so that it outlives the terminal."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys

from core.errors import EngineError
from core.keys.lookup import handed_on
from core.record.folder import RunFolder

ENGINE = (sys.executable, "-P", "-m", "core.driving")

START_SECONDS = 30.0
"""How long a starting engine may take to say that it drives the run."""

END_SECONDS = 5.0
"""How long an engine that said why it cannot drive the run may take to end."""

READY = b"ready"
"""What an engine says once it drives the run."""

PASSED_ON = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"}
    | {"DBUS_SESSION_BUS_ADDRESS"}  # the way to the keyring
    | {"MODAL_SERVER_URL", "MODAL_DISABLE_API_PROXY"}  # the way to Modal; its token is in neither
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
"""What an engine gets of its starter's environment: nothing else, so that nothing else can leak.

Keys that stand in the environment go through a pipe instead; see ``core.keys.lookup.handed_on``.
"""


def start_engine(folder: RunFolder) -> None:
    """Start an engine for a run, and wait until it drives it.

    Raises:
        EngineError: it did not come up; the message says why, as the engine saw it.
    """
    handed = handed_on()
    read_end, write_end = os.pipe()
    with (folder.logs / "engine.log").open("ab") as engine_log:
        process = subprocess.Popen(
            [*ENGINE, str(folder.path), "--ready-fd", str(write_end), "--keys-on-stdin"],
            stdin=subprocess.PIPE,
            stdout=engine_log,
            stderr=engine_log,
            cwd=folder.path,
            env=environment_passed_on(),
            pass_fds=(write_end,),
            start_new_session=True,
        )
    os.close(write_end)
    try:
        _hand_on(process, handed)
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
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(END_SECONDS)  # it has said its last word
    message, _, next_step = said.decode(errors="replace").partition("\n")
    raise EngineError(
        message or "the engine ended at once", next_step or f"See {folder.logs / 'engine.log'}."
    )


def _hand_on(process: subprocess.Popen[bytes], handed: bytes) -> None:
    """Give the engine the keys that it cannot find by itself. A pipe holds more than they ever are."""
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:  # what it says next tells why
        pipe.write(handed)


def environment_passed_on() -> dict[str, str]:
    """What of our environment a process gets that does fumehood's own work: no key is in it."""
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
