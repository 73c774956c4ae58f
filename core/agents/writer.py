"""The writer: one per run. It drafts the paper; numbers it cannot type, only name."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Final

from core.agents.agent import Agent
from core.agents.literature_tools import literature_in_words, literature_tools, verified_in_words
from core.agents.orchestrator import outcome_line
from core.agents.prompts import VERSION, WRITER, writer_prompt
from core.agents.tools import Reply, SubmitPaper, Tool, Toolbox
from core.errors import StorageError, ToolError
from core.evidence.bound import Problem, Warned
from core.evidence.gather import gather
from core.evidence.references import bibliography
from core.evidence.sheet import sheet
from core.literature.literature import Literature
from core.models.base import Model
from core.paper.document import Attempt, Document, PaperInput
from core.paper.markdown import PaperFiles, compose
from core.record.events import PaperPublished, PaperRefused
from core.record.live import LiveRun
from core.record.state import ExperimentState, RunState

WRITER_NAME: Final = "writer"

MAX_REFUSALS = 3
"""Drafts that are refused; the next one is published with what nothing supports struck."""

PUBLISHED = "The paper is published."

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


def publish_if_needed(live: LiveRun) -> None:
    """Publish what there is, where the writer ended without a paper.

    That is its last draft with what nothing supports struck, or, without any draft, what code can
    say by itself: a run's measurements are not lost because its writer failed.
    """
    if live.state.paper is None:
        draft = _last_draft(live.state) or _paper_by_code(live.state)
        _publish(live, compose(_input(live, draft)))


def publish_again(live: LiveRun) -> None:
    """Publish the paper's draft once more, with what has become known of its measurements since.

    A run that ended without a paper has none to publish again.
    """
    if live.state.paper is not None:
        state = live.state
        draft = _published_draft(state) or _last_draft(state) or _paper_by_code(state)
        _publish(live, compose(_input(live, draft)))


class _Submission:
    """The tool by which the writer hands in a draft."""

    def __init__(self, live: LiveRun) -> None:
        self.live = live

    async def submit(self, draft: SubmitPaper, call_id: str) -> Reply:
        """Publish a draft that holds; refuse one that does not, as long as there is a try left."""
        if self.live.state.paper is not None:
            return Reply(PUBLISHED, ends=True)  # by an engine that died before it could say so
        files = compose(_input(self.live, draft))
        document = files.document
        refused = [refusal for refusal in self.live.state.refusals if refusal.call_id != call_id]
        if document.struck and len(refused) < MAX_REFUSALS:
            problems = tuple(_problem_in_words(problem) for problem in document.struck[:MAX_TOLD])
            self.live.record(PaperRefused(call_id=call_id, problems=problems))
            raise ToolError(_refusal(document), "Nothing is published yet. Mend these and submit it again.")
        _publish(self.live, files)
        return Reply(PUBLISHED, ends=True)


def _published_draft(state: RunState) -> SubmitPaper | None:
    writer = state.agents[WRITER_NAME]
    drafts = [
        SubmitPaper.model_validate(call.arguments)
        for turn in writer.turns
        for call in turn.calls
        if (answer := writer.answers.get(call.id)) is not None and answer.ends
    ]
    return drafts[-1] if drafts else None


def _last_draft(state: RunState) -> SubmitPaper | None:
    refused = {refusal.call_id for refusal in state.refusals}
    drafts = [
        SubmitPaper.model_validate(call.arguments)
        for turn in state.agents[WRITER_NAME].turns
        for call in turn.calls
        if call.id in refused
    ]
    return drafts[-1] if drafts else None


def _paper_by_code(state: RunState) -> SubmitPaper:
    assert state.created is not None
    abstract = "The writer submitted no paper. What follows was put together by code."
    return SubmitPaper(title=_plain(state.created.question), abstract=abstract, body="\n")


def _publish(live: LiveRun, files: PaperFiles) -> None:
    _write(live.folder.paper / "evidence.json", files.evidence)
    _write(live.folder.paper / "references.bib", bibliography(files.document.citations))
    _write(live.folder.paper / "paper.md", files.markdown)
    live.record(
        PaperPublished(
            path="paper/paper.md",
            sha256=hashlib.sha256(files.markdown.encode()).hexdigest(),
            numbers=len(files.document.numbers),
            struck=len(files.document.struck),
        )
    )


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole, so that nobody ever reads half a paper."""
    unfinished = path.with_suffix(".unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise StorageError(
            f"the paper cannot be written: {error.strerror}", "Make room; the run can be resumed."
        ) from None


def _input(live: LiveRun, draft: SubmitPaper) -> PaperInput:
    """Everything that a paper is made from; all but the draft comes from the journal."""
    state = live.state
    known = state.unknown_costs == 0
    return PaperInput(
        title=draft.title,
        abstract=draft.abstract,
        body=draft.body,
        evidence=gather(live.journal, state),
        attempts=tuple(_attempt(experiment) for experiment in state.experiments.values()),
        models=tuple(sorted({agent.started.model for agent in state.agents.values()})),
        approved_by=tuple(sorted({_approver(state, x) for x in state.experiments.values() if x.locked})),
        scripted=any(agent.started.scripted for agent in state.agents.values()),
        cost_usd=state.spent_usd if known else None,
        model_cost_usd=_model_cost(state),
        sandbox_seconds=sum(experiment.sandbox_seconds for experiment in state.experiments.values()),
        versions={"fumehood": version("fumehood"), "prompts": VERSION},
        literature=literature_in_words(state),
    )


def _attempt(experiment: ExperimentState) -> Attempt:
    return Attempt(
        experiment_id=experiment.id,
        title=experiment.spec.title,
        state=experiment.outcome or experiment.stage,
        verdict=experiment.verdict.outcome if experiment.verdict else "",
        gpu=experiment.spec.compute.gpu,
        cost_usd=experiment.cost_usd,
        seconds=experiment.sandbox_seconds or None,
    )


def _approver(state: RunState, experiment: ExperimentState) -> str:
    request = state.live_request(experiment.id)
    decision = request.decision if request else None
    return "a human" if decision is not None and decision.by == "human" else "the policy of the run"


def _model_cost(state: RunState) -> Decimal | None:
    """What all turns cost, dropped attempts included; None where any could not be priced."""
    bills = [agent.bill for agent in state.agents.values()]
    known = not any(bill.unknown_costs for bill in bills)
    return sum((bill.spent_usd for bill in bills), Decimal(0)) if known else None


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
    warnings = [
        _warning_in_words(warning) for warning in (*document.abstract.warnings, *document.body.warnings)
    ]
    looked_at = ["Also look at these; they are not refused:", *warnings[:10]] if warnings else []
    return "\n".join(["the draft says what no measurement supports:", *problems, *looked_at])


def _problem_in_words(problem: Problem) -> str:
    return f"line {problem.line}, {problem.excerpt!r}: {problem.reason}. {problem.alternative}"


def _warning_in_words(warning: Warned) -> str:
    return f"- line {warning.line}, {warning.excerpt!r}: {warning.reason}"


def _plain(text: str) -> str:
    """A question as a title that no token or digit can make fail."""
    kept = "".join(c for c in text if not c.isnumeric() and c not in "{}")[:200].strip()
    return kept or "A paper without a title"
