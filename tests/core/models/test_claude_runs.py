"""An agent that is a Claude, through the turn loop: what a run does after each fault."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from core.agents.agent import Agent
from core.agents.loop import converse
from core.agents.retries import Retries
from core.agents.tools import Arguments, Reply, Tool, Toolbox
from core.errors import ContextFull, ModelBusy, ModelError, ModelRefused, ModelRejected, ModelUnusable
from core.record.events import (
    AgentEnded,
    EngineStarted,
    Event,
    ToolAnswered,
    TurnFailed,
    TurnFinished,
    TurnRetried,
)
from core.record.live import LiveRun
from tests.core.models.claude_turns import READ_USD, claude
from tests.fakes.anthropic_server import (
    AnthropicServer,
    breaks,
    cuts_call,
    events_of,
    hangs_up,
    message,
    redacted,
    refuses,
    says,
    streams,
    text,
    thinking,
    tool_use,
)
from tests.fakes.streaming_server import Answer

AT_ONCE = Retries(most=3, first_seconds=0)

TURN_USD = READ_USD + 50 * 25 / Decimal(10**6)


class Look(Arguments):
    """Look at it."""

    at: str


class Run:
    """One conversation with a server, and what came of it."""

    def __init__(self, live: LiveRun, *answers: Answer) -> None:
        self.live = live
        self.server = AnthropicServer(*answers)
        self.looked: list[str] = []

    def go(self) -> AgentEnded:
        async def main() -> AgentEnded:
            async with self.server:
                tool = Tool("look", Look, self._look)
                agent = Agent(
                    "orchestrator", claude(self.server), "Be brief.", "Begin.", "1", Toolbox(tool), 30
                )
                return await converse(self.live, agent, AT_ONCE)

        return asyncio.run(main())

    async def _look(self, arguments: Look, call_id: str) -> Reply:
        self.looked.append(arguments.at)
        return Reply(f"saw {arguments.at}", ends=arguments.at == "the end")

    def events(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.live.journal.read() if isinstance(event, kind)]


HELLO = says(thinking("Well."), text("Let me see."), tool_use("look", at="it"))
END = says(tool_use("look", at="the end"))

CUT_CALL = cuts_call("look", '{"at": "what was nev')

FAULTS: dict[str, tuple[Answer, str]] = {
    "rate limit": (refuses(429, "rate_limit_error", "slow", {"retry-after": "0"}), "limits how fast"),
    "overload": (refuses(529, "overloaded_error", "Overloaded"), "overloaded"),
    "server error": (refuses(500, "api_error", "oh"), "failed (status 500)"),
    "no answer": (hangs_up, "closed the connection"),
    "cut": (breaks("cut", text("Well"), tool_use("look", at="x" * 30)), "broke in the middle"),
    "clean early end": (breaks("end", after="content_block_stop"), "ended before it was complete"),
    "in-stream error": (breaks("error", error_type="overloaded_error"), "overloaded"),
    "malformed": (breaks("garbage"), "not JSON"),
    "cut call": (CUT_CALL, "cut at 32,000 tokens"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_after_a_fault_the_turn_is_asked_for_again_as_it_was_and_nothing_is_half_run(
    live: LiveRun, name: str
) -> None:
    fault, reason = FAULTS[name]
    run = Run(live, HELLO, fault, END)
    assert run.go().outcome == "done"
    assert run.looked == ["it", "the end"]
    [retried] = run.events(TurnRetried)
    assert isinstance(retried, TurnRetried)
    assert retried.number == 2
    assert reason in retried.reason
    assert len(run.events(TurnFinished)) == 2
    first, second, third = run.server.bodies
    assert second == third
    bodies = [exchange.body for exchange in run.server.exchanges]
    assert bodies[1] == bodies[2]
    assert second["messages"][:1] == first["messages"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (refuses(401, "authentication_error", "no"), ModelUnusable),
        (refuses(404, "not_found_error", "model: it"), ModelUnusable),
        (refuses(400, "invalid_request_error", "no"), ModelRejected),
        (refuses(400, "invalid_request_error", "prompt is too long"), ContextFull),
        (says(text("No."), stop="refusal"), ModelRefused),
    ],
    ids=["bad key", "unknown model", "bad request", "context overflow", "refusal"],
)
def test_what_asking_again_cannot_mend_is_said_once_and_the_run_can_go_on_later(
    live: LiveRun, fault: Answer, error: type[ModelError]
) -> None:
    run = Run(live, HELLO, fault)
    with pytest.raises(error):
        run.go()
    assert (run.looked, run.events(TurnRetried)) == (["it"], [])
    [failed] = run.events(TurnFailed)
    assert isinstance(failed, TurnFailed)
    assert "\n" not in failed.reason
    assert len(run.server.exchanges) == 2


def test_a_server_that_stays_overloaded_stops_the_run_with_a_next_step(live: LiveRun) -> None:
    run = Run(live, *[refuses(529, "overloaded_error", "Overloaded")] * 4)
    with pytest.raises(ModelBusy, match="no complete turn in 4 attempts") as raised:
        run.go()
    assert raised.value.next_step
    assert len(run.server.exchanges) == 4


def test_what_a_dropped_turn_may_have_cost_is_in_the_journal(live: LiveRun) -> None:
    run = Run(live, CUT_CALL, END)
    run.go()
    [retried] = run.events(TurnRetried)
    assert isinstance(retried, TurnRetried)
    assert retried.cost_usd == TURN_USD
    assert live.state.spent_usd >= 2 * TURN_USD


def test_every_request_carries_every_answer_before_it_unchanged(live: LiveRun) -> None:
    answers = [
        message(
            thinking(f"So it is {number} é😀", f"c2lnbg{number}+/=="),
            redacted(),
            text("I look."),
            {"type": "dream", "of": {"later": [number, None, 0.5]}},
            {**tool_use("look", f"toolu_{number}a", at=f"it {number}"), "caller": {"type": "direct"}},
            tool_use("look", f"toolu_{number}b", at="again"),
        )
        for number in range(5)
    ]
    run = Run(live, *(streams(*events_of(it)) for it in answers), END)
    assert run.go().outcome == "done"
    newest = run.server.bodies[-1]["messages"]
    for number, answer in enumerate(answers):
        assert newest[2 * number + 1] == {"role": "assistant", "content": answer["content"]}
        results = newest[2 * number + 2]["content"]
        assert [block["tool_use_id"] for block in results] == [f"toolu_{number}a", f"toolu_{number}b"]
    for earlier, later in zip(run.server.bodies, run.server.bodies[1:], strict=False):
        assert later["messages"][: len(earlier["messages"])] == earlier["messages"]
        assert {**later, "messages": 0} == {**earlier, "messages": 0}


def test_a_run_that_is_taken_up_again_sends_what_it_sent_before(live: LiveRun) -> None:
    first = Run(live, HELLO, refuses(401, "authentication_error", "no"))
    with pytest.raises(ModelUnusable):
        first.go()
    answered = first.events(ToolAnswered)
    second = Run(live, END)
    assert live.state.blocked is not None
    live.record(EngineStarted(pid=2, host="here", isolation="none"))
    assert second.go().outcome == "done"
    assert second.server.exchanges[0].body == first.server.exchanges[1].body
    assert second.looked == ["the end"]
    assert len(answered) == 1
