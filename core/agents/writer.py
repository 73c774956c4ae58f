"""The writer: one per run. It drafts the paper; numbers it cannot type, only name."""

from __future__ import annotations

import asyncio

from core.agents.agent import Agent
from core.agents.literature_tools import literature_tools, verified_in_words
from core.agents.manuscript import WRITER_NAME, draft_by_code, last_draft, manuscript, published_draft
from core.agents.orchestrator import outcome_line
from core.agents.prompts import VERSION, WRITER, writer_prompt
from core.agents.tools import Reply, SubmitPaper, Tool, Toolbox
from core.config import PaperSize
from core.errors import ToolError
from core.evidence.bound import Problem, Warned
from core.evidence.gather import gather
from core.evidence.sheet import sheet
from core.literature.literature import Literature
from core.models.base import Model
from core.paper.document import Document
from core.paper.markdown import PaperFiles, compose
from core.paper.publishing import publish
from core.record.events import By, PaperRefused
from core.record.live import LiveRun
from core.record.state import RunState

MAX_REFUSALS = 3
"""Drafts that are refused; the next one is published with what nothing supports struck."""

PUBLISHED = "The paper is published."

SECTIONS = (
    "Introduction",
    "Method",
    "Experiments",
    "Results",
    "Discussion",
    "Related work",
    "Conclusion",
)
"""What a paper has besides what code writes, by the words that its headings begin with."""

MOST_WARNINGS = 10
"""Sentences to look at that the writer is told of at once."""

MAX_TOLD = 40
"""Problems of one draft that the writer is told of at once."""


def writer(live: LiveRun, model: Model, literature: Literature | None = None) -> Agent:
    """The writer of a run whose experiments have all ended.

    Args:
        live: the run.
        model: its model.
        literature: who is asked what is known; None where the run does without.
    """
    state = live.state
    assert state.created is not None
    attempts = "\n".join(outcome_line(experiment) for experiment in state.experiments.values())
    return Agent(
        name=WRITER_NAME,
        model=model,
        system=WRITER,
        prompt=writer_prompt(
            state.created.question,
            sheet(gather(live.journal, state)),
            _conclusion(state),
            attempts or "nothing",
            verified_in_words(state),
        ),
        prompts_version=VERSION,
        toolbox=Toolbox(
            *literature_tools(live, WRITER_NAME, literature),
            Tool("submit_paper", SubmitPaper, _Submission(live).submit),
        ),
        max_turns=state.settings.max_turns,
    )


async def publish_if_needed(live: LiveRun) -> None:
    """Publish what there is, where the writer ended without a paper.

    That is its last draft with what nothing supports struck, or, without any draft, what code can
    say by itself: a run's measurements are not lost because its writer failed.
    """
    if live.state.paper is None:
        draft = last_draft(live.state) or draft_by_code(live.state)
        await _publish(live, await _composed(live, draft))


async def publish_again(live: LiveRun, size: PaperSize | None = None, by: By = "engine") -> None:
    """Publish the paper's draft once more, with what has become known of its measurements since.

    A run that ended without a paper has none to publish again. No model is asked.

    Args:
        live: the run.
        size: of the paper; None for what the run's settings say.
        by: who wants it.

    Raises:
        StorageError: the disk is full, read-only or forbidden.
    """
    if live.state.paper is not None:
        state = live.state
        draft = published_draft(state) or last_draft(state) or draft_by_code(state)
        await _publish(live, await _composed(live, draft), size, by)


class _Submission:
    """The tool by which the writer hands in a draft."""

    def __init__(self, live: LiveRun) -> None:
        self.live = live

    async def submit(self, draft: SubmitPaper, call_id: str) -> Reply:
        """Publish a draft that holds; refuse one that does not, as long as there is a try left."""
        if self.live.state.paper is not None:
            return Reply(PUBLISHED, ends=True)  # by an engine that died before it could say so
        files = await _composed(self.live, draft)
        document = files.document
        refused = [refusal for refusal in self.live.state.refusals if refusal.call_id != call_id]
        if document.struck and len(refused) < MAX_REFUSALS:
            problems = tuple(_problem_in_words(problem) for problem in document.struck[:MAX_TOLD])
            self.live.record(PaperRefused(call_id=call_id, problems=problems))
            raise ToolError(_refusal(document), "Nothing is published yet. Mend these and submit it again.")
        await _publish(self.live, files)
        return Reply(PUBLISHED, ends=True)


async def _publish(
    live: LiveRun, files: PaperFiles, size: PaperSize | None = None, by: By = "engine"
) -> None:
    """Write every file of the paper, and only then say in the journal that it is there."""
    folder = live.folder
    size = size or live.state.settings.paper_size
    published = await publish(files, folder.paper, folder.files, size=size)
    live.record(published.model_copy(update={"by": by}))


async def _composed(live: LiveRun, draft: SubmitPaper) -> PaperFiles:
    """The paper that a draft makes, with everything from the journal."""
    source = manuscript(live.journal, live.state, draft)
    # A thread, because a draft as long as is allowed takes seconds to read, in which kills must be heeded.
    return await asyncio.to_thread(compose, source)


def _conclusion(state: RunState) -> str:
    """What the orchestrator said when it ended the research."""
    orchestrator = state.agents.get("orchestrator")
    summaries = [
        str(call.arguments.get("summary", ""))
        for turn in (orchestrator.turns if orchestrator else ())
        for call in turn.calls
        if call.name == "finish_research"
    ]
    return summaries[-1] if summaries else "It ended without a summary."


def _refusal(document: Document) -> str:
    problems = [f"- {_problem_in_words(problem)}" for problem in document.struck[:MAX_TOLD]]
    if (more := len(document.struck) - MAX_TOLD) > 0:
        problems.append(f"- and {more} more of these kinds")
    warnings = [_warning_in_words(warning) for warning in document.warnings[:MOST_WARNINGS]]
    if missing := _missing_sections(document.source.body):
        warnings.append(f"- there is no section {', no section '.join(missing)}")
    looked_at = ["Also look at these; they are not refused:", *warnings] if warnings else []
    return "\n".join(["the draft says what no measurement supports:", *problems, *looked_at])


def _missing_sections(body: str) -> list[str]:
    """Sections that a paper has, and this one does not."""
    headings = [line.lstrip("# ").casefold() for line in body.split("\n") if line.startswith("#")]
    return [name for name in SECTIONS if not any(heading.startswith(name.casefold()) for heading in headings)]


def _problem_in_words(problem: Problem) -> str:
    return f"line {problem.line}, {problem.excerpt!r}: {problem.reason}. {problem.alternative}"


def _warning_in_words(warning: Warned) -> str:
    return f"- line {warning.line}, {warning.excerpt!r}: {warning.reason}"
