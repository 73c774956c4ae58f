"""The orchestrator's tools: limits, the sharing of alpha, and waking at the first thing that happens."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.agents.agent import Agent
from core.agents.loop import converse
from core.agents.orchestrator import orchestrator
from core.config import RunSettings
from core.models.base import ToolCall, ToolResult, UserMessage
from core.record.events import (
    ApprovalDecided,
    Event,
    ExperimentEnded,
    ExperimentProposed,
    MessageSent,
    ResultsTold,
    RunCreated,
)
from core.record.folder import RunFolder
from core.record.live import LiveRun
from tests.fakes.behaving_model import BehavingModel, calls
from tests.fakes.specs import new_run, proposal, run_settings


def agent(live: LiveRun, model: BehavingModel | None = None) -> Agent:
    return orchestrator(
        live, model or BehavingModel([]), lambda name, section: f"report of {name}: {section}"
    )


def use(live: LiveRun, tool: str, call_id: str = "c1", **arguments: Any) -> ToolResult:
    call = ToolCall(call_id, tool, arguments)
    result, _ = asyncio.run(agent(live).toolbox.answer(call))
    return result


def propose(
    live: LiveRun,
    count: int = 1,
    call_id: str = "c1",
    compute: dict[str, Any] | None = None,
) -> ToolResult:
    experiments = [
        proposal(f"Idea {number}").model_dump(mode="json", exclude={"compute"}) | {"compute": compute or {}}
        for number in range(count)
    ]
    return use(live, "propose_experiments", call_id, experiments=experiments)


def end(live: LiveRun, *names: str) -> None:
    live.record(*(ExperimentEnded(experiment_id=name, outcome="done") for name in names))


def create(live: LiveRun, **changes: Any) -> LiveRun:
    """The same run as if it had been created with other settings."""
    created = live.state.created
    assert created is not None
    live.state.created = created.model_copy(update={"settings": run_settings(**changes)})
    return live


def test_a_round_is_put_into_the_plan_with_numbers(live: LiveRun) -> None:
    result = propose(live, 2)
    assert not result.error
    assert "E1: Idea 0" in result.text
    assert "E2: Idea 1" in result.text
    assert [x.spec.round for x in live.state.experiments.values()] == [1, 1]


def test_the_same_call_made_again_proposes_nothing_again(live: LiveRun) -> None:
    first = propose(live, 2)
    again = propose(live, 2)
    assert again == first
    assert sum(isinstance(event, ExperimentProposed) for event in live.journal.read()) == 2


def test_a_round_has_at_most_as_many_experiments_as_was_said(live: LiveRun) -> None:
    result = propose(create(live, num_agents=2), 3)
    assert result.error
    assert "a round may have 2" in result.text
    assert live.state.experiments == {}


def test_there_are_at_most_as_many_rounds_as_was_said(live: LiveRun) -> None:
    create(live, max_rounds=2)
    assert not propose(live, call_id="c1").error
    assert not propose(live, call_id="c2").error
    refused = propose(live, call_id="c3")
    assert refused.error
    assert "finish_research" in refused.text
    assert [x.spec.round for x in live.state.experiments.values()] == [1, 2]


def test_single_mode_has_exactly_one_experiment(live: LiveRun) -> None:
    create(live, mode="single", num_agents=5, max_rounds=5)
    assert propose(live, 2).error
    assert not propose(live, 1, "c2").error
    assert propose(live, 1, "c3").error
    assert list(live.state.experiments) == ["E1"]
    assert live.state.experiments["E1"].spec.alpha == 0.05


@given(
    counts=st.lists(st.lists(st.booleans(), min_size=1, max_size=4), min_size=1, max_size=3),
    alpha=st.floats(0.001, 0.5),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_shares_of_alpha_stay_below_alpha_however_rounds_turn_out(
    tmp_path_factory: pytest.TempPathFactory, counts: list[list[bool]], alpha: float
) -> None:
    folder = new_run(tmp_path_factory.mktemp("run"), num_agents=4, max_rounds=3, alpha=alpha)
    with folder.journal() as journal:
        live = LiveRun(folder, journal)
        for place, with_hypothesis in enumerate(counts):
            experiments = [
                (proposal() if tested else proposal(hypothesis=None)).model_dump(mode="json")
                for tested in with_hypothesis
            ]
            assert not use(live, "propose_experiments", f"c{place}", experiments=experiments).error
        shares = [x.spec.alpha for x in live.state.experiments.values() if x.spec.hypothesis]
    assert sum(shares) <= alpha * (1 + 1e-12)
    if all(all(tested) for tested in counts) and len(counts) == 3:
        assert sum(shares) == pytest.approx(alpha)


def test_a_machine_that_is_not_to_be_had_is_a_tool_error_that_says_what_is(live: LiveRun) -> None:
    none = propose(live, compute={"gpu": "B200"})
    unknown = propose(create(live, sandbox="modal"), compute={"gpu": "H1000"})
    assert none.error
    assert "leave the GPU out" in none.text
    assert unknown.error
    assert "T4, L4, A10" in unknown.text
    domains = {"network": "allowed", "domains": ["a.example"]}
    assert propose(create(live), compute=domains).error
    assert live.state.experiments == {}
    assert not propose(create(live, sandbox="modal"), compute=domains | {"gpu": "a100-80gb:2"}).error
    assert live.state.experiments["E1"].spec.compute.gpu == "A100-80GB:2"


def test_the_runs_gpu_is_taken_unless_a_proposal_names_another_or_none(live: LiveRun) -> None:
    create(live, gpu="H100", sandbox="modal")
    propose(live, call_id="c1")
    propose(live, call_id="c2", compute={"gpu": "T4"})
    propose(live, call_id="c3", compute={"gpu": None})
    gpus = [x.spec.compute.gpu for x in live.state.experiments.values()]
    assert gpus == ["H100", "T4", None]


def test_what_does_not_validate_goes_back_with_the_place_and_the_reason(live: LiveRun) -> None:
    result = use(live, "propose_experiments", experiments=[{"title": "Half", "plan": ""}])
    assert result.error
    assert "experiments.0.plan" in result.text
    assert "Nothing was done" in result.text


def test_finishing_is_refused_while_something_is_open(live: LiveRun) -> None:
    propose(live, 2)
    end(live, "E1")
    refused = use(live, "finish_research", summary="Done.")
    assert refused.error
    assert "E2 has not ended" in refused.text
    end(live, "E2")
    assert not use(live, "finish_research", summary="Done.").error


def test_a_report_of_an_unknown_experiment_is_an_error_that_names_the_known_ones(live: LiveRun) -> None:
    propose(live, 2)
    assert "E1, E2" in use(live, "read_report", experiment="E7").text
    assert "report of E2" in use(live, "read_report", experiment="E2").text


def waits(live: LiveRun, *happenings: Event) -> ToolResult:
    """What a wait in an engine of its own answers when these things happen, one by one, elsewhere."""

    async def main(engine: LiveRun) -> ToolResult:
        watching = asyncio.create_task(engine.watch())
        call = ToolCall(f"w{engine.state.seq}", "wait_for_results", {})
        waiting = asyncio.create_task(agent(engine).toolbox.answer(call))
        for happening in happenings:
            await asyncio.sleep(0)
            assert not waiting.done()
            live.record(happening)
        result, _ = await waiting
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        return result

    with live.folder.journal() as journal:
        told = asyncio.run(asyncio.wait_for(main(LiveRun(live.folder, journal)), 20))
    live.refresh()
    return told


def test_a_wait_ends_at_the_first_completion_and_tells_each_result_once(live: LiveRun) -> None:
    propose(live, 3)
    first = waits(live, ExperimentEnded(experiment_id="E2", outcome="done"))
    assert "E2 (Idea 1): done" in first.text
    assert "report of E2" in first.text
    assert "Still open: E1 (proposed), E3 (proposed)" in first.text
    second = waits(live, ExperimentEnded(experiment_id="E1", outcome="rejected", message="Too dear."))
    assert "E1 (Idea 0): rejected: Too dear." in second.text
    assert "E2" not in second.text
    third = waits(live, ExperimentEnded(experiment_id="E3", outcome="failed", message="It fell over."))
    assert "Nothing is open. Rounds left: 2." in third.text


def test_results_that_came_before_the_wait_are_told_at_once_and_together(live: LiveRun) -> None:
    propose(live, 2)
    end(live, "E1", "E2")
    told = waits(live)
    assert "report of E1" in told.text
    assert "report of E2" in told.text


def test_a_wait_made_again_by_the_next_engine_tells_the_same_results(live: LiveRun) -> None:
    propose(live, 2)
    end(live, "E1")
    first = use(live, "wait_for_results", "w1")
    end(live, "E2")
    again = use(live, "wait_for_results", "w1")
    assert "report of E1" in first.text
    assert "report of E1" in again.text
    assert "report of E2" not in again.text
    assert [event.experiment_ids for event in live.journal.read() if isinstance(event, ResultsTold)] == [
        ("E1",)
    ]
    assert "report of E2" in use(live, "wait_for_results", "w2").text


def test_a_wait_with_nothing_to_wait_for_ends_at_once(live: LiveRun) -> None:
    assert "Nothing is open" in waits(live).text


def test_a_message_of_the_human_wakes_the_orchestrator_and_arrives_with_the_answer(live: LiveRun) -> None:
    propose(live)
    model = BehavingModel([calls("wait_for_results"), calls("wait_for_results")])
    tell = MessageSent(message_id="m1", agent="orchestrator", text="Try SVMs.")
    other = MessageSent(message_id="m2", agent="E1", text="Not for the orchestrator.")

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(live.watch())
            conversation = group.create_task(converse(live, agent(live, model)))
            await live.until(lambda state: state.agents["orchestrator"].turns if state.agents else None)
            with live.folder.journal() as console:
                console.append(other)
                console.append(tell)
            await live.until(lambda state: len(state.agents["orchestrator"].asked) == 2)
            watching.cancel()
            conversation.cancel()

    asyncio.run(asyncio.wait_for(main(), 20))
    newest = model.requests[1].messages[-1]
    assert isinstance(newest, UserMessage)
    assert newest.text == "The human says: Try SVMs."
    assert "Still open: E1" in newest.results[0].text
    assert "report of" not in newest.results[0].text


def test_a_question_waits_for_its_answer_and_is_asked_once(live: LiveRun) -> None:
    async def main() -> ToolResult:
        watching = asyncio.create_task(live.watch())
        call = ToolCall("q1", "ask_human", {"question": "Which data?"})
        cut_off = asyncio.create_task(agent(live).toolbox.answer(call))
        request = await live.until(lambda state: next(iter(state.waiting), None))
        cut_off.cancel()
        waiting = asyncio.create_task(agent(live).toolbox.answer(call))
        with live.folder.journal() as console:
            console.append(
                ApprovalDecided(
                    by="human",
                    decision_id="d1",
                    request_id=request.asked.request_id,
                    subject=request.asked.subject,
                    decision="answer",
                    note="Digits.",
                )
            )
        result, _ = await waiting
        watching.cancel()
        await asyncio.gather(watching, cut_off, return_exceptions=True)
        return result

    assert asyncio.run(asyncio.wait_for(main(), 20)).text == "The human answers: Digits."
    assert len(live.state.requests) == 1


def test_the_settings_of_a_run_are_those_it_was_created_with(folder: RunFolder) -> None:
    """A second creation in the journal, however it came there, changes nothing."""
    with folder.journal() as journal:
        other: RunSettings = run_settings(num_agents=9)
        journal.append(RunCreated(run_id="x", question="?", settings=other, version="0"))
        assert LiveRun(folder, journal).state.settings.num_agents != 9
