"""Engines killed with SIGKILL, again and again, over whole runs of a tiny study: nothing may be lost.

Kills fall at random moments, uniformly over what a run usually takes, and once just before and once
just after every journal append of a run. Some engines are asked to stop instead. Every second run is
approved by a human of its own, whose every decision is appended twice. Run with
``python -m tests.bench.torture``; ``--kills N`` for a short form. It ends with 1 where anything but
the number of kills is not zero.

With ``--sandbox modal`` experiments are at Modal's double, with ``--gpu T4`` in sandboxes of the first
generation. Then engines are killed as well while the reply to a create is held back, while streams break,
replies are lost and the router is down, and while sandboxes are taken away.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from core.config import RunSettings
from core.decisions import approve
from core.record.fold import fold
from core.record.folder import RunFolder, create_run
from core.record.state import RunState
from tests.bench.tiny_study import QUESTION, trajectory, truth
from tests.bench.torture_checks import COUNTS, Faults, check, paper_text, read_run
from tests.bench.torture_engine import SHUT_OUT, Moment, Order
from tests.bench.torture_modal import ModalSite
from tests.bench.torture_site import Site
from tests.bench.torture_starter import Starter
from tests.fakes.modal.double import ModalDouble

MOST_KILLS = 12
"""Of one run; after that it is left alone, and has to get to its end with one engine more."""

PACES = (1.0, 0.5, 0.25, 0.0625)
"""Kills fall uniformly over the typical duration of a run, or over this share of it."""

STOPPED = 0.2
"""Share of engines that are asked to stop (SIGTERM) instead; they must do so, and lose nothing either."""

MOST_SHUT_OUT = 20
"""Engines of one run that Modal did not let in, while things go wrong there."""


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


def new_run(runs: Path, *, human: bool, site: Site | None = None) -> RunFolder:
    """A run of the tiny study, its money not for nothing."""
    settings = RunSettings(
        **dict.fromkeys(("model", "researcher_model", "writer_model"), "scripted:tiny"),
        num_agents=2,
        max_rounds=2,
        max_parallel=2,
        approve="ask" if human else "auto",
        local_usd_per_hour=Decimal(36),
        **(site or Site()).settings,
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
    kills = shut_out = 0
    for order in lives:
        while (ended := await starter.engine(order)) == SHUT_OUT and shut_out < MOST_SHUT_OUT:
            shut_out += 1
        if ended < 0:
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
        site: where experiments are; None for this machine.
    """

    def __init__(self, place: Path, seed: int, *, keep: bool, site: Site | None = None) -> None:
        self.place = place
        self.random = random.Random(seed)
        self.keep = keep
        self.site = site or Site()
        self.lossy = False
        self.papers: dict[bool, str] = {}
        self.seconds = 0.0
        self.appends = 0

    async def look_undisturbed(self, starter: Starter) -> Score:
        """Learn what runs are like without kills, and that the checks find nothing there."""
        score = Score()
        for with_human in (True, False):
            folder = new_run(self.place, human=with_human, site=self.site)
            started = time.monotonic()
            await self._run(starter, folder, [self._order(folder)], with_human)
            self.seconds = time.monotonic() - started
            self.papers[with_human] = paper_text(folder)
            self.appends = len(read_run(folder).events)
            await self._score(score, folder, 0, with_human, "no kill")
        return score

    async def random_kills(self, score: Score, kills: int, starter: Starter) -> None:
        """Run after run, until enough engines were killed."""
        while score.kills < kills:
            seed = self.random.randrange(2**32)
            with_human = seed % 2 == 1
            folder = new_run(self.place, human=with_human, site=self.site)
            lives = lives_killed_at_random(self._order(folder), seed, self.seconds)
            killed = await self._run(starter, folder, lives, with_human)
            await self._score(score, folder, killed, with_human, f"moments drawn from {seed}")

    async def appends_killed(self, starter: Starter, score: Score, left: list[Death]) -> None:
        """A run for every death, which its first engine dies."""
        while left:
            death = left.pop(0)
            folder = new_run(self.place, human=False, site=self.site)
            order = self._order(folder)
            dying = replace(order, die=death.append, moment=death.moment, event=death.event)
            killed = await self._run(starter, folder, [dying, order], False)
            await self._score(score, folder, killed, False, f"{death}")
            if not killed:
                left.clear()  # there are no more appends in a run

    async def replies_held(self, starter: Starter, score: Score, count: int) -> None:
        """Run after run, whose first engine is killed while a reply about its sandbox is held back."""
        assert isinstance(self.site, ModalSite)
        for _ in range(count):
            rpc, kind = self.site.held_reply(self.random)
            folder = new_run(self.place, human=False, site=self.site)
            order = self._order(folder)
            pause = self.random.uniform(0, 0.2)
            async with asyncio.TaskGroup() as group:
                group.create_task(self.site.kill_over(folder, rpc, kind, pause))
                killed = await self._run(starter, folder, [order, order], False)
            await self._score(score, folder, killed, False, f"{rpc} {kind}")

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

    async def _score(self, score: Score, folder: RunFolder, kills: int, with_human: bool, what: str) -> None:
        turns = self._turns(folder)
        faults = check(folder, turns, self.papers.get(with_human, ""), lossy=self.lossy)
        await self.site.check(faults, folder, lossy=self.lossy)
        asked = Counter(line for line in turns.read_text().splitlines() if '"asked"' in line)
        score.take(folder, kills, sum(asked.values()) - len(asked), faults, what)
        if not (faults.notes and self.keep):
            shutil.rmtree(folder.path)
            turns.unlink()


