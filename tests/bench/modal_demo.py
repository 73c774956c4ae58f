"""The whole demo study at the double of Modal, by the commands that people type.

``python -m tests.bench.modal_demo`` plays it on this machine and at the double in sandboxes of both
generations, with real packages, and runs the second again with ``fumehood reproduce``. Everywhere it has
to measure the same, to the last digit. The double makes only what was approved. It ends with 1 where
anything differs or is left behind. Packages come from the local sandbox's cache.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config import cache_path
from core.demo import DEFAULT
from core.record.folder import RunFolder, list_runs
from tests.fakes.modal.double import ModalDouble

GPU = "T4"
SECONDS = 600.0

NOT_COMPARED = frozenset(("t", "file", "sha256"))
"""Fields of records that say when, or where a file with a time in it is kept."""


@dataclass(frozen=True)
class Outcome:
    """What a played study came to.

    Attributes:
        results: its measurements, by exec, in order.
        records: how many records of each kind there are.
        verdicts: by experiment.
        scripts: how each exec ended.
    """

    results: tuple[tuple[str, dict[str, Any]], ...]
    records: Counter[tuple[str, str]]
    verdicts: tuple[tuple[str, str], ...]
    scripts: tuple[tuple[str, str, int | None], ...]


def outcome_of(folder: RunFolder) -> Outcome:
    """Read what a run came to."""
    state = folder.state()
    with folder.journal() as journal:
        records = [record for name in sorted(state.execs) for record in journal.records(name)]
    return Outcome(
        tuple(
            (record.exec_id, {"condition": record.condition, "line": record.line, **_compared(record.body)})
            for record in records
            if record.kind == "result"
        ),
        Counter((record.exec_id, record.kind) for record in records),
        tuple((x.id, x.verdict.outcome) for x in state.experiments.values() if x.verdict),
        tuple((name, x.ended.end, x.ended.exit_code) for name, x in sorted(state.execs.items()) if x.ended),
    )


def _compared(body: Any) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in NOT_COMPARED}


class Player:
    """Plays studies, each in a home of its own.

    Args:
        place: an empty folder.
        double: the double.
        study: the study.
    """

    def __init__(self, place: Path, double: ModalDouble, study: str) -> None:
        self._place = place
        self._double = double
        self._study = study

    def play(self, name: str, *words: str) -> tuple[RunFolder, Outcome]:
        """Play the study once, and say how long that took.

        Raises:
            RuntimeError: the command failed.
        """
        started = time.monotonic()
        runs = self._place / name / "runs"
        self._double.call("runs", folder=str(runs))
        self._command(name, "demo", "--study", self._study, "--approve", "auto", *words)
        [folder] = list_runs(runs)
        outcome = outcome_of(folder)
        print(f"{name}: {len(outcome.results)} measurements, {time.monotonic() - started:.0f} s", flush=True)
        return folder, outcome

    def reproduce(self, name: str) -> None:
        """Run what was played again; the command fails where a measurement did not hold.

        Raises:
            RuntimeError: the command failed.
        """
        started = time.monotonic()
        said = self._command(name, "reproduce").splitlines()
        found = next(line for line in said if line.startswith("REPRODUCTION"))
        print(f"{name} again: {' '.join(found.split()[1:])}, {time.monotonic() - started:.0f} s", flush=True)

    def _command(self, name: str, *words: str) -> str:
        token_id, token_secret = self._double.token
        played = subprocess.run(
            [sys.executable, "-m", "tui.cli", *words, "--headless"],
            env={
                **os.environ,
                "FUMEHOOD_DATA_FOLDER": str(self._place / name),
                "MODAL_SERVER_URL": self._double.url,
                "MODAL_TOKEN_ID": token_id,
                "MODAL_TOKEN_SECRET": token_secret,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if played.returncode != 0 or played.stderr:
            tail = "\n".join(played.stdout.splitlines()[-15:])
            raise RuntimeError(
                f"fumehood {' '.join(words)} ended with {played.returncode}: {tail}{played.stderr}"
            )
        return played.stdout


def faults_of(
    double: ModalDouble, gpu: str, folder: RunFolder, outcome: Outcome, there: Outcome
) -> list[str]:
    """What is wrong with a study that was played at the double, beside the one on this machine."""
    report = double.call("report")
    experiments = list(folder.state().experiments)
    made = [create["tags"]["fumehood-experiment"] for create in report["creates"]]
    faults = [
        f"{what} differ from those on this machine"
        for what in ("results", "records", "verdicts", "scripts")
        if getattr(outcome, what) != getattr(there, what)
    ]
    if sorted(made) != sorted(experiments):
        faults.append(f"sandboxes {made} for experiments {experiments}")
    if {create["gpu"] for create in report["creates"]} != {gpu}:
        faults.append(f"not every sandbox has the GPU {gpu or 'none'}")
    faults += [f"asked for without approval: {objection}" for objection in report["objections"]]
    faults += [f"left behind: {name}" for name, one in report["sandboxes"].items() if one["alive"]]
    return faults


def main() -> int:
    """Play it everywhere, and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.modal_demo")
    parser.add_argument("--study", default=DEFAULT)
    study = parser.parse_args().study
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        double = ModalDouble(place / "double", cache_path() / "environments")
        player = Player(place, double, study)
        try:
            _, there = player.play("this machine")
            for gpu in ("", GPU):
                generation = f"Modal, {gpu or 'CPU'}"
                words = ("--gpu", gpu) if gpu else ()
                folder, outcome = player.play(generation, "--sandbox", "modal", *words)
                if not gpu:
                    player.reproduce(generation)
                found = faults_of(double, gpu, folder, outcome, there)
                faults += [f"{generation}: {fault}" for fault in found]
                double.call("reset")
        finally:
            double.close()
    for fault in faults:
        print(f"! {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
