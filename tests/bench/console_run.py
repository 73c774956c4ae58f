"""A run that sixteen agents seem to drive: what ``tests.bench.console`` shows the console.

The console only reads journals and logs, so a process that writes them as an engine and its scripts
would is all that it can see of either. ``python -m tests.bench.console_run FOLDER`` makes a run below
FOLDER, prints its id and goes on until its stdin is closed.
"""

from __future__ import annotations

import argparse
import itertools
import math
import select
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from core.record import events as e
from core.record.journal import Journal
from tests.fakes.console_story import Story, bagging

BEAT_SECONDS = 0.02
"""How often lines are written, in seconds."""

TOLD_TOGETHER = 5
"""Seconds of a fast hour whose events are appended at once, because disks do not keep up with each."""

STREAMING = 4
"""Agents whose text streams at a time."""

ROUND = 20
CODE = "import lab\n\nfor seed in lab.seeds():\n    lab.result('test_error', 0.1 * seed)\n" * 10
WORDS = (
    "The loss still falls, so the schedule is not what limits it; one more seed tells whether that holds. "
)


@dataclass
class Agent:
    """A running experiment and its script.

    Attributes:
        name: the experiment's id.
        log: what its script prints to.
        printed: lines so far.
        steps: how often it has recorded.
        turns: turns it has finished.
    """

    name: str
    log: BinaryIO
    printed: int = 0
    steps: int = 0
    turns: int = 1

    def print(self, count: int) -> None:
        """Print lines, as a training script does."""
        first = self.printed + 1
        self.printed += count
        self.log.write(
            b"".join(
                b"%s step %9d  loss %.6f  accuracy %.4f  lr 0.000300\n"
                % (self.name.encode(), number, math.exp(-number / 1e5), 1 - math.exp(-number / 2e5))
                for number in range(first, self.printed + 1)
            )
        )


def told_run(parent: Path, experiments: int, writing: int) -> Story:
    """A run with many experiments, of which some run."""
    story = Story(parent, num_agents=32, max_rounds=50, budget_usd=100_000)
    story.at = datetime.now(UTC)
    story.engine()
    story.agent("orchestrator")
    for number in range(1, experiments + 1):
        spec = bagging(
            number,
            f"Learner {number} of {experiments}",
            f"Bagging learner {number} reduces its test error.",
            round_=(number - 1) // ROUND + 1,
        )
        if number <= writing:
            story.propose(spec)
            story.launch(spec)
        else:
            story.propose(spec, price=False)
    for number in range(1, writing + 1):
        story.turn(
            f"E{number}", 1, text="All seeds at once.", calls={"run-1": ("run_python", {"code": CODE})}
        )
        story.script(f"E{number}", 1, CODE, purpose="all seeds, both arms")
    story.told()
    return story


def record(story: Story, agent: Agent) -> None:
    """An agent's script logs a step and, every tenth time, a result."""
    agent.steps += 1
    condition = {"base": "tree", "arm": ("single", "bagged")[agent.steps % 2], "seed": agent.steps // 20}
    values = {"loss": math.exp(-agent.steps / 500), "accuracy": 1 - math.exp(-agent.steps / 900)}
    bodies: list[dict[str, object]] = [
        {"kind": "log", "condition": condition, "step": agent.steps, "values": values}
    ]
    if agent.steps % 10 == 0:
        bodies.append(
            {"kind": "result", "condition": condition, "name": "test_error", "value": 0.1, "split": "test"}
        )
    story.record(f"{agent.name}-1", *bodies)


def take_turn(story: Story, agent: Agent) -> None:
    """An agent's turn is complete, with a finding."""
    agent.turns += 1
    number, call = agent.turns, f"find-{agent.turns}"
    story.tell(e.TurnStarted(agent=agent.name, number=number), after=0)
    story.turn(
        agent.name,
        number,
        text=WORDS * 4,
        thoughts=WORDS * 6,
        calls={call: ("record_finding", {"text": WORDS})},
    )
    story.tell(e.FindingRecorded(experiment_id=agent.name, call_id=call, text=WORDS[:90]), after=0)
    story.answer(agent.name, call, "recorded")


def live(story: Story, agents: list[Agent], lines_per_second: int) -> Iterator[float]:
    """Write as busy agents do, for ever; gives the time of each next beat."""
    begin = time.monotonic()
    with story.folder.journal() as journal:
        for beat in itertools.count(1):
            due = int((time.monotonic() - begin) * lines_per_second)
            for agent in agents:
                agent.print(due - agent.printed)
            story.at = datetime.now(UTC)
            _tell_some(story, journal, agents, beat)
            yield begin + beat * BEAT_SECONDS


def _tell_some(story: Story, journal: Journal, agents: list[Agent], beat: int) -> None:
    """Each agent records once in a second and finishes a turn in ten; a few stream their text."""
    per_second = round(1 / BEAT_SECONDS)
    for place, agent in enumerate(agents):
        if (beat - place * 3) % per_second == 0:
            record(story, agent)
        if (beat - place * 31) % (10 * per_second) == 0:
            take_turn(story, agent)
            story.told()
    if beat % 5 == 0:
        for agent in agents[:STREAMING]:
            journal.set_partial(agent.name, (WORDS * 20)[: beat * 2 % 1500])


def play_hour(story: Story, agents: list[Agent], seconds: float) -> None:
    """An hour of events, spread over some seconds: each agent records every 2 s and takes a turn a minute."""
    begin = time.monotonic()
    for second in range(3600):
        story.at = datetime.now(UTC)
        for place, agent in enumerate(agents):
            agent.print(20)
            if (second + place) % 2 == 0:
                record(story, agent)
            if (second + place * 4) % 60 == 0:
                take_turn(story, agent)
        if (second + 1) % TOLD_TOGETHER == 0:
            story.told()
        time.sleep(max(0.0, begin + (second + 1) * seconds / 3600 - time.monotonic()))


def main() -> int:
    """Make a run, and let it live."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.console_run")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--experiments", type=int, default=16)
    parser.add_argument("--writing", type=int, default=16)
    parser.add_argument("--lines", type=int, default=1000, help="a second and agent")
    parser.add_argument("--hour-in", type=float, metavar="SECONDS", help="play an hour's events in this time")
    arguments = parser.parse_args()
    story = told_run(arguments.folder, arguments.experiments, arguments.writing)
    with ExitStack() as held:
        held.enter_context(story.folder.locked())
        agents = [
            Agent(f"E{number}", held.enter_context(story.folder.log_path(f"E{number}-1").open("ab", 0)))
            for number in range(1, arguments.writing + 1)
        ]
        print(story.folder.run_id, flush=True)
        if arguments.hour_in is not None:
            sys.stdin.readline()  # until somebody looks
            play_hour(story, agents, arguments.hour_in)
            print("played", flush=True)
            sys.stdin.read()
            return 0
        for then in live(story, agents, arguments.lines):
            if select.select([sys.stdin], [], [], max(0.0, then - time.monotonic()))[0]:
                return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
