"""Folding: how each event changes the state of a run.

Folding is total: any prefix of any journal folds, and an event that makes no sense where it stands
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from core.experiment import Experiment
from core.pricing import Tokens
from core.record import events as e
from core.record.events import Event
from core.record.state import AgentState, Exec, ExperimentState, Request, RunState

NOTHING = Decimal(0)


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


# One function per event type. Each ignores what does not fit the state it finds.


def _run_created(state: RunState, event: e.RunCreated) -> None:
    if state.created is None:
        state.created = event
        state.cap_usd = event.settings.budget_usd


def _engine_started(state: RunState, event: e.EngineStarted) -> None:
    state.engine = event
    state.engine_stopped = None
    state.stop = None
    state.blocked = None
    state.engines += 1
    _cut_off_all(state)
    state.turn_reserves.clear()


def _engine_stopped(state: RunState, event: e.EngineStopped) -> None:
    state.engine_stopped = event
    _cut_off_all(state)


def _stop_requested(state: RunState, event: e.StopRequested) -> None:
    state.stop = event


def _kill_requested(state: RunState, event: e.KillRequested) -> None:
    if event.experiment_id is None:
        state.kill = event
    elif (experiment := state.experiments.get(event.experiment_id)) and experiment.open:
        experiment.kill = event


def _prices_taken(state: RunState, event: e.PricesTaken) -> None:
    state.prices = event


def _launching_paused(state: RunState, event: e.LaunchingPaused) -> None:
    state.paused = True


def _launching_continued(state: RunState, event: e.LaunchingContinued) -> None:
    state.paused = False


def _budget_set(state: RunState, event: e.BudgetSet) -> None:
    state.cap_usd = event.cap_usd


def _message_sent(state: RunState, event: e.MessageSent) -> None:
    state.messages.append(event)


def _data_added(state: RunState, event: e.DataAdded) -> None:
    state.data.setdefault(event.name, event)


def _seeds_requested(state: RunState, event: e.SeedsRequested) -> None:
    state.seeds[event.request_id] = event


def _reproduction_requested(state: RunState, event: e.ReproductionRequested) -> None:
    """Take up a run that has ended. A kill was carried out when it ended, so it holds no longer."""
    if state.ended is None or any(experiment.open for experiment in state.experiments.values()):
        return
    state.reproduction = event
    state.ended = None
    state.kill = None


def _run_renamed(state: RunState, event: e.RunRenamed) -> None:
    state.renamed = event


def _run_ended(state: RunState, event: e.RunEnded) -> None:
    state.ended = event
    state.concluded = state.concluded or event
    state.reproduction = None
    _cut_off_all(state)
    for request in state.requests.values():
        if request.waits:
            request.void = True


def _agent_started(state: RunState, event: e.AgentStarted) -> None:
    state.agents.setdefault(event.agent, AgentState(event))


def _turn_started(state: RunState, event: e.TurnStarted) -> None:
    if agent := state.agents.get(event.agent):
        _cut_off(state, event.agent)
        agent.asked[event.number] = event
        agent.under_way = event
        agent.retry = None
        if event.reserved_usd:
            state.turn_reserves[event.agent] = event.reserved_usd


def _turn_retried(state: RunState, event: e.TurnRetried) -> None:
    if agent := state.agents.get(event.agent):
        agent.retry = event
        _bill(state, event.agent, event.cost_usd, event.unsettled_usd)


def _turn_failed(state: RunState, event: e.TurnFailed) -> None:
    if event.pauses and state.blocked is None:
        state.blocked = event
    if event.agent in state.agents:
        _bill(state, event.agent, event.cost_usd, event.unsettled_usd)


def _turn_finished(state: RunState, event: e.TurnFinished) -> None:
    agent = state.agents.get(event.agent)
    if agent is None or event.number != len(agent.turns) + 1:
        return
    agent.turns.append(event)
    agent.retry = None
    state.input_tokens += event.input_tokens
    state.output_tokens += event.output_tokens
    known = agent.bill.tokens
    agent.bill.tokens = Tokens(
        known.input + event.input_tokens,
        known.output + event.output_tokens,
        known.cached + event.cached_tokens,
        known.cache_written + event.cache_written_tokens,
    )
    _bill(state, event.agent, event.cost_usd)


def _tool_answered(state: RunState, event: e.ToolAnswered) -> None:
    if agent := state.agents.get(event.agent):
        agent.answers.setdefault(event.call_id, event)


def _results_told(state: RunState, event: e.ResultsTold) -> None:
    state.tellings.setdefault(event.call_id, event.experiment_ids)
    for experiment_id in event.experiment_ids:
        if experiment := state.experiments.get(experiment_id):
            experiment.told = True


def _agent_ended(state: RunState, event: e.AgentEnded) -> None:
    if agent := state.agents.get(event.agent):
        _cut_off(state, event.agent)
        agent.ended = event
    state.turn_reserves.pop(event.agent, None)


def _experiment_proposed(state: RunState, event: e.ExperimentProposed) -> None:
    spec = event.experiment
    state.experiments.setdefault(spec.id, ExperimentState(spec, event.at, event.call_id))


def _experiment_edited(state: RunState, event: e.ExperimentEdited) -> None:
    experiment = state.experiments.get(event.experiment.id)
    if experiment is None or experiment.stage not in ("proposed", "waiting", "approved"):
        return
    if _place(event.experiment) != _place(experiment.spec):
        return
    if experiment.locked_at is not None and not _differs_in_machine_only(event.experiment, experiment.spec):
        return  # its hypothesis was fixed before anything was measured
    if request := state.live_request(experiment.id):
        request.void = True
    experiment.spec = event.experiment
    experiment.stage = "proposed"


def _differs_in_machine_only(edited: Experiment, spec: Experiment) -> bool:
    return edited.model_copy(update={"compute": spec.compute}) == spec


def _place(spec: Experiment) -> tuple[int, float, str | None, str | None]:
    """What no edit may change: its round, its share of the error budget and what it repeats, and for what."""
    return spec.round, spec.alpha, spec.repeats, spec.reproduces


def _approval_requested(state: RunState, event: e.ApprovalRequested) -> None:
    if event.request_id in state.requests:
        return
    request = Request(event)
    state.requests[event.request_id] = request
    if event.kind != "launch":
        return
    experiment = state.experiments.get(event.experiment_id or "")
    if (
        experiment is None
        or experiment.stage not in ("proposed", "waiting", "approved")
        or experiment.spec.sha256 != event.subject
    ):
        request.void = True
        return
    if earlier := state.live_request(experiment.id):
        earlier.void = True
    experiment.requests.append(event.request_id)
    experiment.stage = "waiting"


def _approval_decided(state: RunState, event: e.ApprovalDecided) -> None:
    request = state.requests.get(event.request_id)
    if request is None or not request.waits or request.asked.subject != event.subject:
        return
    estimate = request.asked.estimate
    if event.decision == "approve" and estimate is not None and event.maximum_usd != estimate.maximum:
        return
    if event.decision == "answer" and request.asked.kind != "question":
        return
    experiment = state.experiments.get(request.asked.experiment_id or "")
    if request.asked.kind == "launch" and experiment is not None and not experiment.open:
        return
    request.decision = event
    if request.asked.kind == "launch" and experiment is not None and event.decision == "approve":
        experiment.stage = "approved"


def _experiment_locked(state: RunState, event: e.ExperimentLocked) -> None:
    experiment = state.experiments.get(event.experiment_id)
    if experiment is not None and experiment.stage == "approved":
        experiment.locked = event
        experiment.locked_at = experiment.locked_at or event.at
        experiment.stage = "queued"
        experiment.failures.clear()
        experiment.earlier_seconds = experiment.sandbox_seconds
        experiment.earlier_usd = experiment.booked_usd + experiment.unsettled_usd


def _experiment_started(state: RunState, event: e.ExperimentStarted) -> None:
    experiment = state.experiments.get(event.experiment_id)
    if experiment is not None and experiment.stage == "queued":
        experiment.stage = "running"
        experiment.started_at = experiment.started_at or event.at


def _sandbox_requested(state: RunState, event: e.SandboxRequested) -> None:
    if experiment := state.experiments.get(event.experiment_id):
        experiment.sandbox_name = event.name
        experiment.requested += 1


def _sandbox_progressed(state: RunState, event: e.SandboxProgressed) -> None:
    if experiment := state.experiments.get(event.experiment_id):
        experiment.progress = event.line


def _sandbox_opened(state: RunState, event: e.SandboxOpened) -> None:
    if experiment := state.experiments.get(event.experiment_id):
        experiment.sandbox = event
        experiment.progress = ""
        if experiment.spec.repeats is not None and experiment.closings:
            # A repeat has nobody who could go on: its scripts are run again from the first.
            for name in experiment.execs:
                state.execs[name].void = True


def _sandbox_closed(state: RunState, event: e.SandboxClosed) -> None:
    experiment = state.experiments.get(event.experiment_id)
    if experiment is None or experiment.sandbox is None:
        return
    experiment.sandbox = None
    experiment.closings.append(event)
    experiment.sandbox_seconds += event.seconds
    experiment.bills[event.sandbox_id] = event.cost_usd
    _spend(state, experiment, event.cost_usd, "sandbox_cost_usd")


def _sandbox_failed(state: RunState, event: e.SandboxFailed) -> None:
    experiment = state.experiments.get(event.experiment_id)
    if experiment is None or not experiment.open or event.then == "closed again":
        return
    experiment.failures.append(event)
    experiment.progress = event.message
    if event.then == "asked again" and experiment.stage == "running" and experiment.sandbox is None:
        experiment.stage = "proposed"
        experiment.locked = None
        experiment.again = event.message


def _sandbox_reaped(state: RunState, event: e.SandboxReaped) -> None:
    state.reaped.setdefault(event.sandbox_id, event)


def _sandbox_billed(state: RunState, event: e.SandboxBilled) -> None:
    """Put the provider's figure in the place of our own."""
    experiment = state.experiments.get(event.experiment_id or "")
    if experiment is None or event.sandbox_id not in experiment.bills:
        if event.sandbox_id in state.reaped and event.sandbox_id not in state.stray_bills:
            state.stray_bills[event.sandbox_id] = event.cost_usd
            state.spent_usd += event.cost_usd
        return
    reckoned = experiment.bills[event.sandbox_id]
    experiment.bills[event.sandbox_id] = event.cost_usd
    experiment.billed.add(event.sandbox_id)
    if reckoned is None:
        state.unknown_costs -= 1
    state.spent_usd += event.cost_usd - (reckoned or NOTHING)
    experiment.booked_usd += event.cost_usd - (reckoned or NOTHING)
    known = [cost for cost in experiment.bills.values() if cost is not None]
    whole = len(known) == len(experiment.bills)
    experiment.sandbox_cost_usd = sum(known, NOTHING) if whole else None