async def torture(place: Path, arguments: argparse.Namespace, site: Site) -> dict[str, Score]:
    """All tortures, each by several at once: their runs are mostly waiting."""
    truth()
    whole = Torture(place / "runs", arguments.seed, keep=arguments.keep is not None, site=site)
    async with Starter.ready(place, site=site) as starter:
        undisturbed = await whole.look_undisturbed(starter)
    if undisturbed.faults.notes:
        raise RuntimeError(f"without any kill: {undisturbed.faults.notes}")
    print(f"undisturbed: {whole.seconds:.2f} s, {whole.appends} appends; seed {arguments.seed}", flush=True)
    scores = await engines_killed(place, whole, arguments)
    if isinstance(site, ModalSite):
        scores |= await modal_failing(place, whole, site, arguments)
    return scores


async def engines_killed(place: Path, whole: Torture, arguments: argparse.Namespace) -> dict[str, Score]:
    """Engines are killed, and nothing else goes wrong."""
    at_random, at_appends = Score(), Score()
    every = arguments.every
    numbers = range(1, whole.appends + 3, every) if every else ()
    moments: tuple[Moment, Moment] = ("before", "after")
    deaths = [Death(number, moment) for number in numbers for moment in moments]

    async def work(starter: Starter) -> None:
        await whole.random_kills(at_random, arguments.kills, starter)
        await whole.appends_killed(starter, at_appends, deaths)

    await by_several(place, whole.site, arguments.parallel, work)
    return {"killed at random moments": at_random, "killed before and after every append": at_appends}


async def modal_failing(
    place: Path, whole: Torture, site: ModalSite, arguments: argparse.Namespace
) -> dict[str, Score]:
    """Engines are killed, and Modal and the way there fail as well."""
    held, stormy, preempted = Score(), Score(), Score()
    await by_several(place, site, 1, lambda starter: whole.replies_held(starter, held, arguments.held))
    for score, kills, preempting in (
        (stormy, arguments.stormy, False),
        (preempted, arguments.preempted, True),
    ):
        whole.lossy = preempting
        async with site.storm(arguments.seed, preempting=preempting):
            await by_several(place, site, arguments.parallel, partial(whole.random_kills, score, kills))
    print(f"what went wrong at Modal: {dict(site.weather)}")
    return {
        "killed while a reply about a sandbox was held back": held,
        "killed while streams broke, replies were lost and the router was down": stormy,
        "the same, with sandboxes taken away": preempted,
    }


async def by_several(
    place: Path, site: Site, count: int, work: Callable[[Starter], Coroutine[Any, Any, None]]
) -> None:
    """Let several do the same work, each with engines of its own."""

    async def one() -> None:
        async with Starter.ready(place, site=site) as starter:
            await work(starter)

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(one())


def show(name: str, score: Score) -> None:
    """Print one torture's figures."""
    print(f"\n{name}: {score.runs} runs")
    print(f"  {'kills':<22}{score.kills:>8,}")
    for count in COUNTS:
        print(f"  {count:<22}{score.faults.counts[count]:>8,}")
    print(f"  (turns in flight, asked for again: {score.again:,})")
    for note in score.faults.notes[:20]:
        print(f"  ! {note}")


def options() -> argparse.ArgumentParser:
    """What can be typed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.torture")
    parser.add_argument("--kills", type=int, default=300, help="random kills")
    parser.add_argument("--every", type=int, default=1, help="kill at every nth append; 0 for none")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--parallel", type=int, default=4, help="runs at once")
    parser.add_argument("--keep", type=Path, help="an empty folder in which runs with faults stay")
    parser.add_argument("--sandbox", choices=("local", "modal"), default="local")
    parser.add_argument("--gpu", help="at Modal: the GPU, for sandboxes of the first generation")
    parser.add_argument("--held", type=int, default=30, help="at Modal: kills while a reply is held back")
    parser.add_argument("--stormy", type=int, default=100, help="at Modal: random kills while it fails")
    parser.add_argument("--preempted", type=int, default=100, help="at Modal: the same, losing sandboxes")
    return parser


def at_site(place: Path, arguments: argparse.Namespace) -> dict[str, Score]:
    """Torture runs where they shall have their experiments."""
    if arguments.sandbox == "local":
        return asyncio.run(torture(place, arguments, Site()))
    double = ModalDouble(place / "double")
    try:
        double.call("runs", folder=str(place / "runs"))
        return asyncio.run(torture(place, arguments, ModalSite(double, arguments.gpu)))
    finally:
        double.close()


def main() -> int:
    """Run the torture and print what it found."""
    arguments = options().parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        scores = at_site(arguments.keep or Path(folder), arguments)
    for name, score in scores.items():
        show(name, score)
    print(f"\n{time.monotonic() - started:.0f} s")
    return 1 if any(score.faults.notes for score in scores.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
