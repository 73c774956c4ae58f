"""What a run's paper is made from: the draft that counts, and what the journal says about the rest."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from core.agents.literature_tools import literature_in_words
from core.agents.tools import SubmitPaper
from core.evidence.gather import gather
from core.paper.document import Attempt, PaperInput
from core.record.journal import Journal
from core.record.state import ExperimentState, RunState
from core.sandbox.machines import usual_packages

WRITER_NAME = "writer"
"""The agent whose drafts these are."""


def manuscript(journal: Journal, state: RunState, draft: SubmitPaper) -> PaperInput:
    """Everything that a paper is made from; all but the draft comes from the journal.

    Nothing in it depends on who asks or when: the same journal gives the same paper.
    """
    return PaperInput(
        title=draft.title,
        abstract=draft.abstract,
        body=draft.body,
        evidence=gather(journal, state),
        attempts=tuple(_attempt(experiment) for experiment in state.experiments.values()),
        models=tuple(sorted({agent.started.model for agent in state.agents.values()})),
        approved_by=tuple(sorted({_approver(state, x) for x in state.experiments.values() if x.locked})),
        scripted=any(agent.started.scripted for agent in state.agents.values()),
        cost_usd=state.spent_usd if state.unknown_costs == 0 else None,
        unsettled_usd=state.unsettled_usd,
        model_cost_usd=_model_cost(state),
        sandbox_seconds=sum(experiment.sandbox_seconds for experiment in state.experiments.values()),
        versions=dict(_versions(state)),
        literature=literature_in_words(state),
    )


def published_draft(state: RunState) -> SubmitPaper | None:
    """The draft that was published as it is; None where none was."""
    writer = state.agents.get(WRITER_NAME)
    drafts = [
        SubmitPaper.model_validate(call.arguments)
        for turn in (writer.turns if writer else ())
        for call in turn.calls
        if writer and (answer := writer.answers.get(call.id)) is not None and answer.ends
    ]
    return drafts[-1] if drafts else None


def last_draft(state: RunState) -> SubmitPaper | None:
    """The last draft that was refused; None where none was."""
    refused = {refusal.call_id for refusal in state.refusals}
    writer = state.agents.get(WRITER_NAME)
    drafts = [
        SubmitPaper.model_validate(call.arguments)
        for turn in (writer.turns if writer else ())
        for call in turn.calls
        if call.id in refused
    ]
    return drafts[-1] if drafts else None


def draft_by_code(state: RunState) -> SubmitPaper:
    """What code can say by itself, where there is no draft."""
    assert state.created is not None
    abstract = "The writer submitted no paper. What follows was put together by code."
    return SubmitPaper(title=_plain(state.created.question), abstract=abstract, body="\n")


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


def _versions(state: RunState) -> Iterator[tuple[str, str]]:
    """What took part, as the journal has it: a newer fumehood that publishes again changes nothing."""
    assert state.created is not None
    yield "fumehood", state.created.version
    if prompts := {agent.started.prompts_version for agent in state.agents.values()}:
        yield "prompts", ", ".join(sorted(prompts))
    roles: dict[str, set[str]] = {}
    for agent in state.agents.values():
        role = "researcher" if agent.started.agent in state.experiments else agent.started.agent
        roles.setdefault(role, set()).add(agent.started.model)
    for role, models in roles.items():
        yield f"model of the {role}", ", ".join(sorted(models))
    yield "sandbox", state.settings.sandbox
    for experiment in state.experiments.values():
        usual = usual_packages(state.settings.sandbox)
        if experiment.locked and (packages := experiment.spec.compute.packages or usual):
            yield f"packages of {experiment.id}", ", ".join(packages)
    for file in state.data.values():
        yield f"data {file.name}", f"SHA-256 {file.sha256[:16]}"
    for exec_id, script in state.execs.items():
        if script.counts:
            yield f"code of {exec_id}", f"SHA-256 {script.asked.code_sha256[:16]}"


def _plain(text: str) -> str:
    """A question as a title that no token or digit can make fail."""
    kept = "".join(c for c in text if not c.isnumeric() and c not in "{}")[:200].strip()
    return kept or "A paper without a title"
