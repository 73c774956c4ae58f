"""Lines about sandboxes."""

from __future__ import annotations

from collections.abc import Iterator

from core.pricing import dollars
from core.record import events as e
from core.record.state import RunState
from tui.plain.telling import Telling
from tui.safe_text import one_line


def sandbox_progressed(telling: Telling, state: RunState, event: e.SandboxProgressed) -> Iterator[str]:
    """What is made ready."""
    yield telling.line(
        event.at, event.experiment_id, telling.screen.paint(one_line(event.line, 160), dim=True)
    )


def sandbox_opened(telling: Telling, state: RunState, event: e.SandboxOpened) -> Iterator[str]:
    """How far it is kept apart."""
    yield telling.line(event.at, event.experiment_id, f"sandbox open; isolation: {one_line(event.isolation)}")


def sandbox_failed(telling: Telling, state: RunState, event: e.SandboxFailed) -> Iterator[str]:
    """What was wrong, and what comes next."""
    then = {
        "tried again": f"tried again in {event.after_seconds:.0f} s",
        "asked again": "nothing of it counts as a result; you are asked whether to launch it again",
        "ended": "the experiment ends",
        "closed again": "it may still be there, and closing it is tried again; see 'fumehood sandboxes'",
    }[event.then]
    message = one_line(event.message).rstrip(".")
    yield telling.line(event.at, event.experiment_id, f"its sandbox failed: {message}. Next: {then}")


def sandbox_reaped(telling: Telling, state: RunState, event: e.SandboxReaped) -> Iterator[str]:
    """What was ended, and why."""
    name, reason = one_line(event.name), one_line(event.reason)
    yield telling.line(event.at, event.experiment_id or "", f"ended the sandbox {name}: {reason}")


def sandbox_billed(telling: Telling, state: RunState, event: e.SandboxBilled) -> Iterator[str]:
    """What it cost after all."""
    yield telling.line(
        event.at,
        event.experiment_id or "",
        f"its provider says that a sandbox cost {dollars(event.cost_usd)}; that counts now",
    )
