"""Sandboxes at Modal, against the double: how soon, how fast, and how little it holds up the engine.

``python -m tests.bench.modal`` prints, for both generations of sandboxes: the time from asking for a
sandbox to the first line of a script (ms), lines per second from the script to the journal's side of a
run, and the longest stall of a heartbeat in the same loop meanwhile (ms).
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

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
OPENINGS = 10
BEAT_SECONDS = 0.001
IDLE_SECONDS = 1.0

FIRST_LINE = "print('first', flush=True)"
MANY_LINES = f"""
lines = [f'step {{number}} loss 0.123456 accuracy 0.9876\\n' for number in range(1000)]
import sys
for _ in range({LINES} // 1000): sys.stdout.write(''.join(lines))
"""


@dataclass
class Heartbeat:
    """Beats in the loop, and notes how late it was at worst.

    Attributes:
        longest_seconds: the longest stall.
    """

    longest_seconds: float = 0.0

    def taken(self) -> float:
        """The longest stall so far, in ms; counting begins anew."""
        longest, self.longest_seconds = self.longest_seconds, 0.0
        return longest * 1000

    async def beat(self) -> None:
        """Beat for ever."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(BEAT_SECONDS)
            self.longest_seconds = max(self.longest_seconds, time.monotonic() - before - BEAT_SECONDS)


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


async def lines_per_second(place: Path, sandbox: Sandbox, name: str, heartbeat: Heartbeat) -> float:
    """Run a script that prints as fast as it can into a run's log; the heartbeat counts from its start."""
    settings = RunSettings(model="m", researcher_model="m", writer_model="m", budget_usd=Decimal(1))
    folder = create_run(place, f"How fast? {name}", settings, "0")
    with folder.journal() as journal:
        live = LiveRun(folder, journal)
        live.record(ExperimentProposed(experiment=experiment(1), call_id="p"))
        request = ExecRequested(
            exec_id=name,
            experiment_id="E1",
            call_id="c",
            code=MANY_LINES,
            code_sha256=subject_of(MANY_LINES),
        )
        live.record(request)
        await asyncio.sleep(0)
        heartbeat.taken()
        started = time.monotonic()
        ended = await run_script(live, sandbox, request)
        seconds = time.monotonic() - started
    assert (ended.end, ended.exit_code) == ("finished", 0), ended
    assert folder.log_path(name).read_bytes().count(b"\n") == LINES
    return LINES / seconds


async def measure(place: Path, double: ModalDouble, gpu: str | None) -> None:
    """Measure one generation, and print it."""
    token_id, token_secret = map(Secret, double.token)
    provider = ModalProvider(Credentials(token_id, token_secret))
    await provider.account.connect()
    heartbeat = Heartbeat()
    beating = asyncio.create_task(heartbeat.beat())
    await asyncio.sleep(IDLE_SECONDS)
    idle = heartbeat.taken()
    firsts = [await first_line_seconds(provider, gpu, number) for number in range(OPENINGS)]
    opening = heartbeat.taken()
    sandbox = await provider.open(
        SandboxSpec("bench", Compute(gpu=gpu, timeout_seconds=600)), "E99", lambda _: None
    )
    speed = await lines_per_second(place, sandbox, "E1-1", heartbeat)
    streaming = heartbeat.taken()
    beating.cancel()
    await sandbox.close()
    await provider.close()
    generation = "first generation (GPU)" if gpu else "second generation (CPU)"
    print(
        f"{generation}: create to first line {statistics.median(firsts) * 1000:.0f} ms "
        f"(median of {OPENINGS}, worst {max(firsts) * 1000:.0f} ms); {speed:,.0f} lines/s; "
        f"longest stall {opening:.1f} ms opening, {streaming:.1f} ms streaming "
        f"({idle:.1f} ms with nothing to do)"
    )


def main() -> None:
    """Measure against a double of its own."""
    with tempfile.TemporaryDirectory() as place:
        double = ModalDouble(Path(place) / "double")
        os.environ["MODAL_SERVER_URL"] = double.url
        try:
            for number, gpu in enumerate((None, "H100")):
                runs = Path(place) / f"runs-{number}"
                runs.mkdir()
                asyncio.run(measure(runs, double, gpu))
        finally:
            double.close()


if __name__ == "__main__":
    main()
