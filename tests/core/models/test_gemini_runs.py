"""What a run does when Gemini answers badly or not at all: asks again, books it, does nothing by halves."""

from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from core.agents.agent import Agent
from core.agents.loop import converse
from core.agents.tools import Arguments, Reply, Tool, Toolbox
from core.errors import ContextFull, ModelBusy, ModelError, ModelRefused, ModelRejected, ModelUnusable
from core.record.events import AgentEnded, EngineStarted, Event, TurnFailed, TurnFinished, TurnRetried
from core.record.folder import RunFolder
from core.record.live import LiveRun
from tests.core.models.gemini_turns import KEY, model
from tests.fakes.behaving_model import AT_ONCE
from tests.fakes.gemini_server import (
    BAD_KEY,
    BLOCKED_PROMPT,
    NO_SUCH_MODEL,
    OVERLOADED,
    RATE_LIMITED,
    SIGNATURE,
    TOO_LONG,
    USAGE,
    GeminiServer,
    begins,
    call,
    event,
    fails,
    fault,
    framed,
    says,
    sends,
    streams,
    text,
    thought,
)
from tests.fakes.streaming_server import Answer

HALF = call("note", "half", word="half")
"""A call in an answer that never becomes a turn."""

END = says(thought("Enough."), call("note", None, SIGNATURE, word="end"))


class Note(Arguments):
    """Write a word down."""

    word: str


class Notes:
    """What the agent's one tool was called with."""

    def __init__(self) -> None:
        self.words: list[str] = []

    async def note(self, arguments: Note, call_id: str) -> Reply:
        self.words.append(arguments.word)
        return Reply(f"noted {arguments.word}", ends=arguments.word == "end")


def agent(server: GeminiServer, notes: Notes, **settings: Any) -> Agent:
    asked = model(server, **settings)
    return Agent(
        "orchestrator", asked, "Be brief.", "Begin.", "1", Toolbox(Tool("note", Note, notes.note)), 30
    )


def talk(live: LiveRun, *answers: Answer, **settings: Any) -> tuple[AgentEnded, list[str], list[Any]]:
    """Let one agent work against a server that answers so: how it ended, what it noted, what was sent."""
    live.record(EngineStarted(pid=1, host="h", isolation="namespaces"))

    async def work() -> tuple[AgentEnded, list[str], list[Any]]:
        notes = Notes()
        async with GeminiServer(*answers) as server:
            ended = await converse(live, agent(server, notes, **settings), AT_ONCE)
            return ended, notes.words, server.bodies

    return asyncio.run(work())


def events_of(live: LiveRun, kind: type[Event]) -> list[Any]:
    return [event for event in live.journal.read() if isinstance(event, kind)]


ASKED_AGAIN = {
    "limits how fast": RATE_LIMITED,
    "overloaded": OVERLOADED,
    "(status 500)": fails(500, "Internal error.", "INTERNAL"),
    "(status 503)": streams([event([HALF], usageMetadata=USAGE), fault(503, "Overloaded.")]),
    "was cut": begins(HALF, then="cut", usage=USAGE),
    "in the middle of an answer": says(HALF, finish=None),
    "sent nothing": begins(HALF, then="stall", usage=USAGE),
    "garbled": sends(framed(event([HALF])), b"data: {\r\n\r\n"),
    "broken off": sends(framed(event([HALF])), b'data: {"candidates": [{"con'),
    "MALFORMED_FUNCTION_CALL": says(HALF, finish="MALFORMED_FUNCTION_CALL"),
    "cut at 65,536 tokens": says(HALF, finish="MAX_TOKENS"),
    "cannot be read": says(HALF, {"functionCall": {"name": "note", "args": "wor"}}),
    "empty answer": says(),
}

UNCOUNTED = ("garbled", "broken off")
BROKEN = ("(status 503)", "was cut", "in the middle of an answer", "sent nothing")


@pytest.mark.parametrize("reason", ASKED_AGAIN)
def test_a_turn_that_is_not_complete_is_asked_for_again_and_nothing_of_it_is_done(
    live: LiveRun, reason: str
) -> None:
    ended, noted, bodies = talk(live, ASKED_AGAIN[reason], END, stall_seconds=0.2)
    assert (ended.outcome, noted) == ("done", ["end"])
    [retried] = events_of(live, TurnRetried)
    assert reason in retried.reason
    assert bodies[0] == bodies[1], "the same request, to the letter"
    [finished] = events_of(live, TurnFinished)
    assert [part["functionCall"]["args"]["word"] for part in finished.raw["parts"][1:]] == ["end"]
    # Where the server did not count, the most that the attempt can have cost is kept of the cap.
    assert (retried.cost_usd is None) == (reason in UNCOUNTED)
    assert live.state.spent_usd == (retried.cost_usd or 0) + Decimal("0.00328")
    assert (live.state.unsettled_usd > 0) == (reason in UNCOUNTED or reason in BROKEN)


