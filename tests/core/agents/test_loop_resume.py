"""An engine that dies anywhere in a conversation: the next one goes on as if nothing had happened."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from core.agents.agent import Agent
from core.agents.loop import converse
from core.agents.tools import Arguments, Reply, Tool, Toolbox
from core.errors import ToolError
from core.models.base import Message, TurnRequest
from core.record.events import AgentEnded, EngineStarted, Event, MessageSent, ToolAnswered, TurnFinished
from core.record.folder import RunFolder
from core.record.journal import Journal
from core.record.live import LiveRun
from core.record.records import Record
from tests.fakes.behaving_model import Behaviour, ConstantModel, Says, calls, position
from tests.fakes.specs import new_run


class Died(BaseException):
    """The engine's process is gone."""


class MortalRun(LiveRun):
    """A run whose engine dies before or after a given append.

    Args:
        appends: appends that it survives.
        before: die before the next append rather than after it.
    """

    def live_for(self, appends: int, *, before: bool) -> None:
        self.left, self.before = appends, before

    def record(self, *events: Event, records: Sequence[Record] = ()) -> None:
        self._die_if(self.before)
        super().record(*events, records=records)
        self._die_if(not self.before)

    def record_if_unchanged(self, *events: Event) -> None:
        self._die_if(self.before)
        super().record_if_unchanged(*events)
        self._die_if(not self.before)

    def _die_if(self, now: bool) -> None:
        if now:
            if self.left == 0:
                raise Died
            self.left -= 1


class Work(Arguments):
    """Do a piece of work."""

    piece: str


@dataclass
class World:
    """What tools did to the world, by call id: doing it twice is doing it once."""

    done: dict[str, str] = field(default_factory=dict)

    async def work(self, arguments: Work, call_id: str) -> Reply:
        if arguments.piece == "broken":
            raise ToolError("it is broken")
        assert self.done.setdefault(call_id, arguments.piece) == arguments.piece
        return Reply(f"{arguments.piece} is done", ends=arguments.piece == "last")


SCRIPT: tuple[Behaviour, ...] = (
    Says("Two at once.", (("work", {"piece": "first"}), ("work", {"piece": "second"}))),
    Says("Let me think."),
    calls("work", piece="broken"),
    calls("work", piece="third"),
    calls("work", piece="last"),
)
"""A conversation with calls, silence, an error and an end."""


@dataclass
class Course:
    """How one conversation went, over any number of engines."""

    messages: list[tuple[Message, ...]]
    """What was sent, by place in the conversation."""
    asked: list[TurnRequest]
    events: list[Event]
    done: dict[str, str]


def carry_on(folder: RunFolder, deaths: Sequence[tuple[int, bool]]) -> Course:
    """Converse to the end, with an engine for each death and one more."""
    asked: list[TurnRequest] = []
    world = World()
    with folder.journal() as journal:
        for appends, before in [*deaths, (10_000, False)]:
            live = MortalRun(folder, journal)
            live.live_for(appends, before=before)
            model = ConstantModel(SCRIPT, requests=asked, during=partial(not_complete_yet, journal))
            agent = Agent(
                "orchestrator", model, "Be brief.", "Begin.", "1", Toolbox(Tool("work", Work, world.work)), 30
            )
            with suppress(Died):
                live.record(EngineStarted(pid=1, host="h", isolation="namespaces"))
                asyncio.run(converse(live, agent))
        events = list(journal.read())
    by_place = {position(request): request.messages for request in asked}
    return Course([by_place[place] for place in sorted(by_place)], asked, events, world.done)


def not_complete_yet(journal: Journal, request: TurnRequest) -> None:
    """A turn whose ``turn.finished`` is in the journal is never asked for again."""
    finished = sum(isinstance(event, TurnFinished) for event in journal.read())
    assert position(request) == finished


def undisturbed(tmp_path: Path) -> Course:
    return carry_on(new_run(tmp_path / "undisturbed"), [])


def same_course(course: Course, expected: Course) -> None:
    assert course.messages == expected.messages
    assert course.done == expected.done
    for kind in (TurnFinished, ToolAnswered, AgentEnded):
        assert [plain(x) for x in course.events if isinstance(x, kind)] == [
            plain(x) for x in expected.events if isinstance(x, kind)
        ]
    for place, sent in enumerate(course.messages[1:]):
        assert sent[: len(course.messages[place])] == course.messages[place], "a history did not only grow"


def plain(event: Event) -> dict[str, object]:
    return event.model_dump(exclude={"seq", "at"})


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_an_engine_that_dies_at_any_append_changes_nothing_in_the_conversation(
    tmp_path: Path, before: bool
) -> None:
    expected = undisturbed(tmp_path)
    assert expected.events[-1].type == "agent.ended"
    appends = len(expected.events) - 2  # all but the run's creation; the last two are one append
    assert appends == 17
    for place in range(appends):
        course = carry_on(new_run(tmp_path / str(place)), [(place, before)])
        assert sum(isinstance(event, EngineStarted) for event in course.events) == 1 + (
            place > 0 or not before
        )
        same_course(course, expected)


def test_engines_that_keep_dying_get_there_in_the_end(tmp_path: Path) -> None:
    expected = undisturbed(tmp_path)
    folder = new_run(tmp_path)
    course = carry_on(folder, [(2 + place % 3, bool(place % 2)) for place in range(30)])
    same_course(course, expected)
    assert len(course.asked) > len(expected.asked)


def test_every_request_of_a_conversation_begins_with_the_one_before(tmp_path: Path) -> None:
    course = undisturbed(tmp_path)
    assert len(course.messages) == len(SCRIPT)
    assert [len(messages) for messages in course.messages] == [1, 3, 5, 7, 9]


def test_a_message_that_came_while_no_engine_ran_is_heard_at_the_next_turn(tmp_path: Path) -> None:
    folder = new_run(tmp_path)
    with folder.journal() as journal:
        live = MortalRun(folder, journal)
        live.live_for(4, before=False)
        model = ConstantModel(SCRIPT)
        agent = Agent(
            "orchestrator", model, "s", "Begin.", "1", Toolbox(Tool("work", Work, World().work)), 30
        )
        with pytest.raises(Died):
            asyncio.run(converse(live, agent))
        journal.append(MessageSent(message_id="m1", agent="orchestrator", text="Hurry."))
    course = carry_on(folder, [])
    heard = [messages[-1] for messages in course.messages if "Hurry" in str(messages[-1])]
    assert len(heard) == 1
