"""Lines about what agents think, say and are refused."""

from __future__ import annotations

from collections.abc import Iterator

from core.record import events as e
from core.record.state import RunState
from tui.plain.telling import SPEECH_CHARACTERS, Telling
from tui.safe_text import one_line

THOUGHT_CHARACTERS = 240


def turn_finished(telling: Telling, state: RunState, event: e.TurnFinished) -> Iterator[str]:
    """What was thought and said."""
    subject, who = telling.agent(event.agent)
    if thoughts := one_line(event.thoughts, THOUGHT_CHARACTERS):
        yield telling.line(event.at, subject, telling.screen.paint(f"{who}thinks: {thoughts}", dim=True))
    if text := one_line(event.text, SPEECH_CHARACTERS):
        yield telling.line(event.at, subject, f"{who}says: {text}")


def turn_retried(telling: Telling, state: RunState, event: e.TurnRetried) -> Iterator[str]:
    """Why it is asked for again."""
    subject, who = telling.agent(event.agent)
    reason = one_line(event.reason, 200)
    yield telling.line(event.at, subject, f"{who}tries again in {event.after_seconds:.0f} s: {reason}")


def turn_failed(telling: Telling, state: RunState, event: e.TurnFailed) -> Iterator[str]:
    """That the run pauses for it."""
    if event is state.blocked:  # elsewhere the experiment's end says it
        subject, who = telling.agent(event.agent)
        reason = one_line(event.reason, 300).rstrip(".")
        yield telling.line(
            event.at, subject, f"{who}gets no turn: {reason}; the run pauses once turns under way are in"
        )


def tool_answered(telling: Telling, state: RunState, event: e.ToolAnswered) -> Iterator[str]:
    """What was refused."""
    if event.error and event.agent != "writer":
        subject, who = telling.agent(event.agent)
        yield telling.line(event.at, subject, f"{who}was refused: {one_line(event.text, 300)}")


def agent_ended(telling: Telling, state: RunState, event: e.AgentEnded) -> Iterator[str]:
    """Why it gave up or was ended."""
    if event.outcome != "done":
        subject, who = telling.agent(event.agent)
        more = "" if event.message in ("", event.outcome) else f"; {one_line(event.message)}"
        yield telling.line(event.at, subject, f"{who or 'its researcher '}ended: {event.outcome}{more}")