def _exec_requested(state: RunState, event: e.ExecRequested) -> None:
    experiment = state.experiments.get(event.experiment_id)
    if experiment is not None and event.exec_id not in state.execs:
        state.execs[event.exec_id] = Exec(event)
        experiment.execs.append(event.exec_id)


def _exec_ended(state: RunState, event: e.ExecEnded) -> None:
    if script := state.execs.get(event.exec_id):
        script.ended = event
        experiment = state.experiments.get(script.asked.experiment_id)
        if event.end == "finished" and experiment is not None:
            experiment.failures.clear()


def _records_taken(state: RunState, event: e.RecordsTaken) -> None:
    if script := state.execs.get(event.exec_id):
        script.records = event.records
        script.records_offset = event.offset
        script.chain = event.chain
        script.results = event.results or script.results


def _finding_recorded(state: RunState, event: e.FindingRecorded) -> None:
    if experiment := state.experiments.get(event.experiment_id):
        experiment.findings.append(event.text)


def _experiment_ended(state: RunState, event: e.ExperimentEnded) -> None:
    experiment = state.experiments.get(event.experiment_id)
    if experiment is None or not experiment.open:
        return
    for request in state.requests.values():
        if request.waits and request.asked.experiment_id == experiment.id:
            request.void = True
    experiment.stage = "ended"
    experiment.outcome = event.outcome
    experiment.message = event.message
    experiment.ended_at = event.at


