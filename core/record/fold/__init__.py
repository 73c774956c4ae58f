"""Folding: how each event changes the state of a run.

Folding is total: any prefix of any journal folds, and an event that makes no sense where it stands
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from core.record import events as e
from core.record.events import Event
from core.record.fold import (
    agents,
    approvals,
    execs,
    experiments,
    literature,
    paper,
    run,
    sandboxes,
    steering,
)
from core.record.state import RunState


def fold(events: Iterable[Event], state: RunState | None = None) -> RunState:
    """The state after events.

    Args:
        events: in the journal's order.
        state: fold on from here; the state is changed and returned. None for a new one.
    """
    state = RunState() if state is None else state
    for event in events:
        state.seq = event.seq
        state.last_at = event.at
        if handler := _HANDLERS.get(type(event)):
            handler(state, event)
    return state


# One function per event type; each ignores what does not fit the state it finds.
_HANDLERS: dict[type[Event], Callable[[RunState, Any], None]] = {
    e.RunCreated: run.run_created,
    e.EngineStarted: run.engine_started,
    e.EngineStopped: run.engine_stopped,
    e.StopRequested: steering.stop_requested,
    e.KillRequested: steering.kill_requested,
    e.PricesTaken: run.prices_taken,
    e.LaunchingPaused: steering.launching_paused,
    e.LaunchingContinued: steering.launching_continued,
    e.BudgetSet: steering.budget_set,
    e.MessageSent: steering.message_sent,
    e.DataAdded: steering.data_added,
    e.SeedsRequested: steering.seeds_requested,
    e.ReproductionRequested: steering.reproduction_requested,
    e.RunRenamed: steering.run_renamed,
    e.RunEnded: run.run_ended,
    e.AgentStarted: agents.agent_started,
    e.TurnStarted: agents.turn_started,
    e.TurnRetried: agents.turn_retried,
    e.TurnFailed: agents.turn_failed,
    e.TurnFinished: agents.turn_finished,
    e.ToolAnswered: agents.tool_answered,
    e.ResultsTold: agents.results_told,
    e.AgentEnded: agents.agent_ended,
    e.ExperimentProposed: experiments.experiment_proposed,
    e.ExperimentEdited: experiments.experiment_edited,
    e.ApprovalRequested: approvals.approval_requested,
    e.ApprovalDecided: approvals.approval_decided,
    e.ExperimentLocked: experiments.experiment_locked,
    e.ExperimentStarted: experiments.experiment_started,
    e.SandboxRequested: sandboxes.sandbox_requested,
    e.SandboxProgressed: sandboxes.sandbox_progressed,
    e.SandboxOpened: sandboxes.sandbox_opened,
    e.SandboxClosed: sandboxes.sandbox_closed,
    e.SandboxFailed: sandboxes.sandbox_failed,
    e.SandboxReaped: sandboxes.sandbox_reaped,
    e.SandboxBilled: sandboxes.sandbox_billed,
    e.ExecRequested: execs.exec_requested,
    e.ExecEnded: execs.exec_ended,
    e.RecordsTaken: execs.records_taken,
    e.FindingRecorded: experiments.finding_recorded,
    e.ExperimentEnded: experiments.experiment_ended,
    e.VerdictReached: experiments.verdict_reached,
    e.PaperRefused: paper.paper_refused,
    e.PaperPublished: paper.paper_published,
    e.LiteratureSearched: literature.literature_searched,
    e.CitationVerified: literature.citation_verified,
}
