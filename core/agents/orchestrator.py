"""The orchestrator: one per run. It proposes experiments, reads results and decides when to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from core.agents.agent import Agent
from core.agents.fence import fenced
from core.agents.history import unread_messages
from core.agents.human import ask_human
from core.agents.literature_tools import literature_tools
from core.agents.log_reading import read_log
from core.agents.prompts import ORCHESTRATOR, VERSION, orchestrator_prompt
from core.agents.tools import (
    FinishResearch,
    ProposeExperiments,
    ReadReport,
    Reply,
    Section,
    Tool,
    Toolbox,
    WaitForResults,
)
from core.errors import SandboxUnavailable, ToolError
from core.experiment import Compute, Experiment, Proposal
from core.literature.literature import Literature
from core.models.base import Model
from core.pricing import dollars
from core.record.events import ExperimentProposed, ResultsTold
from core.record.live import LiveRun
from core.record.state import ExperimentState, RunState
from core.sandbox.machines import checked_machine

ORCHESTRATOR_NAME: Final = "orchestrator"


Report: TypeAlias = Callable[[str, Section], str]
"""A part of what is known about an experiment, as text for a model."""


def orchestrator(
    live: LiveRun,
    model: Model,
    report: Report,
    literature: Literature | None = None,
) -> Agent:
    """The orchestrator of a run.

    Args:
        live: the run.
        model: its model.
        report: what is known about one experiment.
        literature: who is asked what is known; None where the run does without.
    """
    tools = _Tools(live, report)
    state = live.state
    assert state.created is not None
    return Agent(
        name=ORCHESTRATOR_NAME,
        model=model,
        system=ORCHESTRATOR,
        prompt=orchestrator_prompt(state.created.question, state.settings, tuple(state.data.values())),
        prompts_version=VERSION,
        toolbox=Toolbox(
            Tool("propose_experiments", ProposeExperiments, tools.propose),
            Tool("wait_for_results", WaitForResults, tools.wait),
            Tool("read_report", ReadReport, tools.read_report),
            read_log(live),
            *literature_tools(live, ORCHESTRATOR_NAME, literature),
            ask_human(live, ORCHESTRATOR_NAME),
            Tool("finish_research", FinishResearch, tools.finish),
        ),
        max_turns=state.settings.max_turns,
    )


class _Tools:
    """What the orchestrator can do. Each effect is found again by the id of its call."""

    def __init__(self, live: LiveRun, report: Report) -> None:
        self.live = live
        self.report = report

    async def propose(self, arguments: ProposeExperiments, call_id: str) -> Reply:
        """Put the experiments of a round into the plan."""
        if not self._proposed_by(call_id):
            self._check(arguments)
            self.live.record(*self._placed(arguments.experiments, call_id))
        proposed = self._proposed_by(call_id)
        lines = [f"{experiment.id}: {experiment.spec.title}" for experiment in proposed]
        return Reply(
            f"Round {proposed[0].spec.round} is in the plan; each waits for approval at its price:\n"
            + "\n".join(lines)
            + "\nCall wait_for_results to learn what happens to them."
        )

    async def wait(self, arguments: WaitForResults, call_id: str) -> Reply:
        """Wait for the first thing that the orchestrator has to know."""
        if call_id not in self.live.state.tellings:
            await self.live.until(_news)
            ended = tuple(experiment.id for experiment in _untold(self.live.state))
            self.live.record(ResultsTold(call_id=call_id, experiment_ids=ended))
        told = self.live.state.tellings[call_id]
        parts = [self._told(self.live.state.experiments[name]) for name in told]
        return Reply("\n\n".join([*parts, _still_open(self.live.state)]))

    async def read_report(self, arguments: ReadReport, call_id: str) -> Reply:
        """Everything about one experiment."""
        experiment = self.live.state.experiments.get(arguments.experiment)
        if experiment is None:
            known = ", ".join(self.live.state.experiments) or "none yet"
            raise ToolError(f"there is no experiment {arguments.experiment!r}", f"There are: {known}.")
        return Reply(self._told(experiment, arguments.section))

    async def finish(self, arguments: FinishResearch, call_id: str) -> Reply:
        """End the research, unless something that was proposed is still open."""
        if unfinished := [
            experiment.id for experiment in self.live.state.experiments.values() if experiment.open
        ]:
            raise ToolError(f"{', '.join(unfinished)} has not ended", "Call wait_for_results first.")
        return Reply("The research has ended; the paper is written next.", ends=True)

    def _told(self, experiment: ExperimentState, section: Section = "overview") -> str:
        report = self.report(experiment.id, section)
        if experiment.message and experiment.outcome not in WORDS_OF_A_HUMAN:
            report = f"{experiment.message[:MESSAGE_CHARACTERS]}\n{report}"
        return f"{_outcome_for_model(experiment)}\n{fenced(report)}"

    def _proposed_by(self, call_id: str) -> list[ExperimentState]:
        return [x for x in self.live.state.experiments.values() if x.proposed_by == call_id]

    def _check(self, arguments: ProposeExperiments) -> None:
        settings = self.live.state.settings
        if (count := len(arguments.experiments)) > settings.experiments_per_round:
            raise ToolError(
                f"{count} experiments are too many: a round may have {settings.experiments_per_round}",
                "Propose the ones that matter most.",
            )
        if _rounds(self.live.state) >= settings.rounds:
            raise ToolError(
                f"all {settings.rounds} rounds have been proposed",
                "Wait for what is open, then call finish_research.",
            )
        for proposal in arguments.experiments:
            try:
                self._machine(proposal)
            except SandboxUnavailable as error:
                raise ToolError(f"{proposal.title!r}: {error.message}", f"{error.next_step}.") from None

    def _placed(self, proposals: tuple[Proposal, ...], call_id: str) -> list[ExperimentProposed]:
        """Number the proposals and share the round's part of the error budget among its hypotheses.

        Each round gets an equal part of the run's alpha and each hypothesis of a round an equal part
        of that (Bonferroni), so that the whole stays below alpha however the rounds turn out.
        """
        state = self.live.state
        first = int(state.next_experiment_id[1:])
        hypotheses = sum(proposal.hypothesis is not None for proposal in proposals)
        alpha = state.settings.alpha / state.settings.rounds / max(1, hypotheses)
        return [
            ExperimentProposed(
                experiment=Experiment(
                    **(proposal.model_dump() | {"compute": self._machine(proposal)}),
                    id=f"E{first + place}",
                    round=_rounds(state) + 1,
                    alpha=alpha,
                ),
                call_id=call_id,
            )
            for place, proposal in enumerate(proposals)
        ]

    def _machine(self, proposal: Proposal) -> Compute:
        """The machine of a proposal, with the run's GPU where it names none itself.

        Raises:
            SandboxUnavailable: it is not to be had.
        """
        settings, compute = self.live.state.settings, proposal.compute
        if settings.gpu is not None and "gpu" not in compute.model_fields_set:
            compute = compute.model_copy(update={"gpu": settings.gpu})
        return checked_machine(settings.sandbox, compute)


MESSAGE_CHARACTERS = 600
"""Of what an experiment ended in: it may hold much of what a program printed."""

WORDS_OF_A_HUMAN: Final = ("rejected", "killed")
"""Outcomes whose message is what a human said; that of others may hold a program's words."""


