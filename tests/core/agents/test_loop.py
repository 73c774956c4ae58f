"""The turn loop: every way in which a conversation can go on or end."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from core.agents import turn
from core.agents.agent import Agent
from core.agents.loop import SAME_ERRORS, SILENT_TURNS, converse
from core.agents.tools import Arguments, Reply, Tool, Toolbox
from core.agents.turn import CALL_A_TOOL
from core.errors import ModelRejected, ToolError
from core.models.base import ModelMessage, ToolResult, TurnRequest, UserMessage
from core.record.events import (
    AgentEnded,
    BudgetSet,
    EngineStarted,
    ExperimentEnded,
    MessageSent,
    ToolAnswered,
    TurnFinished,
    TurnStarted,
)
from core.record.live import LiveRun
from tests.fakes.behaving_model import AT_ONCE, BUSY, BehavingModel, Behaviour, Breaks, Fails, Says, calls
from tests.fakes.launching import lock


class Echo(Arguments):
    """Say it again."""

    text: str


async def echo(arguments: Echo, call_id: str) -> Reply:
    if arguments.text == "fail":
        raise ToolError("it failed", "Say something else.")
    return Reply(f"{call_id} says {arguments.text}", ends=arguments.text == "end")


END = calls("echo", text="end")
HELLO = calls("echo", text="hello")


def agent(model: BehavingModel, name: str = "orchestrator", max_turns: int = 30) -> Agent:
    toolbox = Toolbox(Tool("echo", Echo, echo))
    return Agent(name, model, "Be brief.", "Begin.", "1", toolbox, max_turns)


def talk(live: LiveRun, *behaviours: Behaviour, max_turns: int = 30) -> tuple[AgentEnded, list[TurnRequest]]:
    model = BehavingModel(behaviours)
    live.record(EngineStarted(pid=1, host="h", isolation="namespaces"))
    ended = asyncio.run(converse(live, agent(model, max_turns=max_turns), AT_ONCE))
    return ended, model.requests


def test_an_agent_works_by_tool_calls_until_one_of_them_ends_it(live: LiveRun) -> None:
    ended, requests = talk(live, HELLO, END)
    assert (ended.outcome, live.state.agents["orchestrator"].ended) == ("done", ended)
    assert requests[0].messages == (UserMessage("Begin."),)
    first, said, answered = requests[1].messages
    assert first == requests[0].messages[0]
    assert isinstance(said, ModelMessage)
    assert answered == UserMessage("", (ToolResult("call-0-0", "call-0-0 says hello"),))
    assert requests[0].system == requests[1].system == "Be brief."
    assert requests[0].tools == requests[1].tools


def test_an_agent_that_has_ended_is_not_asked_again(live: LiveRun) -> None:
    talk(live, END)
    before = live.state.seq
    ended, requests = talk(live)
    assert (ended.outcome, requests, live.state.seq) == ("done", [], before + 1)


def test_an_agent_that_calls_no_tool_is_told_so_and_in_the_end_has_given_up(live: LiveRun) -> None:
    ended, requests = talk(live, *[Says("I think")] * SILENT_TURNS)
    assert ended.outcome == "gave up"
    assert "called no tool" in ended.message
    assert [request.messages[-1] for request in requests[1:]] == [UserMessage(CALL_A_TOOL)] * 2


def test_silent_turns_that_are_not_in_a_row_are_forgiven(live: LiveRun) -> None:
    silent = [Says("Hm")] * (SILENT_TURNS - 1)
    ended, requests = talk(live, *silent, HELLO, *silent, END)
    assert ended.outcome == "done"
    assert requests[SILENT_TURNS].messages[-1] == UserMessage(
        "", (ToolResult("call-2-0", "call-2-0 says hello"),)
    )


def test_an_agent_that_repeats_an_error_has_given_up(live: LiveRun) -> None:
    ended, requests = talk(live, *[calls("echo", text="fail")] * SAME_ERRORS)
    assert ended.outcome == "gave up"
    assert "it failed" in ended.message
    assert len(requests) == SAME_ERRORS


def test_different_errors_are_not_the_same_error(live: LiveRun) -> None:
    errors = [calls("echo", text="fail"), calls("shout")] * SAME_ERRORS
    assert talk(live, *errors, END)[0].outcome == "done"


def test_unknown_tools_and_wrong_arguments_go_back_as_errors_that_say_what_to_do(live: LiveRun) -> None:
    _, requests = talk(live, calls("shout"), calls("echo", txt="hello"), END)
    [unknown] = requests[1].messages[-1].results  # type: ignore[union-attr]
    [invalid] = requests[2].messages[-1].results  # type: ignore[union-attr]
    assert unknown.error
    assert "no tool 'shout'" in unknown.text
    assert "echo" in unknown.text
    assert invalid.error
    assert "text: Field required" in invalid.text
    assert "txt: Extra inputs" in invalid.text


def test_two_calls_of_one_turn_are_answered_in_order_and_together(live: LiveRun) -> None:
    both = Says(calls=(("echo", {"text": "a"}), ("echo", {"text": "fail"})))
    _, requests = talk(live, both, END)
    assert requests[1].messages[-1] == UserMessage(
        "",
        (
            ToolResult("call-0-0", "call-0-0 says a"),
            ToolResult("call-0-1", "it failed. Say something else.", error=True),
        ),
    )


def test_calls_after_the_one_that_ends_are_not_made(live: LiveRun) -> None:
    talk(live, Says(calls=(("echo", {"text": "end"}), ("echo", {"text": "late"}))))
    answered = [event for event in live.journal.read() if isinstance(event, ToolAnswered)]
    assert [event.text for event in answered] == ["call-0-0 says end"]


def test_an_agent_that_has_taken_all_its_turns_ends(live: LiveRun) -> None:
    ended, requests = talk(live, HELLO, HELLO, END, max_turns=2)
    assert (ended.outcome, len(requests)) == ("out of turns", 2)


def test_a_turn_that_the_cap_does_not_pay_is_not_asked_for(live: LiveRun) -> None:
    live.record(BudgetSet(cap_usd=Decimal(3)))
    model = BehavingModel([Says(calls=HELLO.calls, cost_usd=Decimal(2)), END], price=Decimal(2))
    ended = asyncio.run(converse(live, agent(model)))
    assert (ended.outcome, len(model.requests)) == ("out of budget", 1)
    assert live.state.spent_usd == 2


def test_a_cap_that_is_lowered_in_the_very_moment_in_which_a_turn_is_asked_for_counts(live: LiveRun) -> None:
    with live.folder.journal() as other:

        class Outrun(BehavingModel):
            def turn_price(self, request: TurnRequest) -> Decimal | None:
                other.append(BudgetSet(cap_usd=Decimal(1)))
                return super().turn_price(request)

        model = Outrun([END], price=Decimal(2))
        ended = asyncio.run(converse(live, agent(model)))
    assert (ended.outcome, model.requests) == ("out of budget", [])


def test_turns_of_unknown_price_are_asked_for_until_nothing_of_the_cap_is_left(live: LiveRun) -> None:
    live.record(BudgetSet(cap_usd=Decimal(3)))
    half_known = Says(calls=HELLO.calls, cost_usd=Decimal("1.5"))
    model = BehavingModel([half_known, half_known, END], price=None)
    ended = asyncio.run(converse(live, agent(model)))
    assert (ended.outcome, len(model.requests)) == ("out of budget", 2)


def test_what_is_free_is_asked_for_also_where_nothing_of_the_cap_is_left(live: LiveRun) -> None:
    live.record(BudgetSet(cap_usd=Decimal(0)))
    assert asyncio.run(converse(live, agent(BehavingModel([END], price=Decimal(0))))).outcome == "done"


def test_the_price_of_a_turn_is_kept_free_while_it_is_under_way(live: LiveRun) -> None:
    kept: list[Decimal] = []
    model = BehavingModel(
        [BUSY, Says(calls=END.calls, cost_usd=Decimal("0.5"))],
        price=Decimal(2),
        during=lambda _: kept.append(live.state.reserved_usd),
    )
    asyncio.run(converse(live, agent(model)))
    assert kept == [Decimal(2), Decimal(2)]
    assert live.state.reserved_usd == 0
    assert live.state.spent_usd == Decimal("0.5")


def test_turns_inside_an_experiment_are_paid_from_its_reservation(live: LiveRun) -> None:
    lock(live, 1, Decimal(3))
    live.record(BudgetSet(cap_usd=Decimal(3)))
    behaviours = [Says(calls=HELLO.calls, cost_usd=Decimal(2))] * 3
    model = BehavingModel(behaviours, price=Decimal(2), during=lambda _: seen.append(live.state.reserved_usd))
    seen: list[Decimal] = []
    ended = asyncio.run(converse(live, agent(model, "E1")))
    assert ended.outcome == "out of budget"
    assert seen == [Decimal(3)]
    assert live.state.spent_usd == 2
    assert live.state.reserved_usd == 1


def test_an_experiment_of_unknown_price_pays_its_turns_from_the_free_cap(live: LiveRun) -> None:
    lock(live, 1, None)
    live.record(BudgetSet(cap_usd=Decimal(3)))
    model = BehavingModel([Says(calls=HELLO.calls, cost_usd=Decimal(2))] * 3, price=Decimal(2))
    ended = asyncio.run(converse(live, agent(model, "E1")))
    assert (ended.outcome, len(model.requests)) == ("out of budget", 1)
    live.record(ExperimentEnded(experiment_id="E1", outcome="out of budget"))
    assert live.state.spent_usd == 2
    assert live.state.reserved_usd == 0


def test_a_message_of_the_human_arrives_once_at_the_next_turn(live: LiveRun) -> None:
    def tell(request: TurnRequest) -> None:
        if len(request.messages) == 1:
            with live.folder.journal() as console:
                console.append(MessageSent(message_id="m1", agent="orchestrator", text="Use SVMs."))
                console.append(MessageSent(message_id="m2", agent="E1", text="Not for you."))

    model = BehavingModel([HELLO, HELLO, END], during=tell)
    asyncio.run(converse(live, agent(model)))
    texts = [
        request.messages[-1].text
        for request in model.requests
        if isinstance(request.messages[-1], UserMessage)
    ]
    assert texts == ["Begin.", "The human says: Use SVMs.", ""]
    assert model.requests[2].messages[:3] == model.requests[1].messages


def test_a_message_is_not_lost_with_a_turn_that_never_became_complete(live: LiveRun) -> None:
    live.record(MessageSent(message_id="m1", agent="orchestrator", text="Use SVMs."))
    with pytest.raises(ModelRejected):
        talk(live, Fails(ModelRejected("bad key")))
    _, requests = talk(live, END)
    assert requests[0].messages == (UserMessage("Begin.\n\nThe human says: Use SVMs."),)


def test_text_is_shown_while_it_streams_and_gone_when_the_turn_is_complete(
    live: LiveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "STREAM_SECONDS", 0)
    shown: list[dict[str, str]] = []
    set_partial = live.journal.set_partial

    def note(name: str, text: str) -> None:
        set_partial(name, text)
        shown.append(dict(live.journal.partials()))

    monkeypatch.setattr(live.journal, "set_partial", note)
    talk(live, Breaks("I was"), Says("I am", END.calls))
    assert shown == [{"orchestrator": "I was"}, {}, {"orchestrator": "I am"}, {}]


def test_half_a_surrogate_pair_in_a_turn_costs_a_character_and_not_the_turn(
    live: LiveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "STREAM_SECONDS", 0)
    odd = Says("\ud83d", (("echo", {"text": "a\ud83d"}), ("e\ud83d", {"k\ud83d": ["\ud83d"]})))
    ended, requests = talk(live, odd, END)
    assert ended.outcome == "done"
    [finished, _] = [event for event in live.journal.read() if isinstance(event, TurnFinished)]
    assert (finished.text, finished.calls[0].arguments) == ("?", {"text": "a?"})
    assert requests[1].messages[1] == ModelMessage(finished.raw)


def test_a_stream_is_read_to_its_end_so_that_the_model_can_close_it(live: LiveRun) -> None:
    model = BehavingModel([HELLO, END])
    asyncio.run(converse(live, agent(model)))
    assert model.closed == 2


def test_a_turn_is_asked_for_in_the_journal_before_the_model_is_asked(live: LiveRun) -> None:
    asked: list[int] = []
    model = BehavingModel(
        [HELLO, END],
        during=lambda _: asked.append(sum(isinstance(event, TurnStarted) for event in live.journal.read())),
    )
    asyncio.run(converse(live, agent(model)))
    assert asked == [1, 2]