def _verdict_reached(state: RunState, event: e.VerdictReached) -> None:
    if experiment := state.experiments.get(event.experiment_id):
        experiment.verdict = event.verdict


def _paper_refused(state: RunState, event: e.PaperRefused) -> None:
    state.refusals.append(event)


def _paper_published(state: RunState, event: e.PaperPublished) -> None:
    state.paper = event


def _literature_searched(state: RunState, event: e.LiteratureSearched) -> None:
    if event.search_id not in state.searches:
        state.searches[event.search_id] = event
        for key, work in event.works.items():
            state.works.setdefault(key, work)


def _citation_verified(state: RunState, event: e.CitationVerified) -> None:
    if event.key in state.works:
        state.citations.setdefault(event.key, []).append(event)


def _bill(state: RunState, name: str, cost_usd: Decimal | None, unsettled_usd: Decimal = NOTHING) -> None:
    """Book what an agent's attempt at a turn cost; it is not under way any more.

    Of a cost that nobody knows, the most that it can be is kept of the cap where that is known.
    """
    agent = state.agents[name]
    asked, agent.under_way = agent.under_way, None
    state.turn_reserves.pop(name, None)
    if cost_usd is None:
        agent.bill.unknown_costs += 1
        unsettled_usd = (asked and asked.at_most_usd) or unsettled_usd
    else:
        agent.bill.spent_usd += cost_usd
    agent.bill.unsettled_usd += unsettled_usd
    state.unsettled_usd += unsettled_usd
    experiment = state.experiments.get(name)
    if experiment is not None:
        experiment.unsettled_usd += unsettled_usd
    _spend(state, experiment, cost_usd, "model_cost_usd")