def _outcome_for_model(experiment: ExperimentState) -> str:
    line = outcome_line(experiment)
    if experiment.outcome in WORDS_OF_A_HUMAN or not experiment.message:
        return line
    return line.removesuffix(f": {experiment.message}")


def outcome_line(experiment: ExperimentState) -> str:
    """One line on how an experiment stands, e.g. ``E2 (…): done; verdict: supported``."""
    verdict = f"; verdict: {experiment.verdict.outcome}" if experiment.verdict else ""
    note = (
        f": {experiment.message}" if experiment.outcome not in (None, "done") and experiment.message else ""
    )
    return (
        f"{experiment.id} ({experiment.spec.title}): {experiment.outcome or experiment.stage}{verdict}{note}"
    )


def _rounds(state: RunState) -> int:
    return max((experiment.spec.round for experiment in state.experiments.values()), default=0)


def _untold(state: RunState) -> list[ExperimentState]:
    return [x for x in state.experiments.values() if not x.open and not x.told]


def _news(state: RunState) -> bool:
    """Whether there is anything to wake the orchestrator for, or nothing left to wait for."""
    return bool(
        _untold(state)
        or unread_messages(state, ORCHESTRATOR_NAME)
        or not any(experiment.open for experiment in state.experiments.values())
    )


def _still_open(state: RunState) -> str:
    still = [f"{x.id} ({x.stage})" for x in state.experiments.values() if x.open]
    if still:
        return f"Still open: {', '.join(still)}."
    left = state.settings.rounds - _rounds(state)
    return (
        f"Nothing is open. Rounds left: {left}. Of the cap, {dollars(state.free_usd)} is left."
        " Propose more, or call finish_research."
    )
