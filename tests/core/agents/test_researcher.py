"""The researcher's tools: scripts that need a yes, findings that are told once, repeats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import pytest

from core.agents.researcher import repeat_scripts, researcher
from core.models.base import ToolCall, ToolResult
from core.record.events import (
    ApprovalDecided,
    EngineStarted,
    ExecEnded,
    ExecRequested,
    FindingRecorded,
)
from core.record.live import LiveRun
from core.record.state import Request
from tests.fakes.behaving_model import BehavingModel
from tests.fakes.launching import lock
from tests.fakes.memory_sandbox import MemorySandbox


@pytest.fixture
def run(live: LiveRun) -> LiveRun:
    """A run with two experiments that may run scripts, each only after a yes."""
    live.record(EngineStarted(pid=1, host="h", isolation="process only"))
    lock(live, 1)
    lock(live, 2)
    return live


def decide(live: LiveRun, request: Request, decision: Literal["approve", "reject"], note: str = "") -> None:
    live.record(
        ApprovalDecided(
            by="human",
            decision_id=f"d{live.state.seq}",
            request_id=request.asked.request_id,
            subject=request.asked.subject,
            decision=decision,
            note=note,
        )
    )


def use(
    live: LiveRun,
    experiment_id: str,
    tool: str,
    sandbox: MemorySandbox,
    call_id: str = "c1",
    meanwhile: Callable[[], None] = lambda: None,
    **arguments: Any,
) -> ToolResult | None:
    """What a call is answered; None where it still waits after everything else has happened."""

    async def main() -> ToolResult | None:
        agent = researcher(live, BehavingModel([]), experiment_id, sandbox)
        answer = asyncio.create_task(agent.toolbox.answer(ToolCall(call_id, tool, arguments)))
        for step in range(20):
            await asyncio.sleep(0)
            if step == 10:
                meanwhile()
        if not answer.done():
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)
            return None
        return answer.result()[0]

    return asyncio.run(main())


def test_a_script_runs_only_after_its_yes(run: LiveRun) -> None:
    sandbox = MemorySandbox([b"hello\n"])
    assert use(run, "E1", "run_python", sandbox, code="print()") is None
    assert sandbox.started == []
    [request] = run.state.waiting
    assert (request.asked.kind, request.asked.detail) == ("script", "print()")
    decide(run, request, "approve")
    result = use(run, "E1", "run_python", sandbox, code="print()")
    assert result is not None
    assert "E1-1 ended with exit code 0" in result.text
    assert "hello" in result.text
    assert sandbox.started == ["E1-1"]


def test_a_script_that_the_human_refuses_does_not_run_and_the_model_reads_why(run: LiveRun) -> None:
    sandbox = MemorySandbox()
    result = use(
        run,
        "E1",
        "run_python",
        sandbox,
        code="print()",
        meanwhile=lambda: decide(run, run.state.waiting[0], "reject", "It deletes files."),
    )
    assert result is not None
    assert result.error
    assert "It deletes files." in result.text
    assert sandbox.started == []


def test_the_yes_for_one_experiments_script_is_none_for_anothers_under_the_same_call_id(
    run: LiveRun,
) -> None:
    """Call ids are unique only in a conversation."""
    use(run, "E1", "run_python", MemorySandbox(), code="print('harmless')")
    decide(run, run.state.waiting[0], "approve")
    sandbox = MemorySandbox()
    assert use(run, "E2", "run_python", sandbox, code="print('harmful')") is None
    assert sandbox.started == []
    [request] = run.state.waiting
    assert request.asked.detail == "print('harmful')"


def test_a_finding_whose_answer_was_lost_is_told_once(run: LiveRun) -> None:
    for experiment_id in ("E1", "E1", "E2"):
        use(run, experiment_id, "record_finding", MemorySandbox(), text="Trees are unstable.")
    found = [event.experiment_id for event in run.journal.read() if isinstance(event, FindingRecorded)]
    assert found == ["E1", "E2"]
    assert run.state.experiments["E1"].findings == ["Trees are unstable."]


def test_the_same_call_made_again_goes_on_with_the_same_exec(live: LiveRun) -> None:
    live.record(EngineStarted(pid=1, host="h", isolation="namespaces"))
    lock(live, 1)
    use(live, "E1", "run_python", MemorySandbox([b"a"], stops_after=0), code="a")
    again = MemorySandbox([b"a"])
    assert use(live, "E1", "run_python", again, code="a") is not None
    other = MemorySandbox([b"b"])
    assert use(live, "E1", "run_python", other, "c2", code="b") is not None
    assert (again.started, other.started) == (["E1-1"], ["E1-2"])


def test_only_scripts_that_counted_are_repeated_and_each_once(live: LiveRun) -> None:
    lock(live, 1)
    lock(live, 2)
    for number, (end, code, trial) in enumerate(
        [("finished", 0, False), ("finished", 1, False), ("time", None, False), ("finished", 0, True)], 1
    ):
        live.record(
            ExecRequested(
                exec_id=f"E1-{number}",
                experiment_id="E1",
                call_id=f"c{number}",
                code=f"print({number})",
                code_sha256="0" * 64,
                trial=trial,
            ),
            ExecEnded(exec_id=f"E1-{number}", end=end, exit_code=code, seconds=1),
        )
    for _ in range(2):
        asyncio.run(repeat_scripts(live, "E2", "E1", MemorySandbox()))
    assert [live.state.execs[name].asked.code for name in live.state.experiments["E2"].execs] == ["print(1)"]
