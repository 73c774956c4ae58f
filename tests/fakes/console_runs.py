"""Runs in every state that the console shows: the same journal, logs and records every time.

Each function tells one run below ``parent`` and gives its folder. None has an engine unless it is
held with ``driven``. Times are those of ``console_story.BEGIN`` and after; ``LOOKED_AT`` is when
snapshots look.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from core.pricing import Estimate
from core.record import events as e
from core.record.folder import RunFolder
from tests.fakes.console_scenes import (
    CODE,
    begun,
    crashing_script,
    first_round,
    first_scripts,
    results,
    under_way,
)
from tests.fakes.console_story import (
    BEGIN,
    CANCER,
    LABELS,
    NEIGHBOURS,
    TREES,
    Story,
    bagging,
)

LOOKED_AT: datetime = BEGIN + timedelta(minutes=9, seconds=30)
"""The time that snapshots are made at, UTC."""


@contextlib.contextmanager
def driven(folder: RunFolder) -> Iterator[RunFolder]:
    """A run while an engine seems to drive it."""
    with folder.locked():
        yield folder


def no_runs(parent: Path) -> Path:
    """The folder of all runs where there is none yet."""
    runs = parent / "runs"
    runs.mkdir(parents=True)
    return runs


def planning(parent: Path) -> RunFolder:
    """The orchestrator thinks; nothing is proposed yet."""
    story = begun(parent)
    story.tell(e.TurnStarted(agent="orchestrator", number=1))
    folder = story.told()
    with folder.journal() as journal:
        journal.set_partial(
            "orchestrator",
            "Breiman's argument of 1996 is about instability. If a small change of the training set"
            " changes the predictor, the average over bootstrap samples has less variance than one"
            " predictor. So the claim",
        )
    return folder


def waiting(parent: Path, **settings: Any) -> RunFolder:
    """Two experiments wait for their first decision; nothing runs."""
    story = begun(parent, **settings)
    first_round(story)
    return story.told()


def running(parent: Path, **settings: Any) -> RunFolder:
    """The second round: one verdict, one failure, two run, two wait, one has no price yet."""
    return under_way(parent, **settings).told()


def waiting_for_words(parent: Path) -> RunFolder:
    """A running experiment's script waits for a yes, and the orchestrator's question for an answer."""
    story = under_way(parent)
    story.tell(
        e.ApprovalRequested(
            request_id="script:E4:run-2",
            kind="script",
            experiment_id="E4",
            subject="1" * 64,
            title="bag and single tree, all seeds",
            detail=CODE,
        ),
        e.ApprovalRequested(
            request_id="question:orchestrator:c9",
            kind="question",
            experiment_id=None,
            subject="2" * 64,
            title="orchestrator asks",
            detail="May the third round use the wine data, which has only 178 rows?",
        ),
    )
    return story.told()


def unpriced(parent: Path) -> RunFolder:
    """An experiment of unknown price waits, and so does running without isolation."""
    story = begun(parent)
    story.propose(TREES, None)
    story.tell(
        e.ApprovalRequested(
            request_id="isolation",
            kind="isolation",
            experiment_id=None,
            subject="3" * 64,
            title="Run without isolation (process only: this code can read your files and keys)?",
            detail="install bubblewrap to keep scripts from your files",
        )
    )
    return story.told()


def paused(parent: Path) -> RunFolder:
    """As ``running``, with launching paused."""
    story = under_way(parent)
    story.tell(e.LaunchingPaused())
    return story.told()


def interrupted(parent: Path) -> RunFolder:
    """As ``running``, but its engine died without a word: hold no lock over it."""
    return running(parent)


def failed(parent: Path) -> RunFolder:
    """Every experiment ended without a verdict, and so did the run."""
    story = begun(parent)
    first_round(story)
    story.launch(TREES)
    first_scripts(story)
    story.ends("E1", "failed", "the sandbox was lost: its machine went away after 5 minutes", cost="0.30")
    story.launch(NEIGHBOURS)
    crashing_script(story)
    story.ends("E2", "gave up", "met the same error 4 times: ModuleNotFoundError: No module named 'sklearn'")
    story.tell(
        e.AgentEnded(agent="orchestrator", outcome="failed", message="the model refused to go on"),
        e.RunEnded(outcome="failed", message="no experiment could be carried out"),
        e.EngineStopped(reason="finished"),
    )
    return story.told()


def done(parent: Path, **settings: Any) -> RunFolder:
    """Four verdicts and a paper."""
    story = under_way(parent, **settings)
    story.script_ends("E2-1", seconds=80)
    story.ends("E2", cost="0.42")
    story.verdict("E2", "supported", -0.0004, -0.0021, 0.0013)
    story.script_ends("E4-1", seconds=70)
    story.ends("E4", cost="0.37")
    story.verdict("E4", "refuted", 0.0012, -0.004, 0.0061)
    story.launch(CANCER, "2.40")
    exec_id = story.script("E5", 1, CODE, purpose="all seeds, both arms")
    results(story, exec_id, "tree", 0.071, 0.058)
    story.script_ends(exec_id, seconds=61)
    story.ends("E5", cost="0.29")
    story.verdict("E5", "inconclusive", -0.013, -0.029, 0.003)
    story.decide("E6.1", LABELS.sha256, "reject", note="one kind of noise is enough")
    story.tell(
        e.ExperimentEnded(experiment_id="E6", outcome="rejected", message="one kind of noise is enough")
    )
    story.tell(e.ExperimentEnded(experiment_id="E7", outcome="rejected"))
    story.agent("writer")
    story.turn(
        "writer", 1, text="The claim has two halves.", calls={"w1": ("submit_paper", {"title": PAPER_TITLE})}
    )
    story.answer("writer", "w1", "published")
    (story.folder.paper / "paper.md").write_text(PAPER, encoding="utf-8")
    story.tell(
        e.PaperPublished(path="paper/paper.md", sha256="4" * 64, numbers=31, struck=0),
        e.AgentEnded(agent="writer", outcome="done"),
        e.RunEnded(outcome="done"),
        e.EngineStopped(reason="finished"),
    )
    return story.told()


def many(parent: Path, count: int = 1000) -> RunFolder:
    """A plan of very many experiments, twenty a round."""
    story = begun(parent, num_agents=32, max_rounds=50)
    for number in range(1, count + 1):
        spec = TREES.model_copy(
            update={"id": f"E{number}", "round": (number - 1) // 20 + 1, "title": f"Depth {number}"}
        )
        story.tell(e.ExperimentProposed(experiment=spec, call_id="c1"))
    return story.told()


PAPER_TITLE = "Bagging repairs unstable learners only"
PAPER = f"""# {PAPER_TITLE}

