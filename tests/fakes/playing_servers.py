"""Model servers that play a whole study, and watch that no conversation changes behind its back.

Each answer has its own ids and signatures, also where a turn is asked for twice, as with real
providers. So a history can only be right if it holds exactly the answer that was recorded.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from core.agents.prompts import ORCHESTRATOR, WRITER
from core.models.scripted import ScriptedTurn, Trajectory
from core.record.folder import RunFolder
from tests.fakes import gemini_server
from tests.fakes.anthropic_server import AnthropicServer, events_of, message, text, thinking, tool_use, wire
from tests.fakes.gemini_server import GeminiServer, framed
from tests.fakes.streaming_server import Exchange

Moment: TypeAlias = Literal["asked", "streaming", "given"]
"""When an engine is killed: before anything of an answer is sent, in its middle, or right after its end."""

Vendor: TypeAlias = Literal["anthropic", "google"]

SEEN_SECONDS = 0.02
"""How long the pieces of an answer are given to be read before the engine is killed."""


@dataclass
class Play:
    """What is played, and what was seen.

    Attributes:
        trajectory: the turns, by agent; none may have a ``when``.
        folder: the run, for the journal that says what is complete, and whom to kill.
        kill_at: the request, counted from 1, at which the engine is killed; 0 for none.
        moment: when in its answer.
        faults: everything that must not be.
        asked: requests by agent and number of the turn.
        requests: how many there were.
    """

    trajectory: Trajectory
    folder: RunFolder
    kill_at: int = 0
    moment: Moment = "asked"
    faults: list[str] = field(default_factory=list)
    asked: Counter[tuple[str, int]] = field(default_factory=Counter)
    requests: int = 0
    _prefixes: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    _given: dict[tuple[str, int], str] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def next(self, fixed: object, messages: Sequence[object], said: Sequence[object]) -> ScriptedTurn:
        """Look at a request, and say what is answered.

        Args:
            fixed: system text and tools, as they came.
            messages: the conversation, as it came.
            said: of it, what the model said, oldest first.
        """
        self.requests += 1
        head, conversation = json.dumps(fixed), [json.dumps(sent) for sent in messages]
        agent = _agent_of(head, conversation[0])
        number = len(said) + 1
        self.asked[agent, number] += 1
        self._compare(agent, head, conversation)
        for earlier, content in enumerate(said, 1):
            if json.dumps(content) != self._given.get((agent, earlier)):
                self.faults.append(f"{agent} {number}: turn {earlier} is not what was answered")
        if (complete := self._complete(agent)) >= number:
            self.faults.append(f"{agent} {number} is paid again: {complete} turns are complete")
        return self.trajectory.turns[agent][number - 1]

    def gave(self, agent_and_number: tuple[str, int], content: object) -> None:
        """Keep an answer that was given whole."""
        self._given[agent_and_number] = json.dumps(content)

    def salt(self) -> str:
        """Something that no other answer has."""
        return f"{next(self._numbers):04}"

    def place(self, fixed: object, messages: Sequence[object], said: Sequence[object]) -> tuple[str, int]:
        """Whose turn a request is about, and its number."""
        return _agent_of(json.dumps(fixed), json.dumps(messages[0])), len(said) + 1

    async def kill_if(self, moment: Moment) -> None:
        """Kill the engine if its time has come; it is the one that wrote to the journal last."""
        if self.requests != self.kill_at or moment != self.moment:
            return
        self.kill_at = 0
        if moment != "asked":
            await asyncio.sleep(SEEN_SECONDS)
        state = self.folder.state()
        assert state.engine is not None
        if state.engine_stopped is None:
            with contextlib.suppress(ProcessLookupError):  # it was the last turn, and the engine is done
                os.kill(state.engine.pid, signal.SIGKILL)

    def _compare(self, agent: str, head: str, conversation: list[str]) -> None:
        """No request may differ from an earlier one of the same agent but by going on."""
        before_head, before = self._prefixes.get(agent, (head, []))
        if head != before_head:
            self.faults.append(f"{agent}: system text or tools have changed")
        shared = min(len(before), len(conversation))
        if conversation[:shared] != before[:shared] or len(conversation) < len(before):
            self.faults.append(f"{agent}: an earlier message has changed at {len(conversation)}")
        self._prefixes[agent] = head, conversation

    def _complete(self, agent: str) -> int:
        """An agent's complete turns, read from the file itself and not through the journal's own code."""
        database = sqlite3.connect(f"file:{self.folder.journal_path}?mode=ro", uri=True)
        try:
            rows = database.execute("SELECT body FROM events WHERE type = 'turn.finished'").fetchall()
        finally:
            database.close()
        return sum(json.loads(body)["agent"] == agent for (body,) in rows)


def _agent_of(head: str, first: str) -> str:
    for name, system in (("orchestrator", ORCHESTRATOR), ("writer", WRITER)):
        if json.dumps(system)[1:-1] in head:
            return name
    found = re.search(r"Your experiment (E\d+):", first)
    assert found is not None, "a request of no agent"
    return found[1]


class PlayingClaude(AnthropicServer):
    """Anthropic's API, playing a study."""

    def __init__(self, play: Play) -> None:
        super().__init__(then=self._play, key=None)
        self.play = play

    async def _play(self, exchange: Exchange) -> None:
        body = exchange.json()
        fixed, messages = [body["system"], body["tools"]], body["messages"]
        said = [sent["content"] for sent in messages if sent["role"] == "assistant"]
        turn, place = self.play.next(fixed, messages, said), self.play.place(fixed, messages, said)
        content = self._blocks(turn)
        await self.play.kill_if("asked")
        pieces = [wire(event) for event in events_of(message(*content))]
        await _stream(self.play, exchange, pieces)
        self.play.gave(place, content)
        await exchange.finish()
        await self.play.kill_if("given")

    def _blocks(self, turn: ScriptedTurn) -> list[dict[str, Any]]:
        salt = self.play.salt()
        return [
            thinking(turn.thoughts or "Let me think.", f"c2lnbmVk+/{salt}=="),
            text(turn.text or "Here."),
            *(
                tool_use(call.tool, f"toolu_{salt}_{n}", **call.arguments)
                for n, call in enumerate(turn.calls)
            ),
        ]


