"""What looks wrong in what the experiments on screen recorded, looked at by a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from time import monotonic

from core.ending import end
from core.evidence.measurement import Flag
from core.process import environment_passed_on
from core.record.folder import RunFolder
from core.record.state import ExperimentState, RunState

LOOK = (sys.executable, "-P", "-m", "core.evidence.flags_apart")

MOST_SECONDS = 120.0
"""After which a look is given up."""

REST_SECONDS = 30.0
"""Between two looks at scripts that go on recording; where one has ended it is looked at once."""


@dataclass(frozen=True)
class Doubts:
    """What is known of one experiment.

    Attributes:
        flags: what looks wrong.
        checked: whether its records could be looked at.
    """

    flags: tuple[Flag, ...] = ()
    checked: bool = True


class RecordedDoubts:
    """What looks wrong in a run's records, as far as anybody looked at it.

    Args:
        folder: the run.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._known: dict[str, Doubts] = {}
        self._seen: dict[str, tuple[int, int]] = {}
        self._rest_until: dict[str, float] = {}

    def of(self, experiment_id: str) -> Doubts:
        """What is known by now."""
        return self._known.get(experiment_id, Doubts())

    def wants_look(self, state: RunState, experiment: ExperimentState) -> bool:
        """Whether there is more to look at, and it is time to."""
        (records, ended), seen = _extent(state, experiment), self._seen.get(experiment.id, (0, 0))
        if not records or (records, ended) == seen:
            return False
        return ended != seen[1] or monotonic() >= self._rest_until.get(experiment.id, 0.0)

    async def look(self, state: RunState, experiment: ExperimentState) -> None:
        """Look at what an experiment recorded.

        A process, because comparing rows keeps one busy for as long as no key may wait.
        """
        name = experiment.id
        self._seen[name] = _extent(state, experiment)
        self._rest_until[name] = monotonic() + REST_SECONDS
        flags = await self._asked(name)
        self._known[name] = Doubts(flags) if flags is not None else Doubts(self.of(name).flags, checked=False)

    async def _asked(self, experiment_id: str) -> tuple[Flag, ...] | None:
        try:
            process = await asyncio.create_subprocess_exec(
                *(*LOOK, str(self._folder.path), experiment_id),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=environment_passed_on(),
                start_new_session=True,  # ctrl+c at the terminal is not meant for it
            )
        except OSError:  # the machine has no room for another process
            return None
        try:
            async with asyncio.timeout(MOST_SECONDS):
                said, _ = await process.communicate()
        except TimeoutError:
            return None
        finally:
            await end(process)
        if process.returncode != 0:
            return None
        return tuple(Flag(**flag) for flag in json.loads(said))


def _extent(state: RunState, experiment: ExperimentState) -> tuple[int, int]:
    """How many records there are, and how many scripts have ended."""
    scripts = [state.execs[name] for name in experiment.execs]
    return sum(script.records for script in scripts), sum(script.ended is not None for script in scripts)
