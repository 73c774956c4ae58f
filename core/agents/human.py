"""Asking the human: questions of agents, and scripts that need a yes."""

from __future__ import annotations

from core.agents.tools import AskHuman, Reply, Tool
from core.approval import subject_of
from core.errors import ToolError
from core.record.events import ApprovalDecided, ApprovalRequested
from core.record.live import LiveRun


def ask_human(live: LiveRun, agent: str) -> Tool[AskHuman]:
    """The tool by which an agent asks the human and waits; for as long as it takes."""

    async def ask(arguments: AskHuman, call_id: str) -> Reply:
        decision = await decided(
            live,
            ApprovalRequested(
                request_id=f"question:{agent}:{call_id}",
                kind="question",
                experiment_id=agent if agent in live.state.experiments else None,
                subject=subject_of(arguments.question),
                title=f"{agent} asks",
                detail=arguments.question,
            ),
        )
        return Reply(f"The human answers: {decision.note}")

    return Tool("ask_human", AskHuman, ask)


async def script_approved(live: LiveRun, experiment_id: str, call_id: str, code: str, purpose: str) -> None:
    """Wait until the human allows one script.

    Raises:
        ToolError: the human said no, with the reason.
    """
    decision = await decided(
        live,
        ApprovalRequested(
            request_id=f"script:{experiment_id}:{call_id}",
            kind="script",
            experiment_id=experiment_id,
            subject=subject_of(code),
            title=purpose or f"a script of {experiment_id}",
            detail=code,
        ),
    )
    if decision.decision != "approve":
        raise ToolError(
            f"the human did not allow this script: {decision.note or 'no reason was given'}",
            "Nothing ran. Change it accordingly, or submit what you have.",
        )


async def decided(live: LiveRun, request: ApprovalRequested) -> ApprovalDecided:
    """Ask, unless it was asked before, and wait for the decision that counts.

    Call ids are unique only within a conversation, so a request's id has to name its agent too.
    """
    if request.request_id not in live.state.requests:
        live.record(request)
    return await live.until(lambda state: state.requests[request.request_id].decision)