class PlayingGemini(GeminiServer):
    """Gemini's API, playing a study; it gives its calls no ids."""

    def __init__(self, play: Play) -> None:
        super().__init__(then=self._play)
        self.play = play

    async def _play(self, exchange: Exchange) -> None:
        body = exchange.json()
        fixed, messages = [body["systemInstruction"], body["tools"]], body["contents"]
        said = [sent["parts"] for sent in messages if sent["role"] == "model"]
        turn, place = self.play.next(fixed, messages, said), self.play.place(fixed, messages, said)
        parts = self._parts(turn)
        await self.play.kill_if("asked")
        events = [gemini_server.event([part]) for part in parts[:-1]]
        last = gemini_server.event(parts[-1:], "STOP", usageMetadata=gemini_server.USAGE)
        await _stream(self.play, exchange, [framed(event) for event in [*events, last]])
        self.play.gave(place, parts)
        await exchange.finish()
        await self.play.kill_if("given")

    def _parts(self, turn: ScriptedTurn) -> list[dict[str, Any]]:
        signature = f"EqsBCqgB+/9yd2Vi//8g{self.play.salt()}"
        calls = [
            gemini_server.call(call.tool, None, None if number else signature, **call.arguments)
            for number, call in enumerate(turn.calls)
        ]
        return [
            gemini_server.thought(turn.thoughts or "Let me think."),
            gemini_server.text(turn.text or "Here."),
            *calls,
        ]


async def _stream(play: Play, exchange: Exchange, pieces: Sequence[bytes]) -> None:
    await exchange.begin()
    for piece in pieces[: len(pieces) // 2]:
        await exchange.send(piece)
    await play.kill_if("streaming")
    for piece in pieces[len(pieces) // 2 :]:
        await exchange.send(piece)


def playing(vendor: Vendor, play: Play) -> PlayingClaude | PlayingGemini:
    """The server of a vendor that plays a study."""
    return PlayingClaude(play) if vendor == "anthropic" else PlayingGemini(play)
