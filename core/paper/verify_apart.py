"""Verifies a file that somebody sent, in a process of its own with bounded time and memory.

``python -P -m core.paper.verify_apart FILE`` prints what was found as one JSON object.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.ending import end
from core.errors import FumehoodError, InputError
from core.paper.pdf_reading import MOST_BYTES
from core.paper.verify import Verified, verify_evidence, verify_pdf

MOST_SECONDS = 240.0
"""Longer than any paper takes."""

MEMORY_BYTES = 4 * 1024**3
"""Address space of the process; Typst, which it starts, has a bound of its own."""

END_SECONDS = 5.0
"""How long the process has to end what it started."""

_ANOTHER = "Name a run, a paper.pdf or an evidence.json that fumehood made."


async def verify_file(path: Path, *, most_seconds: float = MOST_SECONDS) -> Verified:
    """Verify a PDF or an evidence file, whatever is in it.

    Args:
        path: the file.
        most_seconds: after which it is given up.

    Raises:
        InputError: it is neither, cannot be read, or takes too much time or memory.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "core.paper.verify_apart",
        str(path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        told, _ = await asyncio.wait_for(process.communicate(), most_seconds)
    except TimeoutError:
        raise InputError(f"{path.name} was not read after {most_seconds:.0f} seconds", _ANOTHER) from None
    finally:
        await asyncio.shield(_ended(process))
    try:
        answer: dict[str, Any] = json.loads(told)
    except ValueError:
        memory = f"{MEMORY_BYTES // 1024**3} GB of memory"
        raise InputError(f"{path.name} cannot be read within {memory}", _ANOTHER) from None
    if "error" in answer:
        raise InputError(answer["error"], answer["next_step"])
    return Verified(
        **{**answer, "failures": tuple(answer["failures"]), "notes": tuple(answer["notes"])},
    )


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Ask the process to end, so that it ends what it started; then make it."""
    try:
        with contextlib.suppress(ProcessLookupError, TimeoutError):
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(END_SECONDS):
                await process.wait()
    finally:
        await end(process, group=True)


def main(path: Path) -> int:
    """Verify one file and print what was found, or the error.

    Returns:
        0.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(ValueError, OSError):  # macOS does not bound address space
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, hard))
    try:
        answer = asdict(_verified(path))
    except MemoryError:
        return 1
    except FumehoodError as error:
        answer = {"error": error.message, "next_step": error.next_step}
    except Exception as error:  # the outer edge of a process that reads what anybody made
        reason = " ".join(str(error).split())[:120]
        answer = {
            "error": f"{path.name} cannot be read: {type(error).__name__}: {reason}",
            "next_step": "It is damaged, or not from fumehood.",
        }
    print(json.dumps(answer))
    return 0


def _verified(path: Path) -> Verified:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path.name} is larger than {MOST_BYTES // 10**6} MB", _ANOTHER)
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}", "Name another file.") from None
    if content.startswith(b"%PDF-"):
        return asyncio.run(verify_pdf(content))
    if content.lstrip()[:1] == b"{":
        return verify_evidence(content)
    raise InputError(f"{path.name} is neither a PDF nor an evidence file", _ANOTHER)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
