"""Engines killed with SIGKILL, again and again, over whole runs of a tiny study: nothing may be lost.

Kills fall at random moments, uniformly over what a run usually takes, and once just before and once
just after every journal append of a run. Some engines are asked to stop instead. Every second run is
approved by a human of its own, whose every decision is appended twice. Run with
``python -m tests.bench.torture``; ``--kills N`` for a short form. It ends with 1 where anything but
the number of kills is not zero.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from core.config import RunSettings
from core.decisions import approve
from core.record.fold import fold
from core.record.folder import RunFolder, create_run
from core.record.state import RunState
from tests.bench.tiny_study import QUESTION, trajectory, truth
from tests.bench.torture_checks import COUNTS, Faults, check, paper_text, read_run
from tests.bench.torture_engine import Moment, Order

MOST_KILLS = 12
"""Of one run; after that it is left alone, and has to get to its end with one engine more."""

PACES = (1.0, 0.5, 0.25, 0.0625)
"""Kills fall uniformly over the typical duration of a run, or over this share of it."""

STOPPED = 0.2
"""Share of engines that are asked to stop (SIGTERM) instead; they must do so, and lose nothing either."""

LIFE_SECONDS = 60.0
"""No engine takes longer than this to end by itself."""


class Death(NamedTuple):
    """Where an engine kills itself: just before or after its nth append, or nth append of a type."""

    append: int
    moment: Moment
    event: str = ""


@dataclass
class Score:
    """What was done and found.

    Attributes:
        runs: runs taken to their end.
        kills: engines killed.
        again: turns asked for again because a kill met them in flight.
        faults: everything that must not be.
    """

    runs: int = 0
    kills: int = 0
    again: int = 0
    faults: Faults = field(default_factory=Faults)

    def take(self, run: RunFolder, kills: int, again: int, faults: Faults, what: str) -> None:
        """Add one run."""
        self.runs += 1
        self.kills += kills
        self.again += again
        self.faults.counts.update(faults.counts)
        self.faults.notes += [f"{what} ({run.run_id}): {note}" for note in faults.notes]


class Starter:
    """Starts engines, one after the other, through one forking process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def ready(
        cls, folder: Path, *, judges: bool = True, providers: bool = False
    ) -> AsyncIterator[Starter]:
        """A starter, gone at the end with whatever it started.

        Args:
            folder: where engines may leave temporary files.
            judges: whether engines get to judge anything, so that it pays to import scipy beforehand.
            providers: whether they ask model providers, so that it pays to import their SDKs.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.torture_engine", *(["--judges"] if judges else []),
            *(["--providers"] if providers else []),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "TMPDIR": str(folder), "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        try:
            yield cls(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await process.wait()

    async def engine(self, order: Order) -> int:
        """Start an engine, and say how it ended: its exit code, or its signal, negative.

        Raises:
            RuntimeError: it ended neither well nor by a kill, or not at all.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        started = time.monotonic()
        bounded = order if order.kill_after is not None else replace(order, kill_after=LIFE_SECONDS)
        self._process.stdin.write(bounded.line())
        await self._process.stdin.drain()
        line = await self._process.stdout.readline()
        ended = int(line) if line else 1
        if ended not in (0, -signal.SIGKILL, -signal.SIGTERM):
            raise RuntimeError(f"an engine of {order.folder} ended with {ended}")
        if time.monotonic() - started > LIFE_SECONDS:
            raise RuntimeError(f"an engine of {order.folder} did not end")
        return ended


def new_run(runs: Path, *, human: bool) -> RunFolder:
    """A run of the tiny study, its money not for nothing."""
    settings = RunSettings(
        **dict.fromkeys(("model", "researcher_model", "writer_model"), "scripted:tiny"),
        num_agents=2,
        max_rounds=2,
        max_parallel=2,
        approve="ask" if human else "auto",
        local_usd_per_hour=Decimal(36),
    )
    return create_run(runs, QUESTION, settings, "0", trajectory().model_dump_json())


async def human(folder: RunFolder) -> None:
    """Approve whatever waits, each decision appended twice, for ever."""
    state = RunState()
    with folder.journal() as journal:
        async for batch in journal.follow():
            fold(batch, state)
            for request in state.waiting:
                for decision in approve(state, request.asked.request_id):
                    journal.append(decision)
                    journal.append(decision)


def lives_killed_at_random(order: Order, seed: int, seconds: float) -> Iterator[Order]:
    """Engines that are killed at random moments, at a pace that is drawn, too.

    Args:
        order: an engine that is not killed.
        seed: of what is drawn.
        seconds: what a run usually takes.
    """
    moments = random.Random(seed)
    longest = seconds * moments.choice(PACES)
    for _ in range(MOST_KILLS):
        asked = moments.random() < STOPPED
        yield replace(order, kill_after=moments.uniform(0, longest), asked=asked)
    yield order


async def whole_run(starter: Starter, folder: RunFolder, lives: Iterable[Order]) -> int:
    """Start engine after engine until the run is over; how many of them were killed."""
    kills = 0
    for order in lives:
        if await starter.engine(order) != 0:
            kills += 1
        elif folder.state().ended is not None:
            return kills
    raise RuntimeError(f"{folder.path} does not get to its end")