def _cut_off(state: RunState, name: str) -> None:
    """Keep the price of an attempt that nobody waits for any more: it may have been billed."""
    asked = state.agents[name].under_way
    if asked is not None:
        known = asked.at_most_usd is not None
        _bill(state, name, NOTHING if known else None, asked.at_most_usd or NOTHING)


def _cut_off_all(state: RunState) -> None:
    for name in state.agents:
        _cut_off(state, name)


def _spend(
    state: RunState, experiment: ExperimentState | None, cost_usd: Decimal | None, account: str
) -> None:
    """Book a cost. An unknown one is counted, and makes the experiment's total unknown."""
    if cost_usd is None:
        state.unknown_costs += 1
    else:
        state.spent_usd += cost_usd
    if experiment is not None:
        experiment.booked_usd += cost_usd or NOTHING
        booked: Decimal | None = getattr(experiment, account)
        setattr(experiment, account, None if booked is None or cost_usd is None else booked + cost_usd)


_HANDLERS: dict[type[Event], Callable[[RunState, Any], None]] = {
    e.RunCreated: _run_created,
    e.EngineStarted: _engine_started,
    e.EngineStopped: _engine_stopped,
    e.StopRequested: _stop_requested,
    e.KillRequested: _kill_requested,
    e.PricesTaken: _prices_taken,
    e.LaunchingPaused: _launching_paused,
    e.LaunchingContinued: _launching_continued,
    e.BudgetSet: _budget_set,
    e.MessageSent: _message_sent,
    e.DataAdded: _data_added,
    e.SeedsRequested: _seeds_requested,
    e.ReproductionRequested: _reproduction_requested,
    e.RunRenamed: _run_renamed,
    e.RunEnded: _run_ended,
    e.AgentStarted: _agent_started,
    e.TurnStarted: _turn_started,
    e.TurnRetried: _turn_retried,
    e.TurnFailed: _turn_failed,
    e.TurnFinished: _turn_finished,
    e.ToolAnswered: _tool_answered,
    e.ResultsTold: _results_told,
    e.AgentEnded: _agent_ended,
    e.ExperimentProposed: _experiment_proposed,
    e.ExperimentEdited: _experiment_edited,
    e.ApprovalRequested: _approval_requested,
    e.ApprovalDecided: _approval_decided,
    e.ExperimentLocked: _experiment_locked,
    e.ExperimentStarted: _experiment_started,
    e.SandboxRequested: _sandbox_requested,
    e.SandboxProgressed: _sandbox_progressed,
    e.SandboxOpened: _sandbox_opened,
    e.SandboxClosed: _sandbox_closed,
    e.SandboxFailed: _sandbox_failed,
    e.SandboxReaped: _sandbox_reaped,
    e.SandboxBilled: _sandbox_billed,
    e.ExecRequested: _exec_requested,
    e.ExecEnded: _exec_ended,
    e.RecordsTaken: _records_taken,
    e.FindingRecorded: _finding_recorded,
    e.ExperimentEnded: _experiment_ended,
    e.VerdictReached: _verdict_reached,
    e.PaperRefused: _paper_refused,
    e.PaperPublished: _paper_published,
    e.LiteratureSearched: _literature_searched,
    e.CitationVerified: _citation_verified,
}
