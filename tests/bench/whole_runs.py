"""Whole runs over the wire, question to paper, whose engines are killed at every turn and in its middle.

A server of each provider's API plays the models; the engine, the vendor's SDK, the sandbox and the paper
are real. Each run's first engine is killed with SIGKILL: when a request arrives, in the middle of its
answer, right behind it, and just before and after the journal has the turn. The second engine has to
bring the run to its end. Run with ``python -m tests.bench.whole_runs``; it ends with 1 where an earlier
message changed, a complete turn was paid again, or anything was lost.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from core.config import DeclaredModel, DeclaredPrices
from core.models.scripted import Trajectory
from core.record.events import TurnFinished, TurnStarted
from core.record.folder import RunFolder
from tests.bench.torture_checks import Faults, check_remains
from tests.bench.torture_engine import Order
from tests.bench.torture_starter import Starter
from tests.fakes.playing_servers import Moment, Play, Vendor, playing
from tests.fakes.tiny_run import MEASURE, call, proposed, study, tiny_run

VENDORS: tuple[Vendor, ...] = ("anthropic", "google")
MOMENTS: tuple[Moment, ...] = ("asked", "streaming", "given")

PRICES = DeclaredPrices(input=Decimal(4), output=Decimal(20))


@dataclass(frozen=True)
class Death:
    """Where a run's first engine is killed.

    Attributes:
        request: by the server, at this request; 0 for not.
        moment: when in its answer.
        turn: by itself, at the append of this complete turn; 0 for not.
        after: just after that append rather than just before.
    """

    request: int = 0
    moment: Moment = "asked"
    turn: int = 0
    after: bool = False


UNDISTURBED = Death()


def whole_study() -> Trajectory:
    """Two experiments at once, one of which asks for two things in one turn, and a paper."""
    return study(
        experiments=2,
        orchestrator=[
            call("propose_experiments", experiments=[proposed("new beats old"), proposed("once more")]),
            call("wait_for_results"),
            call("wait_for_results"),
            call("finish_research", summary="New beats old."),
        ],
        E1=[
            {
                "thoughts": "Two things at once.",
                "calls": [
                    {"tool": "run_python", "arguments": {"code": MEASURE}},
                    {"tool": "record_finding", "arguments": {"text": "It runs."}},
                ],
            },
            call("read_log", exec="E1-1", to_line=3),
            call("submit_result", summary="Measured."),
        ],
    )


def run_over_the_wire(place: Path, vendor: Vendor, base_url: str) -> RunFolder:
    """A run whose models are behind a base URL, and cost something."""
    declared = DeclaredModel(
        provider=vendor, base_url=base_url, context_tokens=200_000, max_output_tokens=2_000, prices=PRICES
    )
    names = dict.fromkeys(("model", "researcher_model", "writer_model"), "played")
    return tiny_run(
        place, whole_study(), **names, models={"played": declared}, budget_usd=Decimal(100), max_rounds=1
    )


async def killed_once(starter: Starter, place: Path, vendor: Vendor, death: Death) -> tuple[Play, RunFolder]:
    """One run: an engine that dies its death, and one that goes on."""
    # The run has to know where its server is, and the server which run it serves.
    play = Play(whole_study(), RunFolder(place), kill_at=death.request, moment=death.moment)
    async with playing(vendor, play) as server:
        play.folder = folder = run_over_the_wire(place, vendor, server.base_url)
        order = Order(str(folder.path), "", by_settings=True)
        dying = replace(
            order,
            die=death.turn,
            event="turn.finished" if death.turn else "",
            moment="after" if death.after else "before",
        )
        for engine in (dying, order):
            await starter.engine(engine)
            if folder.state().ended is not None:
                break
    return play, folder


def faults_of(play: Play, folder: RunFolder, death: Death) -> list[str]:
    """What is wrong with a run that ought to be over."""
    faults = Faults(notes=list(play.faults))
    state = folder.state()
    if state.ended is None or state.ended.outcome != "done" or state.paper is None:
        stopped = state.engine_stopped.message if state.engine_stopped else "no word"
        return [*faults.notes, f"the run did not end well: {state.ended or stopped}"]
    if {x.verdict.outcome for x in state.experiments.values() if x.verdict} != {"supported"}:
        faults.notes.append("a verdict is missing or another one")
    with folder.journal() as journal:
        events = list(journal.read())
    turns = [event for event in events if isinstance(event, TurnFinished)]
    places = Counter((turn.agent, turn.number) for turn in turns)
    faults.notes += [f"{place} is there {count} times" for place, count in places.items() if count > 1]
    faults.notes += [f"{place} was never asked for" for place in places.keys() - play.asked.keys()]
    again = sum(play.asked.values()) - len(places)
    # The orchestrator and both researchers work at once; a kill may meet turns that were not sent yet.
    cut_off = sum(isinstance(event, TurnStarted) for event in events) - len(turns)
    if not again <= cut_off <= (0 if death == UNDISTURBED else 3):
        faults.notes.append(f"{cut_off} turns were cut off and {again} asked for again")
    costs = [turn.cost_usd for turn in turns]
    if None in costs or state.spent_usd != sum(cost for cost in costs if cost is not None):
        faults.notes.append(f"spent {state.spent_usd}, turns cost {costs}")
    if (state.unsettled_usd > 0) != (cut_off > 0) or state.committed_usd > state.cap_usd:
        faults.notes.append(f"unsettled {state.unsettled_usd} for {cut_off} turns")
    check_remains(faults, folder)
    return faults.notes


def every_death(requests: int) -> Iterator[Death]:
    """Each request at each moment, and each complete turn before and after its append."""
    for request, moment in itertools.product(range(1, requests + 1), MOMENTS):
        yield Death(request=request, moment=moment)
    for turn, after in itertools.product(range(1, requests + 1), (False, True)):
        yield Death(turn=turn, after=after)


async def main() -> int:
    """Every death of both providers' runs; how many runs had faults."""
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        async with Starter.ready(place, providers=True) as starter:
            for vendor in VENDORS:
                play, folder = await killed_once(starter, place / vendor, vendor, UNDISTURBED)
                deaths = [UNDISTURBED, *every_death(play.requests)]
                print(f"{vendor}: {play.requests} turns, {len(deaths) - 1} deaths", flush=True)
                for number, death in enumerate(deaths):
                    play, folder = await killed_once(starter, place / f"{vendor}-{number}", vendor, death)
                    if faults := faults_of(play, folder, death):
                        wrong += 1
                        print(f"  {death}: {'; '.join(faults)}", flush=True)
    print(f"{wrong} runs with faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
