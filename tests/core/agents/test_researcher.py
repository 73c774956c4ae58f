"""The researcher's tools: scripts that need a yes, findings that are told once, repeats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import pytest

from core.agents.researcher import repeat_scripts, researcher
from core.approval import subject_of
from core.models.base import ToolCall, ToolResult
from core.record.events import (
    ApprovalDecided,
    ApprovalRequested,
    EngineStarted,
    ExecEnded,
    ExecRequested,
    FindingRecorded,
)
from core.record.live import LiveRun
from core.record.state import Request
from core.repeats import repeated_exec
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


SCRIPTS: list[tuple[str, int | None, bool]] = [
    ("finished", 0, True),
    ("finished", 1, False),
    ("time", None, False),
    ("finished", 0, False),
]
"""How each of an experiment's scripts ended, and whether it was a trial."""


def ran(live: LiveRun) -> None:
    """Let E1 have run its scripts."""
    lock(live, 1)
    for number, (end, exit_code, trial) in enumerate(SCRIPTS, 1):
        code = f"print({number})"
        live.record(
            ExecRequested(
                exec_id=f"E1-{number}",
                experiment_id="E1",
                call_id=f"c{number}",
                code=code,
                code_sha256=subject_of(code),
                trial=trial,
            ),
            ExecEnded(exec_id=f"E1-{number}", end=end, exit_code=exit_code, seconds=1),
        )


def repeated(live: LiveRun) -> list[tuple[str, bool]]:
    """The scripts of E2 with whether each was a trial."""
    asked = [live.state.execs[name].asked for name in live.state.experiments["E2"].execs]
    return [(one.code, one.trial) for one in asked]


def test_with_more_seeds_only_scripts_that_counted_are_repeated_and_each_once(live: LiveRun) -> None:
    ran(live)
    lock(live, 2, repeats="E1")
    for _ in range(2):
        asyncio.run(repeat_scripts(live, "E2", MemorySandbox()))
    assert repeated(live) == [("print(4)", False)]


def test_a_reproduction_repeats_every_script_that_ended_by_itself_and_trials_as_trials(live: LiveRun) -> None:
    ran(live)
    lock(live, 2, repeats="E1", hypothesis=None)
    for _ in range(2):
        asyncio.run(repeat_scripts(live, "E2", MemorySandbox()))
    assert repeated(live) == [("print(1)", True), ("print(2)", False), ("print(4)", False)]
    again = [repeated_exec(live.state.execs[name]) for name in live.state.experiments["E2"].execs]
    assert again == ["E1-1", "E1-2", "E1-4"]


def test_a_repeated_script_waits_for_a_yes_unless_the_very_same_was_allowed(live: LiveRun) -> None:
    ran(live)
    live.record(EngineStarted(pid=1, host="h", isolation="process only"))
    allowed = ApprovalRequested(
        request_id="script:E1:c1",
        kind="script",
        experiment_id="E1",
        subject=subject_of("print(1)"),
        title="t",
    )
    live.record(allowed)
    decide(live, live.state.requests["script:E1:c1"], "approve")
    lock(live, 2, repeats="E1", hypothesis=None)

    async def main() -> None:
        repeating = asyncio.create_task(repeat_scripts(live, "E2", MemorySandbox()))
        for answer in ("reject", "approve"):
            request = (await live.until(lambda state: state.waiting))[0]
            decide(live, request, answer)
        await repeating

    async def bounded() -> None:
        async with asyncio.timeout(20):
            await main()

    asyncio.run(bounded())
    assert [code for code, _ in repeated(live)] == ["print(1)", "print(4)"]