@pytest.mark.parametrize(
    ("answer", "kind", "step"),
    [
        (BAD_KEY, ModelUnusable, "fumehood keys set GOOGLE_API_KEY"),
        (fails(403, "Permission denied.", "PERMISSION_DENIED"), ModelUnusable, "fumehood keys set"),
        (NO_SUCH_MODEL, ModelUnusable, "fumehood models"),
        (TOO_LONG, ContextFull, ""),
        (fails(400, "Invalid value.", "INVALID_ARGUMENT"), ModelRejected, ""),
        (BLOCKED_PROMPT, ModelRefused, "other words"),
        (says(HALF, finish="SAFETY"), ModelRefused, "other words"),
    ],
)
def test_what_asking_again_cannot_help_is_in_the_journal_with_the_next_step(
    live: LiveRun, answer: Answer, kind: type[ModelError], step: str
) -> None:
    with pytest.raises(kind) as caught:
        talk(live, answer)
    [failed] = events_of(live, TurnFailed)
    assert failed.pauses
    assert step in failed.next_step
    assert (failed.reason, failed.next_step) == (caught.value.message, caught.value.next_step)
    assert KEY.reveal() not in failed.reason
    assert events_of(live, TurnRetried) == events_of(live, TurnFinished) == []


def test_a_provider_that_never_gets_well_ends_in_one_line(live: LiveRun) -> None:
    with pytest.raises(ModelBusy, match=r"gave no complete turn in 9 attempts: .*overloaded"):
        talk(live, *[OVERLOADED] * 9)
    assert len(events_of(live, TurnRetried)) == 8


def test_answers_that_never_fit_end_after_the_second(live: LiveRun) -> None:
    cut = says(HALF, finish="MAX_TOKENS")
    with pytest.raises(ModelRejected, match="do not fit the 65,536 tokens"):
        talk(live, cut, cut, END)
    assert live.state.spent_usd == 2 * Decimal("0.00328")


def test_each_request_carries_all_answers_before_it_unchanged(live: LiveRun) -> None:
    said = [
        (
            thought("One. "),
            thought("Two."),
            call("note", "a", SIGNATURE, word="a"),
            call("note", "b", word="b"),
        ),
        (text("Signed.", thoughtSignature=SIGNATURE), {"hologram": {"x": 1.0}}, call("note", word="c")),
        (text("I have nothing to do."),),
        (call("note", None, SIGNATURE, word="end"),),
    ]
    _, noted, bodies = talk(live, *(says(*parts) for parts in said))
    assert noted == ["a", "b", "c", "end"]
    for earlier, later in pairwise(bodies):
        assert later["contents"][: len(earlier["contents"])] == earlier["contents"]
        assert {**later, "contents": None} == {**earlier, "contents": None}
    sent_back = [content["parts"] for content in bodies[-1]["contents"] if content["role"] == "model"]
    assert sent_back == [[thought("One. Two."), *said[0][2:]], list(said[1]), list(said[2])]
    assert [part["functionResponse"] for part in bodies[1]["contents"][2]["parts"]] == [
        {"id": "a", "name": "note", "response": {"output": "noted a"}},
        {"id": "b", "name": "note", "response": {"output": "noted b"}},
    ]
    assert bodies[2]["contents"][4]["parts"] == [
        {"functionResponse": {"name": "note", "response": {"output": "noted c"}}}
    ]


@pytest.mark.parametrize("done", [0, 1, 2])
def test_an_engine_that_dies_in_the_middle_of_a_turn_asks_for_that_turn_again_and_for_no_other(
    folder: RunFolder, done: int
) -> None:
    whole = [says(thought("Hm."), call("note", None, SIGNATURE, word=f"{n}")) for n in range(2)] + [END]

    async def die() -> list[Any]:
        with folder.journal() as journal:
            live = LiveRun(folder, journal)
            live.record(EngineStarted(pid=1, host="h", isolation="namespaces"))
            async with GeminiServer(*whole[:done], begins(thought("Hm."), HALF, then="stall")) as server:
                engine = asyncio.create_task(converse(live, agent(server, Notes()), AT_ONCE))
                last = await server.arrival(done + 1)
                engine.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await engine
                async with asyncio.timeout(5):
                    await last.disconnected.wait()
                return server.bodies

    async def go_on() -> tuple[list[Any], int]:
        with folder.journal() as journal:
            live = LiveRun(folder, journal)
            live.record(EngineStarted(pid=2, host="h", isolation="namespaces"))
            async with GeminiServer(*whole[done:]) as server:
                await converse(live, agent(server, Notes()), AT_ONCE)
                return server.bodies, len(live.state.agents["orchestrator"].turns)

    before = asyncio.run(die())
    after, turns = asyncio.run(go_on())
    assert after[0] == before[-1]
    assert (turns, len(after)) == (3, 3 - done)