class Torture:
    """One torture, with where it happens and what an undisturbed run looks like.

    Args:
        place: an empty folder.
        seed: of everything that is drawn.
        keep: whether runs with faults stay on disk.
    """

    def __init__(self, place: Path, seed: int, *, keep: bool) -> None:
        self.place = place
        self.random = random.Random(seed)
        self.keep = keep
        self.papers: dict[bool, str] = {}
        self.seconds = 0.0
        self.appends = 0

    async def look_undisturbed(self, starter: Starter) -> Score:
        """Learn what runs are like without kills, and that the checks find nothing there."""
        score = Score()
        for with_human in (True, False):
            folder = new_run(self.place, human=with_human)
            started = time.monotonic()
            await self._run(starter, folder, [self._order(folder)], with_human)
            self.seconds = time.monotonic() - started
            self.papers[with_human] = paper_text(folder)
            self.appends = len(read_run(folder).events)
            self._score(score, folder, 0, with_human, "no kill")
        return score

    async def random_kills(self, starter: Starter, score: Score, kills: int) -> None:
        """Run after run, until enough engines were killed."""
        while score.kills < kills:
            seed = self.random.randrange(2**32)
            with_human = seed % 2 == 1
            folder = new_run(self.place, human=with_human)
            lives = lives_killed_at_random(self._order(folder), seed, self.seconds)
            killed = await self._run(starter, folder, lives, with_human)
            self._score(score, folder, killed, with_human, f"moments drawn from {seed}")

    async def appends_killed(self, starter: Starter, score: Score, left: list[Death]) -> None:
        """A run for every death, which its first engine dies."""
        while left:
            death = left.pop(0)
            folder = new_run(self.place, human=False)
            order = self._order(folder)
            dying = replace(order, die=death.append, moment=death.moment, event=death.event)
            killed = await self._run(starter, folder, [dying, order], False)
            self._score(score, folder, killed, False, f"{death}")
            if not killed:
                left.clear()  # there are no more appends in a run

    def _order(self, folder: RunFolder) -> Order:
        return Order(str(folder.path), str(self._turns(folder)))

    def _turns(self, folder: RunFolder) -> Path:
        return self.place.parent / f"{folder.run_id}.turns"

    async def _run(
        self, starter: Starter, folder: RunFolder, lives: Iterable[Order], with_human: bool
    ) -> int:
        async with asyncio.TaskGroup() as group:
            approver = group.create_task(human(folder)) if with_human else None
            kills = await whole_run(starter, folder, lives)
            if approver is not None:
                approver.cancel()
        return kills

    def _score(self, score: Score, folder: RunFolder, kills: int, with_human: bool, what: str) -> None:
        turns = self._turns(folder)
        faults = check(folder, turns, self.papers[with_human])
        asked = Counter(line for line in turns.read_text().splitlines() if '"asked"' in line)
        score.take(folder, kills, sum(asked.values()) - len(asked), faults, what)
        if not (faults.notes and self.keep):
            shutil.rmtree(folder.path)
            turns.unlink()


async def torture(place: Path, arguments: argparse.Namespace) -> tuple[Score, Score]:
    """Both tortures, each by several at once: their runs are mostly waiting."""
    truth()
    runs = place / "runs"
    whole = Torture(runs, arguments.seed, keep=arguments.keep is not None)
    at_random, at_appends = Score(), Score()
    async with Starter.ready(place) as starter:
        undisturbed = await whole.look_undisturbed(starter)
    if undisturbed.faults.notes:
        raise RuntimeError(f"without any kill: {undisturbed.faults.notes}")
    print(f"undisturbed: {whole.seconds:.2f} s, {whole.appends} appends; seed {arguments.seed}", flush=True)
    every = arguments.every
    numbers = range(1, whole.appends + 3, every) if every else ()
    moments: tuple[Moment, Moment] = ("before", "after")
    deaths = [Death(number, moment) for number in numbers for moment in moments]

    async def work() -> None:
        async with Starter.ready(place) as starter:
            await whole.random_kills(starter, at_random, arguments.kills)
            await whole.appends_killed(starter, at_appends, deaths)

    async with asyncio.TaskGroup() as group:
        for _ in range(arguments.parallel):
            group.create_task(work())
    return at_random, at_appends


def show(name: str, score: Score) -> None:
    """Print one torture's figures."""
    print(f"\n{name}: {score.runs} runs")
    print(f"  {'kills':<22}{score.kills:>8,}")
    for count in COUNTS:
        print(f"  {count:<22}{score.faults.counts[count]:>8,}")
    print(f"  (turns in flight, asked for again: {score.again:,})")
    for note in score.faults.notes[:20]:
        print(f"  ! {note}")


def main() -> int:
    """Run the torture and print what it found."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.torture")
    parser.add_argument("--kills", type=int, default=300, help="random kills")
    parser.add_argument("--every", type=int, default=1, help="kill at every nth append; 0 for none")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--parallel", type=int, default=4, help="runs at once")
    parser.add_argument("--keep", type=Path, help="an empty folder in which runs with faults stay")
    arguments = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        at_random, at_appends = asyncio.run(torture(arguments.keep or Path(folder), arguments))
    show("killed at random moments", at_random)
    show("killed before and after every append", at_appends)
    print(f"\n{time.monotonic() - started:.0f} s")
    return 1 if at_random.faults.notes or at_appends.faults.notes else 0


if __name__ == "__main__":
    sys.exit(main())