Bagged trees err on 5.5 ± 1.1% of the test images, a single tree on 15.9 ± 0.8%.

## Results

For the nearest neighbour the difference lies within ±0.5 points: nothing is gained.
"""


HOSTILE = (
    "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b[?1049l[bold red]markup[/] [link=file:///etc]x[/link] $accent {braces}"
    " \u202eright to left\u202c zero\u200bwidth co\u0301mbining \u5bbd\u5b57\u7b26 \U0001f469\u200d\U0001f52c"
    " \x00 NUL \ufeff\u2028 line [/] [@click=app.quit]no[/]"
)
"""Text that tries everything a terminal, Rich or Textual would act on."""


def hostile_run(parent: Path) -> RunFolder:
    """As a waiting and running run, but every text in it is hostile, and there is a megabyte on one line."""
    story = Story(parent, "20261123-hostile-0bad", HOSTILE)
    story.engine()
    story.agent("orchestrator")
    story.turn(
        "orchestrator",
        1,
        thoughts=HOSTILE,
        text=HOSTILE,
        calls={"c1": (HOSTILE, {HOSTILE: HOSTILE})},
        retried=HOSTILE,
    )
    story.answer("orchestrator", "c1", f"{HOSTILE}\n" * 50, error=True)
    specs = [
        bagging(number, HOSTILE[:110], HOSTILE[:300], why=HOSTILE, plan=HOSTILE, base="[red]tree\x1b[31m")
        for number in (1, 2)
    ]
    for spec in specs:
        story.propose(spec)
    story.launch(specs[0])
    code = f'print("""{HOSTILE}""")\n' + "x = 1  # " + "[" * 100_000
    story.turn(
        "E1", 1, text=HOSTILE * 40, calls={"run-1": ("run_python", {"code": code, "purpose": HOSTILE})}
    )
    exec_id = story.script("E1", 1, code, purpose=HOSTILE)
    story.print(exec_id, HOSTILE, b"\xff\xfe\xc3( invalid", b"x" * 1_000_000, "50%\r100%")
    story.record(
        exec_id,
        {
            "kind": "log",
            "condition": {HOSTILE: HOSTILE},
            "step": math.nan,
            "values": {HOSTILE: math.inf, "a": "text"},
        },
        {"kind": "log", "step": HOSTILE, "values": [1]},
        {"kind": "log", "step": 1e308, "values": {"b": -1e308, "c": True, "d": None, "e": 10**400}},
        {"kind": "result", "condition": {"arm": HOSTILE}, "name": HOSTILE, "value": "nan"},
        {"kind": "result", "name": "test_error", "value": 1e308, "unit": HOSTILE},
    )
    story.tell(
        e.FindingRecorded(experiment_id="E1", call_id="f1", text=HOSTILE),
        e.SandboxProgressed(experiment_id="E1", line=HOSTILE),
        e.ApprovalRequested(
            request_id=f"script:E1:{HOSTILE}",
            kind="script",
            experiment_id="E1",
            subject="5" * 64,
            title=HOSTILE,
            detail=code,
        ),
        e.ApprovalRequested(
            request_id="question:E1:c2",
            kind="question",
            experiment_id="E1",
            subject="6" * 64,
            title=HOSTILE,
            detail=HOSTILE,
            estimate=Estimate(),
        ),
    )
    return story.told()
