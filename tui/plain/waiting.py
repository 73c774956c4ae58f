"""What waits for the human, and how to decide it from any terminal."""

from __future__ import annotations

from collections.abc import Iterator

from core.budget import fits
from core.pricing import dollars, price_range
from core.record import events as e
from core.record.state import Request, RunState
from core.sandbox.machines import usual_packages
from tui import glyphs
from tui.launch_words import (
    data_in_words,
    launch_notes,
    machine_in_words,
    network_in_words,
    packages_in_words,
    prices_note,
)
from tui.plain.execs import code_warnings
from tui.plain.telling import Telling
from tui.safe_text import one_line, safe

SHOWN_SCRIPT_LINES = 12
CAP_CANNOT_HOLD = "Nobody knows what it will cost, and the cap cannot hold it."


def waits(telling: Telling, state: RunState, request: Request) -> list[str]:
    """What waits for the human, and how to decide it from any terminal."""
    asked = request.asked
    run, name = telling.folder.run_id, asked.experiment_id if asked.kind == "launch" else asked.request_id
    head = f"{glyphs.WAITS.glyph} waits for you: {_what(state, request)}"
    lines = [telling.line(asked.at, asked.experiment_id or "", telling.screen.paint(head, "yellow"))]
    if asked.kind == "script":
        code = safe(asked.detail).splitlines()
        lines += [telling.indented(line) for line in code[:SHOWN_SCRIPT_LINES]]
        if len(code) > SHOWN_SCRIPT_LINES:
            lines.append(
                telling.indented(
                    f"… {len(code) - SHOWN_SCRIPT_LINES} lines more: fumehood show {run} --scripts"
                )
            )
        warnings = (telling.screen.paint(text, "yellow") for text in code_warnings(asked.detail))
        lines += map(telling.indented, warnings)
    elif asked.detail:
        lines.append(telling.indented(one_line(asked.detail)))
    if asked.kind == "launch":
        lines += [telling.indented(line) for line in _about_the_launch(telling, state, asked)]
    return lines + [telling.indented(command) for command in commands_for(run, asked.kind, str(name))]


def _about_the_launch(telling: Telling, state: RunState, asked: e.ApprovalRequested) -> Iterator[str]:
    """The machine, what may come differently, and what has to be known of the price."""
    if asked.experiment_id in state.experiments:
        compute = state.experiments[asked.experiment_id].spec.compute
        yield f"{machine_in_words(state, compute)} · network {network_in_words(compute)}"
        for name, words in launch_notes(state, compute):
            yield f"{name}: {words}"
        if compute.packages or usual_packages(state.settings.sandbox):
            yield f"packages: {packages_in_words(state, compute)}"
        if data := data_in_words(state):
            yield f"data: {data}"
        if note := prices_note(state):
            yield f"priced by {note}"
    yield from _about_the_cap(telling, state, asked)


def _about_the_cap(telling: Telling, state: RunState, asked: e.ApprovalRequested) -> Iterator[str]:
    """What has to be known of a price before it is approved; nothing where it fits the cap."""
    maximum = asked.estimate.maximum if asked.estimate else None
    if maximum is None:
        yield CAP_CANNOT_HOLD
    elif not fits(state, maximum):
        free = f"{dollars(state.free_usd)} of {dollars(state.cap_usd)} is free"
        yield f"It does not fit: {free}. Raise the cap with 'fumehood budget {telling.folder.run_id} USD'."


def commands_for(run: str, kind: e.RequestKind, name: str) -> list[str]:
    """The commands that decide a request, from any terminal.

    Args:
        run: the run's id.
        kind: what is asked.
        name: the experiment or the request's id.
    """
    if kind == "question":
        return [f'fumehood answer {run} {name} "…"']
    return [f"fumehood approve {run} {name}", f'fumehood reject {run} {name} --note "why"'] + (
        [f"fumehood edit {run} {name} --editor"] if kind == "launch" else []
    )


def _what(state: RunState, request: Request) -> str:
    asked = request.asked
    match asked.kind:
        case "launch":
            price = price_range(asked.estimate) if asked.estimate else "unknown price"
            return f"{one_line(asked.title)}, {price}"
        case "script":
            return f"may this script run? ({one_line(asked.title)})"
        case _:
            return one_line(asked.title)
