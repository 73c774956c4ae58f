"""Papers that are really bound to what a told run has measured."""

from __future__ import annotations

import asyncio
import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from textual.pilot import Pilot

from core.config import Settings
from core.evidence.gather import gather
from core.paper.document import PaperInput
from core.paper.markdown import compose
from core.record import events as e
from core.record.events import Event
from core.record.folder import RunFolder
from core.record.works import Work
from tests.fakes import console_runs
from tui.app import Console
from tui.screens.paper import PaperScreen
from tui.widgets.evidence_view import EvidenceView
from tui.widgets.page_view import PageView
from tui.widgets.paper_view import PaperView

TITLE = "Bagging repairs unstable learners only"
ABSTRACT = (
    "On digits a bag of trees errs on {{ pm(test_error.E1.tree.bagged) : .1% }} of the test images, a single"
    " tree on {{ pm(test_error.E1.tree.single) : .1% }}; the registered gain is {{ verdict(H1) }}. For the"
    " nearest neighbour the claim that bagging makes no difference that counts is {{ verdict(H2) }}."
)
BODY = """# Method

For each seed some data are held out, a learner is fitted alone, and members of a bag are fitted to bootstrap
samples. With $D_b$ a bootstrap sample of $D$ the bag answers

$$
\\hat{y}(x) = \\operatorname{arg\\,max}_{c} \\sum_{b} P(c \\mid x, f_{D_b})
$$

# Results

::: table #tab-error metric=test_error rows=experiment,base cols=arm fmt=.1% caption="Test error over seeds."
:::

Bagging takes away {{ reduction(test_error.E1.tree.single, test_error.E1.tree.bagged) : .0% }} of a tree's
errors. The registered effect is {{ effect(H1) : .1pp }}, so H1 is {{ verdict(H1) }}.

- a tree alone: {{ test_error.E1.tree.single : .3% }}
- the bag: {{ test_error.E1.tree.bagged : .3% }}

# Discussion

The results agree with the argument from instability. Other learners were not tried.
"""
KEY = "breiman1996bagging"
PASSAGE = "Tests show that bagging can give substantial gains in accuracy."
CITING_BODY = f"{BODY}\n# Related work\n\nVoting over bootstrap samples was studied before [@{KEY}].\n"
DRAFT_BODY = f"{BODY}\nThe gain is worth 37.2% of the bill.\n"
DEADLINE_SECONDS = 20.0


@cache
def _told() -> RunFolder:
    """A done run, told once for all tests: it is only ever copied."""
    place = tempfile.TemporaryDirectory()
    atexit.register(place.cleanup)
    return console_runs.done(Path(place.name))


def published(parent: Path, body: str = BODY, title: str = TITLE, abstract: str = ABSTRACT) -> RunFolder:
    """A done run with a paper whose numbers are bound to its measurements."""
    told = _told()
    folder = RunFolder(parent / "runs" / told.run_id)
    shutil.copytree(told.path, folder.path)
    with folder.journal() as journal:
        journal.append(*_known())
        evidence = gather(journal, folder.state())
    files = compose(PaperInput(title, abstract, body, evidence, models=("claude-opus-5",)))
    (folder.paper / "paper.md").write_text(files.markdown, encoding="utf-8")
    (folder.paper / "evidence.json").write_text(files.evidence, encoding="utf-8")
    (folder.paper / "paper.pdf").write_bytes(b"%PDF-1.7")
    with folder.journal() as journal:
        journal.append(
            e.PaperPublished(
                path="paper/paper.md",
                sha256=hashlib.sha256(files.markdown.encode()).hexdigest(),
                numbers=len(files.document.numbers),
                struck=len(files.document.struck),
                pdf="paper/paper.pdf",
                pages=5,
            )
        )
    return folder


def _known() -> tuple[Event, ...]:
    """A work that was found and verified."""
    work = Work(
        title="Bagging predictors",
        authors=("Leo Breiman",),
        families=("Breiman",),
        year=1996,
        venue="Machine Learning",
        doi="10.1007/bf00058655",
        abstract=PASSAGE,
    )
    return (
        e.LiteratureSearched(
            agent="writer", call_id="w0", query="bagging", works={KEY: work}, answered=("OpenAlex",)
        ),
        e.CitationVerified(key=KEY, work=work, passage=PASSAGE, resolved_by="Crossref"),
    )


def console(folder: RunFolder, theme: str = "signature-dark") -> Console:
    """A console for the runs beside a run."""
    return Console(Settings(data_folder=folder.path.parent.parent), theme=theme)


async def read(pilot: Pilot[int], folder: RunFolder) -> PaperScreen:
    """Open a paper and wait until it is there, with its evidence."""
    screen = PaperScreen(folder)
    await pilot.app.push_screen(screen)
    await settle(pilot)
    return screen


async def settle(pilot: Pilot[int]) -> None:
    """Wait until everything that was begun is shown."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete(
        [worker for worker in pilot.app.workers if worker.node is pilot.app.screen]
    )
    await pilot.pause()


async def until(pilot: Pilot[int], condition: Callable[[], object], what: str) -> None:
    """Wait for something.

    Raises:
        AssertionError: it did not come true in time.
    """
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition():
                await pilot.pause(0.02)
    except TimeoutError:
        raise AssertionError(f"{what} did not happen") from None


def text_of(page: PageView) -> str:
    """Everything on a page."""
    return "\n".join(line.plain for line in page.lines)


def paper_of(screen: PaperScreen) -> PaperView:
    """The paper."""
    return screen.query_one(PaperView)


def evidence_of(screen: PaperScreen) -> EvidenceView:
    """What a number rests on."""
    return screen.query_one(EvidenceView)
