"""What is sent: what was recorded, whatever today's code would say, and calls told apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from core.agents.agent import Agent
from core.agents.loop import converse
from core.agents.tools import Arguments, Reply, Tool, Toolbox
from core.models.base import Delta, ToolCall, ToolResult, Turn, TurnRequest, UserMessage
from core.record.events import EngineStarted, TurnFinished
from core.record.live import LiveRun
from tests.fakes.behaving_model import BehavingModel, Says, calls


class Work(Arguments):
    """Do a piece of work."""

    piece: str = "all"


class OtherWork(Arguments):
    """Do something else entirely."""

    amount: int = 1


class Worker:
    """Does work once per call."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []

    async def work(self, arguments: Work, call_id: str) -> Reply:
        self.done.append((call_id, arguments.piece))
        return Reply(f"did {arguments.piece}", ends=arguments.piece == "last")


def agent(model: BehavingModel, worker: Worker | None = None) -> Agent:
    toolbox = Toolbox(Tool("work", Work, (worker or Worker()).work))
    return Agent("orchestrator", model, "Be brief.", "Begin.", "1", toolbox, 30)


def test_a_newer_fumehood_sends_what_the_older_one_began(live: LiveRun) -> None:
    first = BehavingModel([calls("work")])
    with pytest.raises(RuntimeError):  # no more behaviours: it stops after the first turn
        asyncio.run(converse(live, agent(first)))

    async def other(arguments: OtherWork, call_id: str) -> Reply:
        return Reply("other")

    newer = BehavingModel([calls("work", piece="last")])
    worker = Worker()
    changed = replace(
        agent(newer, worker),
        system="Be long.",
        prompt="Start.",
        prompts_version="2",
        toolbox=Toolbox(Tool("work", Work, worker.work), Tool("other", OtherWork, other)),
    )
    live.record(EngineStarted(pid=1, host="h", isolation="namespaces"))
    asyncio.run(converse(live, changed))
    before, after = first.requests[0], newer.requests[0]
    assert (after.system, after.tools) == (before.system, before.tools)
    assert after.messages[: len(before.messages)] == before.messages
    assert worker.done == [("call-1-0", "last")]


class Numbering(BehavingModel):
    """A model behind a server that gives its calls what ids it likes."""

    ids: tuple[tuple[str, ...], ...] = ()

    async def turn(self, request: TurnRequest) -> AsyncIterator[Delta | Turn]:
        place = len(self.requests)
        async for piece in super().turn(request):
            if isinstance(piece, Turn):
                given = self.ids[place]
                made = tuple(replace(call, id=own) for call, own in zip(piece.calls, given, strict=True))
                yield replace(piece, calls=made)
            else:
                yield piece


@pytest.mark.parametrize(
    "ids",
    [(("call_0", "call_0"), ("call_0",)), (("", ""), ("",)), (("a", "a~1.2"), ("a",))],
    ids=["the same", "none", "like ours"],
)
def test_calls_that_a_server_gives_the_same_id_are_each_made_and_answered(
    live: LiveRun, ids: tuple[tuple[str, ...], ...]
) -> None:
    both = Says(calls=(("work", {"piece": "a"}), ("work", {"piece": "b"})))
    model = Numbering([both, calls("work", piece="last")])
    model.ids = ids
    worker = Worker()
    asyncio.run(converse(live, agent(model, worker)))
    assert [piece for _, piece in worker.done] == ["a", "b", "last"]
    assert len({call_id for call_id, _ in worker.done}) == 3
    answered = model.requests[1].messages[-1]
    assert answered == UserMessage("", (ToolResult(ids[0][0], "did a"), ToolResult(ids[0][1], "did b")))


@pytest.mark.parametrize("arguments", [[1, 2], "all", None, 3.5])
def test_arguments_that_are_no_object_go_back_as_an_error(live: LiveRun, arguments: Any) -> None:
    class Odd(BehavingModel):
        async def turn(self, request: TurnRequest) -> AsyncIterator[Delta | Turn]:
            async for piece in super().turn(request):
                if isinstance(piece, Turn) and len(self.requests) == 1:
                    yield replace(piece, calls=(ToolCall("c1", "work", arguments),))
                else:
                    yield piece

    model, worker = Odd([calls("work"), calls("work", piece="last")]), Worker()
    asyncio.run(converse(live, agent(model, worker)))
    [result] = model.requests[1].messages[-1].results  # type: ignore[union-attr]
    assert result.error
    assert "no object" in result.text
    assert worker.done == [("call-1-0", "last")]
    assert len([event for event in live.journal.read() if isinstance(event, TurnFinished)]) == 2
