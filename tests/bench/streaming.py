"""Lines from a real script in the local sandbox, through the engine, to somebody who follows its log."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from decimal import Decimal
from pathlib import Path

from core.agents.scripts import run_script
from core.approval import subject_of
from core.config import RunSettings
from core.experiment import Compute
from core.record.events import ExecRequested, ExperimentProposed
from core.record.folder import create_run
from core.record.live import LiveRun
from core.sandbox.base import SandboxSpec
from core.sandbox.local import LocalProvider
from tests.fakes.specs import experiment

LINES = 1_000_000

SCRIPTS = {
    "printed": f"for number in range({LINES}): print('step', number, 'loss 0.123456 accuracy 0.9876')\n",
    "written": "import sys\n"
    "lines = [f'step {number} loss 0.123456 accuracy 0.9876\\n' for number in range(1000)]\n"
    f"for _ in range({LINES} // 1000): sys.stdout.write(''.join(lines))\n",
}

FOLLOWER = """
import sys, time
path, wanted = sys.argv[1], int(sys.argv[2])
seen = 0
with open(path, "rb") as log:
    while seen < wanted:
        chunk = log.read(1 << 20)
        if not chunk:
            time.sleep(0.005)
            continue
        seen += chunk.count(b"\\n")
print(time.monotonic())
"""
"""A process of its own, as the console is; it prints when it has seen the last line."""


async def lines_per_second(place: Path, how: str) -> float:
    """Run a script that prints as fast as it can, and say how fast its lines arrive.

    The time is that from the engine's order to run it to the follower's sight of the last line.

    Args:
        place: an empty folder.
        how: a name in ``SCRIPTS``.
    """
    settings = RunSettings(model="m", researcher_model="m", writer_model="m", budget_usd=Decimal(1))
    folder = create_run(place, "How fast?", settings, "0")
    folder.log_path("E1-1").touch()
    follower = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FOLLOWER, str(folder.log_path("E1-1")), str(LINES),
        stdout=asyncio.subprocess.PIPE, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    provider = LocalProvider(folder.path)
    sandbox = await provider.open(SandboxSpec(folder.run_id, Compute()), "E1", lambda _: None)
    with folder.journal() as journal:
        live = LiveRun(folder, journal)
        request = ExecRequested(
            exec_id="E1-1",
            experiment_id="E1",
            call_id="c",
            code=SCRIPTS[how],
            code_sha256=subject_of(SCRIPTS[how]),
        )
        live.record(ExperimentProposed(experiment=experiment(1), call_id="p"))
        started = time.monotonic()
        ended = await run_script(live, sandbox, request)
    assert (ended.end, ended.exit_code) == ("finished", 0), ended
    printed, _ = await asyncio.wait_for(follower.communicate(), 10)
    await sandbox.close()
    return LINES / (float(printed) - started)
