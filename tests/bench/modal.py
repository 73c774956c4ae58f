"""Sandboxes at Modal, against the double: how soon, how fast, and how little it holds up the engine.

``python -m tests.bench.modal`` prints, for both generations of sandboxes: the time from asking for a
sandbox to the first line of a script (ms), lines and records per second from the script to the run's
folder, and the longest stall of a heartbeat in the same loop meanwhile (ms), with how much of that stall
the loop itself was computing. The rest it waited: for the disk, or for a core on a busy machine. It ends
with 1 where lines are too slow, or the loop stalls for too long.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from core.agents.scripts import run_script
from core.approval import subject_of
from core.config import RunSettings
from core.experiment import Compute
from core.keys.secret import Secret
from core.record.events import ExecRequested, ExperimentProposed
from core.record.folder import create_run
from core.record.live import LiveRun
from core.sandbox.base import Sandbox, SandboxSpec
from core.sandbox.modal.account import Credentials
from core.sandbox.modal.provider import ModalProvider
from tests.fakes.modal.double import ModalDouble
from tests.fakes.specs import experiment

LINES = 1_000_000
RECORDS = 20_000
OPENINGS = 10
BEAT_SECONDS = 0.001
IDLE_SECONDS = 1.0

LEAST_LINES_PER_SECOND = 100_000
MOST_STALL_MS = 50.0

FIRST_LINE = "print('first', flush=True)"
MANY_LINES = f"""
lines = [f'step {{number}} loss 0.123456 accuracy 0.9876\\n' for number in range(1000)]
import sys
for _ in range({LINES} // 1000): sys.stdout.write(''.join(lines))
"""
MANY_RECORDS = f"""
import lab
for number in range({RECORDS}): lab.log(number, loss=number / 7)
"""


class Stall(NamedTuple):
    """How late the loop was, in ms, and how much of that it was computing."""

    late: float = 0.0
    computing: float = 0.0

    def __str__(self) -> str:
        return f"{self.late:.1f} ms ({self.computing:.1f} computing)"


class Heartbeat:
    """Beats in the loop, and notes how late it was at worst."""

    def __init__(self) -> None:
        self._longest = Stall()
        self._beaten = asyncio.Event()

    async def taken(self) -> Stall:
        """The longest stall so far, the beat under way included; counting begins anew."""
        self._beaten.clear()
        await self._beaten.wait()
        longest, self._longest = self._longest, Stall()
        return longest

    async def beat(self) -> None:
        """Beat for ever."""
        while True:
            before, computed = time.monotonic(), time.thread_time()
            await asyncio.sleep(BEAT_SECONDS)
            late = time.monotonic() - before - BEAT_SECONDS
            computing = time.thread_time() - computed
            self._longest = max(self._longest, Stall(late * 1000, computing * 1000))
            self._beaten.set()


async def first_line_seconds(provider: ModalProvider, gpu: str | None, number: int) -> float:
    """From asking for a sandbox to the first line of a script in it."""
    started = time.monotonic()
    spec = SandboxSpec("bench", Compute(gpu=gpu))
    sandbox = await provider.open(spec, f"E{number}", lambda _: None)
    await sandbox.start("x", FIRST_LINE)
    output = sandbox.output("x", 0)
    assert await anext(output) == b"first\n"
    seconds = time.monotonic() - started
    await output.aclose()  # type: ignore[attr-defined]
    await sandbox.close()
    return seconds


async def taken_in(
    place: Path, sandbox: Sandbox, name: str, code: str, heartbeat: Heartbeat
) -> tuple[float, Stall]:
    """Take a script's output and records into a run: how many seconds that took, and the longest stall."""
    settings = RunSettings(model="m", researcher_model="m", writer_model="m", budget_usd=Decimal(1))
    folder = create_run(place, f"How fast? {name}", settings, "0")
    with folder.journal() as journal:
        live = LiveRun(folder, journal)
        live.record(ExperimentProposed(experiment=experiment(1), call_id="p"))
        request = ExecRequested(
            exec_id=name,
            experiment_id="E1",
            call_id="c",
            code=code,
            code_sha256=subject_of(code),
        )
        live.record(request)
        await heartbeat.taken()
        started = time.monotonic()
        ended = await run_script(live, sandbox, request)
        seconds = time.monotonic() - started
        stall = await heartbeat.taken()
        taken = live.state.execs[name].records
    assert (ended.end, ended.exit_code) == ("finished", 0), ended
    printed = folder.log_path(name).read_bytes().count(b"\n")
    assert (printed, taken) in ((LINES, 0), (0, RECORDS + 1)), (printed, taken)
    return seconds, stall


async def measure(place: Path, double: ModalDouble, gpu: str | None) -> bool:
    """Measure one generation, and print it; whether it is within bounds."""
    token_id, token_secret = map(Secret, double.token)
    provider = ModalProvider(Credentials(token_id, token_secret))
    await provider.account.connect()
    heartbeat = Heartbeat()
    beating = asyncio.create_task(heartbeat.beat())
    await asyncio.sleep(IDLE_SECONDS)
    idle = await heartbeat.taken()
    firsts = [await first_line_seconds(provider, gpu, number) for number in range(OPENINGS)]
    opening = await heartbeat.taken()
    sandbox = await provider.open(
        SandboxSpec("bench", Compute(gpu=gpu, timeout_seconds=600)), "E99", lambda _: None
    )
    printed_in, printing = await taken_in(place, sandbox, "E1-1", MANY_LINES, heartbeat)
    recorded_in, recording = await taken_in(place, sandbox, "E1-2", MANY_RECORDS, heartbeat)
    beating.cancel()
    await sandbox.close()
    await provider.close()
    print(
        f"{'first generation (GPU)' if gpu else 'second generation (CPU)'}, load {os.getloadavg()[0]:.1f}\n"
        f"  create to first line {statistics.median(firsts) * 1000:8.0f} ms, median of {OPENINGS}"
        f" (worst {max(firsts) * 1000:.0f} ms)\n"
        f"  lines per second     {LINES / printed_in:8,.0f}\n"
        f"  records per second   {RECORDS / recorded_in:8,.0f}\n"
        f"  longest stall        {opening} opening, {printing} with lines, {recording} with records,"
        f" {idle} with nothing to do",
        flush=True,
    )
    worst = max(opening.late, printing.late, recording.late)
    return LINES / printed_in >= LEAST_LINES_PER_SECOND and worst < MOST_STALL_MS


def main() -> int:
    """Measure against a double of its own."""
    good = True
    with tempfile.TemporaryDirectory() as place:
        double = ModalDouble(Path(place) / "double")
        double.call("approve", specification="")  # these sandboxes have no experiment
        os.environ["MODAL_SERVER_URL"] = double.url
        try:
            for number, gpu in enumerate((None, "H100")):
                runs = Path(place) / f"runs-{number}"
                runs.mkdir()
                good = asyncio.run(measure(runs, double, gpu)) and good
        finally:
            double.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
